//! Why the databases could not do what was asked, in words that name the file and the remedy.

use std::path::PathBuf;

use super::collision::Collision;
use crate::model::id::ReleaseNumber;

/// What went wrong in a database.
///
/// The first group is met when a database is opened and read by operators; the second can happen at any time.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is not one that this program can open.
    #[error("`{url}` is not a database address that can be opened: {why}")]
    Address {
        /// The address as it stands in the settings.
        url: String,
        /// What is wrong with it, in words.
        why: &'static str,
    },
    /// The directory or the file could not be made.
    #[error(
        "could not create `{path}`; make its directory writable for the user that runs Cedargate, or set another path"
    )]
    Create {
        /// The directory or file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file can't be opened at all.
    #[error(
        "could not open the database `{file}`; check that it is a file that the user who runs Cedargate can read and write"
    )]
    Unopenable {
        /// The database file.
        file: PathBuf,
        /// What SQLite said.
        #[source]
        source: sqlx::Error,
    },
    /// The file is something else.
    #[error(
        "`{file}` is not a SQLite database; move it away or set another path, or restore it from a backup"
    )]
    NotADatabase {
        /// The file.
        file: PathBuf,
    },
    /// SQLite found the file damaged.
    #[error("the database `{file}` is damaged; stop Cedargate and restore it from a backup")]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        #[source]
        source: sqlx::Error,
    },
    /// The thread that writes the log ended.
    #[error("could not {doing} in `{file}`: the thread that writes it has ended")]
    Gone {
        /// The database file.
        file: PathBuf,
        /// What was attempted.
        doing: &'static str,
    },
    /// A newer program has been here.
    #[error(
        "the database `{file}` has schema version {version}, which this program does not know; start the newer Cedargate that wrote it, or restore a backup made before the upgrade"
    )]
    NewerSchema {
        /// The database file.
        file: PathBuf,
        /// The unknown migration.
        version: i64,
    },
    /// A program with other migrations has been here.
    #[error(
        "the schema of `{file}` was made by a different build (migration {version} differs); start the Cedargate that wrote it, or restore a backup"
    )]
    OtherSchema {
        /// The database file.
        file: PathBuf,
        /// The migration that differs.
        version: i64,
    },
    /// A migration failed.
    #[error("could not bring the schema of `{file}` up to date; the file is as it was before")]
    Migrate {
        /// The database file.
        file: PathBuf,
        /// What failed.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// The SQLite library loses acknowledged writes.
    #[error(
        "the SQLite library is {found}; versions before 3.51.3 can lose acknowledged writes in WAL mode, build Cedargate with its bundled SQLite"
    )]
    OldEngine {
        /// Its version.
        found: String,
    },
    /// A connection does not sync its commits.
    #[error(
        "a connection to `{file}` has `PRAGMA synchronous` = {found} instead of 2 (FULL); refusing to write what may be lost"
    )]
    NotDurable {
        /// The database file.
        file: PathBuf,
        /// The value of the pragma.
        found: i64,
    },

    /// Another process writes this log.
    #[error(
        "another process writes the log `{file}` (it holds `{lock}`); end it first, or give this one an audit database of its own"
    )]
    InUse {
        /// The database file.
        file: PathBuf,
        /// The lock file beside it.
        lock: PathBuf,
    },

    /// Another program holds the file.
    #[error(
        "the database `{file}` stayed locked; find the other program that has it open (a second Cedargate, a copy job, a SQLite shell) and end it"
    )]
    Locked {
        /// The database file.
        file: PathBuf,
    },
    /// The file, its directory or the file system can't be written.
    #[error(
        "the database `{file}` is read-only; give the user that runs Cedargate write access to the file and to its directory"
    )]
    ReadOnly {
        /// The database file.
        file: PathBuf,
    },
    /// No room left.
    #[error("could not write the database `{file}`: the disk is full; make room")]
    Full {
        /// The database file.
        file: PathBuf,
    },
    /// All connections were in use for too long.
    #[error("no connection to the database `{file}` became free while trying to {doing}")]
    Exhausted {
        /// The database file.
        file: PathBuf,
        /// What was attempted.
        doing: &'static str,
    },
    /// Any other failure of a statement.
    #[error("could not {doing} in `{file}`")]
    Statement {
        /// The database file.
        file: PathBuf,
        /// What was attempted.
        doing: &'static str,
        /// What failed.
        #[source]
        source: sqlx::Error,
    },
    /// A row holds what this program never writes.
    #[error("the row `{id}` of table `{table}` can't be read: {why}")]
    BadRow {
        /// The table.
        table: &'static str,
        /// The row.
        id: String,
        /// What is wrong with it.
        why: String,
    },
    /// Two objects of a rule book share an id.
    #[error("the rule book has two objects of kind `{kind}` with the id `{id}`")]
    Twice {
        /// The kind of object.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// The rule book was not live any more when its change was to be published.
    #[error(
        "the change was made on release {based_on}, but release {live} is live; look at the difference again"
    )]
    Stale {
        /// The release that the change was reviewed against.
        based_on: ReleaseNumber,
        /// The release that is live.
        live: ReleaseNumber,
    },
    /// The draft was not any more what was reviewed.
    #[error("the draft was changed since it was reviewed; review it again")]
    DraftMoved,
    /// Somebody else changed the same objects.
    #[error("{}; look at it again", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Collided(Vec<Collision>),
}
