//! What may be gone, because a record says so: blanked records, beginnings removed with age, logs begun anew.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::accepted::Accepted;
use super::finding::Finding;
use super::releases::Named;
use super::report::{OriginReport, Report};
use super::rhythm::{Oddity, Warning};
use super::said::{Pruned, Restored};
use crate::audit::checkpoint::Checkpoint;
use crate::audit::merkle::Hash;
use crate::model::body::Head;
use crate::model::id::{DecisionId, OriginId};
use crate::model::record::{Anew, FoundLog, Removal};

/// Numbers of records, as ranges in ascending order that do not touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers(Vec<(u64, u64)>);

impl Numbers {
    /// Adds a number, which is above all others.
    pub fn push(&mut self, number: u64) {
        match self.0.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            Some(_) | None => self.0.push((number, number)),
        }
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(from, to)| to - from + 1).sum()
    }

    /// Reads `3-5,9,12`; none when it is not of that form.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = Self::default();
        for part in text.split(',') {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let (from, to): (u64, u64) = (from.parse().ok()?, to.parse().ok()?);
            let above = numbers.0.last().is_none_or(|(_, last)| from > *last);
            (above && from <= to).then(|| numbers.0.push((from, to)))?;
        }
        Some(numbers)
    }

    /// All numbers of these that are at least `from` and below `upto`.
    fn between(all: &[Self], (from, upto): (u64, u64)) -> Self {
        let mut ranges: Vec<(u64, u64)> =
            all.iter().flat_map(|numbers| numbers.0.clone()).collect();
        ranges.sort_unstable();
        let mut merged = Self::default();
        for (first, last) in ranges {
            let (first, last) = (first.max(from), last.min(upto.saturating_sub(1)));
            if first > last || upto == 0 {
                continue;
            }
            match merged.0.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                Some(_) | None => merged.0.push((first, last)),
            }
        }
        merged
    }

    /// The first number that is in none of `others`.
    pub(in crate::audit) fn first_outside(&self, others: &[Self]) -> Option<u64> {
        let mut covers: Vec<(u64, u64)> = others.iter().flat_map(|other| other.0.clone()).collect();
        covers.sort_unstable();
        let mut covers = covers.into_iter().peekable();
        for (mut from, to) in self.0.iter().copied() {
            while let Some((start, end)) = covers.peek().copied() {
                if end < from {
                    covers.next();
                } else if start <= from && from <= to {
                    from = end.checked_add(1)?;
                } else {
                    break;
                }
            }
            if from <= to {
                return Some(from);
            }
        }
        None
    }
}

impl std::fmt::Display for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, (from, to)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            if from == to {
                write!(f, "{comma}{from}")?;
            } else {
                write!(f, "{comma}{from}-{to}")?;
            }
        }
        Ok(())
    }
}

/// A log that another was begun behind, as it was found.
#[derive(Debug)]
pub(super) struct Followed {
    /// The one that was begun behind it.
    pub(super) by: OriginId,
    /// Which.
    pub(super) log: OriginId,
    /// How many records it had.
    pub(super) records: u64,
    /// The root over them, base64, where it could be told.
    pub(super) root: Option<String>,
}

/// What records of a file say about what is gone from it.
#[derive(Debug, Default)]
pub(super) struct Traces {
    erased: BTreeMap<OriginId, Vec<Numbers>>,
    /// Below which number, and the root over all that were there, where it could be told.
    pruned: BTreeMap<OriginId, Vec<(u64, Option<Hash>)>>,
    /// Logs that others were begun behind.
    followed: Vec<Followed>,
    /// What was accepted as lost.
    accepted: Vec<Accepted>,
    /// Releases that records name.
    named: Named,
}

impl Traces {
    pub(super) fn erased(&mut self, origin: OriginId, numbers: Numbers) {
        self.erased.entry(origin).or_default().push(numbers);
    }

    /// Records were removed with age; none where what the log `own` says of them can't be read.
    pub(super) fn pruned(&mut self, own: OriginId, said: Pruned) -> Option<()> {
        let Pruned { removal, anew: Anew { accepted, removed } } = said;
        for Removal { origin, upto, root } in std::iter::once(removal).chain(removed) {
            let read = |root| STANDARD.decode(root).ok()?.try_into().ok();
            let root = match root {
                Some(root) => Some(read(root)?),
                None => None,
            };
            self.pruned.entry(origin.parse().ok()?).or_default().push((upto, root));
        }
        for acceptance in accepted {
            self.accept(Accepted::of(own, acceptance, Vec::new()));
        }
        Some(())
    }

    /// A log was begun behind all before it.
    pub(super) fn restored(&mut self, head: Head<'_>, said: Restored) {
        self.follow(head.id.origin, &said);
        let releases = said.release.map(|newest| self.named.forget_behind(newest));
        let own = head.id.origin;
        self.accept(Accepted::of(own, said.acceptance(head), releases.unwrap_or_default()));
    }

    /// What the last acceptance says of all logs takes the place of what those before it said of some.
    fn follow(&mut self, by: OriginId, said: &Restored) {
        if !said.logs.is_empty() {
            self.followed.clear();
        }
        self.followed.extend(said.found().into_iter().filter_map(|found| {
            let FoundLog { origin, records, root, .. } = found;
            Some(Followed { by, log: origin.parse().ok()?, records, root })
        }));
    }

    /// Whether a log was found like this by another that is not doubted.
    pub(super) fn vouch_for(&self, found: &OriginReport, doubted: &[OriginId]) -> bool {
        self.followed.iter().any(|followed| {
            let Followed { by, log, records, root } = followed;
            (*log, *records, root.as_ref()) == (found.origin, found.records, Some(&found.root))
                && !doubted.contains(by)
        })
    }

    /// What is said anew while the record that said it first is still there is no other loss.
    fn accept(&mut self, accepted: Accepted) {
        let known = self.accepted.iter().any(|known| known.record == accepted.record);
        if !known && accepted.is_loss() {
            self.accepted.push(accepted);
        }
    }

    /// Keeps which release a record names.
    pub(super) fn names(&mut self, head: Head<'_>, body: &[u8]) {
        self.named.take(head, body);
    }

    /// Whether a checkpoint from outside tells of what was accepted as lost.
    pub(super) fn accounts_for(&mut self, point: &Checkpoint) -> bool {
        let accepted = self.accepted.iter_mut().find(|accepted| accepted.covers(point));
        accepted
            .map(|accepted| accepted.checkpoints = accepted.checkpoints.saturating_add(1))
            .is_some()
    }

    /// What records say of releases, against each other.
    pub(super) fn ambiguous(&self) -> Option<Finding> {
        self.named.ambiguous()
    }

    /// What was accepted as lost, and the releases that must still be there.
    pub(super) fn into_report(self, report: &mut Report) {
        report.releases_named = self.named.count();
        (report.accepted, report.named) = (self.accepted, self.named);
    }

    /// The first of these blanks that no record explains.
    pub(super) fn unexplained(&self, origin: OriginId, blanks: &Numbers) -> Option<u64> {
        let erased = self.erased.get(&origin).map_or(&[] as &[Numbers], Vec::as_slice);
        blanks.first_outside(erased)
    }

    /// What was to be erased of a log and is still there, where what is blank was all erased in order.
    pub(super) fn not_erased(&self, log: &OriginReport, blanks: &Numbers) -> Option<Warning> {
        let erased = Numbers::between(self.erased.get(&log.origin)?, (log.first, log.records));
        let seq = erased.first_outside(std::slice::from_ref(blanks))?;
        let at = DecisionId { origin: log.origin, seq }.to_string();
        let times = erased.count().saturating_sub(blanks.count());
        Some(Warning { what: Oddity::NotErased, at, times })
    }

    /// Whether a record says that everything below `upto`, with this root, was removed.
    pub(super) fn explains(&self, origin: OriginId, upto: u64, root: Hash) -> bool {
        self.pruned.get(&origin).is_some_and(|all| all.contains(&(upto, Some(root))))
    }

    /// Whether a record says that these and more were removed: the removal is not done yet.
    pub(super) fn reaches(&self, origin: OriginId, size: u64) -> bool {
        self.pruned.get(&origin).is_some_and(|all| all.iter().any(|(upto, _)| *upto > size))
    }

    /// Whether a record says that at least so many records of a log were removed.
    pub(super) fn removed(&self, origin: OriginId, records: u64) -> bool {
        self.pruned.get(&origin).is_some_and(|all| all.iter().any(|(upto, _)| *upto >= records))
    }

    /// Logs that must be there.
    pub(super) fn followed(&self) -> &[Followed] {
        &self.followed
    }
}
