//! Taking content out of the log: what is older than it is kept, and what is about somebody who is to be forgotten.
//!
//! Each step is a short transaction of the writer's own thread, so that requests wait for no more than one of them. The
//! record that says what is removed is durable before; hashes and checkpoints that the rest is checked with stay.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::super::error::StoreError;
use super::copy::CopyOrigin;
use super::scribe::Scribe;
use crate::model::body::Remains;
use crate::model::id::Subject;

/// Removes content. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Remover {
    scribe: Scribe,
}

/// Somebody's wish that what a log holds about a person be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Who is to be forgotten: the text of a [`Subject`], if the wish is what it should be.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// Who asked: `operator:<system user>`.
    pub asked_by: String,
    /// When, in microseconds.
    pub asked_us: i64,
    /// The logs of the file when it was asked, and how many records each had: JSON. What came behind those stays.
    pub logs: String,
}

/// A wish as the file has it: whoever can write that may have put it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Its number.
    pub id: i64,
    /// What it says.
    pub wish: Wish,
    /// The signature over it; none where there is none of 64 bytes.
    pub signature: Option<[u8; 64]>,
}

/// Whether more is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// It is.
    Some,
    /// It is not.
    None,
}

/// What one step of a removal leaves.
#[derive(Debug, Clone)]
pub struct Step {
    /// The number of the first record.
    pub upto: u64,
    /// The peaks of the tree over all before it.
    pub peaks: Vec<u8>,
    /// The key that signs the first checkpoint, as C2SP verifier key; none where it is the same as before.
    pub log_key: Option<String>,
}

/// Records that one step removes.
pub const STEP: u64 = 2_000;

impl Remover {
    pub(super) fn new(scribe: Scribe) -> Self {
        Self { scribe }
    }

    /// Removes the oldest records and checkpoints, all at once: what is left begins where the step says, whatever happens
    /// next.
    ///
    /// # Errors
    /// When the file can't be written.
    pub async fn prune(&self, of: &CopyOrigin, step: Step) -> Result<(), StoreError> {
        let (key, from, to) = (of.origin.key, of.origin.place(0), of.origin.place(step.upto));
        let work = move |tx: &Transaction<'_>| {
            let Step { peaks, log_key, .. } = step;
            tx.execute("DELETE FROM checkpoint WHERE place >= ?1 AND place < ?2", [from, to])?;
            tx.execute("DELETE FROM record WHERE place >= ?1 AND place < ?2", [from, to])?;
            // Without a signature: the next checkpoint vouches for these peaks. One that is there already stays.
            tx.execute(
                "INSERT OR IGNORE INTO checkpoint (place, note, peaks) VALUES (?1, '', ?2)",
                params![to, peaks],
            )?;
            if let Some(log_key) = log_key {
                tx.execute("UPDATE origin SET log_key = ?1 WHERE key = ?2", params![log_key, key])?;
            }
            Ok(())
        };
        self.switched("prune", "remove old records from the log", work).await
    }

    /// Removes what is left of a log that has ended, some records at a time, and with the last of them its checkpoints and
    /// its name.
    ///
    /// # Errors
    /// When the file can't be written.
    pub async fn remove(&self, of: &CopyOrigin) -> Result<Rest, StoreError> {
        let (key, from, to) = (of.origin.key, of.origin.place(0), of.origin.end());
        let work = move |tx: &Transaction<'_>| {
            let sql = "DELETE FROM record WHERE place IN (
                SELECT place FROM record WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT ?3)";
            tx.execute(sql, params![from, to, STEP.cast_signed()])?;
            let left = "SELECT EXISTS (SELECT 1 FROM record WHERE place BETWEEN ?1 AND ?2)";
            if tx.query_row(left, [from, to], |row| row.get(0))? {
                return Ok(Rest::Some);
            }
            tx.execute("DELETE FROM checkpoint WHERE place BETWEEN ?1 AND ?2", [from, to])?;
            tx.execute("DELETE FROM origin WHERE key = ?1", [key])?;
            Ok(Rest::None)
        };
        self.switched("prune", "remove an old log", work).await
    }

    /// Removes the contents of principals that no record names any more: those that were not noted since a round that began
    /// before all records that are there.
    ///
    /// # Errors
    /// When the file can't be written.
    pub async fn prune_principals(&self) -> Result<(), StoreError> {
        let work = |tx: &Transaction<'_>, known: &mut super::scribe::Known| {
            let sql = "SELECT MAX(place) FROM round WHERE place <= (SELECT MIN(place) FROM record)";
            let round: Option<i64> = tx.query_row(sql, [], |row| row.get(0))?;
            let Some(round) = round else { return Ok(()) };
            switch(tx, "prune", 1)?;
            tx.execute("DELETE FROM principal_snapshot WHERE noted < ?1", [round])?;
            tx.execute("DELETE FROM round WHERE place < ?1", [round])?;
            known.forget();
            switch(tx, "prune", 0)
        };
        self.scribe.write("remove old principals from the log", work).await
    }

    /// Blanks the records at these numbers.
    ///
    /// # Errors
    /// When the file can't be written.
    pub async fn blank(&self, of: &CopyOrigin, seqs: Vec<u64>) -> Result<(), StoreError> {
        let places: Vec<i64> = seqs.into_iter().map(|seq| of.origin.place(seq)).collect();
        let work = move |tx: &Transaction<'_>| {
            let mut read =
                tx.prepare_cached("SELECT body FROM record WHERE place = ?1 AND body IS NOT NULL")?;
            let mut blank = tx.prepare_cached(
                "UPDATE record SET body = NULL, principal = NULL, remains = ?2 WHERE place = ?1",
            )?;
            for place in places {
                let body: Option<Vec<u8>> = read.query_row([place], |row| row.get(0)).optional()?;
                let Some(body) = body else { continue };
                let remains = serde_json::to_string(&Remains::of(&body)).unwrap_or_default();
                blank.execute(params![place, remains])?;
            }
            Ok(())
        };
        self.switched("erase", "blank records of the log", work).await
    }

    /// Forgets what was kept of a person as they were, where no record from number `seq` on names it, and the wish with it.
    ///
    /// # Errors
    /// When the file can't be written.
    pub async fn forget(
        &self,
        (id, subject): (i64, &Subject),
        (of, seq): (&CopyOrigin, u64),
    ) -> Result<(), StoreError> {
        let (place, subject) = (of.origin.place(seq), subject.to_string());
        let work = move |tx: &Transaction<'_>, known: &mut super::scribe::Known| {
            switch(tx, "erase", 1)?;
            let sql = "DELETE FROM principal_snapshot
                WHERE CASE WHEN json_valid(body) THEN json_extract(body, '$.subject') END = ?1
                AND key NOT IN (SELECT principal FROM record WHERE place >= ?2 AND principal IS NOT NULL)";
            tx.execute(sql, params![subject, place])?;
            withdraw(tx, id)?;
            switch(tx, "erase", 0)?;
            known.forget();
            Ok(())
        };
        self.scribe.write("forget a person in the log", work).await
    }

    /// Takes a wish away without fulfilling it.
    ///
    /// # Errors
    /// When the file can't be written.
    pub async fn withdraw(&self, erasure: &Erasure) -> Result<(), StoreError> {
        let id = erasure.id;
        let work = move |tx: &Transaction<'_>, _: &mut _| withdraw(tx, id);
        self.scribe.write("take a wish to be forgotten away", work).await
    }

    /// Who is to be forgotten, in the order in which it was asked: one page behind the wish `after`. Of what is longer than it may
    /// be only the beginning is read.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn erasures(&self, after: i64) -> Result<Vec<Erasure>, StoreError> {
        let work = move |tx: &Transaction<'_>, _: &mut _| {
            // Whoever can write the file may have put anything there.
            let mut all = tx.prepare_cached(
                "SELECT id, substr(CAST(subject AS BLOB), 1, 200), substr(CAST(reason AS BLOB), 1, 4000),
                    substr(CAST(asked_by AS BLOB), 1, 400), CAST(asked_us AS INTEGER),
                    substr(CAST(logs AS BLOB), 1, 100000), substr(CAST(signature AS BLOB), 1, 100)
                 FROM erasure WHERE id > ?1 ORDER BY id LIMIT 100",
            )?;
            all.query_map([after], erasure)?.collect()
        };
        self.scribe.write("read who is to be forgotten in the log", work).await
    }

    /// Does something under a switch that lets it pass the guard rails.
    async fn switched<T: Send + 'static>(
        &self,
        name: &'static str,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let work = move |tx: &Transaction<'_>, _: &mut _| {
            switch(tx, name, 1)?;
            let done = work(tx)?;
            switch(tx, name, 0)?;
            Ok(done)
        };
        self.scribe.write(doing, work).await
    }
}

/// Fails where something in the file keeps the wish.
fn withdraw(tx: &Transaction<'_>, id: i64) -> Result<(), rusqlite::Error> {
    let gone = tx.execute("DELETE FROM erasure WHERE id = ?1", [id])?;
    if gone == 1 { Ok(()) } else { Err(rusqlite::Error::StatementChangedRows(gone)) }
}

fn erasure(row: &Row<'_>) -> Result<Erasure, rusqlite::Error> {
    let bytes = |column| row.get::<_, Option<Vec<u8>>>(column).map(Option::unwrap_or_default);
    let text = |column| bytes(column).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let number = |column| row.get::<_, Option<i64>>(column).map(Option::unwrap_or_default);
    let wish = Wish {
        subject: text(1)?,
        reason: text(2)?,
        asked_by: text(3)?,
        asked_us: number(4)?,
        logs: text(5)?,
    };
    Ok(Erasure { id: row.get(0)?, wish, signature: bytes(6)?.try_into().ok() })
}

pub(super) fn switch(tx: &Transaction<'_>, name: &str, value: i64) -> Result<(), rusqlite::Error> {
    tx.prepare_cached(
        "INSERT INTO audit_mode (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute(params![name, value])
    .map(|_| ())
}
