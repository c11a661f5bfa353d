//! `GET /_gate/handoff` on an app's host: takes the one-time code and gives the browser its session there.
//!
//! The code works in the browser and on the host that began the hand-over, within 30 seconds, once. Shown anywhere else
//! it is burned, so that nobody can sign another person's browser in.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;

use super::Login;
use super::answers::{front_of, only_get, quiet, redirect, with_cookies};
use super::browser::browser_of;
use super::failed::Way;
use super::failure::Failure;
use super::query::{Query, Twice};
use super::trouble::Trouble;
use crate::model::id::SessionId;
use crate::store::{HandoverTaken, SecretHash};
use crate::web::caller::Caller;
use crate::web::cookie::Cookie;
use crate::web::exchange::Exchange;

/// Ends a hand-over.
pub(super) async fn handoff(
    State(login): State<Arc<Login>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = only_get(&exchange) {
        return refused;
    }
    let query = Query::parse(exchange.query.as_deref());
    let taken = match query.one("code") {
        Ok(Some(code)) => login.take(&exchange, &headers, &SecretHash::of(code)).await,
        Ok(None) => login.not_taken(&exchange, "no code").await,
        Err(Twice) => login.not_taken(&exchange, "a code came twice").await,
    };
    taken.map_or_else(|trouble| trouble.answer(&exchange), quiet)
}

impl Login {
    async fn take(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
        code: &SecretHash,
    ) -> Result<Response, Trouble> {
        let browser = browser_of(&exchange.origin, headers);
        let place = (&browser, exchange.origin.host());
        match self.store.take_handover(code, place, exchange.at).await? {
            HandoverTaken::Taken { session, return_path } => {
                self.settle(exchange, browser, (&session, &return_path)).await
            }
            HandoverTaken::Unknown => self.not_again(exchange, headers).await,
            HandoverTaken::Expired => self.not_taken(exchange, "expired code").await,
            HandoverTaken::OtherBrowser => {
                self.not_taken(exchange, "code of another browser").await
            }
            HandoverTaken::OtherHost => self.not_taken(exchange, "code for another host").await,
        }
    }

    async fn settle(
        &self,
        exchange: &Exchange,
        browser: SecretHash,
        (session, return_path): (&SessionId, &str),
    ) -> Result<Response, Trouble> {
        let child = self.sessions.child(session, exchange.origin.host()).await?;
        let Some(child) = child else {
            return self.not_taken(exchange, "the session has ended").await;
        };
        let place = exchange.origin.url(return_path);
        let response = redirect(&place);
        self.rounds.count(&browser, place, exchange.at);
        let cookie = Cookie::Session.set(&exchange.origin, child.expose(), None);
        Ok(with_cookies(response, [cookie]))
    }

    /// A step back in the history of a browser that is signed in leads to the front page.
    async fn not_again(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
    ) -> Result<Response, Trouble> {
        let caller = Caller::of(&self.sessions, &exchange.origin, headers).await?;
        match caller.session {
            Some(_) => Ok(redirect(&front_of(&exchange.origin))),
            None => self.not_taken(exchange, "unknown code").await,
        }
    }

    async fn not_taken(
        &self,
        exchange: &Exchange,
        detail: &'static str,
    ) -> Result<Response, Trouble> {
        self.failed(exchange, &Failure::stale(detail), &Way::home()).await
    }
}
