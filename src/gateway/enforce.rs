//! The one choke point: a question becomes a decision, the decision a durable record, and an allow a permit.
//!
//! Nothing is answered before its record is kept. What can't be recorded is not let through.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::audit::{Audit, AuditError, Recorded};
use crate::authz::decision::{Decision, Question};
use crate::authz::snapshot::Snapshot;
use crate::authz::tree::RouteMatch;
use crate::model::app::App;
use crate::model::grant::Method;
use crate::model::record::{Circumstances, DecisionRecord, Reason};
use crate::model::time::Timestamp;
use crate::telemetry::Metrics;
use crate::web::caller::Caller;
use crate::web::exchange::Exchange;

/// What is to be decided.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The request.
    pub exchange: &'a Exchange,
    /// Who sent it.
    pub caller: &'a Caller,
    /// For which app.
    pub app: &'a Arc<App>,
    /// On which route; none when no route covers the path.
    pub found: Option<&'a RouteMatch>,
    /// With which method.
    pub method: Method,
}

/// Decides, records, and only then says what came of it.
#[derive(Debug, Clone)]
pub struct Enforcer {
    audit: Audit,
    metrics: Metrics,
}

/// A decision that is on record.
#[derive(Debug)]
#[must_use = "a recorded decision must be carried out"]
pub struct Enforced {
    /// What the log gave for it: a permit, or the receipt of a deny.
    pub recorded: Recorded,
    /// Why it fell so.
    pub reason: Reason,
}

impl Enforcer {
    /// An enforcer that records into `audit`.
    pub fn new(audit: Audit, metrics: Metrics) -> Self {
        Self { audit, metrics }
    }

    /// Decides and waits until the record is durable.
    ///
    /// # Errors
    /// When the log can't take the record in time; the request must then be refused.
    pub async fn enforce(
        &self,
        snapshot: &Snapshot,
        asked: Asked<'_>,
    ) -> Result<Enforced, AuditError> {
        let circumstances = circumstances(snapshot, asked, asked.exchange.at);
        let begun = Instant::now();
        let decision = decide(snapshot, asked, &circumstances);
        let spent = begun.elapsed();
        self.metrics.decided(decision.verdict.as_str(), decision.reason.as_str(), spent);
        let reason = decision.reason;
        let duration_us = u64::try_from(spent.as_micros()).unwrap_or(u64::MAX);
        let record = DecisionRecord {
            facts: asked.exchange.facts.clone(),
            principal: Arc::clone(&asked.caller.principal),
            session: asked.caller.session.as_ref().map(|session| session.id.clone()),
            app: Some(asked.app.id.clone()),
            route: asked.found.map(|found| found.route.id.clone()),
            action: asked.method.as_str().to_owned(),
            console: None,
            circumstances,
            release: snapshot.number(),
            verdict: decision.verdict,
            reason,
            rules: decision.rules,
            errors: decision.errors,
            duration_us,
        };
        Ok(Enforced { recorded: self.audit.decided(record).await?, reason })
    }
}

pub(super) fn circumstances(
    snapshot: &Snapshot,
    asked: Asked<'_>,
    now: Timestamp,
) -> Circumstances {
    Circumstances {
        now,
        mfa: asked.caller.mfa(),
        auth_contexts: asked.caller.auth_contexts(),
        signed_in_at: asked.caller.signed_in_at(),
        params: asked.found.map_or_else(BTreeMap::new, |found| found.params.clone()),
        local: snapshot.local(now),
    }
}

/// Decides at `now`, and says when time alone can change the answer (none: never). Nothing is recorded, and nothing may
/// be let in on it.
pub(super) fn foresee(
    snapshot: &Snapshot,
    asked: Asked<'_>,
    now: Timestamp,
) -> (Decision, Option<Timestamp>) {
    answer(snapshot, asked, &circumstances(snapshot, asked, now))
}

/// Decides under other circumstances than those of the request. Nothing is recorded, and nothing may be let in on it.
pub(super) fn decide(
    snapshot: &Snapshot,
    asked: Asked<'_>,
    circumstances: &Circumstances,
) -> Decision {
    answer(snapshot, asked, circumstances).0
}

/// What a refused person lacks, in words for them, where the route says that they are told.
pub(super) fn missing(snapshot: &Snapshot, asked: Asked<'_>) -> Option<String> {
    let circumstances = circumstances(snapshot, asked, asked.exchange.at);
    snapshot.missing(&question(asked, asked.found?, &circumstances))
}

pub(super) fn question<'a>(
    asked: Asked<'a>,
    found: &'a RouteMatch,
    circumstances: &'a Circumstances,
) -> Question<'a> {
    let facts = &asked.exchange.facts;
    Question {
        principal: &asked.caller.principal,
        route: &found.route,
        method: asked.method,
        host: asked.exchange.origin.host(),
        path: &facts.path,
        client: facts.client,
        circumstances,
    }
}

fn answer(
    snapshot: &Snapshot,
    asked: Asked<'_>,
    circumstances: &Circumstances,
) -> (Decision, Option<Timestamp>) {
    match asked.found {
        None => (Decision::without_route(&asked.caller.principal), None),
        Some(found) => snapshot.foresee(&question(asked, found, circumstances)),
    }
}
