//! Reading the log: newest first, or one record by its place.

use super::super::error::StoreError;
use super::super::migrations;
use super::super::sqlite::{self, Pool};
use super::line::Kept;
use super::removal::Wish;
use super::{SEQ_BITS, bad_row, seq_of};
use crate::model::id::DecisionId;
use crate::model::record::RecordLine;

/// Reads records. Cheap to clone. Holds up nobody who writes, as long as each read is one short page.
#[derive(Debug, Clone)]
pub struct AuditReader {
    pub(super) pool: Pool,
}

/// The most records that one page holds: a long read keeps the WAL from being taken in.
const PAGE_MAX: u32 = 1_000;

/// Place, origin, body, what an erasure left of it, the reference to who asked, and their content.
type Line = (i64, String, Option<Vec<u8>>, Option<String>, Option<String>, Option<String>);

impl AuditReader {
    /// The database file, for what reads it with connections of its own.
    pub fn file(&self) -> std::path::PathBuf {
        self.pool.connect_options().get_filename().to_path_buf()
    }

    pub(super) fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Waits for what is being read and closes the connections, also those that the writer has beside its own thread.
    #[cfg(test)]
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    /// How many bytes the log takes on disk, with what is not moved into the database yet.
    ///
    /// # Errors
    /// When the file is not there.
    pub fn bytes(&self) -> std::io::Result<u64> {
        let file = self.file();
        let wal = sqlite::wal_of(&file);
        Ok(std::fs::metadata(file)?.len() + std::fs::metadata(wal).map_or(0, |wal| wal.len()))
    }

    /// Opens the log at `url` for reading, beside the process that writes it.
    ///
    /// # Errors
    /// When the file can't be opened or has another schema.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Ok(Self::new(sqlite::open(url, migrations::AUDIT).await?))
    }

    /// The newest records, newest first: at most `limit` and never more than 1,000; with `before`, those older than it.
    /// There are none before a record of an origin that this log does not have.
    ///
    /// # Errors
    /// When the file can't be read, or a row holds what this program never writes.
    pub async fn recent(
        &self,
        limit: u32,
        before: Option<DecisionId>,
    ) -> Result<Vec<RecordLine>, StoreError> {
        let before = match before {
            Some(id) => self.place(id).await?.unwrap_or(0),
            None => i64::MAX,
        };
        let lines: Vec<Line> = sqlx::query_as(
            "SELECT r.place, o.id, r.body, r.remains, p.reference, p.body
             FROM record r
             JOIN origin o ON o.key = r.place >> 40
             LEFT JOIN principal_snapshot p ON p.key = r.principal
             WHERE r.place < $1
             ORDER BY r.place DESC
             LIMIT $2",
        )
        .bind(before)
        .bind(i64::from(limit.min(PAGE_MAX)))
        .fetch_all(&self.pool)
        .await
        .map_err(sqlite::failed(&self.pool, "list the newest records"))?;
        lines.into_iter().map(line).collect()
    }

    /// The record with this id; none when there is none.
    ///
    /// # Errors
    /// As for [`Self::recent`].
    pub async fn record(&self, id: DecisionId) -> Result<Option<RecordLine>, StoreError> {
        let Some(place) = self.place(id).await? else { return Ok(None) };
        let found: Option<Line> = sqlx::query_as(
            "SELECT r.place, o.id, r.body, r.remains, p.reference, p.body
             FROM record r
             JOIN origin o ON o.key = r.place >> 40
             LEFT JOIN principal_snapshot p ON p.key = r.principal
             WHERE r.place = $1",
        )
        .bind(place)
        .fetch_optional(&self.pool)
        .await
        .map_err(sqlite::failed(&self.pool, "read a record"))?;
        found.map(line).transpose()
    }

    /// Writes a consistent copy of the log into a new file, beside the process that writes it.
    ///
    /// # Errors
    /// When the file is there already, or can't be written.
    pub async fn copy_to(&self, file: &std::path::Path) -> Result<(), StoreError> {
        sqlite::copy_to(&self.pool, file).await
    }

    /// Asks that a person be forgotten in the log. Its writer does that, if the signature is the log's, and removes the wish.
    /// Gives the wish's number.
    ///
    /// # Errors
    /// When the file can't be written.
    pub async fn ask_erasure(&self, wish: &Wish, signature: &[u8; 64]) -> Result<i64, StoreError> {
        let Wish { subject, reason, asked_by, asked_us, logs } = wish;
        sqlx::query(
            "INSERT INTO erasure (subject, reason, asked_by, asked_us, logs, signature)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(subject)
        .bind(reason)
        .bind(asked_by)
        .bind(asked_us)
        .bind(logs)
        .bind(signature.as_slice())
        .execute(&self.pool)
        .await
        .map(|done| done.last_insert_rowid())
        .map_err(sqlite::failed(&self.pool, "ask that a person be forgotten in the log"))
    }

    /// Whether the wish with this number waits.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn erasure_waits(&self, id: i64) -> Result<bool, StoreError> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM erasure WHERE id = $1)")
            .bind(id)
            .fetch_one(&self.pool)
            .await
            .map_err(sqlite::failed(&self.pool, "read who is to be forgotten in the log"))
    }

    /// Where a record lies; none when this log has no such origin.
    async fn place(&self, id: DecisionId) -> Result<Option<i64>, StoreError> {
        let key: Option<i64> = sqlx::query_scalar("SELECT key FROM origin WHERE id = $1")
            .bind(id.origin.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(sqlite::failed(&self.pool, "find an origin of the log"))?;
        let seq = i64::try_from(id.seq).ok().filter(|seq| *seq < 1 << SEQ_BITS);
        Ok(key.zip(seq).map(|(key, seq)| (key << SEQ_BITS) | seq))
    }
}

fn line(
    (place, origin, body, remains, reference, content): Line,
) -> Result<RecordLine, StoreError> {
    let origin =
        origin.parse().map_err(|_| bad_row("record", &place, "its origin is not an origin id"))?;
    let kept = Kept { body, remains, reference, content };
    Ok(kept.line(DecisionId { origin, seq: seq_of(place) }))
}
