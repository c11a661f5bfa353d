//! The end of a step-up: somebody who is signed in came back from Entra with a proof, or without.
//!
//! The proof counts for the session that it was asked for and for nobody else: the browser must still have that session,
//! and Entra must name its person. There is one try per transaction; whoever comes back without what was asked gets a page
//! that says so, and begins again by hand or not at all. The session stays as it was then.

use axum::response::Response;
use http::HeaderMap;

use super::Login;
use super::arrive::Arrival;
use super::failed::Way;
use super::failure::Failure;
use super::goal::Goal;
use super::trouble::Trouble;
use crate::idp::SignedIn;
use crate::model::id::SessionId;
use crate::model::record::{Actor, Event};
use crate::model::session::StepUp;
use crate::session::{Proven, SteppedUp};
use crate::store::SecretHash;
use crate::web::caller::Caller;
use crate::web::exchange::Exchange;

/// A step-up that came back.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    /// The session that it is for.
    pub(super) session: SessionId,
    /// What was asked.
    pub(super) asked: StepUp,
    /// The browser that began.
    pub(super) browser: SecretHash,
}

impl Login {
    /// Adds the proof to the session, which puts it on record, and leads on.
    pub(super) async fn raise(
        &self,
        exchange: &Exchange,
        headers: &HeaderMap,
        (person, attempt, goal): (SignedIn, Attempt, Goal),
    ) -> Result<Response, Trouble> {
        let way = self.way(&goal);
        let caller = Caller::of(&self.sessions, &self.public, headers).await?;
        if caller.session.is_none_or(|session| session.id != attempt.session) {
            return self.unmet(exchange, &Failure::session_ended(), (&way, &attempt)).await;
        }
        let proven = Proven {
            session: &attempt.session,
            identity: person.identity,
            refresh_token: person.refresh_token,
            asked: &attempt.asked,
            client: exchange.facts.client,
        };
        match self.sessions.step_up(proven).await? {
            SteppedUp::Done(token) => {
                self.keep_hint(&attempt.session, person.id_token).await;
                self.metrics.stepped_up("met");
                let arrival = Arrival { browser: &attempt.browser, token: &token };
                Ok(self.lead_on(exchange, (goal, &attempt.session), arrival).await)
            }
            SteppedUp::Ended => {
                self.unmet(exchange, &Failure::session_ended(), (&way, &attempt)).await
            }
            SteppedUp::OtherPerson => {
                self.unmet(exchange, &Failure::other_person(), (&way, &attempt)).await
            }
        }
    }

    /// Puts a step-up without its proof on record and shows its page.
    pub(super) async fn unmet(
        &self,
        exchange: &Exchange,
        failure: &Failure,
        (way, attempt): (&Way, &Attempt),
    ) -> Result<Response, Trouble> {
        self.metrics.stepped_up("unmet");
        let stored = self.sessions.find(&attempt.session).await?;
        let event = Event::StepUpFailed {
            actor: stored.map_or(Actor::Nobody, |session| Actor::Subject(session.subject)),
            session: attempt.session.clone(),
            asked: attempt.asked.to_string(),
            cause: failure.cause.to_owned(),
            detail: failure.detail.clone(),
            client: exchange.facts.client,
        };
        self.refused(exchange, (failure, event), way).await
    }
}
