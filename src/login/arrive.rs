//! Leading a browser on that has a session: to a page of ours, or through a hand-over to an app's host.

use axum::response::Response;

use super::Login;
use super::answers::{redirect, with_cookies};
use super::failed::Way;
use super::failure::Failure;
use super::goal::Goal;
use super::trouble::Trouble;
use crate::model::id::SessionId;
use crate::session::Token;
use crate::store::SecretHash;
use crate::web::cookie::Cookie;
use crate::web::exchange::Exchange;
use crate::web::link::Link;

/// A browser with a session of ours, about to be led on.
pub(super) struct Arrival<'a> {
    pub(super) browser: &'a SecretHash,
    pub(super) token: &'a Token,
}

impl Login {
    /// The session is there, wherever the way on may lead: the browser gets its cookie in any case.
    pub(super) async fn lead_on(
        &self,
        exchange: &Exchange,
        (goal, session): (Goal, &SessionId),
        arrival: Arrival<'_>,
    ) -> Response {
        if let Goal::Page(path, _) = &goal {
            let place = self.public.url(path.as_str());
            self.rounds.count(arrival.browser, place, self.clock.now());
        }
        let cookie = Cookie::Session.set(&self.public, arrival.token.expose(), None);
        let arrived = self.arrive(exchange, goal, session).await;
        let response = arrived.unwrap_or_else(|trouble| trouble.answer(exchange));
        with_cookies(response, [cookie])
    }

    pub(super) async fn no_such_handover(&self, exchange: &Exchange) -> Result<Response, Trouble> {
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
            Goal::Page(path, _) => return Ok(redirect(&self.public.url(path.as_str()))),
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
}
