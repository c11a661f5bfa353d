//! Appending to the log: one batch, one transaction, one sync.
//!
//! A failed batch is written again with the same bytes. When it is not known whether the commit happened,
//! [`Appender::held`] compares what the file holds at those places, so that no record is lost, doubled or replaced.

use std::collections::HashSet;
use std::sync::Arc;

use sqlx::Connection;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection};
use tokio::sync::Mutex;

use super::super::error::StoreError;
use super::super::sqlite::{self, Pool};
use super::wal::{Help, Wal};
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

/// A checkpoint, ready to be written: what vouches for all records up to its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// How many records it vouches for.
    pub size: u64,
    /// The signed note.
    pub note: String,
    /// Roots of the perfect subtrees, largest first, 32 bytes each.
    pub peaks: Vec<u8>,
    /// The checkpoint whose place it takes; none when all others stay.
    pub replaces: Option<u64>,
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
    /// What vouches for the log once they are part of it.
    pub head: Option<Head>,
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

/// Principals that the file has, as far as is remembered: up to this many, and not beyond the day, so that the file says
/// of each one to a day when it was last needed.
#[derive(Debug, Default)]
pub(super) struct Known {
    hashes: HashSet<PrincipalHash>,
    day: i64,
}

const KNOWN_PRINCIPALS: usize = 65_536;
const DAY_US: i64 = 86_400_000_000;

impl Known {
    /// The principals of the batch that are not known, each once.
    fn fresh<'a>(&mut self, batch: &'a Batch) -> Vec<&'a (PrincipalHash, Arc<PrincipalSnapshot>)> {
        let day = batch.rows.last().map_or(self.day, |row| row.at.as_micros() / DAY_US);
        if day != self.day || self.hashes.len() > KNOWN_PRINCIPALS {
            self.forget();
            self.day = day;
        }
        let mut seen = HashSet::new();
        let unknown = |hash: &PrincipalHash| !self.hashes.contains(hash);
        let all = batch.principals.iter();
        all.filter(|(hash, _)| unknown(hash) && seen.insert(*hash)).collect()
    }

    /// The file may lack any of them from now on.
    pub(super) fn forget(&mut self) {
        self.hashes.clear();
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
    known: Arc<Mutex<Known>>,
    wal: Arc<Wal>,
    _lock: WriterLock,
}

impl Appender {
    pub(super) async fn open(
        (pool, known): (Pool, Arc<Mutex<Known>>),
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
        Ok(Self { pool, connection: None, origin, next, known, wal, _lock: lock })
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
        sqlx::query_scalar("SELECT kind FROM record ORDER BY place DESC LIMIT 1")
            .fetch_optional(&self.pool)
            .await
            .map_err(sqlite::failed(&self.pool, "read how the log ends"))
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

    /// Takes this outbox over from its beginning again: an older copy of it took its place.
    ///
    /// # Errors
    /// When the file can't be written.
    pub async fn forget_taken(&self, source: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM taken WHERE source = $1")
            .bind(source)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(sqlite::failed(&self.pool, "forget how far the outbox was taken over"))
    }

    /// Writes a batch and waits until it is durable.
    ///
    /// # Errors
    /// When it could not be written, or when that is not known: [`Self::held`] tells.
    pub async fn append(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let pool = self.pool.clone();
        let mut connection = self.connection().await?;
        let known = Arc::clone(&self.known);
        // Held over the transaction: whoever takes principals out of the file does it before or after, never meanwhile.
        let mut known = known.lock().await;
        let fresh = known.fresh(batch);
        write(&mut connection, self.origin, batch, &fresh)
            .await
            .map_err(sqlite::failed(&pool, "write to the log"))?;
        self.connection = Some(connection);
        known.hashes.extend(fresh.into_iter().map(|(hash, _)| *hash));
        drop(known);
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
        let bodies = batch.rows.iter().map(|row| row.body.len());
        if let Help::Needed { bytes } = self.wal.wrote(bodies)
            && let Some(connection) = self.connection.as_mut()
        {
            self.wal.help(connection, bytes).await;
        }
    }
}

async fn write(
    connection: &mut SqliteConnection,
    origin: Origin,
    batch: &Batch,
    principals: &[&(PrincipalHash, Arc<PrincipalSnapshot>)],
) -> Result<(), sqlx::Error> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    let seen = batch.rows.last().map_or(0, |row| row.at.as_micros());
    for (hash, principal) in principals {
        sqlx::query(
            "INSERT INTO principal_snapshot (hash, body, seen_us) VALUES ($1, $2, $3)
             ON CONFLICT (hash) DO UPDATE SET seen_us = MAX(seen_us, excluded.seen_us)",
        )
        .bind(hash.0.as_slice())
        .bind(principal.to_json())
        .bind(seen)
        .execute(&mut *tx)
        .await?;
    }
    insert(&mut tx, origin, &batch.rows).await?;
    if let Some(head) = &batch.head {
        put_head(&mut tx, origin, head).await?;
    }
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

async fn put_head(
    connection: &mut SqliteConnection,
    origin: Origin,
    head: &Head,
) -> Result<(), sqlx::Error> {
    let statement = match head.replaces {
        Some(_) => "UPDATE checkpoint SET place = $1, note = $2, peaks = $3 WHERE place = $4",
        None => "INSERT INTO checkpoint (place, note, peaks) VALUES ($1, $2, $3)",
    };
    let mut query = sqlx::query(statement)
        .bind(origin.place(head.size))
        .bind(&head.note)
        .bind(head.peaks.as_slice());
    if let Some(size) = head.replaces {
        query = query.bind(origin.place(size));
    }
    match query.execute(connection).await?.rows_affected() {
        1 => Ok(()),
        // Somebody took the checkpoint away that this one follows.
        _ => Err(sqlx::Error::RowNotFound),
    }
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
