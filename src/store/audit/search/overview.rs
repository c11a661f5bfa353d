//! What became of requests to the apps over a span of time, in numbers, and the routes where people were denied most: from
//! the index, with the few records that it takes to say who and when.
//!
//! Somebody who is sent to sign in first was not kept from anything, so that counts as no denial here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;

use super::super::super::error::StoreError;
use super::counts::Period;
use super::find::{Blocks, behind, block_at, next_place};
use super::plan::{Clause, Plan};
use super::records::Records;
use super::{Desk, Searcher, block_of, file, place_of};
use crate::model::time::Timestamp;

/// The time that looking back may take.
const TIME_MAX: Duration = super::at_most(60);
/// Routes that are told of.
const ROUTES: usize = 8;
/// Denials of one route that are read for who it was.
const READ_MAX: usize = 100;
/// Pieces that the span of a trend is cut into.
const PIECES: i64 = 24;

/// A span of time up to the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The present.
    pub now: Timestamp,
    /// How far back.
    pub length: Duration,
}

/// What happened in a span, and in as long a time before it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overview {
    /// In the span.
    pub now: Sums,
    /// Before it.
    pub before: Sums,
    /// Where people were denied, most often first.
    pub routes: Vec<DeniedRoute>,
    /// How many routes there were where somebody was denied.
    pub routes_in_all: usize,
    /// The moment up to which was looked, when there was no time for all of it.
    pub looked_to: Option<Timestamp>,
    /// How many records the index is behind the log.
    pub behind: u64,
}

/// Requests of a span in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// All that were decided or refused.
    pub requests: u64,
    /// Those of people who were signed in, and denied.
    pub denied: u64,
    /// Whole milliseconds within which 99 of 100 were decided; none where nothing was.
    pub within_ms: Option<u64>,
}

/// A route where people were denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedRoute {
    /// Its id.
    pub route: String,
    /// How often.
    pub denied: u64,
    /// How many people.
    pub people: Tallied,
    /// The first time in the span.
    pub first: Timestamp,
    /// The last time.
    pub last: Timestamp,
    /// How often in each of the equal pieces of the span, oldest first.
    pub trend: Vec<u64>,
    /// The reason that was given most.
    pub reason: String,
}

/// A number, and whether there may be more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tallied {
    /// All of them.
    Exactly(u64),
    /// Not all could be read.
    AtLeast(u64),
}

impl Searcher {
    /// What became of requests to the apps in a span.
    ///
    /// # Errors
    /// When the log or its index can't be read.
    pub async fn overview(&self, span: Span) -> Result<Overview, StoreError> {
        self.read("sum up the log", move |desk| overview(desk, span)).await
    }

    /// The same, in numbers alone.
    ///
    /// # Errors
    /// As for [`Self::overview`].
    pub async fn sums(&self, span: Span) -> Result<Overview, StoreError> {
        self.read("sum up the log", move |desk| sums(desk, span).map(|(overview, _)| overview))
            .await
    }
}

/// What is denied on a route, block by block.
type Denied = BTreeMap<i64, RoaringBitmap>;

fn overview(desk: &Desk, span: Span) -> Result<Overview, rusqlite::Error> {
    let (mut overview, denied) = sums(desk, span)?;
    let Some(index) = &desk.index else { return Ok(overview) };
    overview.routes_in_all = denied.len();
    let count = |denied: &Denied| denied.values().map(RoaringBitmap::len).sum::<u64>();
    let mut routes: Vec<_> =
        denied.into_iter().map(|(route, denied)| (count(&denied), route, denied)).collect();
    routes.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    let records = Records::of(&desk.log)?;
    let teller = Teller { index, records, span };
    for (count, route, denied) in routes.into_iter().take(ROUTES) {
        overview.routes.extend(teller.route((count, route), &denied)?);
    }
    Ok(overview)
}

fn sums(desk: &Desk, span: Span) -> Result<(Overview, BTreeMap<String, Denied>), rusqlite::Error> {
    let newest = Records::of(&desk.log)?.newest()?;
    let Some(index) = &desk.index else {
        let behind = newest.map_or(0, |newest| behind(0, newest));
        return Ok((Overview { behind, ..Overview::default() }, BTreeMap::new()));
    };
    let next = next_place(index)?;
    let mut summing = Summing::new(index, span)?;
    let looked_to = summing.walk(next)?;
    let overview = Overview {
        now: summing.now.sums(),
        before: summing.before.sums(),
        looked_to,
        behind: newest.map_or(0, |newest| behind(next, newest)),
        ..Overview::default()
    };
    Ok((overview, summing.denied))
}

/// Sums of one span while they are made.
#[derive(Debug, Default)]
struct Tally {
    requests: u64,
    denied: u64,
    by_ms: BTreeMap<u64, u64>,
}

impl Tally {
    fn sums(&self) -> Sums {
        let timed: u64 = self.by_ms.values().sum();
        let wanted = timed - timed / 100;
        let mut seen = 0;
        let within = self.by_ms.iter().find(|(_, count)| {
            seen += **count;
            seen >= wanted
        });
        let within_ms = within.filter(|_| timed > 0).map(|(ms, _)| ms + 1);
        Sums { requests: self.requests, denied: self.denied, within_ms }
    }
}

struct Summing<'a> {
    index: &'a Connection,
    terms: Terms,
    spans: [Plan; 2],
    now: Tally,
    before: Tally,
    denied: BTreeMap<String, Denied>,
}

/// Numbers of the terms that this is about; one that was never met has none.
struct Terms {
    denied: Option<i64>,
    /// Sent to sign in first.
    unknown: Option<i64>,
}

/// The number of a term.
pub(super) fn term(
    index: &Connection,
    [key, value]: [&str; 2],
) -> Result<Option<i64>, rusqlite::Error> {
    index
        .prepare_cached("SELECT id FROM term WHERE key = ?1 AND value = ?2")?
        .query_row(params![key, value], |row| row.get(0))
        .optional()
}

/// Finds requests to the apps in a span of time.
pub(super) fn requests(
    index: &Connection,
    span: (Option<Timestamp>, Option<Timestamp>),
) -> Result<Plan, rusqlite::Error> {
    let kinds = [term(index, ["kind", "decision"])?, term(index, ["kind", "refusal"])?];
    let kinds = kinds.into_iter().flatten().collect();
    let door = term(index, ["door", "proxy"])?.into_iter().collect();
    let clauses = vec![Clause::Any(door), Clause::Any(kinds)];
    Ok(Plan { clauses, span, ..Plan::default() })
}

impl<'a> Summing<'a> {
    fn new(index: &'a Connection, Span { now, length }: Span) -> Result<Self, rusqlite::Error> {
        let begin = minute(now.minus(length));
        let earlier = begin.minus(length);
        let just_before = begin.minus(Duration::from_micros(1));
        let terms = Terms {
            denied: term(index, ["effect", "deny"])?,
            unknown: term(index, ["reason", "not_signed_in"])?,
        };
        let spans = [
            requests(index, (Some(begin), None))?,
            requests(index, (Some(earlier), Some(just_before)))?,
        ];
        let (now, before) = (Tally::default(), Tally::default());
        Ok(Self { index, terms, spans, now, before, denied: BTreeMap::new() })
    }

    /// Reads blocks, newest first; gives the moment up to which there was time for it.
    fn walk(&mut self, next: i64) -> Result<Option<Timestamp>, rusqlite::Error> {
        let started = Instant::now();
        let mut block = block_of(next);
        while let Some(number) = block_at(self.index, block)? {
            let [now, before] = self.places(number)?;
            let Some(begin) = began_at(self.index, number)? else { break };
            self.add(number, [&now, &before])?;
            let (earliest, _) = self.spans[1].span;
            if earliest.is_some_and(|earliest| begin <= earliest) {
                break;
            }
            if started.elapsed() > TIME_MAX {
                return Ok(Some(begin));
            }
            block = number - 1;
        }
        Ok(None)
    }

    fn places(&self, block: i64) -> Result<[RoaringBitmap; 2], rusqlite::Error> {
        let [now, before] = &self.spans;
        let of = |plan| Blocks { index: self.index, plan }.places(block);
        Ok([of(now)?, of(before)?])
    }

    fn add(
        &mut self,
        block: i64,
        [now, before]: [&RoaringBitmap; 2],
    ) -> Result<(), rusqlite::Error> {
        let mut denied = self.filed(block, self.terms.denied)?;
        denied -= self.filed(block, self.terms.unknown)?;
        for (tally, places) in [(&mut self.now, now), (&mut self.before, before)] {
            tally.requests += places.len();
            tally.denied += places.intersection_len(&denied);
        }
        if !now.is_empty() || !before.is_empty() {
            each(self.index, ("ms", block), |ms, filed| {
                let Ok(ms) = ms.parse() else { return };
                for (tally, places) in [(&mut self.now, now), (&mut self.before, before)] {
                    *tally.by_ms.entry(ms).or_default() += places.intersection_len(filed);
                }
            })?;
        }
        denied &= now;
        if denied.is_empty() {
            return Ok(());
        }
        let routes = &mut self.denied;
        each(self.index, ("route", block), |route, filed| {
            let here = filed & &denied;
            if !here.is_empty() {
                routes.entry(route.to_owned()).or_default().insert(block, here);
            }
        })
    }

    fn filed(&self, block: i64, term: Option<i64>) -> Result<RoaringBitmap, rusqlite::Error> {
        let terms: Vec<i64> = term.into_iter().collect();
        Blocks { index: self.index, plan: &self.spans[0] }.any(block, &terms)
    }
}

/// Shows every value of a key that something of a block is filed under.
fn each(
    index: &Connection,
    (key, block): (&str, i64),
    mut show: impl FnMut(&str, &RoaringBitmap),
) -> Result<(), rusqlite::Error> {
    let mut statement = index.prepare_cached(
        "SELECT t.value, p.places FROM term t
         CROSS JOIN posting p ON p.block = ?2 AND p.term = t.id WHERE t.key = ?1",
    )?;
    let mut rows = statement.query(params![key, block])?;
    while let Some(row) = rows.next()? {
        let places = file::bitmap(row.get_ref(1)?.as_blob()?)?;
        show(row.get_ref(0)?.as_str().unwrap_or_default(), &places);
    }
    Ok(())
}

/// When the first record of a block was made, to the hour.
pub(super) fn began_at(
    index: &Connection,
    block: i64,
) -> Result<Option<Timestamp>, rusqlite::Error> {
    let first: Option<i64> = index
        .prepare_cached("SELECT MIN(start) FROM period WHERE length = ?1 AND block = ?2")?
        .query_row([Period::Hour.seconds(), block], |row| row.get(0))?;
    Ok(first.map(Timestamp::from_seconds))
}

fn minute(at: Timestamp) -> Timestamp {
    Timestamp::from_seconds(Period::Minute.start(at))
}

/// Tells of a route what its denials say.
struct Teller<'a> {
    index: &'a Connection,
    records: Records<'a>,
    span: Span,
}

impl Teller<'_> {
    fn route(
        &self,
        (denied, route): (u64, String),
        places: &Denied,
    ) -> Result<Option<DeniedRoute>, rusqlite::Error> {
        let first = places.iter().find_map(|(block, bits)| Some(place_of(*block, bits.min()?)));
        let last =
            places.iter().rev().find_map(|(block, bits)| Some(place_of(*block, bits.max()?)));
        let at = |place: Option<i64>| place.map_or(Ok(None), |place| self.whose(place));
        let (Some((first, _)), Some((last, _))) = (at(first)?, at(last)?) else { return Ok(None) };
        let people = self.people(places)?;
        let trend = self.trend(places)?;
        let reason = self.reason(places)?;
        Ok(Some(DeniedRoute { route, denied, people, first, last, trend, reason }))
    }

    /// When the record at a place was made, and whose it is; none when it was removed.
    fn whose(&self, place: i64) -> Result<Option<(Timestamp, Option<String>)>, rusqlite::Error> {
        let Some(line) = self.records.record(place)? else { return Ok(None) };
        let body: Value = serde_json::from_str(&line.body).unwrap_or_default();
        let subject = body.pointer("/principal/id").and_then(Value::as_str).map(str::to_owned);
        Ok(Some((line.at, subject)))
    }

    fn people(&self, places: &Denied) -> Result<Tallied, rusqlite::Error> {
        let mut people = BTreeSet::new();
        let newest = places
            .iter()
            .rev()
            .flat_map(|(block, bits)| bits.iter().rev().map(move |bit| place_of(*block, bit)));
        let mut newest = newest.peekable();
        for place in newest.by_ref().take(READ_MAX) {
            people.extend(self.whose(place)?.and_then(|(_, subject)| subject));
        }
        let count = u64::try_from(people.len()).unwrap_or(u64::MAX);
        let all = newest.peek().is_none();
        Ok(if all { Tallied::Exactly(count) } else { Tallied::AtLeast(count) })
    }

    fn trend(&self, places: &Denied) -> Result<Vec<u64>, rusqlite::Error> {
        let begin = minute(self.span.now.minus(self.span.length)).as_seconds();
        let length = i64::try_from(self.span.length.as_secs()).unwrap_or(i64::MAX);
        let piece = (length / PIECES).max(1);
        let period = if piece < Period::Hour.seconds() { Period::Minute } else { Period::Hour };
        let mut trend = vec![0; usize::try_from(PIECES).unwrap_or_default()];
        for (block, bits) in places {
            let mut statement = self.index.prepare_cached(
                "SELECT start, places FROM period WHERE length = ?1 AND block = ?2 AND start >= ?3",
            )?;
            let from = Period::start(period, Timestamp::from_seconds(begin));
            let mut rows = statement.query([period.seconds(), *block, from])?;
            while let Some(row) = rows.next()? {
                let start: i64 = row.get(0)?;
                let at = ((start - begin) / piece).clamp(0, PIECES - 1);
                let within = file::bitmap(row.get_ref(1)?.as_blob()?)?;
                if let Some(slot) = usize::try_from(at).ok().and_then(|at| trend.get_mut(at)) {
                    *slot += bits.intersection_len(&within);
                }
            }
        }
        Ok(trend)
    }

    fn reason(&self, places: &Denied) -> Result<String, rusqlite::Error> {
        let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
        for (block, bits) in places {
            each(self.index, ("reason", *block), |reason, filed| {
                *reasons.entry(reason.to_owned()).or_default() += filed.intersection_len(bits);
            })?;
        }
        let most = reasons.into_iter().max_by_key(|(_, count)| *count);
        Ok(most.map(|(reason, _)| reason).unwrap_or_default())
    }
}
