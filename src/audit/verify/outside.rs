//! Checkpoints that were kept elsewhere: each is compared with the log at its place, and what does not fit must be accounted
//! for by what the log itself says was lost or removed.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Cause, Finding};
use super::log::{Compared, Log};
use super::report::Report;
use super::traces::Traces;
use super::trusted::Trusted;
use crate::audit::checkpoint::{Checkpoint, NoteError};
use crate::model::id::OriginId;

/// How much of the logs is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All that there is: a database.
    Whole,
    /// What somebody asked for: an export. What lies behind it is elsewhere, and not gone.
    Part,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Outsides {
    all: Vec<Outside>,
    /// Where each stands among the others, by what it speaks of.
    places: BTreeMap<(OriginId, u64), Vec<usize>>,
    /// Those that were compared, and fit.
    fitting: BTreeSet<usize>,
    /// Those that say otherwise.
    contradicted: BTreeMap<usize, Finding>,
}

/// One of them.
#[derive(Debug)]
struct Outside {
    point: Checkpoint,
    note: String,
}

impl Outsides {
    /// Reads them.
    ///
    /// # Errors
    /// When one is no checkpoint.
    pub(super) fn read(notes: Vec<String>) -> Result<Self, NoteError> {
        let read = |note: String| {
            let point = Checkpoint::unverified(&note)?;
            Ok(Outside { point, note })
        };
        let all = notes.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let mut places: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, Outside { point, .. }) in all.iter().enumerate() {
            places.entry((point.origin, point.size)).or_default().push(at);
        }
        Ok(Self { all, places, fitting: BTreeSet::new(), contradicted: BTreeMap::new() })
    }

    /// Compares those that speak of a log as far as it was read.
    pub(super) fn meet(&mut self, log: &Log, trusted: &Trusted) {
        // An anchor file may hold a checkpoint for each minute of a year: none is looked at before its record.
        let here = self.places.get(&(log.origin, log.tree.size()));
        for at in here.into_iter().flatten() {
            let Some(Outside { point, note }) = self.all.get(*at) else { continue };
            match log.compare((point, note), trusted) {
                Ok(Compared::Fits) => drop(self.fitting.insert(*at)),
                Ok(Compared::Untold) => {}
                Err(finding) => drop(self.contradicted.insert(*at, finding)),
            }
        }
    }

    /// A log that is here as a whole has ended: none may speak of more records.
    pub(super) fn end(&mut self, log: &Log, trusted: &Trusted) {
        let end = (log.origin, log.tree.size().saturating_add(1));
        for at in self.places.range(end..=(log.origin, u64::MAX)).flat_map(|(_, all)| all) {
            let Some(Outside { point, note }) = self.all.get(*at) else { continue };
            if log.is_signed(note, trusted) {
                self.contradicted.insert(*at, log.cut_short(point));
            }
        }
    }

    /// What those come to that did not simply fit.
    ///
    /// # Errors
    /// With the first that says otherwise, and that nothing accounts for.
    pub(super) fn weigh(
        &mut self,
        extent: Extent,
        trusted: &Trusted,
        (traces, report): (&mut Traces, &mut Report),
    ) -> Result<(), Finding> {
        report.compared = self.fitting.len() as u64;
        let contradicted = std::mem::take(&mut self.contradicted);
        for (at, Outside { point, note }) in self.all.iter().enumerate() {
            // What was lost and accepted is told with the acceptance.
            if self.fitting.contains(&at) || traces.accounts_for(point) {
                continue;
            }
            if let Some(finding) = contradicted.get(&at) {
                return Err(finding.clone());
            }
            let is_here = report.of(point.origin).is_some();
            let removed = !is_here && traces.removed(point.origin, point.size);
            if removed || self.is_covered_by_a_later_one(point, report) {
                report.aged = report.aged.saturating_add(1);
            } else if !is_here && extent == Extent::Whole && trusted.knows(note) {
                return Err(gone(point));
            } else {
                report.uncompared.push(point.to_string());
            }
        }
        Ok(())
    }

    /// Whether a checkpoint speaks only of records that were removed with age, and a later one of the same log was compared:
    /// the root of that one is over these records too.
    fn is_covered_by_a_later_one(&self, point: &Checkpoint, report: &Report) -> bool {
        let is_gone = report.of(point.origin).is_some_and(|report| point.size <= report.first);
        let mut later = self.places.range((point.origin, point.size)..=(point.origin, u64::MAX));
        is_gone && later.any(|(_, all)| all.iter().any(|at| self.fitting.contains(at)))
    }
}

/// A log of which nothing is here, and nothing says why.
fn gone(point: &Checkpoint) -> Finding {
    let Checkpoint { origin, size, .. } = *point;
    let cause = Cause::NoLog { vouched: size };
    Finding { origin, first: 0, last: size.saturating_sub(1), after: None, cause }
}
