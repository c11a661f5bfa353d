//! One request to an app, from the front door to the upstream and back.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, Request, header};

use super::Gateway;
use super::answers::Deny;
use super::enforce::{Asked, missing};
use super::headers;
use super::identity::Untold;
use super::obstacle::Obstacle;
use super::open::{Open, Watch};
use super::patience::Pulse;
use super::tunnel::ClientEnd;
use super::upstream::{Carriage, UpstreamError};
use super::visit::Visit;
use super::websocket::{Place, Upgrade};
use crate::audit::{Permit, Recorded};
use crate::authz::snapshot::Snapshot;
use crate::model::grant::Method;
use crate::model::id::DecisionId;
use crate::model::record::{Entry, Event, Refusal};
use crate::telemetry::UpstreamClass;
use crate::web::exchange::Exchange;
use crate::web::fault::{Fault, Quote};
use crate::web::lease::{Cut, Lease};

impl Gateway {
    /// Answers a request to an app: decided, recorded, and only then carried or refused.
    pub async fn serve(
        &self,
        snapshot: &Snapshot,
        exchange: &Arc<Exchange>,
        request: Request<Body>,
    ) -> Response {
        let Some(app) = &exchange.app else { return self.fault(exchange, &Fault::no_page()) };
        let caller = match self.known(exchange, request.headers()).await {
            Ok(caller) => Arc::new(caller),
            Err(answer) => return *answer,
        };
        let mut response =
            self.decide(Visit { app, snapshot, exchange, caller: &caller }, request).await;
        caller.tidy(response.headers_mut());
        response
    }

    async fn decide(&self, visit: Visit<'_>, request: Request<Body>) -> Response {
        let Visit { app, snapshot, exchange, caller } = visit;
        if let Some(turned_away) = self.refuser.turn_away(visit.source(), &**exchange) {
            return turned_away;
        }
        let found = snapshot.find(&app.id, &exchange.facts.path);
        let place = Place { app, route: found.as_ref().map(|found| &*found.route) };
        let (method, upgrade) = match check(&request, place) {
            Ok(checked) => checked,
            Err(refusal) => return self.refuser.refuse((&**exchange).into(), refusal).await,
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
                self.carry(visit, Allowed { permit, method, upgrade }, request).await
            }
            Recorded::Denied(receipt) => {
                self.refuser.charge(visit.source(), exchange.at);
                let offer = self.step_ups.offer(snapshot, asked, enforced.reason);
                let missing = missing(snapshot, asked);
                let obstacle = Obstacle::of(snapshot, asked, enforced.reason);
                let deny = Deny {
                    asked,
                    missing: missing.as_deref(),
                    id: receipt.id(),
                    reason: enforced.reason,
                    obstacle: obstacle.as_ref(),
                    offer: offer.as_ref(),
                    house: self.refuser.house(),
                };
                deny.answer(request.headers())
            }
        }
    }

    async fn carry(&self, visit: Visit<'_>, allowed: Allowed, request: Request<Body>) -> Response {
        let id = allowed.permit.decision_id();
        match self.forward(visit, allowed, request).await {
            Ok(answer) => self.pass_on(visit, answer),
            Err(failure) => self.upstream_failed(visit.exchange, &failure, id).await,
        }
    }

    async fn forward(
        &self,
        visit: Visit<'_>,
        allowed: Allowed,
        mut request: Request<Body>,
    ) -> Result<Response, Failure> {
        let exchange = visit.exchange;
        let watch = self.watch(visit, &allowed, &request);
        let client = ClientEnd::take(&mut request);
        let (parts, body) = request.into_parts();
        let mut headers = parts.headers;
        headers::strip_inbound(&mut headers);
        headers::set_forwarded(&mut headers, exchange.facts.client, &exchange.origin);
        self.introduce(visit, allowed.permit.decision_id(), &mut headers)?;
        let upstream = visit.app.upstream.as_ref().ok_or_else(Failure::no_upstream)?;
        let carriage = Carriage {
            to: upstream.0.clone(),
            method: parts.method,
            target: exchange.target(),
            headers,
            body,
            upgrade: allowed.upgrade,
            client,
            watch,
        };
        Ok(self.upstream.forward(allowed.permit, carriage).await?)
    }

    /// What it takes to decide on the exchange again, should it last.
    fn watch(&self, visit: Visit<'_>, allowed: &Allowed, request: &Request<Body>) -> Watch {
        let lease = request.extensions().get::<Lease>();
        let open = Open {
            exchange: Arc::clone(visit.exchange),
            caller: Arc::clone(visit.caller),
            app: Arc::clone(visit.app),
            method: allowed.method,
            decision: allowed.permit.decision_id(),
            pulse: Pulse::new(),
            cut: lease.map_or_else(Cut::default, |lease| lease.cut().clone()),
        };
        Watch::new(&self.open, open)
    }

    /// An answer to a known person is theirs alone, unless the app says otherwise.
    fn pass_on(&self, visit: Visit<'_>, mut answer: Response) -> Response {
        self.metrics.upstream_answered(UpstreamClass::of(answer.status().as_u16()));
        let headers = answer.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("Cookie, Authorization"));
        if visit.caller.principal.is_known() && !headers.contains_key(header::CACHE_CONTROL) {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        }
        answer
    }

    async fn upstream_failed(
        &self,
        exchange: &Exchange,
        failure: &Failure,
        id: DecisionId,
    ) -> Response {
        let Failure { fault: said, cause } = failure;
        tracing::warn!(decision.id = %id, cause, "An allowed request could not be carried.");
        self.metrics.upstream_answered(UpstreamClass::of(said.status.as_u16()));
        let (decision, status) = (id.to_string(), said.status.as_u16());
        let event = Event::UpstreamFailed { decision, status, cause: cause.clone() };
        match self.audit.noted(Entry::Event(Box::new(event))).await {
            Ok(_receipt) => self.refuser.house().answer(said, exchange, &Quote::Decision(id)),
            Err(error) => {
                tracing::error!(decision.id = %id, error = %error, "The failure of an upstream could not be recorded.");
                self.fault(exchange, &Fault::unrecorded())
            }
        }
    }

    /// Answers with a fault that has no record to quote.
    pub(super) fn fault(&self, exchange: &Exchange, fault: &Fault) -> Response {
        let quote = Quote::Request(exchange.facts.request.clone());
        self.refuser.house().answer(fault, exchange, &quote)
    }
}

/// An allowed request: its permit, and what it becomes.
struct Allowed {
    permit: Permit,
    method: Method,
    upgrade: Upgrade,
}

/// Everything that is refused whoever asks, and before it is decided.
fn check(request: &Request<Body>, place: Place<'_>) -> Result<(Method, Upgrade), Refusal> {
    headers::check_inbound(request.headers()).map_err(|problem| Refusal::BadHeaders { problem })?;
    let method = Method::from_name(request.method().as_str()).ok_or(Refusal::MethodNotAllowed)?;
    let upgrade = Upgrade::of(request.method(), request.headers(), place);
    Ok((method, upgrade.map_err(|problem| Refusal::BadHeaders { problem })?))
}

/// Why an allowed request got no answer from its app: what is said, and what is logged.
struct Failure {
    fault: Fault,
    cause: String,
}

impl Failure {
    fn no_upstream() -> Self {
        Self { fault: Fault::upstream_down(), cause: "the app has no upstream".to_owned() }
    }
}

impl From<Untold> for Failure {
    fn from(error: Untold) -> Self {
        Self { fault: Fault::not_introduced(), cause: error.to_string() }
    }
}

impl From<UpstreamError> for Failure {
    fn from(error: UpstreamError) -> Self {
        let fault = match error {
            UpstreamError::Silent(_) => Fault::upstream_slow(),
            UpstreamError::Failed(_) | UpstreamError::OutOfTurn => Fault::upstream_down(),
        };
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        Self { fault, cause: format!("{error}{}", source.unwrap_or_default()) }
    }
}
