//! Who causes what is recorded.

use std::fmt;

use serde::{Serialize, Serializer};

use super::id::Subject;

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A person or workload.
    Subject(Subject),
    /// Someone at the command line, by the name of the system's user.
    Operator(String),
    /// Cedargate itself.
    Gate,
    /// Nobody known: a failed sign-in.
    Nobody,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(subject) => write!(f, "{subject}"),
            Self::Operator(name) => write!(f, "operator:{name}"),
            Self::Gate => f.write_str("gate"),
            Self::Nobody => f.write_str("nobody"),
        }
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
