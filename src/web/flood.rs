//! Flood control: refusals cost tokens, and whoever has none left is answered 429 before anything is decided.
//!
//! Only refused requests are charged, so heavy use that is allowed never is. Somebody signed in, or known by an access
//! token, has a bucket of their own; everybody else shares that of their address (IPv6 by /64). All of it is held in bounded memory, and the
//! requests turned away are summed up, so that a flood costs one record per source and interval.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use quick_cache::sync::Cache;

use crate::model::id::{SessionId, Subject};
use crate::model::record::ClientAddress;
use crate::model::time::Timestamp;

/// Sources whose buckets are held; the least recently seen are forgotten, which only fills them again.
const SOURCES: usize = 50_000;
/// Sources summed up between two records; further ones are summed up together.
const SUMMARIES: usize = 10_000;
const SECOND: i64 = 1_000_000;

/// How many refusals a source may cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Refusals per second in the long run, at least 1.
    pub per_second: u32,
    /// Refusals at once.
    pub burst: u32,
}

/// Whose refusals are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// Somebody signed in.
    Session(SessionId),
    /// Somebody who came with an access token that was accepted.
    Bearer(Subject),
    /// Everybody else at an address.
    Address(ClientAddress),
}

impl Source {
    fn widened(self) -> Self {
        match self {
            Self::Address(client) => Self::Address(client.neighbourhood()),
            Self::Session(_) | Self::Bearer(_) => self,
        }
    }
}

/// Requests of one source that were turned away since the last record of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Whose they were.
    pub source: Source,
    /// The address that they came from last.
    pub client: ClientAddress,
    /// How many.
    pub count: u64,
}

/// The buckets of all sources.
#[derive(Debug)]
pub struct Flood {
    limit: Limit,
    /// When a source's bucket will be full again, in microseconds (the generic cell rate algorithm).
    full_at: Cache<Source, i64>,
    turned_away: Mutex<HashMap<Source, Summary>>,
}

impl Flood {
    /// Flood control with one limit for every source.
    pub fn new(limit: Limit) -> Self {
        Self { limit, full_at: Cache::new(SOURCES), turned_away: Mutex::default() }
    }

    /// Takes a token from `source`: one of its requests was refused.
    pub fn charge(&self, source: Source, now: Timestamp) {
        let source = source.widened();
        let next = self.full_at(&source, now).saturating_add(self.cost());
        self.full_at.insert(source, next.min(now.as_micros().saturating_add(self.room())));
    }

    /// Whether `source` has no token left; then its request is counted as turned away.
    pub fn turns_away(&self, source: Source, client: ClientAddress, now: Timestamp) -> bool {
        let source = source.widened();
        let spent = self.full_at(&source, now).saturating_sub(now.as_micros());
        let exhausted = spent.saturating_add(self.cost()) > self.room();
        if exhausted {
            self.count(source, client);
        }
        exhausted
    }

    /// What was turned away since the last call; one record each.
    pub fn take_summaries(&self) -> Vec<Summary> {
        let mut turned_away = self.turned_away.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *turned_away).into_values().collect()
    }

    /// Takes summaries back that could not be recorded; they are added to what was turned away since.
    pub fn put_back(&self, summaries: Vec<Summary>) {
        for summary in summaries {
            self.add(summary);
        }
    }

    fn count(&self, source: Source, client: ClientAddress) {
        self.add(Summary { source, client, count: 1 });
    }

    fn add(&self, more: Summary) {
        let Summary { source, client, count } = more;
        let mut turned_away = self.turned_away.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = turned_away.len() < SUMMARIES || turned_away.contains_key(&source);
        let source = if fits { source } else { Source::Address(ClientAddress::Unknown) };
        let summary =
            turned_away.entry(source.clone()).or_insert(Summary { source, client, count: 0 });
        summary.client = client;
        summary.count = summary.count.saturating_add(count);
    }

    /// At least `now`. More than a whole burst ahead means that the clock was set back, which must lock nobody out.
    fn full_at(&self, source: &Source, now: Timestamp) -> i64 {
        let now = now.as_micros();
        let ahead = now.saturating_add(self.room());
        self.full_at.get(source).filter(|at| (now..=ahead).contains(at)).unwrap_or(now)
    }

    fn cost(&self) -> i64 {
        SECOND / i64::from(self.limit.per_second.max(1))
    }

    fn room(&self) -> i64 {
        self.cost().saturating_mul(i64::from(self.limit.burst.max(1)))
    }
}
