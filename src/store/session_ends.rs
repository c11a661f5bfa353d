//! The ends of sessions.
//!
//! Ending a session is removing its row, with all its tokens. The record of it waits in the outbox and is written in the
//! same transaction: no session ends without a record, and none is recorded that did not end, whatever fails in between.

use std::time::Duration;

use serde_json::{Value, json};

use super::Store;
use super::bad_row;
use super::error::StoreError;
use super::outbox::{Author, Change};
use super::secret_hash::SecretHash;
use super::sqlite::{Tx, begin, failed};
use crate::model::id::{SessionId, Subject};
use crate::model::record::{Actor, SessionEnd};
use crate::model::time::Timestamp;

/// Rows that one sweep removes at most, so that it never holds the write lock for long.
const SWEEP_BATCH: i64 = 500;

/// The action of the outbox rows that stand for ends.
pub const SESSION_ENDED: &str = "session_ended";

const ENDING: &str = "end a session";

/// Why sessions end, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Why.
    pub why: SessionEnd,
    /// More for the operator, such as Entra's code; may be empty.
    pub detail: String,
    /// Who caused it.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// Session and subject, as they are kept.
type Columns = (String, String);

impl Store {
    /// Ends a session with all its tokens; `false` when there was no such session.
    ///
    /// # Errors
    /// When the database fails; nothing is changed then.
    pub async fn end_session(&self, id: &SessionId, end: &End) -> Result<bool, StoreError> {
        let mut tx = begin(&self.pool, ENDING).await?;
        let gone = sqlx::query_as("DELETE FROM session WHERE id = $1 RETURNING id, subject")
            .bind(id.as_str())
            .fetch_all(&mut *tx)
            .await
            .map_err(failed(&self.pool, ENDING))?;
        Ok(self.conclude(tx, &gone, end).await? == 1)
    }

    /// Ends all sessions of a person. Gives how many there were.
    ///
    /// # Errors
    /// When the database fails; nothing is changed then.
    pub async fn end_sessions_of(&self, subject: &Subject, end: &End) -> Result<usize, StoreError> {
        let mut tx = begin(&self.pool, ENDING).await?;
        let statement = "DELETE FROM session WHERE subject = $1 RETURNING id, subject";
        let gone = sqlx::query_as(statement)
            .bind(subject.to_string())
            .fetch_all(&mut *tx)
            .await
            .map_err(failed(&self.pool, ENDING))?;
        self.conclude(tx, &gone, end).await
    }

    /// Ends all sessions that began in this session of Entra (`sid`, lower-case). Gives how many there were.
    ///
    /// # Errors
    /// When the database fails; nothing is changed then.
    pub async fn end_sessions_of_entra(&self, sid: &str, end: &End) -> Result<usize, StoreError> {
        // Anybody may ask for any `sid`; only one that is known takes the write lock.
        let known: Option<String> =
            sqlx::query_scalar("SELECT id FROM session WHERE entra_session = $1 LIMIT 1")
                .bind(sid)
                .fetch_optional(&self.pool)
                .await
                .map_err(failed(&self.pool, ENDING))?;
        if known.is_none() {
            return Ok(0);
        }
        let mut tx = begin(&self.pool, ENDING).await?;
        let statement = "DELETE FROM session WHERE entra_session = $1 RETURNING id, subject";
        let gone = sqlx::query_as(statement)
            .bind(sid)
            .fetch_all(&mut *tx)
            .await
            .map_err(failed(&self.pool, ENDING))?;
        self.conclude(tx, &gone, end).await
    }

    /// Ends all sessions of a person but one. Gives how many there were.
    ///
    /// # Errors
    /// When the database fails; nothing is changed then.
    pub async fn end_other_sessions(
        &self,
        (subject, kept): (&Subject, &SessionId),
        end: &End,
    ) -> Result<usize, StoreError> {
        let mut tx = begin(&self.pool, ENDING).await?;
        let statement = "DELETE FROM session WHERE subject = $1 AND id <> $2 RETURNING id, subject";
        let gone = sqlx::query_as(statement)
            .bind(subject.to_string())
            .bind(kept.as_str())
            .fetch_all(&mut *tx)
            .await
            .map_err(failed(&self.pool, ENDING))?;
        self.conclude(tx, &gone, end).await
    }

    /// Ends sessions past their limits at the moment of `end`, at most 500 at a time. Gives how many there were.
    ///
    /// # Errors
    /// When the database fails; nothing is changed then.
    pub async fn sweep_sessions(&self, idle: Duration, end: &End) -> Result<usize, StoreError> {
        let mut tx = begin(&self.pool, "sweep sessions").await?;
        let idle = i64::try_from(idle.as_micros()).unwrap_or(i64::MAX);
        let gone = sqlx::query_as(
            r"
            DELETE FROM session WHERE id IN (
                SELECT id FROM session WHERE ends_at <= $1 OR seen_at <= $2 LIMIT $3
            )
            RETURNING id, subject
            ",
        )
        .bind(end.at.as_micros())
        .bind(end.at.as_micros().saturating_sub(idle))
        .bind(SWEEP_BATCH)
        .fetch_all(&mut *tx)
        .await
        .map_err(failed(&self.pool, "sweep sessions"))?;
        self.conclude(tx, &gone, end).await
    }

    /// Ends the session that a token opens.
    pub(super) async fn end_replaced(
        &self,
        tx: &mut Tx,
        token: &SecretHash,
        end: &End,
    ) -> Result<(), StoreError> {
        let gone: Vec<Columns> = sqlx::query_as(
            r"
            DELETE FROM session
            WHERE id IN (SELECT session FROM session_token WHERE token_hash = $1)
            RETURNING id, subject
            ",
        )
        .bind(token.as_str())
        .fetch_all(&mut **tx)
        .await
        .map_err(failed(&self.pool, "end the browser's former session"))?;
        self.note_ends(tx, &gone, end).await
    }

    /// Leaves room for one more session of the person.
    pub(super) async fn end_oldest(
        &self,
        tx: &mut Tx,
        (subject, per_person): (&Subject, u32),
        end: &End,
    ) -> Result<(), StoreError> {
        let gone: Vec<Columns> = sqlx::query_as(
            r"
            DELETE FROM session WHERE subject = $1 AND id NOT IN (
                SELECT id FROM session WHERE subject = $1
                ORDER BY signed_in_at DESC, id LIMIT $2
            )
            RETURNING id, subject
            ",
        )
        .bind(subject.to_string())
        .bind(i64::from(per_person.saturating_sub(1)))
        .fetch_all(&mut **tx)
        .await
        .map_err(failed(&self.pool, "end a person's oldest sessions"))?;
        self.note_ends(tx, &gone, end).await
    }

    /// Whose session this was that ended; none for what never was, and for ends so old that the log alone has them.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn ended_session(&self, id: &SessionId) -> Result<Option<Subject>, StoreError> {
        let object = format!("session:{id}");
        let row: Option<(String,)> = sqlx::query_as(
            r"
            SELECT CAST(json_extract(after_json, '$.subject') AS TEXT) FROM outbox
            WHERE action = $1 AND object = $2 LIMIT 1
            ",
        )
        .bind(SESSION_ENDED)
        .bind(&object)
        .fetch_optional(&self.pool)
        .await
        .map_err(failed(&self.pool, "look for the end of a session"))?;
        row.map(|(subject,)| subject.parse().map_err(|error| bad_row("outbox", &object, error)))
            .transpose()
    }

    /// Whether a session of this person ended of late.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_ended_sessions(&self, subject: &Subject) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as(
            r"
            SELECT id FROM outbox
            WHERE action = $1 AND CAST(json_extract(after_json, '$.subject') AS TEXT) = $2 LIMIT 1
            ",
        )
        .bind(SESSION_ENDED)
        .bind(subject.to_string())
        .fetch_optional(&self.pool)
        .await
        .map_err(failed(&self.pool, "look for the ends of a person's sessions"))?;
        Ok(row.is_some())
    }

    async fn conclude(&self, mut tx: Tx, gone: &[Columns], end: &End) -> Result<usize, StoreError> {
        self.note_ends(&mut tx, gone, end).await?;
        tx.commit().await.map_err(failed(&self.pool, ENDING))?;
        Ok(gone.len())
    }

    async fn note_ends(&self, tx: &mut Tx, gone: &[Columns], end: &End) -> Result<(), StoreError> {
        let author = Author { by: end.by.to_string(), at: end.at };
        let changes: Vec<_> = gone.iter().map(|columns| change(columns, end)).collect();
        self.add_to_outbox(tx, &author, &changes).await
    }
}

fn change((id, subject): &Columns, end: &End) -> Change {
    Change {
        action: SESSION_ENDED.to_owned(),
        object: format!("session:{id}"),
        before: Value::Null,
        after: json!({ "subject": subject, "why": end.why.as_str(), "detail": end.detail }),
    }
}
