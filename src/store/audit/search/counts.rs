//! Counting records over time, for a chart: from the index alone.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension as _};

use super::super::super::error::StoreError;
use super::find::{Blocks, block_at, next_place};
use super::plan::{Exactness, Plan};
use super::{Desk, Searcher, block_of, file};
use crate::model::query::{Effect, Known, Query};
use crate::model::time::Timestamp;

/// A length of time that counts are made over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day, in UTC.
    Day,
}

impl Period {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// Its length.
    pub fn seconds(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    /// When the one began that a moment is in, in seconds since 1970.
    pub fn start(self, at: Timestamp) -> i64 {
        at.as_micros().div_euclid(1_000_000).div_euclid(self.seconds()) * self.seconds()
    }
}

/// What was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Periods in which there was something, oldest first.
    pub counted: Vec<Counted>,
    /// Whether a condition was too wide for the index, and left out.
    pub exactness: Exactness,
}

/// The records of one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// When it began.
    pub start: Timestamp,
    /// All of them.
    pub all: u64,
    /// Allowed requests.
    pub allowed: u64,
    /// Denied requests.
    pub denied: u64,
    /// Requests that were refused before there was anything to decide.
    pub refused: u64,
}

const EFFECTS: [Effect; 3] = [Effect::Allow, Effect::Deny, Effect::Refused];

impl Searcher {
    /// How many records a query finds in each period, as far as the index has them. The first and the last period of a
    /// span count whole.
    ///
    /// # Errors
    /// When the index can't be read.
    pub async fn count<K>(
        &self,
        query: Query,
        known: K,
        period: Period,
    ) -> Result<Counts, StoreError>
    where
        K: Known + Send + 'static,
    {
        let work = move |desk: &Desk| match &desk.index {
            Some(index) => count(index, (&query, &known), period),
            None => Ok(Counts { counted: Vec::new(), exactness: Exactness::Exact }),
        };
        self.read("count records of the log", work).await
    }
}

fn count(
    index: &Connection,
    (query, known): (&Query, &impl Known),
    period: Period,
) -> Result<Counts, rusqlite::Error> {
    let plan = Plan::of(index, query, known)?;
    let exactness = plan.exactness;
    let mut counted: BTreeMap<i64, [u64; 4]> = BTreeMap::new();
    if !plan.finds_nothing() {
        let blocks = Blocks { index, plan: &plan };
        let effects = effects(index)?;
        let mut block = block_of(next_place(index)?);
        while let Some(number) = block_at(index, block)? {
            block = number - 1;
            let places = blocks.places(number)?;
            if !places.is_empty() {
                add(&blocks, (number, &places, &effects), period, &mut counted)?;
            }
        }
    }
    let counted = counted.into_iter().map(|(start, [all, allowed, denied, refused])| {
        let start = Timestamp::from_micros(start.saturating_mul(1_000_000));
        Counted { start, all, allowed, denied, refused }
    });
    Ok(Counts { counted: counted.collect(), exactness })
}

fn effects(index: &Connection) -> Result<[Option<i64>; 3], rusqlite::Error> {
    let mut found = [None; 3];
    for (effect, slot) in EFFECTS.iter().zip(&mut found) {
        *slot = index
            .query_row(
                "SELECT id FROM term WHERE key = 'effect' AND value = ?1",
                [effect.as_str()],
                |row| row.get(0),
            )
            .optional()?;
    }
    Ok(found)
}

fn add(
    blocks: &Blocks<'_>,
    (block, places, effects): (i64, &RoaringBitmap, &[Option<i64>; 3]),
    period: Period,
    counted: &mut BTreeMap<i64, [u64; 4]>,
) -> Result<(), rusqlite::Error> {
    let mut sets = [places.clone(), places.clone(), places.clone(), places.clone()];
    for (set, effect) in sets.iter_mut().skip(1).zip(effects) {
        *set &= match effect {
            Some(term) => blocks.any(block, &[*term])?,
            None => RoaringBitmap::new(),
        };
    }
    let mut statement = blocks
        .index
        .prepare_cached("SELECT start, places FROM period WHERE length = ?1 AND block = ?2")?;
    let mut rows = statement.query([period.seconds(), block])?;
    while let Some(row) = rows.next()? {
        let within = file::bitmap(row.get_ref(1)?.as_blob()?)?;
        let sums = sets.each_ref().map(|set| set.intersection_len(&within));
        if sums[0] > 0 {
            let slot = counted.entry(row.get(0)?).or_default();
            for (sum, more) in slot.iter_mut().zip(sums) {
                *sum += more;
            }
        }
    }
    Ok(())
}
