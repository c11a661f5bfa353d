//! What records say about other records, for whoever checks them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::audit::merkle::Hash;
use crate::model::body::Head;
use crate::model::id::{DecisionId, OriginId, ReleaseNumber};
use crate::model::record::{Acceptance, Anew, Lost, Removal};

/// Another key takes over.
#[derive(Debug, Deserialize)]
pub(super) struct Rotated {
    pub(super) before: String,
    pub(super) after: String,
}

/// Records were blanked.
#[derive(Debug, Deserialize)]
pub(super) struct Erased {
    #[serde(rename = "origin_of_records")]
    pub(super) origin: String,
    pub(super) records: String,
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
    pub(super) found: Option<String>,
    #[serde(default)]
    pub(super) root: Option<String>,
    #[serde(default)]
    lost: Vec<Lost>,
    #[serde(default)]
    pub(super) release: Option<ReleaseNumber>,
}

impl Restored {
    /// Whether it says that a log was found with this root.
    pub(in crate::audit) fn names(&self, origin: OriginId, root: Hash) -> bool {
        let found: Option<DecisionId> = self.found.as_deref().and_then(|id| id.parse().ok());
        let root = STANDARD.encode(root);
        found.is_some_and(|found| found.origin == origin) && self.root.as_ref() == Some(&root)
    }

    /// What is lost by it, as the record under this head says.
    pub(in crate::audit) fn acceptance(self, head: Head<'_>) -> Acceptance {
        let Self { actor, reason, lost, .. } = self;
        Acceptance { record: head.id.to_string(), at: head.at.to_owned(), actor, reason, lost }
    }
}
