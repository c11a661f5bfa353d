//! What records say about other records, for whoever checks them.

use serde::Deserialize;

use crate::model::id::ReleaseNumber;
use crate::model::record::Lost;

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
pub(super) struct Pruned {
    #[serde(rename = "origin_of_records")]
    pub(super) origin: String,
    pub(super) upto: u64,
    pub(super) root: String,
}

/// A log was begun behind another.
#[derive(Debug, Deserialize)]
pub(super) struct Restored {
    pub(super) actor: String,
    pub(super) reason: String,
    pub(super) found: Option<String>,
    #[serde(default)]
    pub(super) root: Option<String>,
    #[serde(default)]
    pub(super) lost: Vec<Lost>,
    #[serde(default)]
    pub(super) release: Option<ReleaseNumber>,
}
