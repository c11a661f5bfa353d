//! `GET /_gate/login` on an app's host: begins a hand-over and sends the browser to Cedargate's own host.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;

use super::Login;
use super::answers::{self, only_get, onward, quiet, sign_in_first};
use super::asked::{UnknownStepUp, with_step_up};
use super::browser::Browser;
use super::failed::Way;
use super::failure::Failure;
use super::query::Query;
use super::return_path::ReturnPath;
use super::trouble::Trouble;
use crate::idp::Prompt;
use crate::model::session::StepUp;
use crate::session::Token;
use crate::store::Handover;
use crate::web::exchange::Exchange;
use crate::web::flood::Source;
use crate::web::link::Link;
use crate::web::sign_in::at_app;
use crate::web::wants::Wants;

/// Begins a sign-in for a navigation; anybody else is told where one begins.
pub(super) async fn login(
    State(login): State<Arc<Login>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    headers: HeaderMap,
) -> Response {
    let query = Query::parse(exchange.query.as_deref());
    let back = wanted(&exchange, &query);
    let asked = login.asked(&query);
    if exchange.wants != Wants::Page {
        // Whoever asks for what is not known here is told of the plain sign-in.
        let link = at_app(Some(back.as_str()));
        return sign_in_first(&exchange, &with_step_up(link, &asked.unwrap_or_default()));
    }
    if let Some(refused) = only_get(&exchange) {
        return refused;
    }
    let started = match asked {
        Ok(asked) => login.start(&exchange, &headers, (back, prompt(&query), asked)).await,
        Err(UnknownStepUp) => login.unknown_step_up(&exchange).await,
    };
    started.map_or_else(|trouble| trouble.answer(&exchange), quiet)
}

/// Where the person wants to end up: what `return` says, or the front page when that is no address of this host.
pub(super) fn wanted(exchange: &Exchange, query: &Query<'_>) -> ReturnPath {
    match query.one("return") {
        Ok(None) => ReturnPath::front(),
        Ok(Some(text)) => ReturnPath::read(text).unwrap_or_else(|| refused_return(exchange)),
        Err(_twice) => refused_return(exchange),
    }
}

fn refused_return(exchange: &Exchange) -> ReturnPath {
    tracing::warn!(request.id = %exchange.facts.request, client = %exchange.facts.client, "A return path was refused; the front page takes its place.");
    ReturnPath::front()
}

/// `account=other` asks Entra to let the person choose.
pub(super) fn prompt(query: &Query<'_>) -> Prompt {
    if query.says("account", "other") { Prompt::SelectAccount } else { Prompt::Default }
}

/// The parameter that [`prompt`] reads.
pub(super) fn with_prompt(link: Link, prompt: Prompt) -> Link {
    match prompt {
        Prompt::Default | Prompt::Login | Prompt::Consent => link,
        Prompt::SelectAccount => link.with_query("account", "other"),
    }
}

impl Login {
    async fn start(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
        (back, prompt, step_up): (ReturnPath, Prompt, StepUp),
    ) -> Result<Response, Trouble> {
        let browser = Browser::welcome(&exchange.origin, headers)?;
        let place = exchange.origin.url(back.as_str());
        let circling = self.rounds.is_circling(&browser.hash, place, exchange.at);
        if prompt == Prompt::Default && circling {
            return self.failed(exchange, &Failure::circling(), &Way::none()).await;
        }
        if let Some(turned_away) = self.one_more(exchange) {
            return Ok(turned_away);
        }
        let id = Token::generate()?;
        let handover = Handover {
            id: id.hash(),
            browser: browser.hash,
            host: exchange.origin.host().clone(),
            return_path: back.to_string(),
            step_up,
        };
        self.store.begin_handover(&handover, exchange.facts.client, exchange.at).await?;
        let begin = Link::path(&["_gate", "begin"]).with_query("handover", id.expose());
        let begin = self.public.url(with_prompt(begin, prompt).as_str());
        Ok(answers::with_cookies(onward(headers, &begin), [browser.cookie]))
    }

    pub(super) async fn unknown_step_up(&self, exchange: &Exchange) -> Result<Response, Trouble> {
        self.failed(exchange, &Failure::unknown_step_up(), &Way::home()).await
    }

    /// Charges an address for one more row that it made us keep, or turns it away.
    pub(super) fn one_more(&self, exchange: &Exchange) -> Option<Response> {
        let source = Source::Address(exchange.facts.client);
        let turned_away = self.refuser.turn_away(source.clone(), exchange);
        if turned_away.is_none() {
            self.refuser.charge(source, exchange.at);
        }
        turned_away
    }
}
