//! Losses that somebody accepted: a record says which, who and why. What checkpoints from outside tell of them is known, and no
//! proof of a change since.

use std::fmt;

use serde::Serialize;

use crate::audit::checkpoint::Checkpoint;
use crate::model::id::{OriginId, ReleaseNumber};
use crate::model::record::{Acceptance, Lost};

/// What was accepted when a log was begun behind others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// The record that says so.
    pub record: String,
    /// Its time.
    pub at: String,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Records that are lost, or are others than were vouched for.
    pub lost: Vec<Lost>,
    /// Releases that earlier records name, and that were lost with the database of rules.
    pub releases: Vec<ReleaseNumber>,
    /// Checkpoints from outside that tell of what was lost.
    pub checkpoints: u64,
}

impl Accepted {
    /// What a record of the log `own` says.
    pub(super) fn of(own: OriginId, said: Acceptance, releases: Vec<ReleaseNumber>) -> Self {
        let Acceptance { record, at, actor: by, reason, mut lost } = said;
        // Nobody accepts what is lost of the log that they write.
        lost.retain(|lost| lost.origin != own.to_string());
        Self { record, at, by, reason, lost, releases, checkpoints: 0 }
    }

    /// Whether anything was lost.
    pub(super) fn is_loss(&self) -> bool {
        !self.lost.is_empty() || !self.releases.is_empty()
    }

    /// Whether what a checkpoint vouches for is part of it.
    pub(super) fn covers(&self, point: &Checkpoint) -> bool {
        let origin = point.origin.to_string();
        let within = |lost: &Lost| lost.kept < point.size && point.size <= lost.told;
        self.lost.iter().any(|lost| lost.origin == origin && within(lost))
    }
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { record, at, by, reason, lost, releases, checkpoints: _ } = self;
        let mut lost: Vec<String> = lost
            .iter()
            .map(|Lost { origin, kept, told }| {
                let last = told.saturating_sub(1);
                format!("records {origin}-{kept} to {origin}-{last} as they were vouched for")
            })
            .collect();
        let is_one = lost.is_empty() && releases.len() == 1;
        let numbers: Vec<String> = releases.iter().map(ToString::to_string).collect();
        match numbers.split_last() {
            None => {}
            Some((only, [])) => lost.push(format!("release {only}")),
            Some((end, before)) => {
                lost.push(format!("releases {} and {end}", before.join(", ")));
            }
        }
        let are = if is_one { "is" } else { "are" };
        let lost = lost.join("; ");
        // It goes on in a sentence that has an end of its own.
        let reason = reason.trim_end_matches('.');
        write!(f, "{lost} {are} lost, which {by} accepted at {at} in record {record}: {reason}")
    }
}
