//! Which releases a `cedargate.db` has, read without writing, migrating or repairing anything: a copy, or that of a running
//! gate.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::StoreError;
use super::read_only::{self, Alone};
use super::releases::content_hash;
use super::sqlite::raw_failed;
use crate::model::id::ReleaseNumber;

/// The longest part of a release that is read.
const PART_MAX: i32 = 256 << 20;

/// A release as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRelease {
    /// The hash that was written with it, in hex.
    pub sha256: String,
    /// The hash of what is there now, in hex.
    pub content: String,
}

/// Every release of the database in this file, by its number.
///
/// # Errors
/// When the file can't be read, or is no such database.
pub async fn releases(file: &Path) -> Result<BTreeMap<ReleaseNumber, KeptRelease>, StoreError> {
    let (read, doing) = (file.to_owned(), "read the releases");
    let done = tokio::task::spawn_blocking(move || all(&read)).await;
    let done = done.unwrap_or_else(|_| Err(rusqlite::Error::InvalidQuery));
    done.map_err(|error| raw_failed(file, doing, &error))
}

fn all(file: &Path) -> Result<BTreeMap<ReleaseNumber, KeptRelease>, rusqlite::Error> {
    let connection = read_only::open(file, Alone::with(file), PART_MAX)?;
    let mut one = connection
        .prepare("SELECT rule_book, cedar, schema_json, sha256 FROM release WHERE number = ?1")?;
    let mut numbers = connection.prepare("SELECT number FROM release ORDER BY number")?;
    let numbers = numbers.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    let mut kept = BTreeMap::new();
    // One by one: a read that lasts would keep the gate's WAL from being taken in.
    for number in numbers {
        let release = one.query_row([number], |row| {
            let text = |at: usize| row.get_ref(at).and_then(|part| Ok(part.as_str()?));
            let content = content_hash([text(0)?, text(1)?, text(2)?]);
            Ok(KeptRelease { sha256: row.get(3)?, content })
        })?;
        kept.insert(ReleaseNumber(number), release);
    }
    Ok(kept)
}
