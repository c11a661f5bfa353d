//! What happens to sessions when the machine's clock is set.

use std::time::Duration;

use super::error::SessionError;
use super::sessions::Sessions;
use crate::model::record::Event;
use crate::store::StoredSession;

/// Processes that share a database may differ by this much without anybody having set a clock.
const APART: Duration = Duration::from_secs(5);

/// A row that others keep changing under the hands is given up after so many tries.
const TRIES: usize = 5;

impl Sessions {
    /// Puts on record that the clock was set, if it was. What could not be recorded is found again by the next call.
    pub(super) async fn note_clock_step(&self) -> Result<(), SessionError> {
        let (step, look) = self.timekeeper.step();
        if let Some(by_ms) = step {
            tracing::warn!(by_ms, "The clock of this machine was set.");
            self.parts.ledger.note(Event::ClockStep { by_ms }).await?;
        }
        self.timekeeper.keep(look);
        Ok(())
    }

    /// The session in the time that the clock shows now; none when it has ended. One that was used in what is now the
    /// future was kept under a clock that has been set back: all its times move back by as much, so that it has left what
    /// it had left. Of several that find it so, one moves them.
    pub(super) async fn rebased(
        &self,
        mut session: StoredSession,
    ) -> Result<Option<StoredSession>, SessionError> {
        for _ in 0..TRIES {
            let ahead = session.seen_at.since(self.parts.clock.now());
            if ahead <= APART {
                return Ok(Some(session));
            }
            self.parts.store.shift_session(&session, ahead).await?;
            let Some(now) = self.parts.store.session(&session.id).await? else { return Ok(None) };
            session = now;
        }
        Err(SessionError::Unsettled)
    }
}
