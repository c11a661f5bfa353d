//! Checking a log from end to end, from nothing but what it says and the public key.
//!
//! A [`Check`] is given one thing after another ([`Item`]), in the order of the log, from a copy of the database or from an
//! export. What is wrong with a thing by itself ends it at once; what a later record may account for is weighed at the end. It
//! keeps the peaks of the tree, not the records. What memory grows with: the origins of a file and what was erased from each,
//! the principals whose content was not met yet (32 bytes each), the releases that are named, what was accepted as lost, and
//! the checkpoints from outside; not with the number or length of records.
//!
//! What it finds: any change of a record, of a column or of the peaks beside a checkpoint, records missing, added, moved or
//! blanked, checkpoints of another key, keys that took over unasked, releases published with two contents or, beside the
//! database of rules ([`releases`]), not kept as they were, logs that another was begun behind and that are not what they were
//! then, and logs shorter than a checkpoint from outside says, or gone. What somebody accepted as lost is told and is no
//! finding ([`Accepted`]). What it can't find without such a checkpoint: that records at the end were removed together with the
//! checkpoints over them. What is odd, but no proof of a change, is a [`Warning`].

mod accepted;
pub mod copy;
pub mod export;
mod finding;
mod log;
mod outside;
pub mod releases;
mod report;
mod rhythm;
pub(super) mod said;
mod traces;
mod trusted;
mod verdict;

use std::collections::BTreeSet;

pub use self::accepted::Accepted;
pub use self::finding::{Cause, Finding};
use self::log::Log;
pub use self::outside::Extent;
use self::outside::Outsides;
pub use self::report::{OriginReport, Report};
use self::rhythm::Gap;
pub use self::rhythm::{Oddity, Warning};
pub use self::traces::Numbers;
use self::traces::{Followed, Traces};
use self::trusted::Trusted;
pub use self::verdict::{Answer, OriginVerdict, Verdict};
use super::checkpoint::NoteError;
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
    extent: Extent,
    trusted: Trusted,
    outside: Outsides,
    traces: Traces,
    log: Option<Log>,
    /// Logs that no trusted key signed: a later log may vouch for them.
    strangers: Vec<Finding>,
    report: Report,
    /// Content hashes of principals that records name, and whose content was not given yet.
    principals: BTreeSet<Hash>,
}

impl Check {
    /// A check with what is known from outside.
    ///
    /// # Errors
    /// When a checkpoint from outside is none.
    pub fn new(extent: Extent, trust: Trust) -> Result<Self, Unable> {
        Ok(Self {
            extent,
            trusted: Trusted::new(trust.keys),
            outside: Outsides::read(trust.checkpoints)?,
            traces: Traces::default(),
            log: None,
            strangers: Vec::new(),
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
        let Some(key) = hint.or_else(|| self.trusted.first()) else {
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
        self.outside.meet(log, &self.trusted);
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
    /// When nothing vouches for its end.
    pub fn end(&mut self) -> Result<(), Finding> {
        let Some(log) = self.log.take() else { return Ok(()) };
        if self.extent == Extent::Whole {
            self.outside.end(&log, &self.trusted);
        }
        let report = log.end()?;
        // Who signed one log on may sign the next. What an empty log names as its key is nobody's word but the file's.
        if report.records > 0 {
            if self.trusted.has_any_of(&log.keys) {
                self.trusted.follow(&log.keys);
            } else {
                self.strangers.push(log.stranger());
            }
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
        self.introduce()?;
        if let Some(missing) = self.principals.first() {
            return Err(self.lost(PrincipalHash(*missing).to_string(), "missing"));
        }
        self.gaps()?;
        self.traces.ambiguous().map_or(Ok(()), Err)?;
        self.followed()?;
        if self.extent == Extent::Whole {
            let left = self
                .report
                .gaps()
                .filter_map(|(log, _, blanks)| self.traces.not_erased(log, blanks));
            let left: Vec<Warning> = left.collect();
            self.report.warnings.extend(left);
        }
        let told = (&mut self.traces, &mut self.report);
        self.outside.weigh(self.extent, &self.trusted, told)?;
        self.traces.into_report(&mut self.report);
        Ok(self.report)
    }

    /// A log that no trusted key signed must be what one that is trusted was begun behind.
    fn introduce(&mut self) -> Result<(), Finding> {
        let mut refused = None;
        let mut doubted: Vec<OriginId> = self.strangers.iter().map(|log| log.origin).collect();
        // The newest first: whom it vouches for may vouch for others.
        for stranger in self.strangers.drain(..).rev() {
            let found = self.report.of(stranger.origin);
            if found.is_some_and(|found| self.traces.vouch_for(found, &doubted)) {
                doubted.retain(|origin| *origin != stranger.origin);
            } else {
                refused = Some(stranger);
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// What is blank or gone from a log must be so because a record says it.
    fn gaps(&self) -> Result<(), Finding> {
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
        Ok(())
    }

    /// Logs that others were begun behind must be what they were found to be.
    fn followed(&self) -> Result<(), Finding> {
        for Followed { log, records, root, .. } in self.traces.followed() {
            let found = self.report.of(*log);
            let last = records.saturating_sub(1);
            let finding = |cause| Err(Finding { origin: *log, first: 0, last, after: None, cause });
            let Some(found) = found.filter(|found| found.records >= *records) else {
                if self.extent == Extent::Part || self.traces.removed(*log, *records) {
                    continue;
                }
                return finding(Cause::OriginGone);
            };
            if root.as_ref().is_some_and(|root| *root != found.root) {
                return finding(Cause::Unlike);
            }
        }
        Ok(())
    }
}
