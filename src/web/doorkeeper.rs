//! Requests to pages of Cedargate's own host: who asks, what was decided, on record, and only then an answer.
//!
//! Every request that gets as far as a decision has exactly one record. What can't be recorded is answered 503, and
//! nobody is shown anything; a source that was refused too often is answered 429 before anything is decided.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::response::Response;
use http::HeaderMap;

use super::caller::Caller;
use super::exchange::Exchange;
use super::fault::{Fault, Quote};
use super::flood::Source;
use super::refuser::Refuser;
use super::sign_in;
use crate::audit::Audit;
use crate::authz::decision::Decision;
use crate::live::Live;
use crate::model::host::Origin;
use crate::model::id::DecisionId;
use crate::model::principal::Principal;
use crate::model::record::{Circumstances, ConsoleFacts, DecisionRecord, Door, Reason, Verdict};
use crate::session::Sessions;
use crate::telemetry::Metrics;

/// Stands before the pages of Cedargate's own host. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Doorkeeper {
    /// The rules in force; records name their release.
    pub live: Live,
    /// Where decisions go on record.
    pub audit: Audit,
    /// Who is signed in.
    pub sessions: Arc<Sessions>,
    /// Refusals and their records.
    pub refuser: Refuser,
    /// Cedargate's own origin.
    pub public: Origin,
    /// Counters.
    pub metrics: Metrics,
}

/// A request about to be decided.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    /// The request.
    pub exchange: &'a Exchange,
    /// Who sent it.
    pub caller: &'a Caller,
    /// The door that its record names.
    pub door: Door,
    /// What is to be done, as the record names it.
    pub action: &'static str,
    /// What the console decides on, where it does.
    pub console: Option<&'a ConsoleFacts>,
}

/// A decision that is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a recorded decision must be carried out"]
pub struct Judged {
    /// Its id.
    pub id: DecisionId,
    /// Allow or deny.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
}

impl Doorkeeper {
    /// Who sent a request to this host.
    ///
    /// # Errors
    /// With the answer: nothing is here for other hosts, 429 for a source that was refused too often, 503 when sessions
    /// can't be read.
    pub async fn caller(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
    ) -> Result<Caller, Box<Response>> {
        let request = || Quote::Request(exchange.facts.request.clone());
        if exchange.app.is_some() || exchange.origin != self.public {
            let house = self.refuser.house();
            return Err(Box::new(house.answer(&Fault::no_page(), exchange, &request())));
        }
        let caller = match Caller::of(&self.sessions, &self.public, headers).await {
            Ok(caller) => caller,
            Err(error) => {
                tracing::error!(request.id = %exchange.facts.request, error = %error, "A session could not be read.");
                let house = self.refuser.house();
                return Err(Box::new(house.answer(&Fault::unready(), exchange, &request())));
            }
        };
        match self.refuser.turn_away(source(exchange, &caller), exchange) {
            Some(turned_away) => Err(Box::new(turned_away)),
            None => Ok(caller),
        }
    }

    /// Decides and waits until the decision is on record.
    ///
    /// # Errors
    /// With the answer, 503, when it can't be recorded.
    pub async fn judge(
        &self,
        visit: Visit<'_>,
        decide: impl FnOnce(&Principal) -> Decision,
    ) -> Result<Judged, Box<Response>> {
        let begun = Instant::now();
        let decision = decide(&visit.caller.principal);
        let spent = begun.elapsed();
        let (verdict, reason) = (decision.verdict, decision.reason);
        self.metrics.decided(verdict.as_str(), reason.as_str(), spent);
        let duration_us = u64::try_from(spent.as_micros()).unwrap_or(u64::MAX);
        let record = self.record(visit, decision, duration_us);
        let Exchange { facts, at, .. } = visit.exchange;
        match self.audit.decided(record).await {
            Ok(recorded) => {
                if verdict == Verdict::Deny {
                    self.refuser.charge(source(visit.exchange, visit.caller), *at);
                }
                Ok(Judged { id: recorded.id(), verdict, reason })
            }
            Err(error) => {
                tracing::error!(request.id = %facts.request, error = %error, "A decision could not be recorded.");
                let quote = Quote::Request(facts.request.clone());
                let house = self.refuser.house();
                Err(Box::new(house.answer(&Fault::unrecorded(), visit.exchange, &quote)))
            }
        }
    }

    fn record(&self, visit: Visit<'_>, decision: Decision, duration_us: u64) -> DecisionRecord {
        let session = visit.caller.session.as_ref();
        let mut facts = visit.exchange.facts.clone();
        facts.door = visit.door;
        DecisionRecord {
            facts,
            principal: Arc::clone(&visit.caller.principal),
            session: session.map(|session| session.id.clone()),
            app: None,
            route: None,
            action: visit.action.to_owned(),
            console: visit.console.cloned(),
            circumstances: Circumstances {
                now: visit.exchange.at,
                mfa: visit.caller.mfa(),
                auth_contexts: session
                    .map(|session| session.auth_contexts.clone())
                    .unwrap_or_default(),
                signed_in_at: session.map(|session| session.proved_at),
                params: BTreeMap::new(),
                local: BTreeMap::new(),
            },
            release: self.live.current().number(),
            verdict: decision.verdict,
            reason: decision.reason,
            rules: decision.rules,
            errors: decision.errors,
            duration_us,
        }
    }

    /// The answer for somebody who is not signed in: sign in, then come back to `back` (path and query).
    ///
    /// A navigation goes there by 303; a script is told where, for it can't follow to another origin.
    pub fn sign_in_first(&self, exchange: &Exchange, back: &str, id: DecisionId) -> Response {
        let url = self.public.url(sign_in::at_gate(Some(back)).as_str());
        sign_in::first(exchange.wants, &url, &Quote::Decision(id))
    }
}

fn source(exchange: &Exchange, caller: &Caller) -> Source {
    match &caller.session {
        Some(session) => Source::Session(session.id.clone()),
        None => Source::Address(exchange.facts.client),
    }
}
