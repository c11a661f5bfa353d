//! Releases that records name: whether the database of rules still has each of them, as it was published. Without them no
//! decision can be explained or made again.
//!
//! The log is read first: a release is there before anything names it.

use std::collections::BTreeMap;
use std::path::Path;

use super::copy::Outcome;
use super::{Cause, Finding, Unable};
use crate::model::body::{self, Head};
use crate::model::id::{DecisionId, ReleaseNumber};
use crate::store::history::{self, KeptRelease};

/// The releases that the records of a file name: as many as there were, whatever the number of records.
#[derive(Debug, Default)]
pub(super) struct Named(BTreeMap<ReleaseNumber, Naming>);

/// How one is named.
#[derive(Debug)]
struct Naming {
    /// By which record first.
    first: DecisionId,
    /// The hash under which it was published, where a record says so.
    sha256: Option<String>,
}

impl Named {
    /// Keeps what this record names.
    pub(super) fn take(&mut self, head: Head<'_>, body: &[u8]) {
        match head.kind {
            "decision" | "started" => {
                let release = body::release(body);
                // Before the first one there is none to be kept.
                if let Some(release) = release.filter(|release| *release > ReleaseNumber(0)) {
                    self.naming(release, head.id);
                }
            }
            "change" => {
                if let Some((release, sha256)) = body::published(body) {
                    self.naming(release, head.id).sha256 = Some(sha256);
                }
            }
            _ => {}
        }
    }

    fn naming(&mut self, release: ReleaseNumber, id: DecisionId) -> &mut Naming {
        self.0.entry(release).or_insert(Naming { first: id, sha256: None })
    }

    /// How many.
    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// Forgets those behind the newest that the database of rules had when the log was begun anew; gives them.
    pub(super) fn forget_behind(&mut self, newest: ReleaseNumber) -> Vec<ReleaseNumber> {
        let Some(first) = newest.0.checked_add(1) else { return Vec::new() };
        self.0.split_off(&ReleaseNumber(first)).into_keys().collect()
    }

    /// Compares them with what is kept.
    fn compare(&self, kept: &BTreeMap<ReleaseNumber, KeptRelease>) -> Result<u64, Finding> {
        for (release, naming) in &self.0 {
            let Some(what) = naming.wrong(kept.get(release)) else { continue };
            let DecisionId { origin, seq } = naming.first;
            let cause = Cause::Release { release: *release, what };
            return Err(Finding { origin, first: seq, last: seq, after: None, cause });
        }
        Ok(self.count())
    }
}

impl Naming {
    fn wrong(&self, kept: Option<&KeptRelease>) -> Option<&'static str> {
        let Some(KeptRelease { sha256, content }) = kept else { return Some("not there") };
        if self.sha256.as_ref().is_some_and(|published| published != content) {
            return Some("not what was published");
        }
        (sha256 != content).then_some("not what its hash says")
    }
}

/// Whether the database of rules in `file` has all releases that the records of a log name, where nothing else is wrong.
///
/// # Errors
/// When the database can't be read.
pub async fn compare(outcome: Outcome, file: &Path) -> Result<Outcome, Unable> {
    let Outcome::Intact(mut report) = outcome else { return Ok(outcome) };
    let kept = history::releases(file).await.map_err(Unable::Releases)?;
    Ok(match report.named.compare(&kept) {
        Ok(count) => {
            report.releases = Some(count);
            Outcome::Intact(report)
        }
        Err(finding) => Outcome::Tampered(finding),
    })
}
