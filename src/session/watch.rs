//! Sessions as whoever watches open connections sees them: looked at without being used, and by name.
//!
//! A connection outlives the token that opened it: a step-up gives the browser new tokens, and the session goes on. So the
//! watcher asks for the session itself, and an open page never keeps it from its idle limit.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::error::SessionError;
use super::sessions::Sessions;
use crate::model::host::Host;
use crate::model::id::SessionId;
use crate::model::record::{Actor, SessionEnd};
use crate::model::session::Session;
use crate::model::time::Timestamp;
use crate::store::StoredSession;

/// A session at the moment when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The session.
    pub session: Arc<Session>,
    /// Until when it stays as it is by itself: its end unless it is used before, or that of a context that counts.
    pub until: Timestamp,
    /// When its groups and roles are due to be read again; none for one that never is.
    pub recheck_at: Option<Timestamp>,
}

impl Sessions {
    /// A number that grows whenever something was taken from a session here: while it stands still, what a watcher saw
    /// holds until the times in [`Watched`]. Read it before looking.
    pub fn changes(&self) -> u64 {
        self.ends.load(Ordering::SeqCst)
    }

    /// The session as it is now, seen from `host`; none when it has ended. Looking is no use of it, and asks nobody else.
    ///
    /// # Errors
    /// When the database fails. Nobody may be let in then.
    pub async fn watch(
        &self,
        id: &SessionId,
        host: &Host,
    ) -> Result<Option<Watched>, SessionError> {
        let Some(session) = self.parts.store.session(id).await? else { return Ok(None) };
        let Some(session) = self.rebased(session).await? else { return Ok(None) };
        if self.is_over(&session, self.parts.clock.now()) {
            self.end(id, SessionEnd::Expired, Actor::Gate).await?;
            return Ok(None);
        }
        Ok(Some(Watched {
            until: self.idle_end(&session).min(session.ends_at).min(self.contexts_end(&session)),
            recheck_at: self.can_be_rechecked(&session).then_some(session.recheck_at),
            session: Arc::new(self.seen_from(host, session)),
        }))
    }

    /// Reads groups and roles again when that is due, as the next request of the session would.
    ///
    /// # Errors
    /// As [`Sessions::load`]; the session is then as it was, and the next look tells.
    pub async fn recheck_if_due(&self, id: &SessionId) -> Result<(), SessionError> {
        let Some(session) = self.parts.store.session(id).await? else { return Ok(()) };
        let Some(session) = self.rebased(session).await? else { return Ok(()) };
        let now = self.parts.clock.now();
        if self.is_over(&session, now) || now < session.recheck_at {
            return Ok(());
        }
        self.recheck(session).await.map(drop)
    }

    pub(super) fn can_be_rechecked(&self, session: &StoredSession) -> bool {
        self.parts.directory.is_some() && session.refresh_token.is_some()
    }
}
