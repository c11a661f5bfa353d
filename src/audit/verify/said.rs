//! What records say about other records, for whoever checks them.

use serde::Deserialize;

use crate::model::body::Head;
use crate::model::id::{DecisionId, ReleaseNumber};
use crate::model::record::{Acceptance, Anew, FoundLog, Lost, Removal};

/// Another key takes over.
#[derive(Debug, Deserialize)]
pub(super) struct Rotated {
    pub(super) before: String,
    pub(super) after: String,
}

/// Records were blanked.
#[derive(Debug, Deserialize)]
pub(in crate::audit) struct Erased {
    #[serde(rename = "origin_of_records")]
    pub(in crate::audit) origin: String,
    pub(in crate::audit) records: String,
}

/// Records were removed with age.
#[derive(Debug, Deserialize)]
pub(in crate::audit) struct Pruned {
    #[serde(flatten)]
    pub(in crate::audit) removal: Removal,
    #[serde(default, rename = "said_anew")]
    pub(in crate::audit) anew: Anew,
}

/// A log was begun behind another.
#[derive(Debug, Deserialize)]
pub(in crate::audit) struct Restored {
    actor: String,
    pub(super) reason: String,
    found: Option<String>,
    #[serde(default)]
    root: Option<String>,
    #[serde(default)]
    pub(super) logs: Vec<FoundLog>,
    #[serde(default)]
    lost: Vec<Lost>,
    #[serde(default)]
    pub(super) release: Option<ReleaseNumber>,
}

impl Restored {
    /// The logs that were found. Earlier programs noted the newest alone.
    pub(in crate::audit) fn found(&self) -> Vec<FoundLog> {
        if !self.logs.is_empty() {
            return self.logs.clone();
        }
        let found: Option<DecisionId> = self.found.as_deref().and_then(|id| id.parse().ok());
        let of = |found: DecisionId| FoundLog {
            origin: found.origin.to_string(),
            records: found.seq,
            root: self.root.clone(),
            trouble: None,
        };
        found.map(of).into_iter().collect()
    }

    /// What is lost by it, as the record under this head says.
    pub(in crate::audit) fn acceptance(self, head: Head<'_>) -> Acceptance {
        let Self { actor, reason, lost, .. } = self;
        Acceptance { record: head.id.to_string(), at: head.at.to_owned(), actor, reason, lost }
    }
}
