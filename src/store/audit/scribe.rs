//! The thread that writes the log: one connection, one batch after the other.
//!
//! A connection of its own and no pool, because each statement through a pool is a hop to a thread and back, and a commit
//! has a dozen. The right to write lives here, so that it ends only when the last batch has.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};
use tokio::sync::oneshot;

use super::super::error::StoreError;
use super::super::sqlite::{misused, raw_failed};
use super::batch::{Batch, Beginning, Head};
use super::wal::{Help, Wal};
use super::{Origin, WriterLock};
use crate::model::principal::{PrincipalHash, PrincipalSnapshot};

/// How long a statement waits for the write lock before it fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Hands work to the thread. Cheap to clone. The thread ends when the last of them is dropped, after what it has begun.
#[derive(Debug, Clone)]
pub(super) struct Scribe {
    jobs: mpsc::Sender<Job>,
    file: PathBuf,
    wal: Arc<Wal>,
}

type Job = Box<dyn FnOnce(&mut Desk) + Send>;

/// What the thread works with.
pub(super) struct Desk {
    file: PathBuf,
    /// None after a failure: the next attempt begins with a connection that nothing happened to.
    connection: Option<Connection>,
    known: Known,
    /// None once the log is closed: then nothing is written any more.
    lock: Option<WriterLock>,
}

impl Scribe {
    /// Starts the thread for the log in this file.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(
        file: PathBuf,
        lock: WriterLock,
        wal: Arc<Wal>,
    ) -> Result<Self, StoreError> {
        let (jobs, work) = mpsc::channel::<Job>();
        let known = Known::default();
        let desk = Desk { file: file.clone(), connection: None, known, lock: Some(lock) };
        let failed = |source| StoreError::Create { path: file.clone(), source };
        std::thread::Builder::new()
            .name("audit-writer".to_owned())
            .spawn(move || {
                let mut desk = desk;
                for job in work {
                    job(&mut desk);
                }
            })
            .map_err(failed)?;
        Ok(Self { jobs, file, wal })
    }

    /// Does something in one transaction, and waits until it is durable.
    ///
    /// # Errors
    /// When it could not be done, or when that is not known.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>, &mut Known) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let gone = || StoreError::Gone { file: self.file.clone(), doing };
        let job: Job = Box::new(move |desk| {
            let done = desk.transact(work).map_err(|error| raw_failed(&desk.file, doing, &error));
            // Whoever asked may have left; it is done all the same.
            drop(answer.send(done));
        });
        self.jobs.send(job).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Gives up the right to write, after all that was begun; whoever waited for it can open the log from here on.
    pub(super) async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |desk| {
            desk.connection = None;
            desk.lock = None;
            let _ = answer.send(());
        });
        // A thread that is gone has closed everything.
        if self.jobs.send(job).is_ok() {
            drop(answered.await);
        }
    }

    /// Writes a batch and waits until it is durable.
    ///
    /// # Errors
    /// As for [`Self::write`].
    pub(super) async fn append(
        &self,
        origin: Origin,
        beginning: Option<Beginning>,
        batch: Arc<Batch>,
    ) -> Result<(), StoreError> {
        let written = Arc::clone(&batch);
        let work = move |tx: &Transaction<'_>, known: &mut Known| {
            beginning.map_or(Ok(()), |beginning| begin(tx, origin, &beginning))?;
            append(tx, known, origin, &batch)
        };
        self.write("write to the log", work).await?;
        let help = self.wal.wrote(written.rows.iter().map(|row| row.body.len()));
        if let Help::Needed { bytes } = help {
            let wal = Arc::clone(&self.wal);
            // A thread that is gone has nothing to move.
            drop(self.jobs.send(Box::new(move |desk| desk.move_wal(&wal, bytes))));
        }
        Ok(())
    }
}

impl Desk {
    fn transact<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &mut Known) -> Result<T, rusqlite::Error>,
    ) -> Result<T, rusqlite::Error> {
        if self.lock.is_none() {
            return Err(misused("the log is closed".to_owned()));
        }
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => open(&self.file)?,
        };
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&tx, &mut self.known).and_then(|done| tx.commit().map(|()| done));
        match done {
            Ok(done) => {
                self.connection = Some(connection);
                Ok(done)
            }
            Err(error) => {
                // What was thought to be in the file may not be.
                self.known.forget();
                Err(error)
            }
        }
    }

    /// Moves the WAL into the database before it grows without bound.
    fn move_wal(&self, wal: &Wal, bytes: u64) {
        let Some(connection) = &self.connection else { return };
        // A long reader may hold it up; then the keeper asks again.
        match connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            Ok(()) => wal.moved(bytes),
            Err(error) => tracing::warn!(%error, "could not checkpoint the audit log"),
        }
    }
}

/// Opens the file as every connection to it is opened: durable, or not at all.
fn open(file: &std::path::Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // A checkpoint inside a commit makes every waiting request wait for it.
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;")?;
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    let synchronous: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    if mode != "wal" || synchronous != 2 {
        return Err(misused(format!(
            "the log is in mode `{mode}` with synchronous {synchronous}, not in `wal` with 2"
        )));
    }
    connection.set_prepared_statement_cache_capacity(16);
    Ok(connection)
}

/// Principals that the file has, with their keys, as far as is remembered: about [`KNOWN_PRINCIPALS`] of them, and not beyond the
/// round, so that the file says of each one where it was last named.
#[derive(Debug, Default)]
pub(super) struct Known {
    keys: HashMap<PrincipalHash, i64>,
    /// The day of this round; none when another one begins with the next record.
    round: Option<i64>,
}

/// So many are remembered before a round begins anew.
const KNOWN_PRINCIPALS: usize = 65_536;
const DAY_US: i64 = 86_400_000_000;

impl Known {
    /// The key of a principal, which is written where it is not known.
    fn key(
        &mut self,
        tx: &Transaction<'_>,
        principal: &PrincipalSnapshot,
        (place, seen): (i64, i64),
    ) -> Result<i64, rusqlite::Error> {
        let hash = principal.hash();
        if let Some(key) = self.keys.get(&hash) {
            return Ok(*key);
        }
        let key = tx
            .prepare_cached(
                "INSERT INTO principal_snapshot (hash, reference, body, seen_us, noted)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (hash) DO UPDATE
                 SET seen_us = MAX(seen_us, excluded.seen_us), noted = MAX(noted, excluded.noted)
                 RETURNING key",
            )?
            .query_row(
                params![hash.0.as_slice(), principal.reference(), principal.to_json(), seen, place],
                |row| row.get(0),
            )?;
        self.keys.insert(hash, key);
        Ok(key)
    }

    /// Begins a round at this place, where it is another day than that of the last one.
    fn turn_to(
        &mut self,
        tx: &Transaction<'_>,
        (place, seen): (i64, i64),
    ) -> Result<(), rusqlite::Error> {
        let day = seen / DAY_US;
        if self.round != Some(day) || self.keys.len() > KNOWN_PRINCIPALS {
            self.forget();
            tx.execute("INSERT OR IGNORE INTO round (place) VALUES (?1)", [place])?;
            self.round = Some(day);
        }
        Ok(())
    }

    /// The file may lack any of them from now on.
    pub(super) fn forget(&mut self) {
        self.keys.clear();
        self.round = None;
    }
}

fn begin(
    tx: &Transaction<'_>,
    origin: Origin,
    beginning: &Beginning,
) -> Result<(), rusqlite::Error> {
    let Beginning { fresh, forgotten } = beginning;
    let at = fresh.at.as_micros();
    tx.execute(
        "INSERT INTO origin (key, id, opened_us, log_key) VALUES (?1, ?2, ?3, ?4)",
        params![origin.key, origin.id.to_string(), at, fresh.log_key],
    )?;
    if let Some(source) = forgotten {
        tx.execute("DELETE FROM taken WHERE source = ?1", [source])?;
    }
    Ok(())
}

fn append(
    tx: &Transaction<'_>,
    known: &mut Known,
    origin: Origin,
    batch: &Batch,
) -> Result<(), rusqlite::Error> {
    let seen = batch.rows.last().map_or(0, |row| row.at.as_micros());
    if let Some(first) = batch.rows.first() {
        known.turn_to(tx, (origin.place(first.seq), seen))?;
    }
    let mut insert = tx.prepare_cached(
        "INSERT INTO record (place, body, principal, leaf_hash) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for row in &batch.rows {
        let (place, principal) = (origin.place(row.seq), row.principal.as_deref());
        let key = |principal| known.key(tx, principal, (place, seen));
        let principal = principal.map(key).transpose()?;
        insert.execute(params![place, row.body.as_slice(), principal, row.leaf_hash.as_slice()])?;
    }
    if let Some(head) = &batch.head {
        put_head(tx, origin, head)?;
    }
    if let Some(taken) = &batch.taken {
        tx.prepare_cached(
            "INSERT INTO taken (source, id) VALUES (?1, ?2)
             ON CONFLICT (source) DO UPDATE SET id = excluded.id",
        )?
        .execute(params![taken.source, taken.id])?;
    }
    Ok(())
}

fn put_head(tx: &Transaction<'_>, origin: Origin, head: &Head) -> Result<(), rusqlite::Error> {
    let (place, note, peaks) = (origin.place(head.size), &head.note, head.peaks.as_slice());
    let changed = match head.replaces {
        Some(size) => tx
            .prepare_cached(
                "UPDATE checkpoint SET place = ?1, note = ?2, peaks = ?3 WHERE place = ?4",
            )?
            .execute(params![place, note, peaks, origin.place(size)])?,
        None => tx
            .prepare_cached("INSERT INTO checkpoint (place, note, peaks) VALUES (?1, ?2, ?3)")?
            .execute(params![place, note, peaks])?,
    };
    // None: somebody took the checkpoint away that this one follows.
    if changed == 1 { Ok(()) } else { Err(rusqlite::Error::StatementChangedRows(changed)) }
}
