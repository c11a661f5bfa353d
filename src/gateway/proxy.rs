//! One request to an app, from the front door to the upstream and back.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, Request, header};
use hyper::upgrade::OnUpgrade;

use super::Gateway;
use super::answers::Deny;
use super::enforce::Asked;
use super::headers;
use super::upstream::{Carriage, UpstreamError};
use super::websocket::{Place, Upgrade};
use crate::audit::{Permit, Recorded};
use crate::authz::snapshot::Snapshot;
use crate::model::app::App;
use crate::model::grant::Method;
use crate::model::id::DecisionId;
use crate::model::record::{Entry, Event, Refusal};
use crate::telemetry::UpstreamClass;
use crate::web::caller::Caller;
use crate::web::exchange::Exchange;
use crate::web::fault::{Fault, Quote};
use crate::web::flood::Source;

impl Gateway {
    /// Answers a request to an app: decided, recorded, and only then carried or refused.
    pub async fn serve(
        &self,
        app: &Arc<App>,
        snapshot: &Snapshot,
        exchange: &Exchange,
        request: Request<Body>,
    ) -> Response {
        let caller = match Caller::of(&self.sessions, &exchange.origin, request.headers()).await {
            Ok(caller) => caller,
            Err(error) => {
                tracing::error!(request.id = %exchange.facts.request, error = %error, "A session could not be read.");
                return self.fault(exchange, &Fault::unready());
            }
        };
        let mut response =
            self.decide(Visit { app, snapshot, exchange, caller: &caller }, request).await;
        caller.tidy(response.headers_mut());
        response
    }

    async fn decide(&self, visit: Visit<'_>, request: Request<Body>) -> Response {
        let Visit { app, snapshot, exchange, caller } = visit;
        if let Some(turned_away) = self.refuser.turn_away(visit.source(), &exchange.into()) {
            return turned_away;
        }
        let found = snapshot.find(&app.id, &exchange.facts.path);
        let place = Place { app, route: found.as_ref().map(|found| &*found.route) };
        let (method, upgrade) = match check(caller, &request, place) {
            Ok(checked) => checked,
            Err(refusal) => return self.refuser.refuse(exchange.into(), refusal).await,
        };
        let asked = Asked { exchange, caller, app, found: found.as_ref(), method };
        let enforced = match self.enforcer.enforce(snapshot, asked).await {
            Ok(enforced) => enforced,
            Err(error) => {
                tracing::error!(request.id = %exchange.facts.request, error = %error, "A decision could not be recorded.");
                return self.fault(exchange, &Fault::unrecorded());
            }
        };
        match enforced.recorded {
            Recorded::Allowed(permit) => {
                self.carry(visit, Allowed { permit, upgrade }, request).await
            }
            Recorded::Denied(receipt) => {
                self.refuser.charge(visit.source(), exchange.at);
                let deny =
                    Deny { asked, id: receipt.id(), reason: enforced.reason, public: &self.public };
                deny.answer(request.headers())
            }
        }
    }

    async fn carry(
        &self,
        visit: Visit<'_>,
        allowed: Allowed,
        mut request: Request<Body>,
    ) -> Response {
        let exchange = visit.exchange;
        let id = allowed.permit.decision_id();
        let client = request.extensions_mut().remove::<OnUpgrade>();
        let (parts, body) = request.into_parts();
        let mut headers = parts.headers;
        headers::strip_inbound(&mut headers);
        headers::set_forwarded(&mut headers, exchange.facts.client, &exchange.origin);
        if let Err(error) = self.introduce(visit, id, &mut headers) {
            return self.upstream_failed(exchange, Fault::not_introduced(), &error, id).await;
        }
        let Some(upstream) = &visit.app.upstream else {
            let error = "the app has no upstream";
            return self.upstream_failed(exchange, Fault::upstream_down(), &error, id).await;
        };
        let carriage = Carriage {
            to: upstream.0.clone(),
            method: parts.method,
            target: exchange.target(),
            headers,
            body,
            upgrade: allowed.upgrade,
            client,
        };
        match self.upstream.forward(allowed.permit, carriage).await {
            Ok(answer) => self.pass_on(visit, answer),
            Err(error) => self.upstream_failed(exchange, fault_of(&error), &error, id).await,
        }
    }

    /// An answer to a known person is theirs alone, unless the app says otherwise.
    fn pass_on(&self, visit: Visit<'_>, mut answer: Response) -> Response {
        self.metrics.upstream_answered(UpstreamClass::of(answer.status().as_u16()));
        let headers = answer.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("Cookie"));
        if visit.caller.principal.is_known() && !headers.contains_key(header::CACHE_CONTROL) {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        }
        answer
    }

    async fn upstream_failed(
        &self,
        exchange: &Exchange,
        fault: Fault,
        error: &(dyn std::fmt::Display + Sync),
        id: DecisionId,
    ) -> Response {
        tracing::warn!(decision.id = %id, error = %error, "An allowed request could not be carried.");
        self.metrics.upstream_answered(UpstreamClass::of(fault.status.as_u16()));
        let event = Event::UpstreamFailed {
            decision: id.to_string(),
            status: fault.status.as_u16(),
            cause: error.to_string(),
        };
        match self.audit.noted(Entry::Event(Box::new(event))).await {
            Ok(_receipt) => fault.answer(exchange.wants, &Quote::Decision(id), exchange.at),
            Err(_unrecorded) => self.fault(exchange, &Fault::unrecorded()),
        }
    }

    fn fault(&self, exchange: &Exchange, fault: &Fault) -> Response {
        fault.answer(exchange.wants, &Quote::Request(exchange.facts.request.clone()), exchange.at)
    }
}

/// A request on its way through the gateway.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit<'a> {
    pub(super) app: &'a Arc<App>,
    pub(super) snapshot: &'a Snapshot,
    pub(super) exchange: &'a Exchange,
    pub(super) caller: &'a Caller,
}

impl Visit<'_> {
    /// Whose refusals its refusal counts with.
    fn source(self) -> Source {
        match &self.caller.session {
            Some(session) => Source::Session(session.id.clone()),
            None => Source::Address(self.exchange.facts.client),
        }
    }
}

/// An allowed request: its permit, and what it becomes.
struct Allowed {
    permit: Permit,
    upgrade: Upgrade,
}

/// Everything that is refused whoever asks, and before it is decided.
fn check(
    caller: &Caller,
    request: &Request<Body>,
    place: Place<'_>,
) -> Result<(Method, Upgrade), Refusal> {
    headers::check_inbound(request.headers()).map_err(|problem| Refusal::BadHeaders { problem })?;
    let method = Method::from_name(request.method().as_str()).ok_or(Refusal::MethodNotAllowed)?;
    if caller.session.is_none() && has_bearer(request) {
        return Err(Refusal::BadToken { problem: "bearer tokens are not accepted here" });
    }
    let upgrade = Upgrade::of(request.method(), request.headers(), place);
    Ok((method, upgrade.map_err(|problem| Refusal::BadHeaders { problem })?))
}

fn has_bearer(request: &Request<Body>) -> bool {
    let schemes = request.headers().get_all(header::AUTHORIZATION).into_iter();
    let mut schemes = schemes.map(|value| value.as_bytes().get(..6).unwrap_or_default());
    schemes.any(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
}

fn fault_of(error: &UpstreamError) -> Fault {
    match error {
        UpstreamError::Silent(_) => Fault::upstream_slow(),
        UpstreamError::Failed(_) | UpstreamError::OutOfTurn => Fault::upstream_down(),
    }
}
