//! Appending to the log: one batch, one transaction, one sync.
//!
//! A failed batch is written again with the same bytes. When it is not known whether the commit happened,
//! [`Appender::held`] compares what the file holds at those places, so that no record is lost, doubled or replaced.

use std::sync::Arc;

use rusqlite::Transaction;

use super::super::error::StoreError;
use super::super::sqlite::{self, Pool};
use super::batch::{Batch, Beginning, Head, Held};
use super::removal::{Remover, switch};
use super::scribe::Scribe;
use super::wal::Wal;
use super::{Fresh, Origin, WriterLock, seq_of};
use crate::model::body;
use crate::model::id::OriginId;

/// Writes records: the one connection that does.
#[derive(Debug)]
pub struct Appender {
    pool: Pool,
    scribe: Scribe,
    origin: Origin,
    next: u64,
    /// What is to be done together with the first record; none where the origin began before.
    beginning: Option<Beginning>,
    #[cfg(test)]
    wal: Arc<Wal>,
}

impl Appender {
    pub(super) async fn open(
        pool: Pool,
        origin: Origin,
        lock: WriterLock,
        wal: Arc<Wal>,
    ) -> Result<Self, StoreError> {
        let last: Option<i64> =
            sqlx::query_scalar("SELECT MAX(place) FROM record WHERE place BETWEEN $1 AND $2")
                .bind(origin.place(0))
                .bind(origin.end())
                .fetch_one(&pool)
                .await
                .map_err(sqlite::failed(&pool, "find the end of the log"))?;
        let next = last.map_or(0, |place| seq_of(place).saturating_add(1));
        let file = pool.connect_options().get_filename().to_path_buf();
        let scribe = Scribe::start(file, lock, Arc::clone(&wal))?;
        Ok(Self {
            pool,
            scribe,
            origin,
            next,
            beginning: None,
            #[cfg(test)]
            wal,
        })
    }

    /// Lets the origin begin together with its first record.
    pub(super) fn begin_with(&mut self, fresh: &Fresh) {
        self.beginning = Some(Beginning { fresh: fresh.clone(), forgotten: None });
    }

    /// The newest checkpoint of this origin.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn newest_head(&self) -> Result<Option<Head>, StoreError> {
        let found: Option<(i64, String, Vec<u8>)> = sqlx::query_as(
            "SELECT place, note, peaks FROM checkpoint WHERE place BETWEEN $1 AND $2
             ORDER BY place DESC LIMIT 1",
        )
        .bind(self.origin.place(0))
        .bind(self.origin.end())
        .fetch_optional(&self.pool)
        .await
        .map_err(sqlite::failed(&self.pool, "read the newest checkpoint"))?;
        Ok(found.map(|(place, note, peaks)| Head {
            size: seq_of(place),
            note,
            peaks,
            replaces: None,
        }))
    }

    /// The kind of the newest record; none while there is none.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn last_kind(&self) -> Result<Option<String>, StoreError> {
        let last: Option<Option<Vec<u8>>> =
            sqlx::query_scalar("SELECT body FROM record ORDER BY place DESC LIMIT 1")
                .fetch_optional(&self.pool)
                .await
                .map_err(sqlite::failed(&self.pool, "read how the log ends"))?;
        let kind = |body: &Option<Vec<u8>>| {
            body::Head::read(body.as_deref()?).map(|head| head.kind.to_owned())
        };
        // What was blanked, or can't be read, is no end in order.
        Ok(last.map(|body| kind(&body).unwrap_or_default()))
    }

    /// Closes the log for writing, after all that was begun.
    pub async fn close(&self) {
        self.scribe.close().await;
    }

    /// What removes content, on the writer's own thread.
    pub fn remover(&self) -> Remover {
        Remover::new(self.scribe.clone())
    }

    /// Who writes.
    pub fn origin(&self) -> OriginId {
        self.origin.id
    }

    /// The number after the last record of the file as it was opened.
    pub fn next_seq(&self) -> u64 {
        self.next
    }

    /// Bytes written since they were last moved into the database, roughly.
    #[cfg(test)]
    pub(super) fn wal_bytes(&self) -> u64 {
        self.wal.bytes()
    }

    /// The highest row of this outbox that became a record; 0 when none did.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn taken(&self, source: &str) -> Result<i64, StoreError> {
        let id: Option<i64> = sqlx::query_scalar("SELECT id FROM taken WHERE source = $1")
            .bind(source)
            .fetch_optional(&self.pool)
            .await
            .map_err(sqlite::failed(&self.pool, "read how far the outbox was taken over"))?;
        Ok(id.unwrap_or(0))
    }

    /// Takes this outbox over from its beginning again, together with the first record of an origin that begins: an older copy
    /// of it took its place.
    pub fn forget_taken(&mut self, source: &'static str) {
        if let Some(beginning) = &mut self.beginning {
            beginning.forgotten = Some(source);
        }
    }

    /// Writes a batch and waits until it is durable.
    ///
    /// # Errors
    /// When it could not be written, or when that is not known: [`Self::held`] tells.
    pub async fn append(&self, batch: Arc<Batch>) -> Result<(), StoreError> {
        let is_first = batch.rows.first().is_some_and(|row| row.seq == 0);
        let beginning = self.beginning.clone().filter(|_| is_first);
        self.scribe.append(self.origin, beginning, batch).await
    }

    /// Makes durable what is in the file already, by a commit of its own behind it.
    ///
    /// # Errors
    /// When that is not known.
    pub async fn settle(&self) -> Result<(), StoreError> {
        // What is written as it was before is no write to SQLite, and its commit syncs nothing.
        let work = |tx: &Transaction<'_>, _: &mut _| {
            switch(tx, "prune", 1)?;
            switch(tx, "prune", 0)
        };
        self.scribe.write("settle the log", work).await
    }

    /// What the file holds at the places of a batch.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn held(&self, batch: &Batch) -> Result<Held, StoreError> {
        let (Some(first), Some(last)) = (batch.rows.first(), batch.rows.last()) else {
            return Ok(Held::All);
        };
        let found: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT place, leaf_hash FROM record WHERE place BETWEEN $1 AND $2 ORDER BY place",
        )
        .bind(self.origin.place(first.seq))
        .bind(self.origin.place(last.seq))
        .fetch_all(&self.pool)
        .await
        .map_err(sqlite::failed(&self.pool, "compare the log with what was to be written"))?;
        let same = found.len() == batch.rows.len()
            && found.iter().zip(&batch.rows).all(|((place, leaf), row)| {
                *place == self.origin.place(row.seq) && *leaf == row.leaf_hash
            });
        Ok(match (found.is_empty(), same) {
            (true, _) => Held::Nothing,
            (false, true) => Held::All,
            (false, false) => Held::Other,
        })
    }
}
