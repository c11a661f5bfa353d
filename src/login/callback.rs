//! `GET /_gate/callback` on Cedargate's own host: the one place where Entra's answers arrive.
//!
//! The state comes first, also for errors, and is gone with the first look; only then is anything else believed. Its row
//! is deleted before the code is redeemed, so that no code is ever tried twice. An answer whose state is unknown while
//! the browser is signed in is a step back in its history, and leads home. When Entra says that the person has to act
//! first, it is asked once more so that it can tell them, and never again after that.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, header};
use secrecy::SecretString;

use super::Login;
use super::answers::{front_of, only_get, quiet, redirect};
use super::arrive::Arrival;
use super::begin::Journey;
use super::browser::browser_of;
use super::failed::Way;
use super::failure::Failure;
use super::goal::Goal;
use super::query::{Query, Twice};
use super::return_path::ReturnPath;
use super::step_up::Attempt;
use super::trouble::Trouble;
use crate::idp::{IdpError, Prompt, Proof, Refusal, SignedIn};
use crate::model::browser::Browser;
use crate::model::id::SessionId;
use crate::model::session::StepUp;
use crate::session::{NewSession, Token};
use crate::store::{Destination, Round, SecretHash, SignIn, SignInTaken};
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
    /// What Entra adds to `access_denied` when the person stopped.
    subcode: Option<&'a str>,
}

impl<'a> Answer<'a> {
    fn read(query: &'a Query<'_>) -> Result<Self, Twice> {
        Ok(Self {
            state: query.one("state")?,
            code: query.one("code")?,
            error: query.one("error")?,
            description: query.one("error_description")?,
            subcode: query.one("error_subcode")?,
        })
    }
}

/// Why an answer of Entra signed nobody in.
enum Unsigned {
    /// It leads nowhere, for a reason of ours.
    Stale(&'static str),
    /// It says no, or is not to be trusted.
    Refused(IdpError),
}

impl Unsigned {
    fn failure(&self) -> Failure {
        match self {
            Self::Stale(detail) => Failure::stale(detail),
            Self::Refused(error) => Failure::of(error),
        }
    }

    /// What Entra wants the person to act on, when asking it once more may help: never a second time, and never in a
    /// step-up, which has one try.
    fn again(&self, sign_in: &SignIn) -> Option<Refusal> {
        match self {
            Self::Refused(IdpError::InteractionNeeded(refusal))
                if sign_in.round == Round::First && sign_in.step_up.is_empty() =>
            {
                Some(refusal.clone())
            }
            Self::Refused(_) | Self::Stale(_) => None,
        }
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
            (Err(unsigned), None) => match unsigned.again(&sign_in) {
                Some(error) => self.once_more(exchange, headers, (error, goal)).await,
                None => self.failed(exchange, &unsigned.failure(), &way).await,
            },
            (Err(unsigned), Some(session)) => {
                let attempt = Attempt { session, asked: sign_in.step_up, browser: sign_in.browser };
                self.unmet(exchange, &unsigned.failure(), (&way, &attempt)).await
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

    /// Asks Entra a second and last time, so that it shows the person what it wants of them.
    async fn once_more(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
        (refusal, goal): (Refusal, Goal),
    ) -> Result<Response, Trouble> {
        tracing::info!(request.id = %exchange.facts.request, refusal = %refusal, "Entra wants the person to act; it is asked once more.");
        let prompt = match refusal.error {
            "consent_required" => Prompt::Consent,
            // With a claims request Entra knows itself what to ask; without one it is told to ask for everything.
            _ if refusal.claims.is_some() => Prompt::Default,
            _ => Prompt::Login,
        };
        let (session, round, claims) = (None, Round::Again, refusal.claims);
        let journey = Journey { goal, prompt, session, round, claims };
        self.send_to_entra(exchange, headers, journey).await
    }

    async fn redeem(&self, answer: &Answer<'_>, sign_in: &SignIn) -> Result<SignedIn, Unsigned> {
        if let Some(error) = answer.error {
            // Somebody who stopped has nothing to look up, whatever number comes along.
            let stopped = error == "access_denied" && answer.subcode == Some("cancel");
            let description = answer.description.filter(|_| !stopped);
            return Err(Unsigned::Refused(IdpError::from_callback(error, description)));
        }
        let code = answer.code.ok_or(Unsigned::Stale("no code"))?;
        let verifier = self.sessions.open_text(&sign_in.verifier, sign_in.state.as_str());
        let verifier = verifier.ok_or(Unsigned::Stale("sealed with another key"))?;
        let (nonce, step_up) = (sign_in.nonce.clone(), sign_in.step_up.clone());
        let finished =
            self.idp.finish(code.to_owned().into(), Proof { nonce, verifier, step_up }).await;
        finished.map_err(Unsigned::Refused)
    }

    /// Keeps what signing out at Entra takes. Without it Entra asks which account is meant, so nobody is kept out for it.
    pub(super) async fn keep_hint(&self, session: &SessionId, id_token: Option<SecretString>) {
        let Some(token) = id_token else { return };
        if let Err(error) = self.sessions.keep_id_token(session, &token).await {
            tracing::warn!(error = %error, "An ID token could not be kept for signing out.");
        }
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
            browser: user_agent(headers).map(Browser::of),
            replaced: former.as_ref(),
        };
        let session = self.sessions.sign_in(new).await?;
        self.keep_hint(&session.id, person.id_token).await;
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

/// What the browser says that it is.
fn user_agent(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::USER_AGENT).and_then(|line| line.to_str().ok())
}
