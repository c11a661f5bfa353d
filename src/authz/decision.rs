//! What is asked, and what is answered.

use std::collections::BTreeSet;

use crate::model::grant::Method;
use crate::model::host::Host;
use crate::model::id::{AppRole, GroupId};
use crate::model::principal::{Principal, PrincipalSnapshot};
use crate::model::record::{Circumstances, ClientAddress, Reason, RuleId, Verdict};
use crate::model::route::Route;

/// One question to a snapshot: may this principal do this on this route, as things stand?
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who asks.
    pub principal: &'a PrincipalSnapshot,
    /// On which route: the one that the path matched.
    pub route: &'a Route,
    /// What they want to do.
    pub method: Method,
    /// The canonical host.
    pub host: &'a Host,
    /// The canonical path.
    pub path: &'a str,
    /// From where.
    pub client: ClientAddress,
    /// As things stand.
    pub circumstances: &'a Circumstances,
}

/// The answer to a [`Question`], with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Allow or deny.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The rules that made it, sorted; empty when no rule applied.
    pub rules: Vec<RuleId>,
    /// Evaluation errors, sorted: `<rule>: <message>`.
    pub errors: Vec<String>,
}

impl Decision {
    /// A deny in which no rule had a part.
    pub fn deny(reason: Reason) -> Self {
        Self { verdict: Verdict::Deny, reason, rules: Vec::new(), errors: Vec::new() }
    }

    /// The deny where no route of the app covers the path: signing in might help somebody who did not.
    pub fn without_route(principal: &Principal) -> Self {
        Self::deny(if principal.is_known() { Reason::NoRoute } else { Reason::NotSignedIn })
    }

    /// The deny for anything that went wrong while deciding.
    pub fn failed(error: &dyn std::fmt::Display) -> Self {
        Self { errors: vec![error.to_string()], ..Self::deny(Reason::PolicyError) }
    }
}

/// The groups and app roles that the rules about one app name: all that the app itself needs to know of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Group ids.
    pub groups: BTreeSet<GroupId>,
    /// App role values.
    pub roles: BTreeSet<AppRole>,
}
