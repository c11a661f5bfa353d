//! Memory: the only place that knows SQL.
//!
//! Two SQLite files: `cedargate.db` with rules, releases and sessions (this module), and `audit.db` with the log. Public
//! functions take and return model types; rows are private. Each statement is one static text that PostgreSQL could run
//! as well: TEXT and BIGINT columns, `$1` binds, nothing that an engine alone knows.

mod approvals;
pub mod audit;
mod collision;
mod error;
mod groups;
mod handovers;
pub mod history;
mod migrations;
mod outbox;
mod pending;
mod people;
mod read_only;
mod releases;
mod rules;
mod secret_hash;
mod session_ends;
mod session_rows;
mod sessions;
mod sign_ins;
mod sign_out_tokens;
mod sqlite;
mod step_ups;

pub use self::collision::Collision;
pub use self::error::StoreError;
pub use self::groups::LookUp;
pub use self::handovers::{Handover, HandoverTaken};
pub use self::outbox::{Author, Change, OutboxRow};
pub use self::pending::{Draft, Pending};
pub use self::people::SessionMark;
pub use self::releases::{Publication, ReleaseLine, Tally};
pub use self::rules::{Edit, Revision};
pub use self::secret_hash::SecretHash;
pub use self::session_ends::{End, SESSION_ENDED};
pub use self::session_rows::{Opened, StoredSession};
pub use self::sessions::{Renewal, Start};
pub use self::sign_ins::{Destination, Round, SignIn, SignInTaken};
use self::sqlite::Pool;
pub use self::step_ups::Raise;

/// `cedargate.db`: rules, releases, sessions. Cheap to clone; all clones share the connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: Pool,
    drafts: pending::Kept,
    tallies: releases::Tallies,
}

impl Store {
    /// Opens the database at `url` (`sqlite://data/cedargate.db`), making it where it is missing, and brings its schema
    /// up to date.
    ///
    /// # Errors
    /// When the address can't be used, the file can't be read and written, is something else, or was written by a newer
    /// program; the message names the file and the remedy.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let pool = sqlite::open(url, migrations::MAIN).await?;
        Ok(Self { pool, drafts: pending::Kept::default(), tallies: releases::Tallies::default() })
    }

    /// The database file.
    pub fn file(&self) -> std::path::PathBuf {
        self.pool.connect_options().get_filename().to_path_buf()
    }

    /// Writes a consistent copy into a new file, beside whoever writes this one.
    ///
    /// # Errors
    /// When the file is there already, or can't be written.
    pub async fn copy_to(&self, file: &std::path::Path) -> Result<(), StoreError> {
        sqlite::copy_to(&self.pool, file).await
    }

    /// Waits for running statements and closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn bad_row(
    table: &'static str,
    id: impl std::fmt::Display,
    why: impl std::fmt::Display,
) -> StoreError {
    StoreError::BadRow { table, id: id.to_string(), why: why.to_string() }
}

#[cfg(test)]
mod tests;
