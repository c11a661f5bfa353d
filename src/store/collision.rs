//! Two people changed one object.

use std::fmt;

use serde_json::Value;

use crate::model::difference::Difference;
use crate::model::time::Timestamp;

/// An object that somebody else changed since it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// Which, and what the author read and wanted.
    pub wanted: Difference,
    /// What it is now; none when it is gone.
    pub now: Option<Value>,
    /// Who made it so, and when, as far as it is known.
    pub by: Option<(String, Timestamp)>,
}

impl fmt::Display for Collision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.now.is_some() { "changed" } else { "removed" };
        write!(f, "`{}` was {what}", self.wanted.object())?;
        match &self.by {
            Some((by, at)) => write!(f, " by {by} at {at}"),
            None => f.write_str(" in the meantime"),
        }
    }
}
