//! What a rule looks at besides its scope: which parts of the context, and so when time alone can change it.
//!
//! **Invariant**: it may be too much, never too little. A rule that takes the context as a whole reads all of it.

use std::collections::BTreeSet;

use cedar_policy::{Policy, ResourceConstraint};
use serde_json::Value;

use super::timing::Timing;
use super::{contexts, zones};
use crate::model::civil::Zone;
use crate::model::grant::{Grant, Mfa};
use crate::model::id::AuthContext;
use crate::model::time::Span;

/// What a rule looks at besides its scope.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Reads {
    /// Parts of the context.
    pub(super) parts: Parts,
    /// When the passing of time can change what it says.
    pub(super) timing: Timing,
    /// Authentication contexts that it names.
    pub(super) contexts: BTreeSet<AuthContext>,
    /// Time zones that it names.
    pub(super) zones: BTreeSet<Zone>,
    /// How old a proof it takes.
    pub(super) fresh: Option<Span>,
    /// Whether it may tell the routes that its scope covers apart.
    pub(super) ground: Ground,
}

/// What a rule says of the routes and methods that its scope covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) enum Ground {
    /// The same of all of them.
    #[default]
    Even,
    /// Perhaps something else of each: a condition looks at the route, the method or the host.
    Uneven,
}

impl Ground {
    /// A rule about one route alone lies with the rules for all below it, and says nothing of these.
    pub(super) fn in_scope(policy: &Policy) -> Self {
        match policy.resource_constraint() {
            ResourceConstraint::Eq(_) => Self::Uneven,
            ResourceConstraint::Any
            | ResourceConstraint::In(_)
            | ResourceConstraint::Is(_)
            | ResourceConstraint::IsIn(..) => Self::Even,
        }
    }

    /// Path and parameters differ from request to request on one route already, so they tell no routes apart.
    fn of(form: &Value, parts: Parts) -> Self {
        let named = [Part::Method, Part::Host].into_iter().any(|part| parts.has(part));
        let looks = is_read(form, "resource") || is_read(form, "action");
        if named || looks { Self::Uneven } else { Self::Even }
    }
}

impl Reads {
    /// Of a grant.
    pub(super) fn of_grant(grant: &Grant) -> Self {
        let when = &grant.when;
        let parts = [
            (!when.networks.is_empty(), Part::Ip),
            (!when.hours.is_empty(), Part::Local),
            (when.mfa == Mfa::Required, Part::Mfa),
            (when.fresh.is_some(), Part::SignedInAt),
            (when.fresh.is_some() || when.until.is_some(), Part::Now),
            (when.auth_context.is_some(), Part::AuthContexts),
            (when.own.is_some(), Part::Params),
        ];
        Self {
            parts: parts.into_iter().filter_map(|(reads, part)| reads.then_some(part)).collect(),
            timing: Timing::of_grant(grant),
            contexts: when.auth_context.iter().cloned().collect(),
            zones: when.hours.iter().map(|hours| hours.zone().clone()).collect(),
            fresh: when.fresh,
            ground: Ground::Even,
        }
    }

    /// Of a hand-written policy in Cedar's JSON form.
    pub(super) fn of_policy(form: &Value) -> Self {
        let parts = Parts::in_form(form);
        let timed = parts.has(Part::Now) || parts.has(Part::Local);
        Self {
            parts,
            timing: if timed { Timing::Always } else { Timing::Never },
            contexts: contexts::named_in(form),
            zones: zones::named_in(form),
            fresh: None,
            ground: Ground::of(form, parts),
        }
    }
}

/// One attribute of the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Ip,
    Now,
    Local,
    Method,
    Path,
    Host,
    Mfa,
    AuthContexts,
    Params,
    SignedInAt,
}

impl Part {
    pub(super) const ALL: [Self; 10] = [
        Self::Ip,
        Self::Now,
        Self::Local,
        Self::Method,
        Self::Path,
        Self::Host,
        Self::Mfa,
        Self::AuthContexts,
        Self::Params,
        Self::SignedInAt,
    ];

    /// The attribute's name.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Now => "now",
            Self::Local => "local",
            Self::Method => "method",
            Self::Path => "path",
            Self::Host => "host",
            Self::Mfa => "mfa",
            Self::AuthContexts => "auth_contexts",
            Self::Params => "params",
            Self::SignedInAt => "signed_in_at",
        }
    }
}

/// A set of attributes of the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Parts(u16);

impl Parts {
    pub(super) const NONE: Self = Self(0);
    pub(super) const ALL: Self = Self((1 << Part::ALL.len()) - 1);

    pub(super) fn has(self, part: Part) -> bool {
        self.0 & (1 << part as u16) != 0
    }

    pub(super) const fn with(self, part: Part) -> Self {
        Self(self.0 | (1 << part as u16))
    }

    #[must_use]
    pub(super) fn without(self, part: Part) -> Self {
        Self(self.0 & !(1 << part as u16))
    }

    /// Whether these are among them.
    pub(super) fn holds(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    #[must_use]
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// `context.name` and `context has name` read one attribute; `context` in any other place reads all.
    pub(super) fn in_form(form: &Value) -> Self {
        match form {
            Value::Object(members) => match (members.get("left"), members.get("attr")) {
                (Some(left), Some(Value::String(name))) if is_context(left) => Self::named(name),
                _ if is_context(form) => Self::ALL,
                _ => members.values().map(Self::in_form).fold(Self::NONE, Self::and),
            },
            Value::Array(items) => items.iter().map(Self::in_form).fold(Self::NONE, Self::and),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Self::NONE,
        }
    }

    fn named(name: &str) -> Self {
        let part = Part::ALL.into_iter().find(|part| part.as_str() == name);
        part.map_or(Self::ALL, |part| Self::from_iter([part]))
    }
}

impl FromIterator<Part> for Parts {
    fn from_iter<I: IntoIterator<Item = Part>>(parts: I) -> Self {
        Self(parts.into_iter().fold(0, |bits, part| bits | (1 << part as u16)))
    }
}

fn is_context(form: &Value) -> bool {
    is_variable(form, "context")
}

/// Whether one of the variables of a request (Cedar JSON policy format, "Var") stands anywhere in the form.
fn is_read(form: &Value, name: &str) -> bool {
    match form {
        Value::Object(members) => {
            is_variable(form, name) || members.values().any(|member| is_read(member, name))
        }
        Value::Array(items) => items.iter().any(|item| is_read(item, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn is_variable(form: &Value, name: &str) -> bool {
    form.get("Var").is_some_and(|variable| variable == name)
}
