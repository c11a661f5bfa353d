//! `GET /_gate/begin` on Cedargate's own host: hands a live session over at once, or sends the browser to Entra.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use secrecy::ExposeSecret as _;

use super::Login;
use super::answers::{begin_link, only_get, quiet, redirect, sign_in_first, with_cookies};
use super::browser::Browser;
use super::failed::{Way, page};
use super::failure::Failure;
use super::goal::Goal;
use super::query::Query;
use super::start::{prompt, wanted};
use super::trouble::Trouble;
use crate::idp::{Ask, IdpError, Prompt, SignInRequest};
use crate::model::id::SessionId;
use crate::session::Token;
use crate::store::{Destination, SecretHash, SignIn};
use crate::web::caller::Caller;
use crate::web::exchange::Exchange;
use crate::web::link::Link;
use crate::web::wants::Wants;

/// Begins or skips a sign-in at Entra, for a navigation.
pub(super) async fn begin(
    State(login): State<Arc<Login>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    headers: HeaderMap,
) -> Response {
    let query = Query::parse(exchange.query.as_deref());
    if exchange.wants != Wants::Page {
        return sign_in_first(&exchange, &begin_link(&wanted(&exchange, &query)));
    }
    if let Some(refused) = only_get(&exchange) {
        return refused;
    }
    let begun = login.begin(&exchange, &headers, &query).await;
    begun.map_or_else(|trouble| trouble.answer(&exchange), quiet)
}

impl Login {
    async fn begin(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
        query: &Query<'_>,
    ) -> Result<Response, Trouble> {
        let goal = match query.one("handover") {
            Ok(None) => Some(Goal::Page(wanted(exchange, query))),
            Ok(Some(id)) => self.waiting(&SecretHash::of(id), exchange).await?,
            Err(_twice) => None,
        };
        let Some(goal) = goal else { return self.no_such_handover(exchange).await };
        let prompt = prompt(query);
        if prompt == Prompt::Default {
            let caller = Caller::of(&self.sessions, &self.public, headers).await?;
            if let Some(session) = caller.session {
                return self.arrive(exchange, goal, &session.id).await;
            }
        }
        self.send_to_entra(exchange, headers, (goal, prompt)).await
    }

    /// The hand-over with this id while it waits for a session.
    pub(super) async fn waiting(
        &self,
        id: &SecretHash,
        exchange: &Exchange,
    ) -> Result<Option<Goal>, Trouble> {
        Ok(self.store.handover(id, exchange.at).await?.map(Goal::Handover))
    }

    async fn no_such_handover(&self, exchange: &Exchange) -> Result<Response, Trouble> {
        self.failed(exchange, &Failure::stale("unknown hand-over"), &Way::home()).await
    }

    /// Leads a signed-in browser on: to the page, or with a one-time code to the app's host.
    pub(super) async fn arrive(
        &self,
        exchange: &Exchange,
        goal: Goal,
        session: &SessionId,
    ) -> Result<Response, Trouble> {
        let handover = match goal {
            Goal::Page(path) => return Ok(redirect(&self.public.url(path.as_str()))),
            Goal::Handover(handover) => handover,
        };
        let snapshot = self.live.current();
        let app = snapshot.app(&handover.host);
        let Some(origin) = app.and_then(|app| app.origin_of(&handover.host)) else {
            return self.no_such_handover(exchange).await;
        };
        let code = Token::generate()?;
        let granted = (&code.hash(), session);
        if !self.store.grant_handover(&handover.id, granted, self.clock.now()).await? {
            return self.no_such_handover(exchange).await;
        }
        let handoff = Link::path(&["_gate", "handoff"]).with_query("code", code.expose());
        Ok(redirect(&origin.url(handoff.as_str())))
    }

    async fn send_to_entra(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
        (goal, prompt): (Goal, Prompt),
    ) -> Result<Response, Trouble> {
        let browser = Browser::welcome(&self.public, headers)?;
        if let Goal::Page(path) = &goal {
            let place = self.public.url(path.as_str());
            if self.rounds.is_circling(&browser.hash, place, exchange.at) {
                return self.failed(exchange, &Failure::circling(), &Way::none()).await;
            }
        }
        if let Some(turned_away) = self.one_more(exchange) {
            return Ok(turned_away);
        }
        let request = match self.idp.begin(&Ask { prompt, ..Ask::default() }).await {
            Ok(request) => request,
            Err(error) => return Ok(not_begun(exchange, &error, &self.way(&goal))),
        };
        let url = request.url.clone();
        self.keep(exchange, request, (browser.hash, goal)).await?;
        Ok(with_cookies(redirect(&url), [browser.cookie]))
    }

    async fn keep(
        &self,
        exchange: &Exchange,
        request: SignInRequest,
        (browser, goal): (SecretHash, Goal),
    ) -> Result<(), Trouble> {
        let state = SecretHash::of(request.state.expose_secret());
        let verifier = self.sessions.seal_text(&request.verifier, state.as_str())?;
        let destination = match goal {
            Goal::Page(path) => Destination::Page(path.to_string()),
            Goal::Handover(handover) => Destination::Handover(handover.id),
        };
        let sign_in = SignIn { state, browser, nonce: request.nonce, verifier, destination };
        Ok(self.store.begin_sign_in(&sign_in, exchange.facts.client, exchange.at).await?)
    }
}

/// Nobody was sent anywhere, so there is no sign-in to record: the operator's log has it.
fn not_begun(exchange: &Exchange, error: &IdpError, way: &Way) -> Response {
    let failure = Failure::of(error);
    tracing::error!(request.id = %exchange.facts.request, error = failure.detail, "A sign-in could not be begun.");
    page(exchange, &failure, (way, exchange.facts.request.to_string()))
}
