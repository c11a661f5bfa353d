//! `GET /_gate/begin` on Cedargate's own host: hands a live session over at once, or sends the browser to Entra: to sign
//! in, or to prove more for the session that it has.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use secrecy::ExposeSecret as _;

use super::Login;
use super::answers::{only_get, onward, quiet, sign_in_first, with_cookies};
use super::asked::{UnknownStepUp, is_met, with_step_up};
use super::browser::Browser;
use super::failed::Way;
use super::failure::Failure;
use super::goal::Goal;
use super::query::Query;
use super::start::{prompt, wanted};
use super::trouble::Trouble;
use crate::idp::{Ask, ClaimsRequest, IdpError, Prompt, SignInRequest};
use crate::model::id::SessionId;
use crate::store::{Destination, Round, SecretHash, SignIn};
use crate::telemetry::Outcome;
use crate::web::caller::Caller;
use crate::web::exchange::Exchange;
use crate::web::sign_in::at_gate;
use crate::web::wants::Wants;

/// Begins or skips a sign-in at Entra, for a navigation.
pub(super) async fn begin(
    State(login): State<Arc<Login>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    headers: HeaderMap,
) -> Response {
    let query = Query::parse(exchange.query.as_deref());
    if exchange.wants != Wants::Page {
        let link = at_gate(Some(wanted(&exchange, &query).as_str()));
        let asked = login.asked(&query).unwrap_or_default();
        return sign_in_first(&exchange, &with_step_up(link, &asked));
    }
    if let Some(refused) = only_get(&exchange) {
        return refused;
    }
    let begun = login.begin(&exchange, &headers, &query).await;
    begun.map_or_else(|trouble| trouble.answer(&exchange), quiet)
}

/// How a sign-in goes to Entra.
pub(super) struct Journey {
    pub(super) goal: Goal,
    pub(super) prompt: Prompt,
    /// The session that a step-up is for; none begins a new one.
    pub(super) session: Option<SessionId>,
    pub(super) round: Round,
    /// What Entra asked to be asked for when it refused the first time.
    pub(super) claims: Option<ClaimsRequest>,
}

impl Login {
    async fn begin(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
        query: &Query<'_>,
    ) -> Result<Response, Trouble> {
        let goal = match query.one("handover") {
            Ok(None) => match self.asked(query) {
                Ok(asked) => Some(Goal::Page(wanted(exchange, query), asked)),
                Err(UnknownStepUp) => return self.unknown_step_up(exchange).await,
            },
            // What has to be proved was kept with the hand-over; nothing that comes along now changes it.
            Ok(Some(id)) => self.waiting(&SecretHash::of(id), exchange).await?,
            Err(_twice) => None,
        };
        let Some(goal) = goal else { return self.no_such_handover(exchange).await };
        let prompt = prompt(query);
        let mut session = None;
        if prompt == Prompt::Default {
            session = Caller::of(&self.sessions, &self.public, headers).await?.session;
        }
        match session {
            Some(session) if is_met(goal.step_up(), &session) => {
                self.arrive(exchange, goal, &session.id).await
            }
            session => {
                let session = session.map(|session| session.id.clone());
                let (round, claims) = (Round::First, None);
                let journey = Journey { goal, prompt, session, round, claims };
                self.send_to_entra(exchange, headers, journey).await
            }
        }
    }

    /// The hand-over with this id while it waits for a session.
    pub(super) async fn waiting(
        &self,
        id: &SecretHash,
        exchange: &Exchange,
    ) -> Result<Option<Goal>, Trouble> {
        Ok(self.store.handover(id, exchange.at).await?.map(Goal::Handover))
    }

    /// Sends the browser to Entra, unless it goes round in circles.
    pub(super) async fn send_to_entra(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
        journey: Journey,
    ) -> Result<Response, Trouble> {
        let browser = Browser::welcome(&self.public, headers)?;
        if let Goal::Page(path, _) = &journey.goal {
            let place = self.public.url(path.as_str());
            if self.rounds.is_circling(&browser.hash, place, exchange.at) {
                return self.failed(exchange, &Failure::circling(), &Way::none()).await;
            }
        }
        if let Some(turned_away) = self.one_more(exchange) {
            return Ok(turned_away);
        }
        let request = match self.idp.begin(&self.ask(&journey).await?).await {
            Ok(request) => request,
            Err(error) => {
                self.metrics.signed_in(Outcome::Failed);
                return Ok(self.not_begun(exchange, &error, &self.way(&journey.goal)));
            }
        };
        let url = request.url.clone();
        self.keep(exchange, request, (browser.hash, journey)).await?;
        Ok(with_cookies(onward(headers, &url), [browser.cookie]))
    }

    /// Somebody who proves more for their session is named to Entra, so that it asks them and not whoever else is
    /// signed in there.
    async fn ask(&self, journey: &Journey) -> Result<Ask, Trouble> {
        let stored = match &journey.session {
            Some(session) => self.sessions.find(session).await?,
            None => None,
        };
        Ok(Ask {
            prompt: journey.prompt,
            login_hint: stored.and_then(|session| session.login_hint),
            step_up: journey.goal.step_up().clone(),
            claims: journey.claims.clone(),
        })
    }

    async fn keep(
        &self,
        exchange: &Exchange,
        request: SignInRequest,
        (browser, journey): (SecretHash, Journey),
    ) -> Result<(), Trouble> {
        let state = SecretHash::of(request.state.expose_secret());
        let verifier = self.sessions.seal_text(&request.verifier, state.as_str())?;
        let Journey { goal, session, round, .. } = journey;
        let step_up = goal.step_up().clone();
        let destination = match goal {
            Goal::Page(path, _) => Destination::Page(path.to_string()),
            Goal::Handover(handover) => Destination::Handover(handover.id),
        };
        let nonce = request.nonce;
        let sign_in =
            SignIn { state, browser, nonce, verifier, destination, step_up, session, round };
        Ok(self.store.begin_sign_in(&sign_in, exchange.facts.client, exchange.at).await?)
    }

    /// Nobody was sent anywhere, so there is no sign-in to record: the operator's log has it.
    fn not_begun(&self, exchange: &Exchange, error: &IdpError, way: &Way) -> Response {
        let failure = Failure::of(error);
        tracing::error!(request.id = %exchange.facts.request, error = failure.detail, "A sign-in could not be begun.");
        self.failed_page(exchange, &failure, (way, exchange.facts.request.to_string()))
    }
}
