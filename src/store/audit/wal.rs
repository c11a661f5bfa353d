//! Moving what was written from the write-ahead log into the database, beside the writer.
//!
//! A checkpoint (SQLite's word for it, not this log's) inside a commit makes every waiting request wait for it. So another
//! connection does it, passively, whenever enough was written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::Notify;

use super::super::sqlite::{Pool, wal_of};

/// The WAL is moved into the database by a connection of its own once this much was written.
const WAL_BYTES: u64 = 4 << 20;

/// Past this many pages (32 MB, of 8 KiB) the writer stops to do it: SQLite begins the WAL anew only at a moment when all of it has
/// been moved, and a busy writer leaves no such moment to another connection.
const WAL_PAGES_MAX: i64 = 4_096;

/// So long nothing must have been written before the WAL's file is cut off: that keeps a writer waiting.
const QUIET: Duration = Duration::from_secs(2);

/// Bytes that a row and a commit cost besides the body, roughly.
const ROW_BYTES: u64 = 160;
const COMMIT_BYTES: u64 = 8_192;

/// What writer and keeper know of the WAL together.
#[derive(Debug, Default)]
pub(super) struct Wal {
    /// Bytes written since they were last moved into the database, roughly.
    bytes: AtomicU64,
    /// Commits so far.
    written: AtomicU64,
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
        self.written.fetch_add(1, Ordering::Relaxed);
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

    /// Works whenever the WAL passed 4 MB, and once nothing is written any more. Never ends; dropping the future stops it.
    pub async fn run(&self) {
        let mut before = None;
        loop {
            let passed = tokio::time::timeout(QUIET, self.wal.passed.notified()).await;
            let written = self.wal.written.load(Ordering::Relaxed);
            let done = match passed {
                Ok(()) => self.once().await,
                Err(_) if before == Some(written) => self.cut_off().await,
                Err(_) => Ok(()),
            };
            before = Some(written);
            if let Err(error) = done {
                tracing::warn!(%error, "could not checkpoint the audit log");
            }
        }
    }

    /// Gives the room back that a large WAL takes: by itself its file never becomes smaller.
    async fn cut_off(&self) -> Result<(), sqlx::Error> {
        let options = self.pool.connect_options();
        let file = options.get_filename();
        let length = std::fs::metadata(wal_of(file)).map_or(0, |wal| wal.len());
        if length <= WAL_BYTES {
            return Ok(());
        }
        // Nearly all of the work, while nobody waits for it.
        self.once().await?;
        let mut connection = self.pool.acquire().await?.detach();
        // Whoever reads or writes now goes first; the next quiet moment will do. The connection is not for others any more.
        sqlx::query("PRAGMA busy_timeout = 0").execute(&mut connection).await?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
        connection.close().await
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
