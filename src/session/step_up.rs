//! Taking up what somebody who is signed in has proved beyond that.

use secrecy::SecretString;
use tokio::time::timeout;

use super::error::SessionError;
use super::sessions::{Sessions, entra_session, proved_at};
use super::token::Token;
use crate::model::id::SessionId;
use crate::model::principal::{Principal, PrincipalSnapshot};
use crate::model::record::{Actor, ClientAddress, Event};
use crate::model::session::{Identity, StepUp};
use crate::model::time::Timestamp;
use crate::store::{Raise, StoredSession};

/// What somebody proved at Entra for a session that they have.
#[derive(Debug)]
pub struct Proven<'a> {
    /// The session.
    pub session: &'a SessionId,
    /// Who came back, and what their token vouches for.
    pub identity: Identity,
    /// For re-checks; none keeps the present one.
    pub refresh_token: Option<SecretString>,
    /// What was asked, and met.
    pub asked: &'a StepUp,
    /// Where the person sits, for the record.
    pub client: ClientAddress,
}

/// What came of a step-up.
#[derive(Debug)]
pub enum SteppedUp {
    /// The proof counts from now on. This token is for the cookie on the gate's host; all others are dead.
    Done(Token),
    /// The session has ended meanwhile.
    Ended,
    /// Somebody else came back. Nothing is changed.
    OtherPerson,
}

impl Sessions {
    /// Adds a proof to a session and replaces all its tokens. It takes effect only once it is on record.
    ///
    /// # Errors
    /// When it can't be kept or recorded; the session stays as it was then.
    pub async fn step_up(&self, proven: Proven<'_>) -> Result<SteppedUp, SessionError> {
        let turn = self.turns.of(proven.session);
        // A re-check under way would write what it knew before. Should it take too long, both write the truth.
        let _mine = timeout(self.patience, turn.lock.lock()).await;
        let Some(session) = self.find(proven.session).await? else { return Ok(SteppedUp::Ended) };
        if session.subject != proven.identity.user.subject {
            return Ok(SteppedUp::OtherPerson);
        }
        let (token, now) = (Token::generate()?, self.parts.clock.now());
        let raise = self.raise(&session, &proven, now)?;
        self.note_change(&session, &raise.principal).await?;
        self.parts.ledger.note(stepped_up(&session, &proven)).await?;
        let raised =
            self.parts.store.raise_session((&session.id, &token.hash()), &raise, now).await?;
        self.forget_all();
        Ok(if raised { SteppedUp::Done(token) } else { SteppedUp::Ended })
    }

    fn raise(
        &self,
        session: &StoredSession,
        proven: &Proven<'_>,
        now: Timestamp,
    ) -> Result<Raise, SessionError> {
        let identity = &proven.identity;
        let mut auth_contexts = session.auth_contexts.clone();
        auth_contexts.extend(identity.auth_contexts.iter().map(|context| (context.clone(), now)));
        let seal = |token: &SecretString| self.seal(&session.id, token);
        Ok(Raise {
            principal: PrincipalSnapshot::new(Principal::User(identity.user.clone())),
            auth_contexts,
            proved_at: proved_at(identity, now).max(session.proved_at.min(now)),
            authenticated_at: identity.authenticated_at,
            entra_session: entra_session(identity),
            login_hint: identity.login_hint.clone(),
            refresh_token: proven.refresh_token.as_ref().map(seal).transpose()?,
            recheck_at: now.plus(self.parts.limits.recheck),
        })
    }
}

fn stepped_up(session: &StoredSession, proven: &Proven<'_>) -> Event {
    Event::SteppedUp {
        actor: Actor::Subject(session.subject.clone()),
        session: session.id.clone(),
        asked: proven.asked.to_string(),
        auth_contexts: proven.identity.auth_contexts.clone(),
        client: proven.client,
    }
}
