//! Who did something on a route a while ago and is denied the same now: the mistakes of a release, a directory or a grant
//! that ran out, before anybody calls.
//!
//! Somebody who was let in again later lost nothing. Whether they did the same is told by person, route and method.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::{Duration, Instant};

use roaring::RoaringBitmap;
use rusqlite::Connection;
use serde::Deserialize;

use super::super::super::error::StoreError;
use super::find::{Blocks, block_at, next_place};
use super::overview::{began_at, requests, term};
use super::plan::{Clause, Plan};
use super::records::Records;
use super::{Desk, Searcher, block_of, place_of};
use crate::model::record::RecordLine;
use crate::model::time::Timestamp;

/// Denials that are read, newest first.
const READ_MAX: usize = 3_000;
/// The time that may be spent on them.
const READING: Duration = super::at_most(20);
/// The time that may be spent on what was allowed before.
const LOOKING_BACK: Duration = super::at_most(40);
/// Losses that are told of one by one.
const TOLD: usize = 100;

/// Since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// Denied since then.
    pub denied: Timestamp,
    /// And allowed since then.
    pub allowed: Timestamp,
}

/// Who lost what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Losses {
    /// The newest first.
    pub lost: Vec<Loss>,
    /// How many there are, also beyond those.
    pub count: usize,
    /// Whether there was no time to look at everything: then there may be more.
    pub unread: Option<Unread>,
}

/// What there was no time for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// Older denials.
    Denials,
    /// What was allowed longer ago.
    Allows,
}

/// Somebody who was let in and is denied now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The newest denial.
    pub denied: RecordLine,
    /// The last time that they were let in.
    pub allowed: RecordLine,
    /// How often they were denied.
    pub times: u64,
}

impl Searcher {
    /// Who is denied what they were allowed before.
    ///
    /// # Errors
    /// When the log or its index can't be read.
    pub async fn losses(&self, since: Since) -> Result<Losses, StoreError> {
        let work = move |desk: &Desk| match &desk.index {
            Some(index) => Looking { index, records: Records::of(&desk.log)? }.losses(since),
            None => Ok(Losses::default()),
        };
        self.read("find who lost access", work).await
    }
}

/// Who did what: person, route and method.
type Deed = [String; 3];

/// What was denied, and the last place where it was allowed.
type Found = Vec<(Denied, i64)>;

/// A deed that was denied.
#[derive(Debug, Clone, Copy)]
struct Denied {
    /// The newest time.
    place: i64,
    times: u64,
}

/// What of a denial says which deed it was.
#[derive(Deserialize)]
struct Asked {
    principal: Whose,
    route: Option<String>,
    method: String,
}

#[derive(Deserialize)]
struct Whose {
    #[serde(default)]
    id: Option<String>,
}

struct Looking<'a> {
    index: &'a Connection,
    records: Records<'a>,
}

impl Looking<'_> {
    fn losses(&self, since: Since) -> Result<Losses, rusqlite::Error> {
        let mut denied = BTreeMap::new();
        let unread = self.read_denials(since.denied, &mut denied)?;
        let (mut lost, unfinished) = self.look_back(since.allowed, denied)?;
        lost.sort_by_key(|(denied, _)| std::cmp::Reverse(denied.place));
        let count = lost.len();
        let told = lost.into_iter().take(TOLD).map(|(denied, allowed)| self.loss(denied, allowed));
        let lost = told.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        Ok(Losses { lost, count, unread: unread.or(unfinished) })
    }

    fn loss(&self, denied: Denied, allowed: i64) -> Result<Option<Loss>, rusqlite::Error> {
        let lines = (self.records.record(denied.place)?, self.records.record(allowed)?);
        let (Some(denied_line), Some(allowed)) = lines else { return Ok(None) };
        Ok(Some(Loss { denied: denied_line, allowed, times: denied.times }))
    }

    fn read_denials(
        &self,
        since: Timestamp,
        denied: &mut BTreeMap<Deed, Denied>,
    ) -> Result<Option<Unread>, rusqlite::Error> {
        let (started, mut read) = (Instant::now(), 0);
        let plan = self.denials(since)?;
        let blocks = Blocks { index: self.index, plan: &plan };
        let mut block = block_of(next_place(self.index)?);
        while let Some(number) = block_at(self.index, block)? {
            for bit in blocks.places(number)?.iter().rev() {
                read += 1;
                if read > READ_MAX || started.elapsed() > READING {
                    return Ok(Some(Unread::Denials));
                }
                self.note(place_of(number, bit), denied)?;
            }
            if began_at(self.index, number)?.is_none_or(|begin| begin <= since) {
                break;
            }
            block = number - 1;
        }
        Ok(None)
    }

    fn denials(&self, since: Timestamp) -> Result<Plan, rusqlite::Error> {
        let mut plan = requests(self.index, (Some(since), None))?;
        let of = |key, value| term(self.index, [key, value]);
        plan.clauses.push(Clause::Any(of("effect", "deny")?.into_iter().collect()));
        plan.clauses.push(Clause::None(of("reason", "not_signed_in")?.into_iter().collect()));
        Ok(plan)
    }

    fn note(&self, place: i64, denied: &mut BTreeMap<Deed, Denied>) -> Result<(), rusqlite::Error> {
        let Some(line) = self.records.record(place)? else { return Ok(()) };
        let Ok(asked) = serde_json::from_str::<Asked>(&line.body) else { return Ok(()) };
        let (Some(who), Some(route)) = (asked.principal.id, asked.route) else { return Ok(()) };
        match denied.entry([who, route, asked.method]) {
            Entry::Occupied(mut known) => known.get_mut().times += 1,
            Entry::Vacant(slot) => {
                slot.insert(Denied { place, times: 1 });
            }
        }
        Ok(())
    }

    /// Those of the deeds that were allowed, and the last place where they were.
    fn look_back(
        &self,
        since: Timestamp,
        denied: BTreeMap<Deed, Denied>,
    ) -> Result<(Found, Option<Unread>), rusqlite::Error> {
        let started = Instant::now();
        let mut open = Vec::new();
        for (deed, denied) in denied {
            open.extend(self.terms(&deed)?.map(|terms| (terms, denied)));
        }
        let mut lost = Vec::new();
        let mut block = block_of(next_place(self.index)?);
        while let Some(number) = block_at(self.index, block)?.filter(|_| !open.is_empty()) {
            let mut allowed = Allowed::new(self.index, (number, since))?;
            let mut left = Vec::new();
            for (terms, denied) in open {
                if started.elapsed() > LOOKING_BACK {
                    return Ok((lost, Some(Unread::Allows)));
                }
                match allowed.last(terms)? {
                    // Let in again since, or not.
                    Some(place) if place > denied.place => {}
                    Some(place) => lost.push((denied, place)),
                    None => left.push((terms, denied)),
                }
            }
            open = left;
            if began_at(self.index, number)?.is_none_or(|begin| begin <= since) {
                break;
            }
            block = number - 1;
        }
        Ok((lost, None))
    }

    /// Numbers of what a deed is filed under; none when it was never filed so.
    fn terms(&self, [who, route, method]: &Deed) -> Result<Option<[i64; 3]>, rusqlite::Error> {
        let of = |key, value: &str| term(self.index, [key, &value.to_ascii_lowercase()]);
        let all = [of("user", who)?, of("route", route)?, of("method", method)?];
        let [Some(who), Some(route), Some(method)] = all else { return Ok(None) };
        Ok(Some([who, route, method]))
    }
}

/// What was allowed in a block.
struct Allowed<'a> {
    index: &'a Connection,
    block: i64,
    places: RoaringBitmap,
    /// By route and method.
    known: BTreeMap<[i64; 2], RoaringBitmap>,
}

impl<'a> Allowed<'a> {
    fn new(
        index: &'a Connection,
        (block, since): (i64, Timestamp),
    ) -> Result<Self, rusqlite::Error> {
        let mut plan = requests(index, (Some(since), None))?;
        let allowed = term(index, ["effect", "allow"])?;
        plan.clauses.push(Clause::Any(allowed.into_iter().collect()));
        let places = Blocks { index, plan: &plan }.places(block)?;
        Ok(Self { index, block, places, known: BTreeMap::new() })
    }

    /// The last place where a person was allowed this.
    fn last(&mut self, [who, route, method]: [i64; 3]) -> Result<Option<i64>, rusqlite::Error> {
        let plan = Plan::default();
        let blocks = Blocks { index: self.index, plan: &plan };
        let mut theirs = blocks.any(self.block, &[who])?;
        if theirs.is_empty() {
            return Ok(None);
        }
        let there = match self.known.entry([route, method]) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(slot) => {
                let mut places = blocks.any(self.block, &[route])?;
                places &= blocks.any(self.block, &[method])?;
                places &= &self.places;
                slot.insert(places)
            }
        };
        theirs &= &*there;
        Ok(theirs.max().map(|bit| place_of(self.block, bit)))
    }
}
