//! `audit.db`: the file that the audit log lives in.
//!
//! One process writes, others may read. [`open`] takes a lock file beside the database and refuses a second writer: two
//! of them would give one number to two records. Rows are appended in batches, one transaction and one sync each
//! ([`Appender`]); the table has no index besides its own order, because each one more than halves what can be written.
//! What reads ([`AuditReader`]) has connections of its own, and in WAL mode readers and the writer don't wait for each
//! other.

mod append;
mod batch;
mod copy;
mod line;
mod pages;
mod people;
mod read;
mod removal;
mod removals;
mod scribe;
pub mod search;
mod space;
mod wal;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::append::Appender;
pub use self::batch::{Batch, Head, Held, Row, Taken};
pub use self::copy::{CopyOrigin, CopyPoint, LogCopy};
pub use self::pages::{Asked, CopyRow};
pub use self::people::PEOPLE;
pub use self::read::AuditReader;
pub use self::removal::{Erasure, Remover, Rest, STEP, Step, Wish};
pub use self::removals::Removals;
pub use self::space::Space;
use self::wal::Wal;
pub use self::wal::WalKeeper;
use super::error::StoreError;
use super::migrations;
use super::sqlite::{self, Pool};
use crate::model::id::OriginId;
use crate::model::time::Timestamp;

/// `place` is the origin's key times this, plus the number.
const SEQ_BITS: u32 = 40;

/// The log as its one writer has it.
#[derive(Debug)]
pub struct AuditFile {
    /// Writes records.
    pub appender: Appender,
    /// Moves what was written from the WAL into the database, beside the appender.
    pub wal_keeper: WalKeeper,
    /// Reads records.
    pub reader: AuditReader,
}

/// The right to write, for as long as it lives.
///
/// Invariant: the descriptor is never written or read, and it is not the database's, so that closing it drops no lock of
/// SQLite.
#[derive(Debug)]
struct WriterLock(
    #[expect(dead_code, reason = "held, not used: dropping it gives the lock up")] File,
);

/// An origin that may begin.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// Its name.
    pub id: OriginId,
    /// The key that will sign its checkpoints, as C2SP verifier key.
    pub log_key: String,
    /// When it begins.
    pub at: Timestamp,
    /// Under which condition.
    pub begin: Begin,
}

/// When a fresh origin begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// When the file has none yet; otherwise the newest goes on.
    WhereEmpty,
    /// Behind those that the file has, together with its first record: until that is durable, the file is as it was.
    Anew,
}

/// Opens the log at `url` (`sqlite://data/audit.db`) for writing, making it where it is missing.
///
/// # Errors
/// [`StoreError::InUse`] while another process writes it; else as for every database.
pub async fn open(url: &str, fresh: &Fresh) -> Result<AuditFile, StoreError> {
    let pool = sqlite::open(url, migrations::AUDIT).await?;
    let file = pool.connect_options().get_filename().to_path_buf();
    let lock = lock(&file)?;
    let origin = Origin::of(&pool, fresh).await?;
    let wal = Arc::new(Wal::default());
    let mut appender = Appender::open(pool.clone(), origin, lock, Arc::clone(&wal)).await?;
    if fresh.begin == Begin::Anew {
        appender.begin_with(fresh);
    }
    Ok(AuditFile {
        appender,
        wal_keeper: WalKeeper::new(pool.clone(), wal),
        reader: AuditReader::new(pool),
    })
}

/// The file that an address (`sqlite://data/audit.db`) names.
///
/// # Errors
/// When it names none.
pub fn path(url: &str) -> Result<PathBuf, StoreError> {
    sqlite::file_of(url)
}

/// Who writes: the name in ids, and the short key in rows.
#[derive(Debug, Clone, Copy)]
struct Origin {
    id: OriginId,
    key: i64,
}

impl Origin {
    /// The newest origin of the file; the fresh one where it is to begin.
    async fn of(pool: &Pool, fresh: &Fresh) -> Result<Self, StoreError> {
        match fresh.begin {
            Begin::WhereEmpty => Self::newest(pool, fresh).await,
            Begin::Anew => Self::next(pool, fresh.id).await,
        }
    }

    /// The one behind all that the file has.
    async fn next(pool: &Pool, id: OriginId) -> Result<Self, StoreError> {
        let key: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(key), 0) + 1 FROM origin")
            .fetch_one(pool)
            .await
            .map_err(sqlite::failed(pool, "number a new origin of the log"))?;
        Ok(Self { id, key })
    }

    async fn newest(pool: &Pool, fresh: &Fresh) -> Result<Self, StoreError> {
        let doing = "name the log's origin";
        sqlx::query(
            "INSERT INTO origin (key, id, opened_us, log_key)
             SELECT 1, $1, $2, $3 WHERE NOT EXISTS (SELECT 1 FROM origin)",
        )
        .bind(fresh.id.to_string())
        .bind(fresh.at.as_micros())
        .bind(&fresh.log_key)
        .execute(pool)
        .await
        .map_err(sqlite::failed(pool, doing))?;
        let (key, id): (i64, String) =
            sqlx::query_as("SELECT key, id FROM origin ORDER BY key DESC LIMIT 1")
                .fetch_one(pool)
                .await
                .map_err(sqlite::failed(pool, doing))?;
        let id = id.parse().map_err(|_| bad_row("origin", &key, "its id is not an origin id"))?;
        Ok(Self { id, key })
    }

    /// The key of the origin that a place is of.
    fn key_of(place: i64) -> i64 {
        place >> SEQ_BITS
    }

    /// The first place of the origin with this key.
    fn first_of(key: i64) -> i64 {
        key << SEQ_BITS
    }

    /// The last place that is this origin's.
    fn end(&self) -> i64 {
        (self.key << SEQ_BITS) | ((1 << SEQ_BITS) - 1)
    }

    /// Where the record with this number lies.
    fn place(&self, seq: u64) -> i64 {
        (self.key << SEQ_BITS) | i64::try_from(seq).unwrap_or(i64::MAX)
    }
}

/// The number of the record that lies there.
fn seq_of(place: i64) -> u64 {
    u64::try_from(place & ((1 << SEQ_BITS) - 1)).unwrap_or(0)
}

fn lock(database: &Path) -> Result<WriterLock, StoreError> {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let create = |source| StoreError::Create { path: path.clone(), source };
    let file =
        File::options().create(true).truncate(false).write(true).open(&path).map_err(create)?;
    match file.try_lock() {
        Ok(()) => Ok(WriterLock(file)),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::InUse { file: database.to_path_buf(), lock: path })
        }
        Err(TryLockError::Error(source)) => Err(create(source)),
    }
}

fn bad_row(table: &'static str, id: &dyn std::fmt::Display, why: &str) -> StoreError {
    StoreError::BadRow { table, id: id.to_string(), why: why.to_owned() }
}

#[cfg(test)]
pub(crate) mod tests;
