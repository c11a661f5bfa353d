//! Reading groups and roles again because the person asks for it, before it is due.

use std::time::Duration;

use super::error::SessionError;
use super::sessions::Sessions;
use crate::model::id::SessionId;
use crate::store::StoredSession;

/// Nobody has Entra asked more often than this.
const AT_MOST_EVERY: Duration = Duration::from_mins(1);

/// What came of the wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Groups and roles are as Entra has them now.
    Done,
    /// They were read, or could not be, only just now; Entra was not asked.
    TooSoon,
    /// Entra did not answer; what was known stays.
    Unanswered,
    /// This session has nothing to ask Entra with.
    Impossible,
    /// The session is over, most likely because Entra said so.
    Ended,
}

impl Sessions {
    /// Reads the groups and roles of a session again.
    ///
    /// # Errors
    /// As [`Sessions::load`]; the session is then as it was.
    pub async fn read_again(&self, id: &SessionId) -> Result<Reading, SessionError> {
        let Some(mut session) = self.find(id).await? else { return Ok(Reading::Ended) };
        if !self.can_be_rechecked(&session) {
            return Ok(Reading::Impossible);
        }
        if self.is_recent(&session) {
            return Ok(Reading::TooSoon);
        }
        let (now, before) = (self.parts.clock.now(), session.read_at);
        self.parts.store.postpone_recheck(id, now).await?;
        session.recheck_at = now;
        let checked = self.recheck(session).await?;
        Ok(match checked {
            None => Reading::Ended,
            Some(session) if session.read_at > before => Reading::Done,
            Some(_) => Reading::Unanswered,
        })
    }

    /// A try that failed put the next one off, and counts like one that did not.
    fn is_recent(&self, session: &StoredSession) -> bool {
        let now = self.parts.clock.now();
        let planned = session.read_at.plus(self.parts.limits.recheck);
        let failed = session.recheck_at != planned && now < session.recheck_at;
        failed || now < session.read_at.plus(AT_MOST_EVERY)
    }
}
