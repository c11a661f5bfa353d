//! Grants: rules that a form can edit.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use super::conditions::{Conditions, Mfa};
use super::id::{AppRole, GrantId, GroupId, RouteId, Subject, TenantId};

/// A structured rule: who may do what on which route, under which conditions, until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Stable over edits; records name it.
    pub id: GrantId,
    /// Whether it opens or closes.
    #[serde(default, skip_serializing_if = "Effect::is_permit")]
    pub effect: Effect,
    /// Whom it speaks of.
    pub who: Who,
    /// What they may do.
    pub what: What,
    /// Where.
    pub route: RouteId,
    /// Whether it covers the routes below as well.
    #[serde(default, skip_serializing_if = "Reach::is_below")]
    pub reach: Reach,
    /// Under which conditions; all must hold.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub when: Conditions,
    /// Why it exists, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Where that was agreed: the name of a ticket.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ticket: String,
}

impl Grant {
    /// A grant that opens `route` and all below it without conditions.
    pub fn new(id: GrantId, who: Who, what: What, route: RouteId) -> Self {
        Self {
            id,
            effect: Effect::default(),
            who,
            what,
            route,
            reach: Reach::default(),
            when: Conditions::default(),
            reason: String::new(),
            ticket: String::new(),
        }
    }
}

/// Whether a rule opens or closes. A `forbid` beats every `permit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Opens.
    #[default]
    Permit,
    /// Closes, whatever else opens.
    Forbid,
}

impl Effect {
    fn is_permit(&self) -> bool {
        *self == Self::Permit
    }
}

/// Whom a grant speaks of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Members of a group.
    Group(GroupId),
    /// Holders of an app role.
    Role(AppRole),
    /// One person.
    Person(Subject),
    /// One service.
    Workload(Subject),
    /// People whose account belongs to one of these tenants, at least one; guests don't.
    Tenants(BTreeSet<TenantId>),
    /// Any person who signed in.
    SignedIn,
    /// Everyone, signed in or not.
    Everyone,
}

/// What a grant lets people do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// `GET`, `HEAD`, `OPTIONS`.
    Read,
    /// `POST`, `PUT`, `PATCH`, `DELETE`.
    Write,
    /// Every method.
    All,
    /// These methods, at least one.
    Methods(BTreeSet<Method>),
}

impl What {
    /// The methods that it stands for.
    pub fn methods(&self) -> Vec<Method> {
        let all = Method::ALL.into_iter();
        match self {
            Self::Read => all.filter(|method| method.is_read()).collect(),
            Self::Write => all.filter(|method| !method.is_read()).collect(),
            Self::All => all.collect(),
            Self::Methods(methods) => methods.iter().copied().collect(),
        }
    }
}

/// An HTTP method that Cedargate forwards; all others are answered 405.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `OPTIONS`
    Options,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// Every method, in the order of the tables.
    pub const ALL: [Self; 7] =
        [Self::Get, Self::Head, Self::Options, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// The method's exact upper-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// The method with exactly this name; case matters (RFC 9110 section 9.1).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// Whether it is one of the reading methods.
    pub fn is_read(self) -> bool {
        match self {
            Self::Get | Self::Head | Self::Options => true,
            Self::Post | Self::Put | Self::Patch | Self::Delete => false,
        }
    }
}

/// How far down a grant reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// The route and all routes below it.
    #[default]
    Below,
    /// The route alone.
    Only,
}

impl Reach {
    fn is_below(&self) -> bool {
        *self == Self::Below
    }
}
