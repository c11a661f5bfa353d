//! Pages of the log, read by a connection of their own: many rows with one hop to another thread and back.
//!
//! Through a pool each row is a hop. Whoever reads from one end to the other also has the next page read while it looks
//! at this one, so that reading and looking take a core each. A page that was read ahead is as good as one that is read
//! when it is asked for: records never change, and what came since is on the next page.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, Row};
use tokio::task::JoinHandle;

use super::super::error::StoreError;
use super::super::read_only::{self, Alone};
use super::super::sqlite::raw_failed;
use super::seq_of;
use crate::model::body::{Head, Remains, whole};
use crate::model::principal::PrincipalHash;
use crate::model::time::Timestamp;

/// Records that are read at once.
pub(super) const PAGE: i64 = 2_048;
/// A page ends behind the row that brings it to this many bytes.
pub(super) const PAGE_BYTES: usize = 4 << 20;
/// The longest value that is read: a record is far shorter.
const VALUE_MAX: i32 = 4 << 20;
/// Principals that are remembered while records are read.
const PRINCIPALS: usize = 65_536;

/// A record with everything that the file has beside it.
#[derive(Debug)]
pub struct CopyRow {
    pub(super) place: i64,
    /// The exact bytes that were hashed; none after an erasure.
    pub body: Option<Vec<u8>>,
    /// The stored hash.
    pub leaf_hash: [u8; 32],
    /// Who asked.
    pub asked: Asked,
    remains: Option<String>,
}

/// Who asked, of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Nobody: it is no decision, or was erased.
    Nobody,
    /// The principal with this content.
    Principal(PrincipalHash),
    /// A principal that the file does not have, under this key. The body is not whole then.
    Gone(i64),
}

impl CopyRow {
    /// Its number.
    pub fn seq(&self) -> u64 {
        seq_of(self.place)
    }

    /// When it went into the log; none when that can't be read.
    pub fn at(&self) -> Option<Timestamp> {
        match &self.body {
            Some(body) => Head::read(body)?.at(),
            None => self.remains()?.at(),
        }
    }

    /// Whether it is, or was, a decision.
    pub fn is_decision(&self) -> bool {
        match &self.body {
            Some(body) => Head::read(body).is_some_and(|head| head.kind == "decision"),
            None => self.remains().is_some_and(|remains| remains.kind == "decision"),
        }
    }

    fn bytes(&self) -> usize {
        let remains = self.remains.as_ref().map_or(0, String::len);
        self.body.as_ref().map_or(0, Vec::len) + remains
    }

    fn remains(&self) -> Option<Remains> {
        serde_json::from_str(self.remains.as_deref()?).ok()
    }
}

/// Where records lie: from the first place up to, and without, the second.
type Places = (i64, i64);
/// What goes on, and what it read.
type Read = Result<(Reading, Vec<CopyRow>), rusqlite::Error>;

/// A connection, and the principals that it met: their hashes, and how records name them.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) connection: Connection,
    principals: HashMap<i64, (PrincipalHash, String)>,
}

/// Reads pages of one file.
#[derive(Debug)]
pub(super) struct Pages {
    file: PathBuf,
    alone: Alone,
    /// None before the first page, after a failure, and while the next page is read.
    reading: Option<Reading>,
    ahead: Option<(Places, JoinHandle<Read>)>,
}

impl Pages {
    pub(super) fn of(file: &Path, alone: Alone) -> Self {
        Self { file: file.to_owned(), alone, reading: None, ahead: None }
    }

    /// The records that lie there, oldest first: one page. The one behind a full page is read ahead.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(super) async fn rows(&mut self, places: Places) -> Result<Vec<CopyRow>, StoreError> {
        let begun = match self.ahead.take() {
            Some((ahead, begun)) if ahead == places => begun,
            other => {
                self.keep(other).await;
                self.begin(places, PAGE)
            }
        };
        let rows = self.finish(begun).await?;
        let next = rows.last().map(|row| (row.place.saturating_add(1), places.1));
        if let Some(next) = next.filter(|next| is_full(&rows) && next.0 < next.1) {
            self.ahead = Some((next, self.begin(next, PAGE)));
        }
        Ok(rows)
    }

    /// The first records that lie there, at most `count`; nothing is read ahead.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(super) async fn first(
        &mut self,
        places: Places,
        count: i64,
    ) -> Result<Vec<CopyRow>, StoreError> {
        let ahead = self.ahead.take();
        self.keep(ahead).await;
        let begun = self.begin(places, count);
        self.finish(begun).await
    }

    async fn finish(&mut self, begun: JoinHandle<Read>) -> Result<Vec<CopyRow>, StoreError> {
        let read = begun.await.unwrap_or_else(|_| Err(rusqlite::Error::InvalidQuery));
        let failed = |error| raw_failed(&self.file, "read records of the log", &error);
        let (reading, rows) = read.map_err(failed)?;
        self.reading = Some(reading);
        Ok(rows)
    }

    /// What read a page that nobody asked for.
    async fn keep(&mut self, ahead: Option<(Places, JoinHandle<Read>)>) {
        let Some((_, begun)) = ahead else { return };
        if let Ok(Ok((reading, _))) = begun.await {
            self.reading = Some(reading);
        }
    }

    fn begin(&mut self, places: Places, count: i64) -> JoinHandle<Read> {
        let (file, alone, reading) = (self.file.clone(), self.alone, self.reading.take());
        tokio::task::spawn_blocking(move || {
            let mut reading = reading.map_or_else(|| Reading::open(&file, alone), Ok)?;
            let rows = reading.read(places, count)?;
            Ok((reading, rows))
        })
    }
}

fn is_full(rows: &[CopyRow]) -> bool {
    i64::try_from(rows.len()).is_ok_and(|count| count >= PAGE) || bytes(rows) >= PAGE_BYTES
}

fn bytes(rows: &[CopyRow]) -> usize {
    rows.iter().map(CopyRow::bytes).sum()
}

/// Opens the log for reading only.
pub(super) fn open(file: &Path, alone: Alone) -> Result<Connection, rusqlite::Error> {
    read_only::open(file, alone, VALUE_MAX)
}

impl Reading {
    pub(super) fn open(file: &Path, alone: Alone) -> Result<Self, rusqlite::Error> {
        Ok(Self { connection: open(file, alone)?, principals: HashMap::new() })
    }

    /// The first records that lie between two places, at most `count`.
    pub(super) fn read(
        &mut self,
        (from, to): Places,
        count: i64,
    ) -> Result<Vec<CopyRow>, rusqlite::Error> {
        let Self { connection, principals } = self;
        let mut statement = connection.prepare_cached(
            "SELECT place, body, principal, leaf_hash, remains
             FROM record WHERE place >= ?1 AND place < ?2 ORDER BY place LIMIT ?3",
        )?;
        let mut found = statement.query((from, to, count))?;
        let mut rows = Vec::new();
        let mut bytes = 0;
        while bytes < PAGE_BYTES
            && let Some(row) = found.next()?
        {
            let row = copy_row(row, |key| principal(connection, principals, key))?;
            bytes += row.bytes();
            rows.push(row);
        }
        Ok(rows)
    }
}

/// Reads a row; `principal` gives what is known of a principal by its key.
fn copy_row<'a>(
    row: &Row<'_>,
    principal: impl FnOnce(i64) -> Result<Option<&'a (PrincipalHash, String)>, rusqlite::Error>,
) -> Result<CopyRow, rusqlite::Error> {
    let body: Option<Vec<u8>> = row.get(1)?;
    let key: Option<i64> = row.get(2)?;
    let (body, asked) = match (body, key) {
        (body, None) => (body, Asked::Nobody),
        (body, Some(key)) => match principal(key)? {
            Some((hash, reference)) => {
                (body.map(|body| whole(body, reference)), Asked::Principal(*hash))
            }
            None => (body, Asked::Gone(key)),
        },
    };
    let leaf_hash = row.get_ref(3)?.as_blob().ok().and_then(|hash| hash.try_into().ok());
    Ok(CopyRow {
        place: row.get(0)?,
        body,
        // Of another length it is nobody's hash.
        leaf_hash: leaf_hash.unwrap_or_default(),
        asked,
        remains: row.get(4)?,
    })
}

fn principal<'a>(
    connection: &Connection,
    known: &'a mut HashMap<i64, (PrincipalHash, String)>,
    key: i64,
) -> Result<Option<&'a (PrincipalHash, String)>, rusqlite::Error> {
    if !known.contains_key(&key) {
        if known.len() >= PRINCIPALS {
            known.clear();
        }
        let found: Option<(Vec<u8>, String)> = connection
            .prepare_cached("SELECT hash, reference FROM principal_snapshot WHERE key = ?1")?
            .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((hash, reference)) = found else { return Ok(None) };
        let hash = PrincipalHash(hash.try_into().unwrap_or_default());
        known.insert(key, (hash, reference));
    }
    Ok(known.get(&key))
}
