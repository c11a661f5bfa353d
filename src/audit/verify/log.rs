//! The log of one origin while it is checked: its tree, its keys, and what it says about what is gone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Stored;
use super::finding::{Cause, Finding};
use super::report::OriginReport;
use super::rhythm::Rhythm;
use super::said::{Erased, Pruned, Restored, Rotated};
use super::traces::{Numbers, Traces};
use super::trusted::Trusted;
use crate::audit::checkpoint::{Checkpoint, parse_verifier_key, verifier_key};
use crate::audit::merkle::{Hash, Peaks};
use crate::keys::LogPublicKey;
use crate::model::body::{Head, asked};
use crate::model::id::{DecisionId, OriginId};
use crate::model::principal::PrincipalHash;
use crate::store::audit::Asked;

/// The log of one origin, as far as it was read.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) origin: OriginId,
    pub(super) base: Peaks,
    pub(super) tree: Peaks,
    /// The size of the newest checkpoint that held.
    vouched: u64,
    /// The key that must have signed the next checkpoint.
    key: LogPublicKey,
    /// The key that takes over at the next checkpoint.
    successor: Option<LogPublicKey>,
    pub(super) keys: Vec<LogPublicKey>,
    pub(super) blanks: Numbers,
    pub(super) rhythm: Rhythm,
    pub(super) report: OriginReport,
}

/// What a checkpoint from outside says about a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    /// The same as the log.
    Fits,
    /// Nothing: no key that is known here signed it.
    Untold,
}

impl Log {
    pub(super) fn new(origin: OriginId, base: Peaks, key: LogPublicKey) -> Self {
        Self {
            origin,
            vouched: base.size(),
            report: OriginReport::new(origin, base.size()),
            tree: base.clone(),
            base,
            key,
            successor: None,
            keys: vec![key],
            blanks: Numbers::default(),
            rhythm: Rhythm::default(),
        }
    }

    pub(super) fn finding(&self, last: u64, cause: Cause) -> Finding {
        self.spanning((last, last), cause)
    }

    fn spanning(&self, (first, last): (u64, u64), cause: Cause) -> Finding {
        Finding { origin: self.origin, first, last, after: self.report.to.clone(), cause }
    }

    /// Everything since the last checkpoint that held.
    fn since_vouched(&self, cause: Cause) -> Finding {
        let last = self.tree.size().saturating_sub(1);
        self.spanning((self.vouched.min(last), last), cause)
    }

    pub(super) fn in_order(&self, seq: u64) -> Result<(), Finding> {
        let expected = self.tree.size();
        match seq.cmp(&expected) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Less => Err(self.finding(seq, Cause::Again)),
            std::cmp::Ordering::Greater => {
                Err(self.spanning((expected, seq - 1), Cause::Missing { next: seq }))
            }
        }
    }

    pub(super) fn record<'a>(
        &self,
        (seq, hash): (Option<u64>, Hash),
        body: &'a [u8],
        stored: Option<&Stored>,
    ) -> Result<Head<'a>, Finding> {
        let place = seq.unwrap_or_else(|| self.tree.size());
        if seq.is_some() {
            self.in_order(place)?;
        }
        if let Some(Asked::Gone(key)) = stored.map(|stored| stored.asked) {
            let principal = format!("number {key}");
            return Err(self.finding(place, Cause::Principal { principal, what: "missing" }));
        }
        if stored.is_some_and(|stored| stored.leaf_hash != hash) {
            return Err(self.finding(place, Cause::Changed));
        }
        let head = Head::read(body).ok_or_else(|| self.finding(place, Cause::Unreadable))?;
        if head.id != (DecisionId { origin: self.origin, seq: place }) {
            return Err(self.finding(place, Cause::Moved(head.id.to_string())));
        }
        Ok(head)
    }

    /// Who asked, as the record itself says: what a column says beside it is only compared.
    pub(super) fn asked(
        &self,
        head: Head<'_>,
        body: &[u8],
        stored: Option<&Stored>,
    ) -> Result<Option<PrincipalHash>, Finding> {
        if head.kind != "decision" {
            return Ok(None);
        }
        let wrong = |cause| self.finding(head.id.seq, cause);
        let column = |column| Err(wrong(Cause::Column { column }));
        let named = asked(body).ok_or_else(|| wrong(Cause::Unreadable))?;
        match stored.map(|stored| stored.asked) {
            Some(Asked::Nobody | Asked::Gone(_)) => column("principal"),
            Some(Asked::Principal(hash)) if hash != named => column("principal_snapshot.hash"),
            Some(Asked::Principal(_)) | None => Ok(Some(named)),
        }
    }

    /// Counts a record that holds.
    pub(super) fn took(&mut self, head: Head<'_>) {
        self.rhythm.hear(head);
        self.report.took(head.at);
    }

    /// Keeps what this record says about others.
    pub(super) fn trace(
        &mut self,
        head: Head<'_>,
        body: &[u8],
        traces: &mut Traces,
    ) -> Result<(), Finding> {
        let unreadable = |log: &Self| log.finding(head.id.seq, Cause::Unreadable);
        match head.kind {
            "erased" => {
                let erased: Option<Erased> = serde_json::from_slice(body).ok();
                let erased = erased.and_then(|erased| {
                    Some((erased.origin.parse().ok()?, Numbers::parse(&erased.records)?))
                });
                let (origin, numbers) = erased.ok_or_else(|| unreadable(self))?;
                traces.erased(origin, numbers);
            }
            "pruned" => {
                let pruned: Option<Pruned> = serde_json::from_slice(body).ok();
                // No record says that what is behind it was removed.
                let is_sound = |pruned: &Pruned| {
                    pruned.removal.origin != self.origin.to_string()
                        || pruned.removal.upto <= head.id.seq
                };
                let pruned = pruned.filter(is_sound);
                let kept = pruned.and_then(|pruned| traces.pruned(self.origin, pruned));
                kept.ok_or_else(|| unreadable(self))?;
            }
            "restored" => {
                let restored: Option<Restored> = serde_json::from_slice(body).ok();
                let restored = restored.ok_or_else(|| unreadable(self))?;
                self.report.restored = Some(restored.reason.clone());
                traces.restored(head, restored);
            }
            "key_rotated" => {
                let rotated: Option<Rotated> = serde_json::from_slice(body).ok();
                let rotated = rotated.ok_or_else(|| unreadable(self))?;
                self.rotate(head.id.seq, &rotated)?;
            }
            "crash_found" => self.report.crashes = self.report.crashes.saturating_add(1),
            _ => {}
        }
        Ok(())
    }

    fn rotate(&mut self, seq: u64, rotated: &Rotated) -> Result<(), Finding> {
        let wrong = |why| self.finding(seq, Cause::Rotation(why));
        let read = |text| parse_verifier_key(text).filter(|(origin, _)| *origin == self.origin);
        let (Some((_, before)), Some((_, after))) = (read(&rotated.before), read(&rotated.after))
        else {
            return Err(wrong("the record does not name two keys of this log"));
        };
        if before != self.key || self.successor.is_some() {
            return Err(wrong("the record names another key than the one that signs"));
        }
        self.successor = Some(after);
        Ok(())
    }

    pub(super) fn checkpoint(
        &mut self,
        size: Option<u64>,
        note: &str,
        peaks: Option<&[u8]>,
    ) -> Result<(), Finding> {
        let opened = Checkpoint::open(note, &self.key)
            .map_err(|error| self.since_vouched(Cause::Checkpoint(error)))?;
        let records = self.tree.size();
        if opened.origin == self.origin && opened.size > records {
            let cause = Cause::Truncated { vouched: opened.size, records };
            return Err(self.spanning((records, opened.size - 1), cause));
        }
        let found = size.unwrap_or(opened.size);
        if (opened.origin, opened.size, found) != (self.origin, records, records) {
            let place = format!("{} records of {}", opened.size, opened.origin);
            return Err(self.since_vouched(Cause::Misplaced(place)));
        }
        if opened.root != self.tree.root() {
            return Err(self.since_vouched(Cause::Root { size: opened.size }));
        }
        // The root says nothing of them, and whoever goes on from here goes on from them.
        if peaks.is_some_and(|peaks| peaks != self.tree.to_bytes()) {
            return Err(self.since_vouched(Cause::Peaks { size: opened.size }));
        }
        if let Some(successor) = self.successor.take() {
            Checkpoint::open(note, &successor).map_err(|_| {
                self.since_vouched(Cause::Rotation("the new key did not sign the change"))
            })?;
            self.key = successor;
            self.keys.push(successor);
        }
        self.vouched = opened.size;
        self.report.checkpoints = self.report.checkpoints.saturating_add(1);
        Ok(())
    }

    /// Compares the tree with a checkpoint from outside of the same size.
    pub(super) fn compare(
        &self,
        (point, note): (&Checkpoint, &str),
        trusted: &Trusted,
    ) -> Result<Compared, Finding> {
        let size = self.tree.size();
        if !self.is_signed(note, trusted) {
            return Ok(Compared::Untold);
        }
        if point.root != self.tree.root() {
            return Err(self.spanning((0, size.saturating_sub(1)), Cause::Forked { size }));
        }
        Ok(Compared::Fits)
    }

    /// Whether a checkpoint from outside is signed by a key of this log, or by one that is trusted.
    pub(super) fn is_signed(&self, note: &str, trusted: &Trusted) -> bool {
        let mut own = self.keys.iter();
        own.any(|key| Checkpoint::open(note, key).is_ok()) || trusted.has_signed(note)
    }

    /// A checkpoint from outside vouches for more records than there are.
    pub(super) fn cut_short(&self, point: &Checkpoint) -> Finding {
        let records = self.tree.size();
        let cause = Cause::Truncated { vouched: point.size, records };
        self.spanning((records, point.size.saturating_sub(1)), cause)
    }

    /// All of it is signed by a key that is not trusted.
    pub(super) fn stranger(&self) -> Finding {
        let found = verifier_key(self.origin, &self.key);
        let last = self.tree.size().saturating_sub(1);
        self.spanning((self.base.size().min(last), last), Cause::OtherKey { found })
    }

    pub(super) fn end(&self) -> Result<OriginReport, Finding> {
        let records = self.tree.size();
        if self.vouched != records {
            return Err(self.since_vouched(Cause::Unvouched));
        }
        let mut report = self.report.clone();
        report.records = records;
        report.blanked = self.blanks.count();
        report.key = verifier_key(self.origin, &self.key);
        report.root = STANDARD.encode(self.tree.root());
        Ok(report)
    }
}
