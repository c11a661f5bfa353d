//! Finding records: the newest first, by page.

use std::time::{Duration, Instant};

use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension as _};
use serde_json_borrow::Value;

use super::super::super::error::StoreError;
use super::super::Origin;
use super::plan::{Clause, Plan};
use super::records::Records;
use super::{Desk, Searcher, bit_of, block_of, file, place_of};
use crate::model::id::DecisionId;
use crate::model::query::{Evidence, Known, Query};
use crate::model::record::RecordLine;
use crate::model::time::Timestamp;

/// Records that are read for one page before it is handed out as it is.
const READ_MAX: usize = 20_000;
/// And the time that this may take.
pub(super) const TIME_MAX: Duration = super::at_most(60);
/// Records that are not in the index yet are read in pieces of this many.
const PIECE: i64 = 500;

/// A page that is asked for.
#[derive(Debug, Clone)]
pub struct Wanted<K> {
    /// What is looked for.
    pub query: Query,
    /// What it is read against.
    pub known: K,
    /// Only what is older than this record.
    pub before: Option<DecisionId>,
    /// Only what is newer than this record.
    pub after: Option<DecisionId>,
    /// At most this many.
    pub limit: usize,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Records, newest first.
    pub lines: Vec<RecordLine>,
    /// Where the next page begins; none when there is nothing older to look at.
    pub older: Option<DecisionId>,
    /// The record up to which was looked, when the page was handed out before it was full.
    pub looked_to: Option<Timestamp>,
    /// How many records the index is behind the log.
    pub behind: u64,
}

impl Searcher {
    /// The newest records that a query finds.
    ///
    /// # Errors
    /// When the log or its index can't be read.
    pub async fn find<K>(&self, wanted: Wanted<K>) -> Result<Found, StoreError>
    where
        K: Known + Send + 'static,
    {
        self.read("search the log", move |desk| Search::new(desk, &wanted)?.page()).await
    }
}

/// The first place that the index does not have.
pub(super) fn next_place(index: &Connection) -> Result<i64, rusqlite::Error> {
    let next =
        index.query_row("SELECT next FROM progress", [], |row| row.get::<_, i64>(0)).optional()?;
    Ok(next.unwrap_or(0))
}

pub(super) struct Search<'a, K> {
    pub(super) desk: &'a Desk,
    pub(super) wanted: &'a Wanted<K>,
    pub(super) plan: Plan,
    pub(super) records: Records<'a>,
    pub(super) began: Instant,
    read: usize,
    /// The last place that was looked at, and when its record was made.
    reached: Option<(i64, Timestamp)>,
    found: Found,
}

/// Whether to go on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    On,
    Enough,
}

impl<'a, K: Known> Search<'a, K> {
    pub(super) fn new(desk: &'a Desk, wanted: &'a Wanted<K>) -> Result<Self, rusqlite::Error> {
        let plan = desk.index.as_ref().map(|index| Plan::of(index, &wanted.query, &wanted.known));
        let plan = plan.transpose()?.unwrap_or_default();
        Ok(Self {
            desk,
            wanted,
            plan,
            records: Records::of(&desk.log)?,
            began: Instant::now(),
            read: 0,
            reached: None,
            found: Found::default(),
        })
    }

    fn page(mut self) -> Result<Found, rusqlite::Error> {
        let newest = self.records.newest()?;
        let (Some(newest), Some(before)) = (newest, self.before()) else { return Ok(self.found) };
        let next = self.desk.index.as_ref().map_or(Ok(0), next_place)?;
        self.found.behind = behind(next, newest);
        let after =
            self.wanted.after.map_or(Some(0), |id| self.records.place(id)).unwrap_or(i64::MAX);
        let from = next.max(after.saturating_add(1));
        let mut pace = self.walk_tail(from, before.min(newest + 1))?;
        if pace == Pace::On && !self.plan.finds_nothing() {
            pace = self.walk_blocks(after, before.min(next))?;
        }
        if pace == Pace::Enough {
            self.mark_end();
        }
        Ok(self.found)
    }

    /// What the query finds among the records that the index does not have yet.
    pub(super) fn tail(&mut self) -> Result<Found, rusqlite::Error> {
        let newest: Option<i64> =
            self.desk.log.query_row("SELECT MAX(place) FROM record", [], |row| row.get(0))?;
        let next = self.desk.index.as_ref().map_or(Ok(0), next_place)?;
        let behind = newest.map_or(0, |newest| newest + 1);
        if self.walk_tail(next, behind)? == Pace::Enough {
            self.mark_end();
        }
        Ok(std::mem::take(&mut self.found))
    }

    /// The first place that is not looked at; none when the cursor is of another log.
    fn before(&self) -> Option<i64> {
        match self.wanted.before {
            None => Some(i64::MAX),
            Some(id) => self.records.place(id),
        }
    }

    /// Reads what the index does not have yet.
    fn walk_tail(&mut self, next: i64, mut before: i64) -> Result<Pace, rusqlite::Error> {
        while before > next {
            let piece = self.records.piece((next, before), PIECE)?;
            let Some((last, _)) = piece.last() else { return Ok(Pace::On) };
            before = *last;
            for (place, line) in piece {
                if self.take(place, line) == Pace::Enough {
                    return Ok(Pace::Enough);
                }
            }
        }
        Ok(Pace::On)
    }

    /// Reads what the index points at, newest block first.
    fn walk_blocks(&mut self, after: i64, before: i64) -> Result<Pace, rusqlite::Error> {
        let Some(index) = &self.desk.index else { return Ok(Pace::On) };
        let mut block = block_of(before.saturating_sub(1));
        while let Some(number) = block_at(index, block)? {
            if number < block_of(after) {
                break;
            }
            block = number - 1;
            let mut places = Blocks { index, plan: &self.plan }.places(number)?;
            self.keep_named(&mut places, number);
            if number == block_of(before) {
                places.remove_range(bit_of(before)..);
            }
            if number == block_of(after) {
                places.remove_range(..=bit_of(after));
            }
            if self.walk_places(number, &places)? == Pace::Enough {
                return Ok(Pace::Enough);
            }
        }
        Ok(Pace::On)
    }

    /// Keeps the records that the query names by their ids.
    fn keep_named(&self, places: &mut RoaringBitmap, block: i64) {
        for clause in &self.plan.clauses {
            let Clause::Is(ids) = clause else { continue };
            let named = ids.iter().filter_map(|id| self.records.place(*id));
            let here = named.filter(|place| block_of(*place) == block).map(bit_of);
            *places &= here.collect::<RoaringBitmap>();
        }
    }

    fn walk_places(&mut self, block: i64, places: &RoaringBitmap) -> Result<Pace, rusqlite::Error> {
        for bit in places.iter().rev() {
            let place = place_of(block, bit);
            let Some(line) = self.records.record(place)? else { continue };
            if self.take(place, line) == Pace::Enough {
                return Ok(Pace::Enough);
            }
        }
        Ok(Pace::On)
    }

    /// Takes a record if the query finds it.
    fn take(&mut self, place: i64, line: RecordLine) -> Pace {
        self.read += 1;
        self.reached = Some((place, line.at));
        if finds(&line, &self.wanted.query, &self.wanted.known) {
            self.found.lines.push(line);
        }
        let full = self.found.lines.len() >= self.wanted.limit;
        let spent = self.read >= READ_MAX || self.began.elapsed() > TIME_MAX;
        if full || spent { Pace::Enough } else { Pace::On }
    }

    fn mark_end(&mut self) {
        let Some((place, at)) = self.reached else { return };
        self.found.older = self.records.id(place);
        if self.found.lines.len() < self.wanted.limit {
            self.found.looked_to = Some(at);
        }
    }
}

/// Records of the newest origin that the index does not have.
pub(super) fn behind(next: i64, newest: i64) -> u64 {
    let begin = Origin::first_of(Origin::key_of(newest)).max(next);
    u64::try_from(newest - begin + 1).unwrap_or(0)
}

/// Whether a query finds a record, as every other reader of the log would say. What was erased is not found.
pub(super) fn finds(line: &RecordLine, query: &Query, known: &impl Known) -> bool {
    if line.body.is_empty() {
        return false;
    }
    let body = read(&line.body);
    let principal = read(line.principal.as_deref().unwrap_or_default());
    let (kind, body, principal) = (line.kind.as_str(), &body, &principal);
    let record = Evidence { id: line.id, at: line.at, kind, body, principal };
    query.finds(&record, known)
}

fn read(text: &str) -> Value<'_> {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

/// The newest block up to this one.
pub(super) fn block_at(index: &Connection, block: i64) -> Result<Option<i64>, rusqlite::Error> {
    let mut statement = index.prepare_cached("SELECT MAX(block) FROM posting WHERE block <= ?1")?;
    statement.query_row([block], |row| row.get(0))
}

/// Reads blocks as a plan asks.
pub(super) struct Blocks<'a> {
    pub(super) index: &'a Connection,
    pub(super) plan: &'a Plan,
}

/// Seconds of the periods that the ends of a span are cut at.
const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

impl Blocks<'_> {
    /// The places of a block where the plan finds something.
    pub(super) fn places(&self, block: i64) -> Result<RoaringBitmap, rusqlite::Error> {
        let Some(mut places) = self.in_time(block)? else { return Ok(RoaringBitmap::new()) };
        for clause in &self.plan.clauses {
            match clause {
                Clause::Any(terms) => places &= self.any(block, terms)?,
                Clause::None(terms) => places -= self.any(block, terms)?,
                Clause::Is(_) => {}
            }
            if places.is_empty() {
                break;
            }
        }
        Ok(places)
    }

    /// The places of a block that lie in the plan's span; none when it is outside altogether.
    fn in_time(&self, block: i64) -> Result<Option<RoaringBitmap>, rusqlite::Error> {
        let seconds = |at: Timestamp| at.as_micros().div_euclid(1_000_000);
        let (from, to) = self.plan.span;
        let from = from.map_or(i64::MIN, seconds);
        let to = to.map_or(i64::MAX, |at| seconds(at).saturating_add(1));
        let mut ends = self.index.prepare_cached(
            "SELECT MIN(start), MAX(start) FROM period WHERE length = ?1 AND block = ?2",
        )?;
        let (first, last): (Option<i64>, Option<i64>) =
            ends.query_row([HOUR, block], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (Some(first), Some(last)) = (first, last) else { return Ok(None) };
        let behind = last.saturating_add(HOUR);
        if to <= first || from >= behind {
            return Ok(None);
        }
        if from <= first && to >= behind {
            return self.all(block).map(Some);
        }
        let from = from.max(first).div_euclid(MINUTE) * MINUTE;
        let to = to.min(behind);
        // Whole hours in between; a block of a quiet gate holds weeks of minutes.
        let whole =
            (from.saturating_add(HOUR - 1).div_euclid(HOUR) * HOUR, to.div_euclid(HOUR) * HOUR);
        let pieces = if whole.0 < whole.1 {
            [(MINUTE, from, whole.0), (HOUR, whole.0, whole.1), (MINUTE, whole.1, to)]
        } else {
            [(MINUTE, from, to), (HOUR, 0, 0), (MINUTE, 0, 0)]
        };
        let mut places = RoaringBitmap::new();
        for (length, from, to) in pieces.into_iter().filter(|(_, from, to)| from < to) {
            places |= self.periods(block, (length, from, to))?;
        }
        Ok(Some(places))
    }

    /// The places of a block in periods of one length that began between two moments.
    fn periods(
        &self,
        block: i64,
        (length, from, to): (i64, i64, i64),
    ) -> Result<RoaringBitmap, rusqlite::Error> {
        let mut statement = self.index.prepare_cached(
            "SELECT places FROM period WHERE length = ?1 AND block = ?2 AND start >= ?3 AND start < ?4",
        )?;
        union(statement.query([length, block, from, to])?)
    }

    fn all(&self, block: i64) -> Result<RoaringBitmap, rusqlite::Error> {
        let mut statement = self.index.prepare_cached(
            "SELECT places FROM posting WHERE block = ?1
             AND term = (SELECT id FROM term WHERE key = 'all' AND value = '')",
        )?;
        union(statement.query([block])?)
    }

    /// The places of a block that are filed under one of these.
    pub(super) fn any(&self, block: i64, terms: &[i64]) -> Result<RoaringBitmap, rusqlite::Error> {
        let mut statement = self
            .index
            .prepare_cached("SELECT places FROM posting WHERE block = ?1 AND term = ?2")?;
        let mut places = RoaringBitmap::new();
        for term in terms {
            places |= union(statement.query([block, *term])?)?;
        }
        Ok(places)
    }
}

fn union(mut rows: rusqlite::Rows<'_>) -> Result<RoaringBitmap, rusqlite::Error> {
    let mut places = RoaringBitmap::new();
    while let Some(row) = rows.next()? {
        places |= file::bitmap(row.get_ref(0)?.as_blob()?)?;
    }
    Ok(places)
}
