//! What is wrong with a rule book, object by object.

use std::fmt;

use crate::model::id::{AppId, GrantId, PolicyId, RouteId};

/// Which object of the rule book a problem is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// An app.
    App(AppId),
    /// A route.
    Route(RouteId),
    /// A grant.
    Grant(GrantId),
    /// A hand-written policy.
    Policy(PolicyId),
    /// The rule book as a whole.
    RuleBook,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App(id) => write!(f, "app `{id}`"),
            Self::Route(id) => write!(f, "route `{id}`"),
            Self::Grant(id) => write!(f, "grant `{id}`"),
            Self::Policy(id) => write!(f, "policy `{id}`"),
            Self::RuleBook => f.write_str("rule book"),
        }
    }
}

/// One thing that is wrong with a rule book.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{object}: {message}")]
pub struct Problem {
    /// Where.
    pub object: Object,
    /// What, in words for an admin.
    pub message: String,
}

impl Problem {
    /// A problem with `object`.
    pub fn new(object: Object, message: &dyn fmt::Display) -> Self {
        Self { object, message: message.to_string() }
    }
}
