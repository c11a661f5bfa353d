//! What is wrong with a rule book, object by object.

use std::fmt;

use crate::model::id::{AppId, AssertionId, GrantId, PolicyId, RouteId};
use crate::model::problem::{Position, one_line};

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
    /// An assertion.
    Assertion(AssertionId),
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
            Self::Assertion(id) => write!(f, "assertion `{id}`"),
            Self::RuleBook => f.write_str("rule book"),
        }
    }
}

/// One thing that is wrong with a rule book.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{object}{}: {}", .at.map(|at| format!(":{at}")).unwrap_or_default(), self.what())]
pub struct Problem {
    /// Where.
    pub object: Object,
    /// Where in its text, for policies.
    pub at: Option<Position>,
    /// What, in words for an admin; one line.
    pub message: String,
    /// What to do about it, where that can be told.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem with `object`, in [`one_line`].
    pub fn new(object: Object, message: &dyn fmt::Display) -> Self {
        Self { object, at: None, message: one_line(&message.to_string()), hint: None }
    }

    /// The same, at this place of the object's text.
    #[must_use]
    pub fn at(self, at: Option<Position>) -> Self {
        Self { at, ..self }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn hint(self, hint: Option<String>) -> Self {
        Self { hint: hint.map(|hint| one_line(&hint)), ..self }
    }

    /// What is wrong and what to do about it, without where.
    pub fn what(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}; {hint}", self.message),
            None => self.message.clone(),
        }
    }
}
