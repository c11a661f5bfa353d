//! `GET /_gate/callback` on Cedargate's own host: the one place where Entra's answers arrive.
//!
//! The state comes first, also for errors, and is gone with the first look; only then is anything else believed. Its row
//! is deleted before the code is redeemed, so that no code is ever tried twice. An answer whose state is unknown while
//! the browser is signed in is a step back in its history, and leads home.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;

use super::Login;
use super::answers::{front_of, only_get, quiet, redirect};
use super::arrive::Arrival;
use super::browser::browser_of;
use super::failed::Way;
use super::failure::Failure;
use super::goal::Goal;
use super::query::{Query, Twice};
use super::return_path::ReturnPath;
use super::step_up::Attempt;
use super::trouble::Trouble;
use crate::idp::{IdpError, Proof, SignedIn};
use crate::model::session::StepUp;
use crate::session::{NewSession, Token};
use crate::store::{Destination, SecretHash, SignIn, SignInTaken};
use crate::telemetry::Outcome;
use crate::web::caller::Caller;
use crate::web::cookie::{Carried, Cookie};
use crate::web::exchange::Exchange;

/// What Entra sent with the browser, each at most once.
struct Answer<'a> {
    state: Option<&'a str>,
    code: Option<&'a str>,
    error: Option<&'a str>,
    description: Option<&'a str>,
}

impl<'a> Answer<'a> {
    fn read(query: &'a Query<'_>) -> Result<Self, Twice> {
        Ok(Self {
            state: query.one("state")?,
            code: query.one("code")?,
            error: query.one("error")?,
            description: query.one("error_description")?,
        })
    }
}

/// Ends a sign-in at Entra.
pub(super) async fn callback(
    State(login): State<Arc<Login>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = only_get(&exchange) {
        return refused;
    }
    let query = Query::parse(exchange.query.as_deref());
    let answered = match Answer::read(&query) {
        Ok(answer) => login.come_back(&exchange, &headers, answer).await,
        Err(Twice) => login.stale(&exchange, "a parameter came twice").await,
    };
    answered.map_or_else(|trouble| trouble.answer(&exchange), quiet)
}

impl Login {
    async fn come_back(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
        answer: Answer<'_>,
    ) -> Result<Response, Trouble> {
        let Some(state) = answer.state.map(SecretHash::of) else {
            return self.stale(exchange, "no state").await;
        };
        let browser = browser_of(&self.public, headers);
        match self.store.take_sign_in(&state, &browser, exchange.at).await? {
            SignInTaken::Taken(sign_in) => {
                self.conclude(exchange, headers, (answer, *sign_in)).await
            }
            SignInTaken::Unknown => self.back_button(exchange, headers).await,
            SignInTaken::Expired => self.stale(exchange, "expired state").await,
            SignInTaken::OtherBrowser => self.stale(exchange, "state of another browser").await,
        }
    }

    async fn stale(&self, exchange: &Exchange, detail: &'static str) -> Result<Response, Trouble> {
        self.failed(exchange, &Failure::stale(detail), &Way::home()).await
    }

    async fn back_button(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
    ) -> Result<Response, Trouble> {
        let caller = Caller::of(&self.sessions, &self.public, headers).await?;
        match caller.session {
            Some(_) => Ok(redirect(&front_of(&self.public))),
            None => self.stale(exchange, "unknown state").await,
        }
    }

    /// The state was good and is spent: the browser that began has an answer of Entra.
    async fn conclude(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
        (answer, sign_in): (Answer<'_>, SignIn),
    ) -> Result<Response, Trouble> {
        let goal = self.goal(&sign_in, exchange).await?;
        let way = goal.as_ref().map_or_else(Way::home, |goal| self.way(goal));
        let redeemed = self.redeem(&answer, &sign_in).await;
        let goal = goal.unwrap_or(Goal::Page(ReturnPath::front(), StepUp::default()));
        match (redeemed, sign_in.session.clone()) {
            (Ok(person), None) => self.let_in(exchange, headers, (person, sign_in, goal)).await,
            (Ok(person), Some(session)) => {
                let attempt = Attempt { session, asked: sign_in.step_up, browser: sign_in.browser };
                self.raise(exchange, headers, (person, attempt, goal)).await
            }
            (Err(failure), None) => self.failed(exchange, &failure, &way).await,
            (Err(failure), Some(session)) => {
                let attempt = Attempt { session, asked: sign_in.step_up, browser: sign_in.browser };
                self.unmet(exchange, &failure, (&way, &attempt)).await
            }
        }
    }

    async fn goal(&self, sign_in: &SignIn, exchange: &Exchange) -> Result<Option<Goal>, Trouble> {
        match &sign_in.destination {
            Destination::Page(path) => {
                let page = ReturnPath::read(path);
                Ok(page.map(|path| Goal::Page(path, sign_in.step_up.clone())))
            }
            Destination::Handover(id) => self.waiting(id, exchange).await,
        }
    }

    async fn redeem(&self, answer: &Answer<'_>, sign_in: &SignIn) -> Result<SignedIn, Failure> {
        if let Some(error) = answer.error {
            let error = IdpError::from_callback(error, answer.description);
            return Err(Failure::of(&error));
        }
        let code = answer.code.ok_or_else(|| Failure::stale("no code"))?;
        let verifier = self.sessions.open_text(&sign_in.verifier, sign_in.state.as_str());
        let verifier = verifier.ok_or_else(|| Failure::stale("sealed with another key"))?;
        let (nonce, step_up) = (sign_in.nonce.clone(), sign_in.step_up.clone());
        let finished =
            self.idp.finish(code.to_owned().into(), Proof { nonce, verifier, step_up }).await;
        finished.map_err(|error| Failure::of(&error))
    }

    /// Starts the session, which puts it on record, and leads on. What the browser carried before ends, and is never
    /// adopted.
    async fn let_in(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
        (person, sign_in, goal): (SignedIn, SignIn, Goal),
    ) -> Result<Response, Trouble> {
        let former = former(exchange, headers);
        let new = NewSession {
            identity: person.identity,
            refresh_token: person.refresh_token,
            host: self.public.host().clone(),
            client: exchange.facts.client,
            replaced: former.as_ref(),
        };
        let session = self.sessions.sign_in(new).await?;
        self.metrics.signed_in(Outcome::Ok);
        let arrival = Arrival { browser: &sign_in.browser, token: &session.token };
        Ok(self.lead_on(exchange, (goal, &session.id), arrival).await)
    }
}

/// The token of the session that this browser had.
fn former(exchange: &Exchange, headers: &HeaderMap) -> Option<Token> {
    match Cookie::Session.read(&exchange.origin, headers) {
        Carried::One(text) => Token::parse(&text),
        Carried::Nothing | Carried::Several => None,
    }
}
