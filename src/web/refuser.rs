//! Refusals before deciding: on record first, then answered.

use axum::response::Response;

use super::fault::{Fault, Quote};
use super::wants::Wants;
use crate::audit::Audit;
use crate::model::record::{Entry, Refusal, RefusalRecord, RequestFacts};
use crate::model::time::Timestamp;
use crate::telemetry::Metrics;

/// Refuses requests and keeps the record of it.
#[derive(Debug, Clone)]
pub struct Refuser {
    audit: Audit,
    metrics: Metrics,
}

impl Refuser {
    /// A refuser that records into `audit`.
    pub fn new(audit: Audit, metrics: Metrics) -> Self {
        Self { audit, metrics }
    }

    /// Records the refusal, then answers it; 503 when it can't be recorded.
    pub async fn refuse(&self, facts: RequestFacts, wants: Wants, refusal: Refusal, at: Timestamp) -> Response {
        let fault = Fault::of(&refusal);
        let request = facts.request.clone();
        self.metrics.refused(fault.code);
        let record = RefusalRecord { facts, refusal };
        match self.audit.noted(Entry::Refusal(Box::new(record))).await {
            Ok(receipt) => fault.answer(wants, &Quote::Decision(receipt.id()), at),
            Err(error) => {
                tracing::error!(request.id = %request, error = %error, "A refusal could not be recorded.");
                Fault::unrecorded().answer(wants, &Quote::Request(request), at)
            }
        }
    }

    /// Answers without a record of its own: one of a flood, which is on record as a whole.
    pub fn shed(&self, facts: &RequestFacts, wants: Wants, at: Timestamp) -> Response {
        self.metrics.refused("too_many_requests");
        let refusal = Refusal::TooMany { count: 1 };
        Fault::of(&refusal).answer(wants, &Quote::Request(facts.request.clone()), at)
    }
}
