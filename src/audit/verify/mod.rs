//! Checking a log from end to end, from nothing but what it says and the public key.
//!
//! A [`Check`] is given one thing after another ([`Item`]), in the order of the log, from a copy of the database or from an
//! export, and stops at the first that is wrong. It keeps the peaks of the tree, not the records. What memory grows with:
//! the origins of a file and what was erased from each, the principals whose content was not met yet (32 bytes each), the
//! releases that are named, and the checkpoints from outside; not with the number or length of records.
//!
//! What it finds: any change of a record or a column, records missing, added, moved or blanked, checkpoints of another
//! key, keys that took over unasked, and logs shorter than a checkpoint from outside says. What it can't find without such
//! a checkpoint: that records at the end were removed together with the checkpoints over them. What is odd, but no proof of
//! a change, is a [`Warning`].

mod accepted;
pub mod copy;
pub mod export;
mod finding;
mod log;
pub mod releases;
mod report;
mod rhythm;
pub(super) mod said;
mod traces;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};

pub use self::accepted::Accepted;
pub use self::finding::{Cause, Finding};
use self::log::{Compared, Log};
pub use self::report::{OriginReport, Report};
use self::rhythm::Gap;
pub use self::rhythm::{Oddity, Warning};
pub use self::traces::Numbers;
use self::traces::Traces;
pub use self::verdict::{Answer, OriginVerdict, Verdict};
use super::checkpoint::{Checkpoint, NoteError};
use super::error::AuditError;
use super::merkle::{Hash, Peaks, leaf_hash};
use crate::keys::LogPublicKey;
use crate::model::id::OriginId;
use crate::model::principal::PrincipalHash;
use crate::store::audit::Asked;

/// One thing of a log.
#[derive(Debug, Clone, Copy)]
pub enum Item<'a> {
    /// A record.
    Record {
        /// The number under which it was found; none in an export, where it says so itself.
        seq: Option<u64>,
        /// Its exact bytes.
        body: &'a [u8],
        /// What a database has beside them.
        stored: Option<Stored>,
    },
    /// A record without content: in a database one that was erased.
    Blank {
        /// Its number.
        seq: u64,
        /// Its hash.
        leaf_hash: Hash,
    },
    /// Records that are not part of an export: a perfect subtree of `2^level` of them.
    Omitted {
        /// Its level.
        level: u32,
        /// Its root.
        hash: Hash,
    },
    /// A vouching for everything before it.
    Checkpoint {
        /// The size under which it was found; none in an export.
        size: Option<u64>,
        /// The signed note.
        note: &'a str,
        /// What a database keeps beside it: the peaks of the tree at that size.
        peaks: Option<&'a [u8]>,
    },
}

/// What a database keeps beside a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The hash.
    pub leaf_hash: Hash,
    /// Who asked.
    pub asked: Asked,
}

/// What is known from outside.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Public keys of the log.
    pub keys: Vec<LogPublicKey>,
    /// Checkpoints that were kept elsewhere, as notes.
    pub checkpoints: Vec<String>,
}

/// Why a check can't come to an answer.
#[derive(Debug, thiserror::Error)]
pub enum Unable {
    /// A checkpoint from outside vouches for nothing.
    #[error("a checkpoint from outside can't be used: {0}")]
    Checkpoint(#[from] NoteError),
    /// A line of an export is not one.
    #[error("line {line} of the export can't be read: {why}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The file can't be read.
    #[error("the export can't be read")]
    Io(#[from] std::io::Error),
    /// The database can't be read.
    #[error("the log can't be read")]
    Store(#[from] crate::store::StoreError),
    /// The database of rules can't be read.
    #[error("the releases that records name can't be read")]
    Releases(#[source] crate::store::StoreError),
    /// A place where checkpoints are kept can't be read.
    #[error("a place where checkpoints are kept can't be read")]
    Anchor(#[source] Box<AuditError>),
    /// Somebody whom it speaks of was forgotten, or records were removed with age.
    #[error("records were removed or blanked while they were read; begin again")]
    Removed,
    /// There is nothing to check.
    #[error("there is no log in it")]
    Nothing,
}

/// A check in progress.
#[derive(Debug)]
pub struct Check {
    trusted: Vec<LogPublicKey>,
    outside: Vec<Outside>,
    /// Where each of them stands among the others, by what it speaks of.
    places: BTreeMap<(OriginId, u64), Vec<usize>>,
    /// Those of them that were compared.
    compared: BTreeSet<usize>,
    /// Those of them that say otherwise: a later record may account for it.
    contradicted: BTreeMap<usize, Finding>,
    traces: Traces,
    log: Option<Log>,
    report: Report,
    /// Content hashes of principals that records name, and whose content was not given yet.
    principals: BTreeSet<Hash>,
}

/// A checkpoint that was kept elsewhere.
#[derive(Debug)]
struct Outside {
    point: Checkpoint,
    note: String,
}

impl Check {
    /// A check with what is known from outside.
    ///
    /// # Errors
    /// When a checkpoint from outside is none.
    pub fn new(trust: Trust) -> Result<Self, Unable> {
        let read = |note: String| {
            let point = Checkpoint::unverified(&note)?;
            Ok::<_, NoteError>(Outside { point, note })
        };
        let outside = trust.checkpoints.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let mut places: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, Outside { point, .. }) in outside.iter().enumerate() {
            places.entry((point.origin, point.size)).or_default().push(at);
        }
        Ok(Self {
            trusted: trust.keys,
            outside,
            places,
            compared: BTreeSet::new(),
            contradicted: BTreeMap::new(),
            traces: Traces::default(),
            log: None,
            report: Report::default(),
            principals: BTreeSet::new(),
        })
    }

    /// Begins with the log of an origin, behind `base`. `hint` is the key that the file names as its first.
    ///
    /// # Errors
    /// With what is wrong at the end of the log before it.
    pub fn begin(
        &mut self,
        origin: OriginId,
        base: Peaks,
        hint: Option<LogPublicKey>,
    ) -> Result<(), Finding> {
        self.end()?;
        if self.report.of(origin).is_some() {
            return Err(Finding { origin, first: 0, last: 0, after: None, cause: Cause::Again });
        }
        let Some(key) = hint.or_else(|| self.trusted.first().copied()) else {
            let found = "an unnamed key".to_owned();
            let cause = Cause::OtherKey { found };
            return Err(Finding { origin, first: 0, last: 0, after: None, cause });
        };
        self.log = Some(Log::new(origin, base, key));
        Ok(())
    }

    /// Takes the next thing of the log.
    ///
    /// # Errors
    /// With what is wrong with it, or before it.
    pub fn take(&mut self, item: Item<'_>) -> Result<(), Finding> {
        let Some(log) = self.log.as_mut() else { return Ok(()) };
        match item {
            Item::Record { seq, body, stored } => {
                let hash = leaf_hash(body);
                let head = log.record((seq, hash), body, stored.as_ref())?;
                let asked = log.asked(head, body, stored.as_ref())?;
                self.principals.extend(asked.map(|asked| asked.0));
                log.trace(head, body, &mut self.traces)?;
                self.traces.names(head, body);
                log.tree.push(hash);
                log.took(head);
            }
            Item::Blank { seq, leaf_hash } => {
                log.in_order(seq)?;
                log.blanks.push(seq);
                log.rhythm.gap(Gap::Blank);
                log.tree.push(leaf_hash);
            }
            Item::Omitted { level, hash } => {
                if !log.tree.push_subtree(level, hash) {
                    return Err(log.finding(log.tree.size(), Cause::Again));
                }
                log.rhythm.gap(Gap::Omitted);
            }
            Item::Checkpoint { size, note, peaks } => log.checkpoint(size, note, peaks)?,
        }
        // An anchor file may hold a checkpoint for each minute of a year: none is looked at before its record.
        let here = self.places.get(&(log.origin, log.tree.size()));
        for at in here.into_iter().flatten() {
            let Some(outside) = self.outside.get(*at) else { continue };
            match log.compare(outside, &self.trusted) {
                Ok(Compared::Fits) => drop(self.compared.insert(*at)),
                Ok(Compared::Untold) => {}
                Err(finding) => drop(self.contradicted.insert(*at, finding)),
            }
        }
        Ok(())
    }

    /// The content of a principal, as the file keeps it beside its hash.
    ///
    /// # Errors
    /// When it is not what was hashed.
    pub fn principal(&mut self, sha256: Hash, content: &[u8]) -> Result<(), Finding> {
        self.report.principals = self.report.principals.saturating_add(1);
        let asked = self.principals.remove(&sha256);
        if PrincipalHash::of(content).0 == sha256 || !asked {
            Ok(())
        } else {
            Err(self.lost(PrincipalHash(sha256).to_string(), "changed"))
        }
    }

    /// The content of a principal in an export, which has those of its records and no others.
    ///
    /// # Errors
    /// When it is not what was hashed, or no record before it names it.
    pub fn quoted_principal(&mut self, sha256: Hash, content: &[u8]) -> Result<(), Finding> {
        if !self.principals.contains(&sha256) {
            return Err(self.lost(PrincipalHash(sha256).to_string(), "named by none of them"));
        }
        self.principal(sha256, content)
    }

    fn lost(&self, principal: String, what: &'static str) -> Finding {
        let origin = self.report.origins.last().map(|report| (report.origin, report.records));
        let (origin, records) = origin.unwrap_or((OriginId::from_bytes([0; 5]), 0));
        let cause = Cause::Principal { principal, what };
        Finding { origin, first: 0, last: records.saturating_sub(1), after: None, cause }
    }

    /// Ends the log of an origin.
    ///
    /// # Errors
    /// When nothing vouches for its end, or its key is not known.
    pub fn end(&mut self) -> Result<(), Finding> {
        let Some(log) = self.log.take() else { return Ok(()) };
        self.contradicted.extend(log.cut_short(&self.outside, &self.trusted));
        let report = log.end(&self.trusted)?;
        // Who signed one log on may sign the next. What an empty log names as its key is nobody's word but the file's.
        if log.is_vouched_by(&self.trusted) {
            self.trusted.extend(&log.keys);
        }
        self.report.warnings.extend(log.rhythm.into_warnings());
        self.report.add(report, log.base, log.blanks);
        Ok(())
    }

    /// Ends the check: the content of every principal that records name was given.
    ///
    /// # Errors
    /// With what is gone and should not be.
    pub fn finish(mut self) -> Result<Report, Finding> {
        self.end()?;
        if let Some(missing) = self.principals.first() {
            return Err(self.lost(PrincipalHash(*missing).to_string(), "missing"));
        }
        for (report, base, blanks) in self.report.gaps() {
            let finding = |first, last, cause| {
                Err(Finding { origin: report.origin, first, last, after: None, cause })
            };
            if let Some(seq) = self.traces.unexplained(report.origin, blanks) {
                return finding(seq, seq, Cause::Blanked);
            }
            let size = base.size();
            // Where a checkpoint behind them holds, it vouches for the tree over them.
            let vouched = report.checkpoints > 0 && self.traces.reaches(report.origin, size);
            if size > 0 && !vouched && !self.traces.explains(report.origin, size, base.root()) {
                return finding(0, size - 1, Cause::CutOff);
            }
        }
        for (log, root) in self.traces.expected() {
            let found = self.report.of(log.origin);
            let (origin, last) = (log.origin, log.seq.saturating_sub(1));
            let finding = |cause| Err(Finding { origin, first: 0, last, after: None, cause });
            match found.filter(|found| found.records >= log.seq) {
                None if self.traces.removed(log.origin, log.seq) => {}
                None => return finding(Cause::OriginGone),
                Some(found) if root.as_ref().is_some_and(|root| *root != found.root) => {
                    return finding(Cause::Unlike);
                }
                Some(_) => {}
            }
        }
        self.weigh()?;
        self.traces.into_report(&mut self.report);
        Ok(self.report)
    }

    /// What the checkpoints from outside come to that did not simply fit.
    fn weigh(&mut self) -> Result<(), Finding> {
        let mut open: BTreeSet<usize> = (0..self.outside.len()).collect();
        open.retain(|at| !self.compared.contains(at));
        for (at, finding) in std::mem::take(&mut self.contradicted) {
            let point = self.outside.get(at).map(|outside| &outside.point);
            if !point.is_some_and(|point| self.traces.accounts_for(point)) {
                return Err(finding);
            }
            open.remove(&at);
        }
        self.report.compared = self.compared.len() as u64;
        for at in open {
            let Some(Outside { point, note }) = self.outside.get(at) else { continue };
            if self.is_covered_by_a_later_one(point) {
                self.report.aged = self.report.aged.saturating_add(1);
            } else if self.is_gone(point, note) && self.traces.accounts_for(point) {
                // Told with what was accepted.
            } else if self.is_removed(point) {
                self.report.aged = self.report.aged.saturating_add(1);
            } else {
                self.report.uncompared.push(point.to_string());
            }
        }
        Ok(())
    }

    /// Whether a checkpoint speaks of a log that was removed with age as a whole, and of no more records than that had.
    fn is_removed(&self, point: &Checkpoint) -> bool {
        self.report.of(point.origin).is_none() && self.traces.removed(point.origin, point.size)
    }

    /// Whether a checkpoint of a known key speaks of a log that is not here at all.
    fn is_gone(&self, point: &Checkpoint, note: &str) -> bool {
        let known = self.trusted.iter().any(|key| Checkpoint::open(note, key).is_ok());
        known && self.report.of(point.origin).is_none()
    }

    /// Whether a checkpoint speaks only of records that were removed with age, and a later one of the same log was compared:
    /// the root of that one is over these records too.
    fn is_covered_by_a_later_one(&self, point: &Checkpoint) -> bool {
        let is_gone = self.report.of(point.origin).is_some_and(|report| point.size <= report.first);
        let mut later = self.places.range((point.origin, point.size)..=(point.origin, u64::MAX));
        is_gone && later.any(|(_, all)| all.iter().any(|at| self.compared.contains(at)))
    }
}
