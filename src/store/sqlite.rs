//! Opening a SQLite file so that what was acknowledged stays written, and saying in words why that failed.
//!
//! Every connection runs in WAL mode with `synchronous=FULL` and checks it: the setting belongs to the connection, and
//! `NORMAL` loses the last commits when power fails. Engines before 3.51.3 are refused, because their WAL-reset bug
//! loses acknowledged writes. In-memory databases and addresses with parameters are refused: neither keeps the promise.
//!
//! Writers begin with `BEGIN IMMEDIATE` ([`begin`]): a transaction that reads first and writes later is answered
//! `SQLITE_BUSY` at once, without the busy timeout, when another writer came in between.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};

use super::error::StoreError;
use super::migrations::{Step, migrator};

/// The connections to one database file.
pub(super) type Pool = sqlx::SqlitePool;

/// A transaction that holds the write lock.
pub(super) type Tx = sqlx::Transaction<'static, sqlx::Sqlite>;

/// Reads the columns of a row by the names of a struct's fields.
macro_rules! from_columns {
    ($row:ident { $($column:ident),+ $(,)? }) => {
        impl sqlx::FromRow<'_, sqlx::sqlite::SqliteRow> for $row {
            fn from_row(row: &sqlx::sqlite::SqliteRow) -> sqlx::Result<Self> {
                use sqlx::Row as _;
                Ok(Self { $($column: row.try_get(stringify!($column))?),+ })
            }
        }
    };
}
pub(super) use from_columns;

/// How long a statement waits for the write lock before it fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Writers take turns anyway; the rest of the connections serves pages and session look-ups.
const MAX_CONNECTIONS: u32 = 8;

/// Bytes of a page, of files that are made here. A record of the log takes half a kilobyte, and half of one stays empty at
/// the end of each page: a twelfth of a page of 4 KiB.
const PAGE_BYTES: u32 = 8_192;

/// `PRAGMA synchronous` as SQLite numbers it: 2 is FULL.
const SYNCHRONOUS_FULL: i64 = 2;

/// The first engine without the WAL-reset bug, as `sqlite3_libversion_number()` counts.
const OLDEST_ENGINE: u64 = 3_051_003;

/// Opens the database at `url` (`sqlite://path`), making file (mode 0600) and directory (0700) where they are missing,
/// and brings its schema up to date.
///
/// # Errors
/// Every variant of [`StoreError`] that speaks of a file or an address; each message names it and the remedy.
pub(super) async fn open(url: &str, steps: &[Step]) -> Result<Pool, StoreError> {
    let file = file_of(url)?;
    create(&file)?;
    let options = options(&file);
    let mut first = options.connect().await.map_err(|error| opening(&file, error))?;
    check_engine(&mut first, &file).await?;
    check_synchronous(&mut first, &file).await?;
    migrator(steps).run(&mut first).await.map_err(|error| migrating(&file, error))?;
    check_writable(&mut first, &file).await?;
    first.close().await.map_err(|error| opening(&file, error))?;
    let pool = SqlitePoolOptions::new()
        .max_connections(MAX_CONNECTIONS)
        .acquire_timeout(BUSY_TIMEOUT)
        .after_connect(|connection, _| Box::pin(refuse_unsynced(connection)))
        .connect_with(options)
        .await;
    pool.map_err(|error| opening(&file, error))
}

/// Begins a transaction that holds the write lock from the start.
///
/// # Errors
/// Locked when another writer held the lock for 5 s; else as [`failed`].
pub(super) async fn begin(pool: &Pool, doing: &'static str) -> Result<Tx, StoreError> {
    pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed(pool, doing))
}

/// Turns the failure of a statement into words: `doing` completes "could not …".
pub(super) fn failed(pool: &Pool, doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    failed_in(pool.connect_options().get_filename().to_path_buf(), doing)
}

/// As [`failed`], for a connection to this file without a pool.
pub(super) fn failed_in(
    file: PathBuf,
    doing: &'static str,
) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |error| {
        if matches!(error, sqlx::Error::PoolTimedOut) {
            return StoreError::Exhausted { file, doing };
        }
        known(&file, &error).unwrap_or(StoreError::Statement { file, doing, source: error })
    }
}

/// Writes a consistent copy of the database into a new file. Nobody who writes waits for it.
///
/// # Errors
/// When the file is there already, or can't be written.
pub(super) async fn copy_to(pool: &Pool, file: &Path) -> Result<(), StoreError> {
    sqlx::query("VACUUM INTO $1")
        .bind(file.display().to_string())
        .execute(pool)
        .await
        .map(|_| ())
        .map_err(failed(pool, "copy the database"))
}

/// The write-ahead log of a database file.
pub(super) fn wal_of(file: &Path) -> PathBuf {
    let mut wal = file.as_os_str().to_owned();
    wal.push("-wal");
    PathBuf::from(wal)
}

/// The file that a `sqlite:` address names.
pub(super) fn file_of(url: &str) -> Result<PathBuf, StoreError> {
    let wrong = |why| StoreError::Address { url: url.to_owned(), why };
    if !url.starts_with("sqlite:") {
        return Err(wrong("it must start with `sqlite://`"));
    }
    if url.contains('?') {
        return Err(wrong("parameters are not accepted; how the file is opened is not a setting"));
    }
    if url.contains(":memory:") {
        return Err(wrong("a database in memory keeps nothing"));
    }
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|_| wrong("it can't be read as `sqlite://path/to/file.db`"))?;
    let file = options.get_filename().to_path_buf();
    if file.file_name().is_none() {
        return Err(wrong("it names no file"));
    }
    Ok(file)
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .page_size(PAGE_BYTES)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// Makes directory and file. An existing file is not touched: opening and closing it here would drop the locks that
/// this process may hold on it already (POSIX locks belong to the process, not to the descriptor).
fn create(file: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| StoreError::Create { path, source }
    };
    if let Some(directory) = file.parent().filter(|path| !path.as_os_str().is_empty()) {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(directory).map_err(failed(directory))?;
    }
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(file)(error)),
    }
}

async fn check_engine(connection: &mut SqliteConnection, file: &Path) -> Result<(), StoreError> {
    let found: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(connection)
        .await
        .map_err(|error| opening(file, error))?;
    if is_sound(&found) { Ok(()) } else { Err(StoreError::OldEngine { found }) }
}

/// Whether an engine of this version (`3.51.3`) is free of the WAL-reset bug. An unreadable version is not.
pub(super) fn is_sound(version: &str) -> bool {
    let parts: Option<Vec<u64>> = version.split('.').map(|part| part.parse().ok()).collect();
    match parts.as_deref() {
        Some([major, minor, patch]) if *minor < 1_000 && *patch < 1_000 => {
            major.saturating_mul(1_000_000) + minor * 1_000 + patch >= OLDEST_ENGINE
        }
        Some(_) | None => false,
    }
}

async fn synchronous(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("PRAGMA synchronous").fetch_one(connection).await
}

async fn check_synchronous(
    connection: &mut SqliteConnection,
    file: &Path,
) -> Result<(), StoreError> {
    let found = synchronous(connection).await.map_err(|error| opening(file, error))?;
    if found == SYNCHRONOUS_FULL {
        Ok(())
    } else {
        Err(StoreError::NotDurable { file: file.to_path_buf(), found })
    }
}

/// The same check for each connection that the pool makes later.
async fn refuse_unsynced(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let found = synchronous(connection).await?;
    if found == SYNCHRONOUS_FULL {
        Ok(())
    } else {
        Err(sqlx::Error::Configuration(format!("`PRAGMA synchronous` is {found}, not 2").into()))
    }
}

/// SQLite opens a file that it may not write as read-only without a word; a statement that could write shows it.
async fn check_writable(connection: &mut SqliteConnection, file: &Path) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version < 0")
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(|error| opening(file, error))
}

/// Why a file could not be opened.
pub(super) fn opening(file: &Path, error: sqlx::Error) -> StoreError {
    known(file, &error)
        .unwrap_or_else(|| StoreError::Unopenable { file: file.to_path_buf(), source: error })
}

fn migrating(file: &Path, error: MigrateError) -> StoreError {
    let file = file.to_path_buf();
    if let MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) = &error
        && let Some(known) = known(&file, cause)
    {
        return known;
    }
    if let MigrateError::VersionMissing(version) = error {
        return StoreError::NewerSchema { file, version };
    }
    if let MigrateError::VersionMismatch(version) = error {
        return StoreError::OtherSchema { file, version };
    }
    StoreError::Migrate { file, source: error }
}

/// The failures that an operator can do something about, by SQLite's primary result code.
fn known(file: &Path, error: &sqlx::Error) -> Option<StoreError> {
    let sqlx::Error::Database(cause) = error else { return None };
    let code: u32 = cause.code()?.parse().ok()?;
    known_code(file, code, &|| cause.to_string())
}

/// As [`failed_in`], for the connection that is not sqlx's.
pub(super) fn raw_failed(file: &Path, doing: &'static str, error: &rusqlite::Error) -> StoreError {
    let code = error.sqlite_error().and_then(|error| u32::try_from(error.extended_code).ok());
    let known = code.and_then(|code| known_code(file, code, &|| error.to_string()));
    known.unwrap_or_else(|| StoreError::Statement {
        file: file.to_path_buf(),
        doing,
        source: sqlx::Error::Protocol(error.to_string()),
    })
}

/// The failure of a file that is used against the rules of this program.
pub(super) fn misused(why: String) -> rusqlite::Error {
    let misuse = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_MISUSE);
    rusqlite::Error::SqliteFailure(misuse, Some(why))
}

fn known_code(file: &Path, code: u32, cause: &dyn Fn() -> String) -> Option<StoreError> {
    let file = file.to_path_buf();
    match code & 0xff {
        // BUSY, LOCKED
        5 | 6 => Some(StoreError::Locked { file }),
        8 => Some(StoreError::ReadOnly { file }),
        // CORRUPT; the source is rebuilt because the caller keeps the original only when nothing is known of it.
        11 => Some(StoreError::Corrupt { file, source: sqlx::Error::Protocol(cause()) }),
        13 => Some(StoreError::Full { file }),
        // CANTOPEN: the files of the WAL can't be made beside it.
        14 if is_forbidden(&file) => Some(StoreError::ReadOnly { file }),
        26 => Some(StoreError::NotADatabase { file }),
        _ => None,
    }
}

/// Whether the system forbids this process to write the file or its directory. Asks without opening: closing would drop the
/// locks that this process may hold on the file.
fn is_forbidden(file: &Path) -> bool {
    use rustix::{fs::Access, io::Errno};
    let directory = file.parent().filter(|path| !path.as_os_str().is_empty());
    [file, directory.unwrap_or(Path::new("."))].iter().any(|path| {
        let answer = rustix::fs::access(*path, Access::WRITE_OK);
        matches!(answer, Err(Errno::ROFS | Errno::ACCESS | Errno::PERM))
    })
}
