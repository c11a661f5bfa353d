//! What records say about whole logs: how they were found when a log was accepted as it was, what of them is lost, and what
//! was removed with age. What must outlast the record that says it is said anew.

use serde::{Deserialize, Serialize};

/// Records of one log that are lost, or are others than checkpoints vouched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Whose log: its origin.
    pub origin: String,
    /// As many are what was vouched for.
    pub kept: u64,
    /// As many were vouched for.
    pub told: u64,
}

/// A log of a file, as it was found when the file was accepted as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundLog {
    /// Whose: its origin.
    pub origin: String,
    /// How many records it has, with those removed with age.
    pub records: u64,
    /// The root over them, base64; none where some are missing or can't be read.
    pub root: Option<String>,
    /// Why it can't be read throughout; none where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// A loss that was accepted, as the record of it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// That record.
    pub record: String,
    /// Its time.
    pub at: String,
    /// Who accepted it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// What.
    pub lost: Vec<Lost>,
}

/// Records of one log that were removed with age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Whose records.
    #[serde(rename = "origin_of_records")]
    pub origin: String,
    /// All with a number below this one.
    pub upto: u64,
    /// The root over them, base64; none where some were missing.
    pub root: Option<String>,
}

/// What records that are removed with age say of other logs, and what must stay known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anew {
    /// Losses that were accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<Acceptance>,
    /// What was removed of logs of which nothing is left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<Removal>,
}

impl Anew {
    /// Whether there is nothing to be said.
    pub fn is_empty(&self) -> bool {
        self.accepted.is_empty() && self.removed.is_empty()
    }

    /// Adds a loss. What was said before does not come twice.
    pub fn accept(&mut self, acceptance: Acceptance) {
        let known = self.accepted.iter().any(|known| known.record == acceptance.record);
        if !known && !acceptance.lost.is_empty() {
            self.accepted.push(acceptance);
        }
    }

    /// Adds a removal. Of those of one log the furthest stays.
    pub fn remove(&mut self, removal: Removal) {
        match self.removed.iter_mut().find(|known| known.origin == removal.origin) {
            Some(known) if known.upto < removal.upto => *known = removal,
            Some(_) => {}
            None => self.removed.push(removal),
        }
    }
}
