//! The outbox: changes that wait to be taken over into the audit log.
//!
//! A change and its outbox rows are one transaction, so that no change escapes the log and no record speaks of a change
//! that never happened. Ids count up without reuse: the log remembers the last one it took over.

use super::error::StoreError;
use super::sqlite::{Tx, begin, failed};
use super::{Store, bad_row};
use crate::model::time::Timestamp;

/// One change of an object, for the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What was done: `grant_added`, `route_changed`, …
    pub action: String,
    /// Which object: `grant:g-finance-read`.
    pub object: String,
    /// The object before, as JSON; null when it is new.
    pub before: serde_json::Value,
    /// The object after, as JSON; null when it is gone.
    pub after: serde_json::Value,
}

/// Who makes changes, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// As records name them: a subject or `operator:<system user>`.
    pub by: String,
    /// The moment of the change.
    pub at: Timestamp,
}

/// A change as it waits in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// 1, 2, 3, …
    pub id: i64,
    /// When and by whom.
    pub author: Author,
    /// What.
    pub change: Change,
}

type Columns = (i64, i64, String, String, String, String, String);

impl Store {
    /// The oldest changes with an id above `after`, at most `limit`, in order; taken over or not.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn outbox_after(&self, after: i64, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let rows: Vec<Columns> = sqlx::query_as(
            r"
            SELECT id, made_at, actor, action, object, before_json, after_json
            FROM outbox WHERE id > $1 ORDER BY id LIMIT $2
            ",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(failed(&self.pool, "read the outbox"))?;
        rows.into_iter().map(read).collect()
    }

    /// Marks all changes up to and including `last` as taken over into the audit log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn outbox_taken(&self, last: i64, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE outbox SET taken_at = $2 WHERE id <= $1 AND taken_at IS NULL")
            .bind(last)
            .bind(at.as_micros())
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(failed(&self.pool, "mark the outbox as taken over"))
    }

    /// Removes changes that were taken over before `before`. The newest row stays, so that its id is never given again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prune_outbox(&self, before: Timestamp) -> Result<u64, StoreError> {
        sqlx::query("DELETE FROM outbox WHERE taken_at < $1 AND id < (SELECT MAX(id) FROM outbox)")
            .bind(before.as_micros())
            .execute(&self.pool)
            .await
            .map(|done| done.rows_affected())
            .map_err(failed(&self.pool, "prune the outbox"))
    }

    /// Adds what was done and changed nothing here, such as reading the log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note(&self, author: &Author, done: Change) -> Result<(), StoreError> {
        let mut tx = begin(&self.pool, "note what was done").await?;
        self.add_to_outbox(&mut tx, author, &[done]).await?;
        tx.commit().await.map_err(failed(&self.pool, "note what was done"))
    }

    /// Adds changes inside the transaction that makes them.
    pub(super) async fn add_to_outbox(
        &self,
        tx: &mut Tx,
        author: &Author,
        changes: &[Change],
    ) -> Result<(), StoreError> {
        for change in changes {
            sqlx::query(
                r"
                INSERT INTO outbox (id, made_at, actor, action, object, before_json, after_json)
                SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4, $5, $6 FROM outbox
                ",
            )
            .bind(author.at.as_micros())
            .bind(&author.by)
            .bind(&change.action)
            .bind(&change.object)
            .bind(change.before.to_string())
            .bind(change.after.to_string())
            .execute(&mut **tx)
            .await
            .map_err(failed(&self.pool, "write the outbox"))?;
        }
        Ok(())
    }
}

fn read((id, at, by, action, object, before, after): Columns) -> Result<OutboxRow, StoreError> {
    let json = |text: &str| serde_json::from_str(text).map_err(|e| bad_row("outbox", id, e));
    let (before, after) = (json(&before)?, json(&after)?);
    let author = Author { by, at: Timestamp::from_micros(at) };
    Ok(OutboxRow { id, author, change: Change { action, object, before, after } })
}
