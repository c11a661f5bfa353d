//! Sessions as whoever looks after them sees them: everybody's, and their end by somebody else's hand.

use super::error::SessionError;
use super::sessions::Sessions;
use crate::model::id::Subject;
use crate::model::record::{Actor, SessionEnd};
use crate::store::StoredSession;

impl Sessions {
    /// Everybody's live sessions, the ones used last first, at most 2,000.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn newest(&self) -> Result<Vec<StoredSession>, SessionError> {
        let now = self.parts.clock.now();
        let mut sessions = self.parts.store.newest_sessions().await?;
        sessions.retain(|session| !self.is_over(session, now));
        Ok(sessions)
    }

    /// Ends all sessions of a person with their children, at once. Gives how many there were. The ends are on record with
    /// them.
    ///
    /// # Errors
    /// When the database fails; the sessions go on then.
    pub async fn end_all_of(
        &self,
        subject: &Subject,
        why: SessionEnd,
        actor: Actor,
    ) -> Result<usize, SessionError> {
        let count = self.parts.store.end_sessions_of(subject, &self.because(why, actor)).await?;
        self.ended(count);
        Ok(count)
    }
}
