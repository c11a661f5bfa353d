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
    /// The hash of what was published, as the first record says that says it.
    sha256: Option<String>,
    /// The first record that says another.
    other: Option<DecisionId>,
}

/// Releases that the database of rules has, and what vouches for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fitting {
    /// What a record says was published.
    published: u64,
    /// Nothing but the hash beside them: the records that said it were removed with age.
    by_own_hash: u64,
}

impl Named {
    /// Keeps what this record names.
    pub(super) fn take(&mut self, head: Head<'_>, body: &[u8]) {
        match head.kind {
            "decision" | "started" => {
                let release = body::release(body);
                // Before the first one there is none to be kept.
                if let Some(release) = release.filter(|release| *release > ReleaseNumber(0)) {
                    let is_start = head.kind == "started";
                    let sha256 = is_start.then(|| body::started_with(body)).flatten();
                    self.name(release, (head.id, sha256));
                }
            }
            "change" => {
                if let Some((release, sha256)) = body::published(body) {
                    self.name(release, (head.id, Some(sha256)));
                }
            }
            _ => {}
        }
    }

    fn name(&mut self, release: ReleaseNumber, (by, says): (DecisionId, Option<String>)) {
        let naming =
            self.0.entry(release).or_insert(Naming { first: by, sha256: None, other: None });
        let Some(says) = says else { return };
        match &naming.sha256 {
            // What comes later does not take its place: whoever can publish could exchange what decided.
            Some(known) if *known != says => naming.other = naming.other.or(Some(by)),
            Some(_) => {}
            None => naming.sha256 = Some(says),
        }
    }

    /// How many.
    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// A release of which records say that it was published with more than one content, if there is one.
    pub(super) fn ambiguous(&self) -> Option<Finding> {
        self.0.iter().find_map(|(release, naming)| {
            let cause = Cause::Republished { release: *release };
            naming.other.map(|at| finding(at, cause))
        })
    }

    /// Forgets those behind the newest that the database of rules had when the log was begun anew; gives them.
    pub(super) fn forget_behind(&mut self, newest: ReleaseNumber) -> Vec<ReleaseNumber> {
        let Some(first) = newest.0.checked_add(1) else { return Vec::new() };
        self.0.split_off(&ReleaseNumber(first)).into_keys().collect()
    }

    /// Compares them with what is kept.
    fn compare(&self, kept: &BTreeMap<ReleaseNumber, KeptRelease>) -> Result<Fitting, Finding> {
        let mut fitting = Fitting { published: 0, by_own_hash: 0 };
        for (release, naming) in &self.0 {
            if let Some(what) = naming.wrong(kept.get(release)) {
                let cause = Cause::Release { release: *release, what };
                return Err(finding(naming.first, cause));
            }
            match naming.sha256 {
                Some(_) => fitting.published = fitting.published.saturating_add(1),
                None => fitting.by_own_hash = fitting.by_own_hash.saturating_add(1),
            }
        }
        Ok(fitting)
    }
}

fn finding(DecisionId { origin, seq }: DecisionId, cause: Cause) -> Finding {
    Finding { origin, first: seq, last: seq, after: None, cause }
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
        Ok(Fitting { published, by_own_hash }) => {
            report.releases = Some(published);
            report.releases_by_own_hash = by_own_hash;
            Outcome::Intact(report)
        }
        Err(finding) => Outcome::Tampered(finding),
    })
}
