//! Refusals before deciding: on record first, then answered.

use std::sync::Arc;

use axum::response::Response;

use super::exchange::Exchange;
use super::fault::{Fault, Quote};
use super::flood::{Flood, Source, Summary};
use super::house::{Ground, House};
use super::wants::Wants;
use crate::audit::Audit;
use crate::model::id::RequestId;
use crate::model::record::{ClientAddress, Entry, Event, Refusal, RefusalRecord, RequestFacts};
use crate::model::time::Timestamp;
use crate::telemetry::Metrics;

/// Refuses requests, keeps the record of it, and counts what comes as a flood.
#[derive(Debug, Clone)]
pub struct Refuser {
    audit: Audit,
    flood: Arc<Flood>,
    metrics: Metrics,
    house: Arc<House>,
}

/// A request that is about to be refused.
#[derive(Debug, Clone)]
pub struct Refused {
    /// What is known of it.
    pub facts: RequestFacts,
    /// Where it stands.
    pub ground: Ground,
    /// The kind of answer that its client can use.
    pub wants: Wants,
    /// When it arrived.
    pub at: Timestamp,
}

/// What answering a flood takes of a request, so that asking whether there is one costs nothing.
#[derive(Debug, Clone, Copy)]
pub struct Glimpse<'a> {
    request: &'a RequestId,
    client: ClientAddress,
    ground: Ground,
    wants: Wants,
    at: Timestamp,
}

impl<'a> From<&'a Exchange> for Glimpse<'a> {
    fn from(exchange: &'a Exchange) -> Self {
        let Exchange { facts, wants, at, .. } = exchange;
        let ground = Ground::of(exchange);
        Self { request: &facts.request, client: facts.client, ground, wants: *wants, at: *at }
    }
}

impl<'a> From<&'a Refused> for Glimpse<'a> {
    fn from(Refused { facts, ground, wants, at }: &'a Refused) -> Self {
        let (ground, wants, at) = (*ground, *wants, *at);
        Self { request: &facts.request, client: facts.client, ground, wants, at }
    }
}

impl From<&Exchange> for Refused {
    fn from(exchange: &Exchange) -> Self {
        let (facts, ground) = (exchange.facts.clone(), Ground::of(exchange));
        Self { facts, ground, wants: exchange.wants, at: exchange.at }
    }
}

impl Refuser {
    /// A refuser that records into `audit`, and leads on from its pages as `house` says.
    pub fn new(audit: Audit, flood: Arc<Flood>, metrics: Metrics, house: House) -> Self {
        Self { audit, flood, metrics, house: Arc::new(house) }
    }

    /// Where people go from a fault.
    pub fn house(&self) -> &House {
        &self.house
    }

    /// Answers 429 when `source` was refused too often already; nothing is decided then.
    pub fn turn_away<'a>(
        &self,
        source: Source,
        request: impl Into<Glimpse<'a>>,
    ) -> Option<Response> {
        let Glimpse { request, client, ground, wants, at } = request.into();
        self.flood.turns_away(source, client, at).then(|| {
            self.metrics.refused("too_many_requests");
            let quote = Quote::Request(request.clone());
            self.house.answer_at(&Fault::of(&Refusal::TooMany), (ground, wants), (&quote, at))
        })
    }

    /// Counts a refusal against `source`.
    pub fn charge(&self, source: Source, at: Timestamp) {
        self.flood.charge(source, at);
    }

    /// Records the refusal, then answers it; 503 when it can't be recorded, 429 when it is one of a flood.
    pub async fn refuse(&self, refused: Refused, refusal: Refusal) -> Response {
        let source = Source::Address(refused.facts.client);
        if let Some(turned_away) = self.turn_away(source.clone(), &refused) {
            return turned_away;
        }
        self.charge(source, refused.at);
        let Refused { facts, ground, wants, at } = refused;
        let (fault, place) = (Fault::of(&refusal), (ground, wants));
        let request = facts.request.clone();
        self.metrics.refused(fault.code);
        let record = RefusalRecord { facts, refusal };
        match self.audit.noted(Entry::Refusal(Box::new(record))).await {
            Ok(receipt) => {
                let quote = Quote::Decision(receipt.id());
                self.house.answer_at(&fault, place, (&quote, at))
            }
            Err(error) => {
                tracing::error!(request.id = %request, error = %error, "A refusal could not be recorded.");
                let quote = Quote::Request(request);
                self.house.answer_at(&Fault::unrecorded(), place, (&quote, at))
            }
        }
    }

    /// Puts on record what was turned away since the last call. Called at intervals.
    ///
    /// Ends at the first summary that the log does not take, and keeps it and the rest for the next call; so it does
    /// when it is dropped before its end. A log that answered too late may then hold a summary twice, but never misses one.
    pub async fn sum_up(&self) {
        let mut waiting = Waiting { flood: &self.flood, summaries: self.flood.take_summaries() };
        while let Some(Summary { client, count, .. }) = waiting.summaries.last() {
            let event = Event::TurnedAway { client: *client, count: *count };
            if let Err(error) = self.audit.noted(Entry::Event(Box::new(event))).await {
                let sources = waiting.summaries.len();
                tracing::error!(error = %error, sources, "Requests turned away could not be recorded yet.");
                return;
            }
            drop(waiting.summaries.pop());
        }
    }
}

/// Summaries that are not on record yet; they return to the flood unless they are taken out.
struct Waiting<'a> {
    flood: &'a Flood,
    summaries: Vec<Summary>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.flood.put_back(std::mem::take(&mut self.summaries));
    }
}
