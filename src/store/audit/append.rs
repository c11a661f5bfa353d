//! Appending to the log: one batch, one transaction, one sync.
//!
//! A failed batch is written again with the same bytes. When it is not known whether the commit happened,
//! [`Appender::held`] compares what the file holds at those places, so that no record is lost, doubled or replaced.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sqlx::Connection;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection};
use tokio::sync::Notify;

use super::super::error::StoreError;
use super::super::sqlite::{self, Pool};
use super::{Origin, WriterLock, seq_of};
use crate::model::id::{AppId, OriginId, RouteId, Subject};
use crate::model::principal::{PrincipalHash, PrincipalSnapshot};
use crate::model::record::Verdict;
use crate::model::time::Timestamp;

/// One record, ready to be written.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its number.
    pub seq: u64,
    /// The exact bytes that were hashed.
    pub body: Vec<u8>,
    /// SHA-256(0x00 || body).
    pub leaf_hash: [u8; 32],
    /// When.
    pub at: Timestamp,
    /// `decision`, `refusal` or an event's word.
    pub kind: &'static str,
    /// What the record is about.
    pub about: About,
}

/// Copies of a record's content that can be searched for.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Of decisions.
    pub verdict: Option<Verdict>,
    /// The app.
    pub app: Option<AppId>,
    /// The route.
    pub route: Option<RouteId>,
    /// Who asked.
    pub subject: Option<Subject>,
    /// Their content at that moment.
    pub principal: Option<PrincipalHash>,
}

/// How far an outbox was taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Which outbox.
    pub source: &'static str,
    /// The highest row taken.
    pub id: i64,
}

/// Records that become durable together.
#[derive(Debug, Default)]
pub struct Batch {
    /// In the order of their numbers, without gaps.
    pub rows: Vec<Row>,
    /// Principals that the rows refer to; those that the file has already are skipped.
    pub principals: Vec<(PrincipalHash, Arc<PrincipalSnapshot>)>,
    /// Outbox rows that became records of this batch.
    pub taken: Option<Taken>,
}

/// What the file holds at the places of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Nothing: the batch is to be written.
    Nothing,
    /// The same bytes: the batch was written.
    All,
    /// Something else: another writer was here, and this one must stop.
    Other,
}

/// Known principals are remembered up to this many; then the memory starts over.
const KNOWN_PRINCIPALS: usize = 65_536;

/// The WAL is moved into the database by a connection of its own once this much was written.
const WAL_BYTES: u64 = 4 << 20;

/// Past this many pages (64 MB) the writer stops to do it: SQLite begins the WAL anew only at a moment when all of it has
/// been moved, and a busy writer leaves no such moment to another connection.
const WAL_PAGES_MAX: i64 = 16_384;

/// Bytes that a row and a commit cost besides the body, roughly.
const ROW_BYTES: u64 = 160;
const COMMIT_BYTES: u64 = 8_192;

/// What writer and checkpointer know of the WAL together.
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
    /// What was appended since `before` was counted stays counted.
    fn moved(&self, before: u64) {
        let rest = |bytes: u64| Some(bytes.saturating_sub(before));
        let _ = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rest);
    }
}

/// Writes records: the one connection that does.
#[derive(Debug)]
pub struct Appender {
    pool: Pool,
    /// None after a failure: the next attempt begins with a connection that nothing happened to.
    connection: Option<SqliteConnection>,
    origin: Origin,
    next: u64,
    known: HashSet<PrincipalHash>,
    wal: Arc<Wal>,
    _lock: WriterLock,
}

impl Appender {
    pub(super) async fn open(
        pool: Pool,
        origin: Origin,
        lock: WriterLock,
        wal: Arc<Wal>,
    ) -> Result<Self, StoreError> {
        let last: Option<i64> =
            sqlx::query_scalar("SELECT MAX(place) FROM record WHERE place >= $1")
                .bind(origin.place(0))
                .fetch_one(&pool)
                .await
                .map_err(sqlite::failed(&pool, "find the end of the log"))?;
        let next = last.map_or(0, |place| seq_of(place).saturating_add(1));
        let known = HashSet::new();
        Ok(Self { pool, connection: None, origin, next, known, wal, _lock: lock })
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
        self.wal.bytes.load(Ordering::Relaxed)
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

    /// Writes a batch and waits until it is durable.
    ///
    /// # Errors
    /// When it could not be written, or when that is not known: [`Self::held`] tells.
    pub async fn append(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let pool = self.pool.clone();
        let mut connection = self.connection().await?;
        let mut seen = HashSet::new();
        let fresh: Vec<_> = batch
            .principals
            .iter()
            .filter(|(hash, _)| !self.known.contains(hash) && seen.insert(*hash))
            .collect();
        write(&mut connection, self.origin, batch, &fresh)
            .await
            .map_err(sqlite::failed(&pool, "write to the log"))?;
        self.connection = Some(connection);
        if self.known.len().saturating_add(fresh.len()) > KNOWN_PRINCIPALS {
            self.known.clear();
        }
        self.known.extend(fresh.into_iter().map(|(hash, _)| *hash));
        self.wrote(batch).await;
        Ok(())
    }

    /// What the file holds at the places of a batch.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn held(&self, batch: &Batch) -> Result<Held, StoreError> {
        let (Some(first), Some(last)) = (batch.rows.first(), batch.rows.last()) else {
            return Ok(Held::All);
        };
        let found: Vec<(i64, Option<Vec<u8>>)> = sqlx::query_as(
            "SELECT place, body FROM record WHERE place BETWEEN $1 AND $2 ORDER BY place",
        )
        .bind(self.origin.place(first.seq))
        .bind(self.origin.place(last.seq))
        .fetch_all(&self.pool)
        .await
        .map_err(sqlite::failed(&self.pool, "compare the log with what was to be written"))?;
        let same = found.len() == batch.rows.len()
            && found.iter().zip(&batch.rows).all(|((place, body), row)| {
                *place == self.origin.place(row.seq) && body.as_ref() == Some(&row.body)
            });
        Ok(match (found.is_empty(), same) {
            (true, _) => Held::Nothing,
            (false, true) => Held::All,
            (false, false) => Held::Other,
        })
    }

    async fn connection(&mut self) -> Result<SqliteConnection, StoreError> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let doing = "connect to the log for writing";
        let pooled = self.pool.acquire().await.map_err(sqlite::failed(&self.pool, doing))?;
        let mut connection = pooled.detach();
        // A checkpoint inside a commit makes every waiting request wait for it.
        sqlx::query("PRAGMA wal_autocheckpoint = 0")
            .execute(&mut connection)
            .await
            .map_err(sqlite::failed(&self.pool, doing))?;
        Ok(connection)
    }

    /// Counts what the WAL grew by, and moves it into the database before it grows without bound.
    async fn wrote(&mut self, batch: &Batch) {
        let rows: u64 = batch.rows.iter().map(|row| row.body.len() as u64 + ROW_BYTES).sum();
        let added = rows + COMMIT_BYTES;
        let bytes = self.wal.bytes.fetch_add(added, Ordering::Relaxed).saturating_add(added);
        if bytes > WAL_BYTES {
            self.wal.passed.notify_one();
        }
        if self.wal.overgrown.swap(false, Ordering::Relaxed)
            && let Some(connection) = self.connection.as_mut()
        {
            // A long reader may hold it up; then the checkpointer asks again.
            match checkpoint(connection).await {
                Ok(_) => self.wal.moved(bytes),
                Err(error) => tracing::warn!(%error, "could not checkpoint the audit log"),
            }
        }
    }
}

/// Moves what was written from the WAL into the database, on a connection of its own.
#[derive(Debug)]
pub struct Checkpointer {
    pool: Pool,
    wal: Arc<Wal>,
}

impl Checkpointer {
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

async fn write(
    connection: &mut SqliteConnection,
    origin: Origin,
    batch: &Batch,
    principals: &[&(PrincipalHash, Arc<PrincipalSnapshot>)],
) -> Result<(), sqlx::Error> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    for (hash, principal) in principals {
        sqlx::query(
            "INSERT INTO principal_snapshot (hash, body) VALUES ($1, $2)
             ON CONFLICT (hash) DO NOTHING",
        )
        .bind(hash.0.as_slice())
        .bind(principal.to_json())
        .execute(&mut *tx)
        .await?;
    }
    insert(&mut tx, origin, &batch.rows).await?;
    if let Some(taken) = &batch.taken {
        sqlx::query(
            "INSERT INTO taken (source, id) VALUES ($1, $2)
             ON CONFLICT (source) DO UPDATE SET id = excluded.id",
        )
        .bind(taken.source)
        .bind(taken.id)
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await
}

/// Sixty-four rows per statement where there are as many: each statement costs a hop to the connection's thread, and
/// that is dearer than ten rows.
async fn insert(
    connection: &mut SqliteConnection,
    origin: Origin,
    rows: &[Row],
) -> Result<(), sqlx::Error> {
    let mut rest = rows;
    while !rest.is_empty() {
        let (sql, count) = match rest.len() {
            64.. => (INSERT_64, 64),
            8.. => (INSERT_8, 8),
            _ => (INSERT_1, 1),
        };
        let (now, later) = rest.split_at(count);
        let mut arguments = SqliteArguments::default();
        for row in now {
            bind(&mut arguments, origin, row).map_err(sqlx::Error::Encode)?;
        }
        sqlx::query_with::<Sqlite, _>(sql, arguments).execute(&mut *connection).await?;
        rest = later;
    }
    Ok(())
}

fn bind(
    arguments: &mut SqliteArguments,
    origin: Origin,
    row: &Row,
) -> Result<(), sqlx::error::BoxDynError> {
    use sqlx::Arguments as _;
    let about = &row.about;
    arguments.add(origin.place(row.seq))?;
    arguments.add(row.body.as_slice())?;
    arguments.add(row.leaf_hash.as_slice())?;
    arguments.add(row.at.as_micros())?;
    arguments.add(row.kind)?;
    arguments.add(about.verdict.map(|verdict| match verdict {
        Verdict::Allow => "allow",
        Verdict::Deny => "deny",
    }))?;
    arguments.add(about.app.as_ref().map(AppId::as_str))?;
    arguments.add(about.route.as_ref().map(RouteId::as_str))?;
    arguments.add(about.subject.as_ref().map(Subject::to_string))?;
    arguments.add(about.principal.as_ref().map(|hash| hash.0.as_slice()))
}

macro_rules! head {
    () => {
        "INSERT INTO record
         (place, body, leaf_hash, ts_us, kind, verdict, app, route, subject, principal)
         VALUES "
    };
}
macro_rules! row {
    () => {
        "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    };
}
macro_rules! more {
    () => {
        concat!(", ", row!())
    };
}
macro_rules! eight_more {
    () => {
        concat!(more!(), more!(), more!(), more!(), more!(), more!(), more!(), more!())
    };
}
macro_rules! seven_more {
    () => {
        concat!(more!(), more!(), more!(), more!(), more!(), more!(), more!())
    };
}

// Binds without numbers here, and only here: sixty-four equal rows are one text repeated.
const INSERT_1: &str = concat!(head!(), row!());
const INSERT_8: &str = concat!(head!(), row!(), seven_more!());
const INSERT_64: &str = concat!(
    head!(),
    row!(),
    seven_more!(),
    eight_more!(),
    eight_more!(),
    eight_more!(),
    eight_more!(),
    eight_more!(),
    eight_more!(),
    eight_more!()
);
