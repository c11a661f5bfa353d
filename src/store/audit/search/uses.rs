//! Who used what last: from the newest record that is filed under both.

use std::collections::BTreeMap;
use std::str::FromStr;

use roaring::RoaringBitmap;
use rusqlite::OptionalExtension as _;
use serde_json::Value;

use super::super::super::error::StoreError;
use super::find::{Blocks, Search, TIME_MAX, Wanted, block_at, finds, next_place};
use super::{Searcher, block_of, place_of};
use crate::model::grant::Method;
use crate::model::id::{RouteId, Subject};
use crate::model::query::{Effect, Known, Pattern, Query, Sense, Term, TextKey, What};
use crate::model::record::RecordLine;
use crate::model::time::Timestamp;

/// When something was last used, as far back as was looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUses<K> {
    /// By whom or what.
    pub at: BTreeMap<K, Timestamp>,
    /// How far back was looked: the oldest record of the search; none where the log is empty.
    pub since: Option<Timestamp>,
}

impl Searcher {
    /// When each person last did one of these on a route and was let in.
    ///
    /// # Errors
    /// When the log or its index can't be read.
    pub async fn users_of(
        &self,
        route: &RouteId,
        methods: &[Method],
    ) -> Result<LastUses<Subject>, StoreError> {
        let wanted = let_in((TextKey::Route, route.to_string()), methods);
        self.read("look who used a route", move |desk| {
            Search::new(desk, &wanted)?.last_uses((TextKey::User, "/principal/id"))
        })
        .await
    }

    /// When a person was last let in on each route, with one of these methods.
    ///
    /// # Errors
    /// As for [`Self::users_of`].
    pub async fn used_by(
        &self,
        subject: &Subject,
        methods: &[Method],
    ) -> Result<LastUses<RouteId>, StoreError> {
        let wanted = let_in((TextKey::User, subject.to_string()), methods);
        self.read("look what a person used", move |desk| {
            Search::new(desk, &wanted)?.last_uses((TextKey::Route, "/route"))
        })
        .await
    }

    /// A person's newest decisions, newest first, at most `limit`.
    ///
    /// # Errors
    /// As for [`Self::users_of`].
    pub async fn decisions_of(
        &self,
        subject: &Subject,
        limit: usize,
    ) -> Result<Vec<RecordLine>, StoreError> {
        let kind = What::Text(TextKey::Kind, vec![Pattern::Is("decision".to_owned())]);
        let who = What::Text(TextKey::User, vec![Pattern::Is(subject.to_string())]);
        self.find(Wanted { limit, ..wanted(vec![kind, who]) }).await.map(|found| found.lines)
    }
}

/// Allowed requests with one of these methods that are about this.
fn let_in((key, value): (TextKey, String), methods: &[Method]) -> Wanted<Nobody> {
    let methods = methods.iter().map(|method| Pattern::Is(method.as_str().to_owned()));
    wanted(vec![
        What::Text(key, vec![Pattern::Is(value)]),
        What::Effect(vec![Effect::Allow]),
        What::Text(TextKey::Method, methods.collect()),
    ])
}

fn wanted(all: Vec<What>) -> Wanted<Nobody> {
    let terms = all.into_iter().map(|what| Term { sense: Sense::Is, what }).collect();
    let query = Query { terms };
    Wanted { query, known: Nobody, before: None, after: None, limit: usize::MAX }
}

/// Queries by ids need nothing else to be known.
struct Nobody;

impl Known for Nobody {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(0)
    }

    fn group_names(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// What the uses are told apart by: what records are filed under, and where they say it.
type By = (TextKey, &'static str);

impl<N: Known> Search<'_, N> {
    fn last_uses<K: FromStr + Ord + Clone>(
        mut self,
        by: By,
    ) -> Result<LastUses<K>, rusqlite::Error> {
        let mut uses = LastUses { at: BTreeMap::new(), since: None };
        let tail = self.tail()?;
        for line in &tail.lines {
            uses.add(by, line);
        }
        uses.since = match tail.looked_to {
            Some(reached) => Some(reached),
            None => self.filed_uses(by, &mut uses)?,
        };
        Ok(uses)
    }

    /// Adds what the index has, newest block first, for as long as a search may take. Gives how far it came.
    fn filed_uses<K: FromStr + Ord + Clone>(
        &self,
        by: By,
        uses: &mut LastUses<K>,
    ) -> Result<Option<Timestamp>, rusqlite::Error> {
        let Some(index) = &self.desk.index else { return self.oldest(0) };
        let mut sought = self.keys(by)?;
        let mut block = block_of(next_place(index)?);
        while let Some(number) = block_at(index, block)? {
            if self.began.elapsed() > TIME_MAX {
                return self.oldest(place_of(number + 1, 0));
            }
            block = number - 1;
            sought.retain(|(_, key)| !uses.at.contains_key(key));
            let places = Blocks { index, plan: &self.plan }.places(number)?;
            // Fewer records than there are people to look for: these are read at once.
            if places.len() <= sought.len() as u64 {
                for place in places.iter().rev().map(|bit| place_of(number, bit)) {
                    if let Some(line) = self.found_at(place)? {
                        uses.add(by, &line);
                    }
                }
                continue;
            }
            for (term, _) in &sought {
                let theirs = self.filed(number, *term)? & &places;
                let newest = self.newest(number, &theirs)?;
                if let Some(line) = newest {
                    uses.add(by, &line);
                }
            }
        }
        self.oldest(0)
    }

    /// Everything that uses can be told apart by, with its number in the index.
    fn keys<K: FromStr>(&self, (key, _): By) -> Result<Vec<(i64, K)>, rusqlite::Error> {
        let Some(index) = &self.desk.index else { return Ok(Vec::new()) };
        let mut statement = index.prepare_cached("SELECT id, value FROM term WHERE key = ?1")?;
        let rows = statement.query_map([key.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        // Operators are filed with people, and use nothing.
        Ok(rows.into_iter().filter_map(|(id, value)| Some((id, value.parse().ok()?))).collect())
    }

    fn filed(&self, block: i64, term: i64) -> Result<RoaringBitmap, rusqlite::Error> {
        match &self.desk.index {
            Some(index) => Blocks { index, plan: &self.plan }.any(block, &[term]),
            None => Ok(RoaringBitmap::new()),
        }
    }

    /// The newest of these records that is found.
    fn newest(
        &self,
        block: i64,
        places: &RoaringBitmap,
    ) -> Result<Option<RecordLine>, rusqlite::Error> {
        for bit in places.iter().rev() {
            if let Some(line) = self.found_at(place_of(block, bit))? {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    fn found_at(&self, place: i64) -> Result<Option<RecordLine>, rusqlite::Error> {
        let line = self.record(place)?;
        Ok(line.filter(|line| finds(line, &self.wanted.query, &self.wanted.known)))
    }

    /// When the first record at this place or behind it was made.
    fn oldest(&self, place: i64) -> Result<Option<Timestamp>, rusqlite::Error> {
        let next: Option<i64> = self
            .desk
            .log
            .query_row("SELECT MIN(place) FROM record WHERE place >= ?1", [place], |row| row.get(0))
            .optional()?
            .flatten();
        let line = next.map(|place| self.record(place)).transpose()?.flatten();
        Ok(line.map(|line| line.at))
    }
}

impl<K: FromStr + Ord> LastUses<K> {
    /// Adds a use, if it is the first that is met.
    fn add(&mut self, (_, place): By, line: &RecordLine) {
        let body: Value = serde_json::from_str(&line.body).unwrap_or_default();
        let key = body.pointer(place).and_then(Value::as_str).and_then(|key| key.parse().ok());
        if let Some(key) = key {
            self.at.entry(key).or_insert(line.at);
        }
    }
}
