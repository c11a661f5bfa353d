//! Who has a session, as it knows them.

use super::Store;
use super::bad_row;
use super::error::StoreError;
use super::sqlite::failed;
use crate::model::id::{SessionId, Subject};
use crate::model::known::KnownPrincipal;
use crate::model::principal::{Principal, PrincipalSnapshot};
use crate::model::time::Timestamp;

/// People are told of those who used their session last.
const PEOPLE_OF_SESSIONS: u32 = 2_000;
/// Sessions that are read together while all are searched: some milliseconds of work.
const PORTION: i64 = 500;
/// Sessions that are looked at before others have their turn.
const TURN: usize = 50;

/// A session in a list of all: whose it is, and what tells whether it still goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionMark {
    /// Its name in lists and records.
    pub id: SessionId,
    /// Whose it is.
    pub subject: Subject,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// When it ends whatever happens.
    pub ends_at: Timestamp,
}

impl Store {
    /// The people of the sessions used last, at most 2,000, as their last token or re-check described them.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn people_of_sessions(&self) -> Result<Vec<KnownPrincipal>, StoreError> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            r"
            SELECT s.id, s.principal, s.seen_at FROM session s
            JOIN setting e ON e.name = 'session_epoch' AND e.value = s.epoch
            ORDER BY s.seen_at DESC LIMIT $1
            ",
        )
        .bind(i64::from(PEOPLE_OF_SESSIONS))
        .fetch_all(&self.pool)
        .await
        .map_err(failed(&self.pool, "read the people of sessions"))?;
        let known = |(id, principal, seen_at): (String, String, i64)| {
            let content: Principal =
                serde_json::from_str(&principal).map_err(|e| bad_row("session", &id, e))?;
            let seen_at = Timestamp::from_micros(seen_at);
            Ok(KnownPrincipal { content: PrincipalSnapshot::new(content), seen_at })
        };
        rows.into_iter().map(known).collect()
    }

    /// Every session, in no order. A row that can't be read is left out, and named in the process's log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn every_session(&self) -> Result<Vec<SessionMark>, StoreError> {
        let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
            r"
            SELECT s.id, s.subject, s.seen_at, s.ends_at FROM session s
            JOIN setting e ON e.name = 'session_epoch' AND e.value = s.epoch
            ",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(failed(&self.pool, "list sessions"))?;
        let marks = rows.into_iter().filter_map(|(id, subject, seen, ends)| {
            mark((id, subject), (seen, ends)).map_err(|error| left_out(&error)).ok()
        });
        Ok(marks.collect())
    }

    /// Every session of those principals that `is_wanted` says yes to, in no order.
    ///
    /// Reads all there are in portions, so that whoever signs in meanwhile waits for none of it. A row that can't be read is
    /// none of anybody's, and is named in the process's log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions_where(
        &self,
        is_wanted: impl Fn(&Principal) -> bool,
    ) -> Result<Vec<SessionMark>, StoreError> {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let rows = self.portion(&after).await?;
            let Some((last, ..)) = rows.last() else { return Ok(found) };
            after.clone_from(last);
            for (at, row) in rows.into_iter().enumerate() {
                match wanted(row, &is_wanted) {
                    Ok(mark) => found.extend(mark),
                    Err(error) => left_out(&error),
                }
                // Others have their turn in between.
                if at % TURN == TURN - 1 {
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// The next sessions by id: what a list is ordered by for people changes while it is read.
    async fn portion(&self, after: &str) -> Result<Vec<PortionRow>, StoreError> {
        sqlx::query_as(
            r"
            SELECT s.id, s.subject, s.principal, s.seen_at, s.ends_at FROM session s
            JOIN setting e ON e.name = 'session_epoch' AND e.value = s.epoch
            WHERE s.id > $1 ORDER BY s.id LIMIT $2
            ",
        )
        .bind(after)
        .bind(PORTION)
        .fetch_all(&self.pool)
        .await
        .map_err(failed(&self.pool, "search sessions"))
    }
}

/// Id, subject, principal, last use and end.
type PortionRow = (String, String, String, i64, i64);

fn left_out(error: &StoreError) {
    tracing::warn!(%error, "A session is left out of a list or a search.");
}

/// The mark of a session whose principal is wanted.
fn wanted(
    (id, subject, principal, seen, ends): PortionRow,
    is_wanted: impl Fn(&Principal) -> bool,
) -> Result<Option<SessionMark>, StoreError> {
    let content: Principal =
        serde_json::from_str(&principal).map_err(|e| bad_row("session", &id, e))?;
    is_wanted(&content).then(|| mark((id, subject), (seen, ends))).transpose()
}

fn mark(
    (id, subject): (String, String),
    (seen_at, ends_at): (i64, i64),
) -> Result<SessionMark, StoreError> {
    Ok(SessionMark {
        subject: subject.parse().map_err(|e| bad_row("session", &id, e))?,
        seen_at: Timestamp::from_micros(seen_at),
        ends_at: Timestamp::from_micros(ends_at),
        id: id.parse().map_err(|e| bad_row("session", &id, e))?,
    })
}
