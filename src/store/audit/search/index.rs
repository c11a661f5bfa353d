//! Keeping the index: reads what the log has more, files it, and goes on behind it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde_json_borrow::Value;

use super::super::super::error::StoreError;
use super::super::super::sqlite::raw_failed;
use super::super::{Asked, CopyRow, Origin};
use super::counts::Period;
use super::reader::LogReader;
use super::{Files, bit_of, block_of, file};
use crate::model::body::Head;
use crate::model::id::{DecisionId, OriginId};
use crate::model::principal::PrincipalHash;
use crate::model::query::{Evidence, MarkKey};

/// Records that are filed in one transaction.
const PAGE: i64 = 2_048;
/// Terms whose numbers are remembered.
const REMEMBERED: usize = 100_000;

/// Keeps the index. There is one of them for a log.
#[derive(Debug)]
pub struct Indexer {
    files: Arc<Files>,
    log: Arc<LogReader>,
    open: Option<Open>,
}

/// What one look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There was nothing new.
    Idle,
    /// This many records were filed; there may be more.
    Filed(u64),
    /// The index did not fit the log, and is begun anew.
    BegunAnew,
}

/// The index while it is written.
#[derive(Debug)]
struct Open {
    index: Connection,
    log: Arc<LogReader>,
    progress: Progress,
    origins: HashMap<i64, OriginId>,
    block: Block,
    terms: HashMap<(MarkKey, String), i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Progress {
    next: i64,
    last: i64,
    leaf: Vec<u8>,
    born: i64,
    /// Somebody was erased from the log since.
    stale: Option<()>,
}

/// The block that the newest records are in, whole.
#[derive(Debug, Default)]
struct Block {
    number: i64,
    postings: HashMap<i64, Places>,
    periods: HashMap<(i64, i64), Places>,
}

#[derive(Debug, Default)]
struct Places {
    bitmap: RoaringBitmap,
    /// Not as it is stored.
    changed: Option<()>,
}

impl Places {
    fn add(&mut self, bit: u32) {
        if self.bitmap.insert(bit) {
            self.changed = Some(());
        }
    }
}

impl Indexer {
    pub(super) fn new(files: Arc<Files>) -> Self {
        let log = Arc::new(LogReader::start(files.log.clone()));
        Self { files, log, open: None }
    }

    /// Files one page of what the log has more. Blocks the thread.
    ///
    /// # Errors
    /// When the log can't be read or the index can't be written; nothing is lost, and the next step begins with fresh
    /// connections.
    pub fn step(&mut self) -> Result<Step, StoreError> {
        let done = self.try_step();
        if done.is_err() {
            self.open = None;
        }
        done.map_err(|error| raw_failed(&self.files.index, "keep the search index", &error))
    }

    fn try_step(&mut self) -> Result<Step, rusqlite::Error> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => match Open::new(&self.files, &self.log)? {
                Some(open) => open,
                None => return self.begin_anew(),
            },
        };
        if open.is_outdated()? {
            drop(open);
            return self.begin_anew();
        }
        let filed = open.file_page()?;
        self.open = Some(open);
        Ok(if filed == 0 { Step::Idle } else { Step::Filed(filed) })
    }

    /// Drops what is filed about records that were removed with age. Blocks the thread.
    ///
    /// # Errors
    /// As for [`Self::step`].
    pub fn tidy(&mut self) -> Result<(), StoreError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let done = open.tidy();
        if done.is_err() {
            self.open = None;
        }
        done.map_err(|error| raw_failed(&self.files.index, "tidy the search index", &error))
    }

    fn begin_anew(&self) -> Result<Step, rusqlite::Error> {
        let wrong = |error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
        file::remove(&self.files.index).map_err(wrong)?;
        self.files.generation.fetch_add(1, Ordering::AcqRel);
        Ok(Step::BegunAnew)
    }
}

impl Open {
    /// None when the index belongs to another log, or has another form.
    fn new(files: &Files, log: &Arc<LogReader>) -> Result<Option<Self>, rusqlite::Error> {
        let index = match file::writing(&files.index) {
            Ok(Some(index)) => index,
            Ok(None) => return Ok(None),
            Err(error) if file::is_unusable(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(progress) = progress(&index, log)? else { return Ok(None) };
        let block = Block::load(&index, block_of(progress.next))?;
        let (origins, terms) = (HashMap::new(), HashMap::new());
        Ok(Some(Self { index, log: Arc::clone(log), progress, origins, block, terms }))
    }

    /// Whether somebody was erased from the log who is still in the index. While the erasure goes on it is not yet time.
    fn is_outdated(&self) -> Result<bool, rusqlite::Error> {
        if self.progress.stale.is_none() {
            return Ok(false);
        }
        let waiting: i64 = self.log.number("SELECT COUNT(*) FROM erasure")?.unwrap_or(0);
        Ok(waiting == 0)
    }

    fn tidy(&mut self) -> Result<(), rusqlite::Error> {
        let first = self.log.number("SELECT MIN(place) FROM record")?;
        let first = first.map_or(self.block.number, block_of).min(self.block.number);
        let tx = self.index.unchecked_transaction()?;
        if tx.execute("DELETE FROM posting WHERE block < ?1", [first])? > 0 {
            tx.execute("DELETE FROM period WHERE block < ?1", [first])?;
            tx.execute("DELETE FROM term WHERE id NOT IN (SELECT term FROM posting)", [])?;
            tx.execute("DELETE FROM alias WHERE term NOT IN (SELECT id FROM term)", [])?;
            self.terms.clear();
        }
        tx.commit()
    }

    fn file_page(&mut self) -> Result<u64, rusqlite::Error> {
        let next = self.progress.next;
        let rows = self.log.ask(move |log| log.read((next, i64::MAX), PAGE))?;
        let Some(last) = rows.last() else { return Ok(0) };
        let mut progress = self.progress.clone();
        (progress.next, progress.last) = (last.place + 1, last.place);
        progress.leaf = last.leaf_hash.to_vec();
        let erased = |row: &CopyRow| row.place >= progress.born && is_erasure(row);
        progress.stale = progress.stale.or(rows.iter().find(|row| erased(row)).map(|_| ()));
        let tx = self.index.unchecked_transaction()?;
        let mut filing = Filing {
            tx: &tx,
            log: &self.log,
            origins: &mut self.origins,
            block: &mut self.block,
            terms: &mut self.terms,
        };
        for row in &rows {
            filing.file(row)?;
        }
        filing.block.store(&tx)?;
        store_progress(&tx, &progress)?;
        tx.commit()?;
        self.progress = progress;
        Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
    }
}

/// Whether it says that somebody was erased.
fn is_erasure(row: &CopyRow) -> bool {
    let head = row.body.as_deref().and_then(Head::read);
    head.is_some_and(|head| head.kind == "erased")
}

struct Filing<'a> {
    tx: &'a Transaction<'a>,
    log: &'a LogReader,
    origins: &'a mut HashMap<i64, OriginId>,
    block: &'a mut Block,
    terms: &'a mut HashMap<(MarkKey, String), i64>,
}

impl Filing<'_> {
    fn file(&mut self, row: &CopyRow) -> Result<(), rusqlite::Error> {
        // What was erased is not found, and what is no record has nothing to find it by.
        let Some(body) = &row.body else { return Ok(()) };
        let Some((head, at)) = Head::read(body).and_then(|head| Some((head, head.at()?))) else {
            return Ok(());
        };
        let content: Value<'_> = serde_json::from_slice(body).unwrap_or(Value::Null);
        self.turn_to(block_of(row.place))?;
        let id = DecisionId { origin: self.origin(row.place)?, seq: row.seq() };
        let (body, principal) = (&content, &Value::Null);
        let marks = Evidence { id, at, kind: head.kind, body, principal }.marks();
        let bit = bit_of(row.place);
        for mark in marks {
            let term = self.term(mark)?.0;
            self.block.postings.entry(term).or_default().add(bit);
        }
        if let Asked::Principal(hash) = row.asked {
            let term = self.principal(hash)?;
            self.block.postings.entry(term).or_default().add(bit);
        }
        for period in Period::ALL {
            let key = (period.seconds(), period.start(at));
            self.block.periods.entry(key).or_default().add(bit);
        }
        Ok(())
    }

    /// Blocks are written whole before the next is begun.
    fn turn_to(&mut self, block: i64) -> Result<(), rusqlite::Error> {
        if block != self.block.number {
            self.block.store(self.tx)?;
            *self.block = Block { number: block, ..Block::default() };
        }
        Ok(())
    }

    fn origin(&mut self, place: i64) -> Result<OriginId, rusqlite::Error> {
        let key = Origin::key_of(place);
        match self.origins.entry(key) {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(slot) => {
                let id: String = self.log.ask(move |log| {
                    let sql = "SELECT id FROM origin WHERE key = ?1";
                    log.connection.query_row(sql, [key], |row| row.get(0))
                })?;
                // An origin without a name has no ids that anybody could ask for.
                Ok(*slot.insert(id.parse().unwrap_or_else(|_| OriginId::from_bytes([0; 5]))))
            }
        }
    }

    /// The number of a term, and whether it is new.
    fn term(&mut self, mark: (MarkKey, String)) -> Result<(i64, bool), rusqlite::Error> {
        if let Some(id) = self.terms.get(&mark) {
            return Ok((*id, false));
        }
        let named = params![mark.0.as_str(), mark.1];
        let known = self
            .tx
            .prepare_cached("SELECT id FROM term WHERE key = ?1 AND value = ?2")?
            .query_row(named, |row| row.get(0))
            .optional()?;
        let (id, new) = if let Some(id) = known {
            (id, false)
        } else {
            let mut insert =
                self.tx.prepare_cached("INSERT INTO term (key, value) VALUES (?1, ?2)")?;
            (insert.insert(named)?, true)
        };
        if self.terms.len() >= REMEMBERED {
            self.terms.clear();
        }
        self.terms.insert(mark, id);
        Ok((id, new))
    }

    /// The term of a principal, filed under what it goes by when it is met for the first time.
    fn principal(&mut self, hash: PrincipalHash) -> Result<i64, rusqlite::Error> {
        let (term, new) = self.term((MarkKey::Principal, hash.to_string()))?;
        if !new {
            return Ok(term);
        }
        let content: Option<String> = self.log.ask(move |log| {
            log.connection
                .prepare_cached("SELECT body FROM principal_snapshot WHERE hash = ?1")?
                .query_row([hash.0.as_slice()], |row| row.get(0))
                .optional()
        })?;
        let content = content.unwrap_or_default();
        let content: Value<'_> = serde_json::from_str(&content).unwrap_or(Value::Null);
        let mut insert = self.tx.prepare_cached(
            "INSERT INTO alias (key, value, term) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?;
        for (key, value) in Evidence::marks_of(&content) {
            insert.execute(params![key.as_str(), value, term])?;
        }
        Ok(term)
    }
}

impl Block {
    fn load(index: &Connection, number: i64) -> Result<Self, rusqlite::Error> {
        let mut block = Self { number, ..Self::default() };
        let mut statement = index.prepare("SELECT term, places FROM posting WHERE block = ?1")?;
        let mut rows = statement.query([number])?;
        while let Some(row) = rows.next()? {
            block.postings.insert(row.get(0)?, Places::stored(row.get_ref(1)?.as_blob()?)?);
        }
        let mut statement = index
            .prepare("SELECT length, start, places FROM period WHERE length = ?1 AND block = ?2")?;
        for period in Period::ALL {
            let mut rows = statement.query([period.seconds(), number])?;
            while let Some(row) = rows.next()? {
                let places = Places::stored(row.get_ref(2)?.as_blob()?)?;
                block.periods.insert((row.get(0)?, row.get(1)?), places);
            }
        }
        Ok(block)
    }

    /// Writes what has changed.
    fn store(&mut self, tx: &Transaction<'_>) -> Result<(), rusqlite::Error> {
        let mut posting = tx.prepare_cached(
            "INSERT INTO posting (block, term, places) VALUES (?1, ?2, ?3)
             ON CONFLICT (block, term) DO UPDATE SET places = excluded.places",
        )?;
        for (term, places) in
            self.postings.iter_mut().filter(|(_, places)| places.changed.is_some())
        {
            posting.execute(params![self.number, term, places.saved()?])?;
        }
        let mut period = tx.prepare_cached(
            "INSERT INTO period (length, block, start, places) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (length, block, start) DO UPDATE SET places = excluded.places",
        )?;
        for ((length, start), places) in
            self.periods.iter_mut().filter(|(_, places)| places.changed.is_some())
        {
            period.execute(params![length, self.number, start, places.saved()?])?;
        }
        Ok(())
    }
}

impl Places {
    fn stored(bytes: &[u8]) -> Result<Self, rusqlite::Error> {
        Ok(Self { bitmap: file::bitmap(bytes)?, changed: None })
    }

    fn saved(&mut self) -> Result<Vec<u8>, rusqlite::Error> {
        self.changed = None;
        file::bytes(&self.bitmap)
    }
}

/// How far the index is; none when the log does not have, at the place that was read last, what was read there.
fn progress(index: &Connection, log: &LogReader) -> Result<Option<Progress>, rusqlite::Error> {
    let stored = index
        .query_row("SELECT next, last, leaf, born, stale FROM progress", [], |row| {
            Ok(Progress {
                next: row.get(0)?,
                last: row.get(1)?,
                leaf: row.get(2)?,
                born: row.get(3)?,
                stale: row.get::<_, bool>(4)?.then_some(()),
            })
        })
        .optional()?;
    let Some(progress) = stored else {
        let born = log.number("SELECT MAX(place) FROM record")?;
        let born = born.map_or(0, |place| place + 1);
        let fresh = Progress { next: 0, last: 0, leaf: Vec::new(), born, stale: None };
        return Ok(Some(fresh));
    };
    if progress.last == 0 {
        return Ok(Some(progress));
    }
    let last = progress.last;
    let there: Option<Vec<u8>> = log.ask(move |log| {
        let sql = "SELECT leaf_hash FROM record WHERE place = ?1";
        log.connection.query_row(sql, [last], |row| row.get(0)).optional()
    })?;
    // All of it may have been removed with age.
    let emptied = || -> Result<bool, rusqlite::Error> {
        let newer = log.number("SELECT MIN(place) FROM record")?;
        Ok(newer.is_some_and(|place| place > progress.last))
    };
    let fits = match there {
        Some(leaf) => leaf == progress.leaf,
        None => emptied()?,
    };
    Ok(fits.then_some(progress))
}

fn store_progress(tx: &Transaction<'_>, progress: &Progress) -> Result<(), rusqlite::Error> {
    let Progress { next, last, leaf, born, stale } = progress;
    tx.prepare_cached(
        "INSERT INTO progress (one, next, last, leaf, born, stale) VALUES (1, ?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (one) DO UPDATE
         SET next = excluded.next, last = excluded.last, leaf = excluded.leaf, stale = excluded.stale",
    )?
    .execute(params![next, last, leaf, born, stale.is_some()])
    .map(|_| ())
}
