//! Reading groups and roles again, one request at a time per session.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::timeout;

use super::error::SessionError;
use super::needs::{Directory, Recheck, Renewed};
use super::sessions::Sessions;
use crate::model::id::SessionId;
use crate::model::principal::{Principal, PrincipalSnapshot};
use crate::model::record::{Actor, Event, Memberships, SessionEnd};
use crate::store::{End, Renewal, StoredSession};

/// When Entra could not be reached, the next try.
const RETRY: Duration = Duration::from_mins(1);

/// Whoever has the turn is done with Entra within one patience. A request that waits for its turn longer than this many
/// waits for the database or the log, and is let in by neither.
const PATIENCES: u32 = 2;

impl Sessions {
    /// The session after its re-check; none when it ended by it.
    ///
    /// Only waiting belongs to the request. The re-check itself is a task of its own that keeps the turn until all is
    /// written down: nobody can put it off by going away, and no answer of Entra, nor the refresh token in it, is lost.
    pub(super) async fn recheck(
        &self,
        session: StoredSession,
    ) -> Result<Option<StoredSession>, SessionError> {
        if !self.can_be_rechecked(&session) {
            return Ok(Some(session));
        }
        let turn = self.turns.of(&session.id);
        let waited = timeout(self.patience * PATIENCES, Arc::clone(&turn.lock).lock_owned()).await;
        let mine = waited.map_err(|_| SessionError::Unsettled)?;
        let sessions = self.me.upgrade().ok_or(SessionError::Unsettled)?;
        let task = self.parts.tasks.spawn(async move {
            let checked = sessions.in_turn(&session.id).await;
            // In this order: a place is left only when the lock is free.
            drop(mine);
            drop(turn);
            checked
        });
        task.await.map_err(|_| SessionError::Unsettled)?
    }

    async fn in_turn(&self, id: &SessionId) -> Result<Option<StoredSession>, SessionError> {
        // Whoever had the turn before may have done it, or ended the session.
        let Some(session) = self.parts.store.session(id).await? else { return Ok(None) };
        match &self.parts.directory {
            Some(directory) if self.parts.clock.now() >= session.recheck_at => {
                self.ask(directory.as_ref(), session).await
            }
            Some(_) | None => Ok(Some(session)),
        }
    }

    async fn ask(
        &self,
        directory: &dyn Directory,
        session: StoredSession,
    ) -> Result<Option<StoredSession>, SessionError> {
        let Some(token) = self.refresh_token(&session) else {
            self.end(&session.id, SessionEnd::KeyLost, Actor::Gate).await?;
            return Ok(None);
        };
        match timeout(self.patience, directory.recheck(&token, &session.subject)).await {
            Ok(Ok(Recheck::Renewed(renewed)))
                if renewed.identity.user.subject == session.subject =>
            {
                self.renew(session, *renewed).await
            }
            // An answer about somebody else is no answer that the session could live on.
            Ok(Ok(Recheck::Renewed(_))) => self.refused(&session, "another subject".into()).await,
            Ok(Ok(Recheck::Refused { detail })) => self.refused(&session, detail).await,
            Ok(Err(unavailable)) => self.keep(session, unavailable.detail).await,
            Err(_) => self.keep(session, format!("no answer within {:?}", self.patience)).await,
        }
    }

    async fn refused(
        &self,
        session: &StoredSession,
        detail: String,
    ) -> Result<Option<StoredSession>, SessionError> {
        let end = self.because(SessionEnd::RefusedByEntra, Actor::Gate);
        self.end_for(&session.id, End { detail, ..end }).await?;
        Ok(None)
    }

    /// The principal is replaced whole. The change is recorded before it takes effect: a decision never rests on groups
    /// whose coming is not on record. Contexts and times of proof stay as they are, since a refresh token proves nothing
    /// anew.
    async fn renew(
        &self,
        mut session: StoredSession,
        renewed: Renewed,
    ) -> Result<Option<StoredSession>, SessionError> {
        let principal = PrincipalSnapshot::new(Principal::User(renewed.identity.user));
        let changed = self.note_change(&session, &principal).await?;
        let seal = |token: &SecretString| self.seal(&session.id, token);
        let refresh_token = renewed.refresh_token.as_ref().map(seal).transpose()?;
        let read_at = self.parts.clock.now();
        let recheck_at = read_at.plus(self.parts.limits.recheck);
        let renewal = Renewal {
            principal: Arc::clone(&principal),
            refresh_token: refresh_token.clone(),
            recheck_at,
            read_at,
        };
        let kept = self.parts.store.renew_session(&session.id, &renewal).await?;
        if changed {
            self.forget_all();
        }
        session.principal = principal;
        session.recheck_at = recheck_at;
        session.read_at = read_at;
        session.refresh_token = refresh_token.or(session.refresh_token);
        Ok(kept.then_some(session))
    }

    /// Puts on record how the person differs from what the session knows of them; `false` when they don't.
    pub(super) async fn note_change(
        &self,
        session: &StoredSession,
        now: &PrincipalSnapshot,
    ) -> Result<bool, SessionError> {
        let (before, after) = (session.principal.hash(), now.hash());
        if before == after {
            return Ok(false);
        }
        let event = Event::PrincipalChanged {
            actor: Actor::Subject(session.subject.clone()),
            session: session.id.clone(),
            before: before.to_string(),
            after: after.to_string(),
            added: Memberships::only_of(now, &session.principal),
            removed: Memberships::only_of(&session.principal, now),
        };
        self.parts.ledger.note(event).await?;
        Ok(true)
    }

    /// Keeps the old groups for a minute and says so in the record.
    async fn keep(
        &self,
        mut session: StoredSession,
        detail: String,
    ) -> Result<Option<StoredSession>, SessionError> {
        let event = Event::RecheckUnavailable { session: session.id.clone(), detail };
        self.parts.ledger.note(event).await?;
        session.recheck_at = self.parts.clock.now().plus(RETRY);
        self.parts.store.postpone_recheck(&session.id, session.recheck_at).await?;
        Ok(Some(session))
    }

    /// None when it was sealed with another key or altered.
    fn refresh_token(&self, session: &StoredSession) -> Option<SecretString> {
        let sealed = session.refresh_token.as_ref()?;
        let plain = self.parts.token_key.open(sealed, session.id.as_str().as_bytes()).ok()?;
        String::from_utf8(plain).ok().map(SecretString::from)
    }
}
