//! Moving what was written from the write-ahead log into the database, beside the writer.
//!
//! A checkpoint (SQLite's word for it, not this log's) inside a commit makes every waiting request wait for it. So another
//! connection does it, passively, whenever enough was written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sqlx::sqlite::SqliteConnection;
use tokio::sync::Notify;

use super::super::sqlite::Pool;

/// The WAL is moved into the database by a connection of its own once this much was written.
const WAL_BYTES: u64 = 4 << 20;

/// Past this many pages (64 MB, of 8 KiB) the writer stops to do it: SQLite begins the WAL anew only at a moment when all of it has
/// been moved, and a busy writer leaves no such moment to another connection.
const WAL_PAGES_MAX: i64 = 8_192;

/// Bytes that a row and a commit cost besides the body, roughly.
const ROW_BYTES: u64 = 160;
const COMMIT_BYTES: u64 = 8_192;

/// What writer and keeper know of the WAL together.
#[derive(Debug, Default)]
pub(super) struct Wal {
    /// Bytes written since they were last moved into the database, roughly.
    bytes: AtomicU64,
    /// There is enough to move.
    passed: Notify,
    /// The WAL grew although it is moved: the writer has to help.
    overgrown: AtomicBool,
}

impl Wal {
    /// Counts what a commit added, from the lengths of its bodies. Whether the writer has to move the WAL itself now.
    pub(super) fn wrote(&self, bodies: impl Iterator<Item = usize>) -> Help {
        let rows: u64 = bodies.map(|length| length as u64 + ROW_BYTES).sum();
        let added = rows + COMMIT_BYTES;
        let bytes = self.bytes.fetch_add(added, Ordering::Relaxed).saturating_add(added);
        if bytes > WAL_BYTES {
            self.passed.notify_one();
        }
        if self.overgrown.swap(false, Ordering::Relaxed) {
            Help::Needed { bytes }
        } else {
            Help::NotNeeded
        }
    }

    /// Bytes written since they were last moved into the database, roughly.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// All that was counted up to `before` is in the database. What was appended since stays counted.
    pub(super) fn moved(&self, before: u64) {
        let rest = |bytes: u64| Some(bytes.saturating_sub(before));
        let _ = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rest);
    }
}

/// Whether the writer has to move the WAL itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Help {
    /// The WAL grew although it is moved.
    Needed {
        /// Bytes written so far.
        bytes: u64,
    },
    /// It does not.
    NotNeeded,
}

/// Moves what was written from the WAL into the database, on a connection of its own.
#[derive(Debug)]
pub struct WalKeeper {
    pool: Pool,
    wal: Arc<Wal>,
}

impl WalKeeper {
    pub(super) fn new(pool: Pool, wal: Arc<Wal>) -> Self {
        Self { pool, wal }
    }

    /// Works whenever the WAL passed 4 MB. Never ends; dropping the future stops it.
    pub async fn run(&self) {
        loop {
            self.wal.passed.notified().await;
            match self.once().await {
                Ok(()) => {}
                Err(error) => tracing::warn!(%error, "could not checkpoint the audit log"),
            }
        }
    }

    pub(super) async fn once(&self) -> Result<(), sqlx::Error> {
        let before = self.wal.bytes.load(Ordering::Relaxed);
        let mut connection = self.pool.acquire().await?;
        let Checkpointed { pages, moved } = checkpoint(&mut connection).await?;
        if pages == moved {
            self.wal.moved(before);
        }
        if pages > WAL_PAGES_MAX {
            self.wal.overgrown.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// What a checkpoint found and did.
#[derive(Debug)]
struct Checkpointed {
    /// Pages in the WAL.
    pages: i64,
    /// Those of them that are in the database now.
    moved: i64,
}

/// Passive: waits for nobody and makes nobody wait.
async fn checkpoint(connection: &mut SqliteConnection) -> Result<Checkpointed, sqlx::Error> {
    let (_busy, pages, moved): (i64, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(connection).await?;
    Ok(Checkpointed { pages, moved })
}
