//! The search index: which records are about what, in a file of its own beside the log (`audit-search.db`).
//!
//! It trails the log by as much as one look takes, holds nothing that the log does not, and is thrown away whenever it does
//! not fit it. For each block of 65,536 places and each thing that a record can be filed under it keeps a bitmap, so that
//! any query over ten million records reads a few hundred short rows. What the bitmaps say is a beginning: every record is
//! read and matched ([`crate::model::query`]) before it is shown, so search and export can't differ.

mod counts;
mod file;
mod find;
mod index;
mod lost;
mod overview;
mod plan;
mod reader;
mod records;
#[cfg(test)]
mod tests;
mod uses;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

pub use self::counts::{Counted, Counts, Period};
pub use self::find::{Found, Wanted};
pub use self::index::{Indexer, Step};
pub use self::lost::{Loss, Losses, Since, Unread};
pub use self::overview::{DeniedRoute, Overview, Span, Sums, Tallied};
pub use self::plan::Exactness;
pub use self::uses::LastUses;
use super::super::error::StoreError;
use super::super::sqlite::raw_failed;

/// A block is this many bits of a place.
const BLOCK_BITS: u32 = 16;

/// Finds records. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Searcher {
    files: Arc<Files>,
}

/// The two files, and connections to them that nobody uses at the moment.
#[derive(Debug)]
struct Files {
    log: PathBuf,
    index: PathBuf,
    /// Raised when the index is thrown away: what is open belongs to a file that is gone.
    generation: AtomicU64,
    idle: Mutex<Vec<(u64, Desk)>>,
}

/// Connections of one search.
#[derive(Debug)]
struct Desk {
    log: Connection,
    /// None while there is no index that can be read: then the log itself is.
    index: Option<Connection>,
}

/// Where the index of the log in this file is.
pub fn index_of(log: &Path) -> PathBuf {
    let stem = log.file_stem().unwrap_or_default().to_string_lossy();
    log.with_file_name(format!("{stem}-search.db"))
}

/// How long something may take before it tells what it has so far. What tests find must not depend on how busy their machine
/// is.
const fn at_most(millis: u64) -> Duration {
    Duration::from_millis(if cfg!(test) { 60_000 } else { millis })
}

impl Searcher {
    /// A searcher over the log in this file, and the index beside it.
    pub fn new(log: &Path) -> Self {
        let files = Files {
            log: log.to_owned(),
            index: index_of(log),
            generation: AtomicU64::new(0),
            idle: Mutex::new(Vec::new()),
        };
        Self { files: Arc::new(files) }
    }

    /// The file of the log.
    pub fn log(&self) -> &Path {
        &self.files.log
    }

    /// What keeps the index of this searcher.
    pub fn indexer(&self) -> Indexer {
        Indexer::new(Arc::clone(&self.files))
    }

    /// Reads on a thread that may wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Desk) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let files = Arc::clone(&self.files);
        let failed = files.log.clone();
        let done = tokio::task::spawn_blocking(move || files.read(doing, work)).await;
        done.unwrap_or(Err(StoreError::Gone { file: failed, doing }))
    }
}

impl Files {
    fn read<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Desk) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        let failed = |error: rusqlite::Error| raw_failed(&self.log, doing, &error);
        let (generation, desk) = self.desk().map_err(failed)?;
        let done = work(&desk).map_err(failed)?;
        if desk.index.is_some() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((generation, desk));
        }
        Ok(done)
    }

    fn desk(&self) -> Result<(u64, Desk), rusqlite::Error> {
        let generation = self.generation.load(Ordering::Acquire);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(made, _)| *made == generation);
        if let Some(desk) = idle.pop() {
            return Ok(desk);
        }
        drop(idle);
        let desk =
            Desk { log: file::reading(&self.log)?, index: file::reading_index(&self.index)? };
        Ok((generation, desk))
    }
}

fn block_of(place: i64) -> i64 {
    place >> BLOCK_BITS
}

/// The last bits of a place.
fn bit_of(place: i64) -> u32 {
    u32::try_from(place & ((1 << BLOCK_BITS) - 1)).unwrap_or(0)
}

fn place_of(block: i64, bit: u32) -> i64 {
    (block << BLOCK_BITS) | i64::from(bit)
}
