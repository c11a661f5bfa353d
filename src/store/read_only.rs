//! Opening a database file that is only read: a copy, or that of a running gate.
//!
//! Whoever made it may mean harm: what it holds bounds neither the memory that reading it takes, nor what is run for it.

use std::path::Path;
use std::time::SystemTime;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use super::sqlite::{misused, wal_of};

/// How long a statement waits for a lock.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// Whether anybody may write the file meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alone {
    /// Nobody does: it may lie where nothing can be written.
    Yes,
    /// Somebody may.
    No,
}

impl Alone {
    /// Without a WAL beside it nobody writes it: then it may lie where nothing can be written.
    pub(super) fn with(file: &Path) -> Self {
        if wal_of(file).exists() { Self::No } else { Self::Yes }
    }
}

/// What shows that somebody wrote a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    /// As the file is now; none where that can't be seen.
    pub(super) fn of(file: &Path) -> Option<Self> {
        let facts = std::fs::metadata(file).ok()?;
        Some(Self { length: facts.len(), modified: facts.modified().ok() })
    }
}

/// Opens the file. No value that is read from it is longer than `longest`.
pub(super) fn open(file: &Path, alone: Alone, longest: i32) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let end = match alone {
        Alone::Yes => "?immutable=1",
        Alone::No => "",
    };
    let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let connection = Connection::open_with_flags(format!("file://{}{end}", escaped(&path)), flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, longest)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    refuse_views(&connection)?;
    Ok(connection)
}

/// What is read must be a table: a view or a virtual table is a program.
fn refuse_views(connection: &Connection) -> Result<(), rusqlite::Error> {
    // Neither of the two has pages of its own.
    let sql = "SELECT name FROM sqlite_schema
        WHERE lower(name) IN ('origin', 'record', 'checkpoint', 'principal_snapshot', 'erasure', 'release')
        AND (type <> 'table' OR rootpage = 0 OR rootpage IS NULL)";
    let other: Option<String> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    match other {
        None => Ok(()),
        Some(name) => Err(misused(format!("`{name}` is no table"))),
    }
}

/// A path as part of a URI: what is not plain is escaped.
fn escaped(path: &Path) -> String {
    use std::fmt::Write as _;
    use std::os::unix::ffi::OsStrExt as _;
    let mut text = String::new();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            text.push(char::from(*byte));
        } else {
            // Writing into a string can't fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}
