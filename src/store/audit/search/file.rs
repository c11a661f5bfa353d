//! Opening the index and the log beside it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use roaring::RoaringBitmap;
use rusqlite::types::Type;
use rusqlite::{Connection, OpenFlags};

/// How long a statement waits for a lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The form of the index; another number is another form, which is made anew.
const VERSION: i64 = 1;

/// A connection that only reads.
pub(super) fn reading(file: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// A connection that reads the index; none where there is none in the form of this program.
pub(super) fn reading_index(file: &Path) -> Result<Option<Connection>, rusqlite::Error> {
    if !file.exists() {
        return Ok(None);
    }
    let opened = reading(file).and_then(|connection| {
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        Ok((version == VERSION).then_some(connection))
    });
    match opened {
        Err(error) if is_unusable(&error) => Ok(None),
        other => other,
    }
}

/// Whether the file is gone, or no database.
pub(super) fn is_unusable(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(CannotOpen | DatabaseCorrupt | NotADatabase))
}

/// The connection that writes the index; none when the file has another form.
pub(super) fn writing(file: &Path) -> Result<Option<Connection>, rusqlite::Error> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // What a loss of power takes is made again from the log.
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
    connection.set_prepared_statement_cache_capacity(32);
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (version, tables) {
        (VERSION, 1..) => Ok(Some(connection)),
        (0, 0) => {
            connection.execute_batch(&format!("BEGIN; {} COMMIT;", include_str!("schema.sql")))?;
            Ok(Some(connection))
        }
        (_, _) => Ok(None),
    }
}

/// Removes the index.
pub(super) fn remove(file: &Path) -> std::io::Result<()> {
    for ending in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        match std::fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// A bitmap as it is stored.
pub(super) fn bitmap(bytes: &[u8]) -> Result<RoaringBitmap, rusqlite::Error> {
    RoaringBitmap::deserialize_from(bytes)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, Box::new(error)))
}

/// A bitmap in the form in which it is stored.
pub(super) fn bytes(bitmap: &RoaringBitmap) -> Result<Vec<u8>, rusqlite::Error> {
    let mut bytes = Vec::with_capacity(bitmap.serialized_size());
    let wrong = |error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
    bitmap.serialize_into(&mut bytes).map_err(wrong)?;
    Ok(bytes)
}
