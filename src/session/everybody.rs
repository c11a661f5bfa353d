//! Sessions as whoever looks after them sees them: everybody's, and their end by somebody else's hand.

use super::error::SessionError;
use super::sessions::Sessions;
use crate::model::id::Subject;
use crate::model::principal::Principal;
use crate::model::record::{Actor, SessionEnd};
use crate::store::{SessionMark, StoredSession};

impl Sessions {
    /// Everybody's live sessions, the ones used last first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn everybodys(&self) -> Result<Vec<SessionMark>, SessionError> {
        Ok(self.lasting(self.parts.store.every_session().await?))
    }

    /// The live sessions of those principals that `is_wanted` says yes to, the ones used last first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_those(
        &self,
        is_wanted: impl Fn(&Principal) -> bool,
    ) -> Result<Vec<SessionMark>, SessionError> {
        Ok(self.lasting(self.parts.store.sessions_where(is_wanted).await?))
    }

    fn lasting(&self, mut sessions: Vec<SessionMark>) -> Vec<SessionMark> {
        let now = self.parts.clock.now();
        sessions.retain(|one| !self.is_past((&one.id, one.seen_at, one.ends_at), now));
        sessions.sort_by(|one, other| {
            other.seen_at.cmp(&one.seen_at).then_with(|| one.id.cmp(&other.id))
        });
        sessions
    }

    /// These sessions in full, but for those that have ended meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn in_full(&self, marks: &[SessionMark]) -> Result<Vec<StoredSession>, SessionError> {
        let mut sessions = Vec::new();
        for mark in marks {
            sessions.extend(self.parts.store.session(&mark.id).await?);
        }
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
