//! Pages of the log, read by a connection of their own: many rows with one hop to another thread and back.
//!
//! Through a pool each row is a hop. Whoever reads from one end to the other also has the next page read while it looks
//! at this one, so that reading and looking take a core each. A page that was read ahead is as good as one that is read
//! when it is asked for: records never change, and what came since is on the next page.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Row};
use tokio::task::JoinHandle;

use super::super::error::StoreError;
use super::super::sqlite::{from_columns, raw_failed};
use super::seq_of;

/// Records that are read at once.
pub(super) const PAGE: i64 = 2_048;

/// A record with everything that the file has beside it.
#[derive(Debug)]
pub struct CopyRow {
    place: i64,
    /// The exact bytes; none after an erasure.
    pub body: Option<Vec<u8>>,
    /// The stored hash.
    pub leaf_hash: Vec<u8>,
    /// Microseconds since 1970.
    pub ts_us: i64,
    /// The kind.
    pub kind: String,
    /// `allow` or `deny`.
    pub verdict: Option<String>,
    /// The app.
    pub app: Option<String>,
    /// The route.
    pub route: Option<String>,
    /// Whom it is about.
    pub subject: Option<String>,
    /// The principal's content hash.
    pub principal: Option<Vec<u8>>,
}

from_columns!(CopyRow {
    place,
    body,
    leaf_hash,
    ts_us,
    kind,
    verdict,
    app,
    route,
    subject,
    principal
});

impl CopyRow {
    /// Its number.
    pub fn seq(&self) -> u64 {
        seq_of(self.place)
    }
}

/// Where records lie: from the first place up to, and without, the second.
type Places = (i64, i64);
/// A connection that goes on, and what it read.
type Read = Result<(Connection, Vec<CopyRow>), rusqlite::Error>;

/// Reads pages of one file.
#[derive(Debug)]
pub(super) struct Pages {
    file: PathBuf,
    alone: Alone,
    /// None before the first page, after a failure, and while the next page is read.
    connection: Option<Connection>,
    ahead: Option<(Places, JoinHandle<Read>)>,
}

/// Whether anybody may write the file meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alone {
    /// Nobody does: it may lie where nothing can be written.
    Yes,
    /// Somebody may.
    No,
}

impl Pages {
    pub(super) fn of(file: &Path, alone: Alone) -> Self {
        Self { file: file.to_owned(), alone, connection: None, ahead: None }
    }

    /// The records that lie there, oldest first: one page. The one behind a full page is read ahead.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(super) async fn rows(&mut self, places: Places) -> Result<Vec<CopyRow>, StoreError> {
        let reading = match self.ahead.take() {
            Some((ahead, reading)) if ahead == places => reading,
            other => {
                self.keep(other).await;
                self.begin(places)
            }
        };
        let read = reading.await.unwrap_or_else(|_| Err(rusqlite::Error::InvalidQuery));
        let failed = |error| raw_failed(&self.file, "read records of the log", &error);
        let (connection, rows) = read.map_err(failed)?;
        self.connection = Some(connection);
        let next = rows.last().map(|row| (row.place.saturating_add(1), places.1));
        if let Some(next) = next.filter(|next| is_full(&rows) && next.0 < next.1) {
            self.ahead = Some((next, self.begin(next)));
        }
        Ok(rows)
    }

    /// The connection of a page that nobody asked for.
    async fn keep(&mut self, ahead: Option<(Places, JoinHandle<Read>)>) {
        let Some((_, reading)) = ahead else { return };
        if let Ok(Ok((connection, _))) = reading.await {
            self.connection = Some(connection);
        }
    }

    fn begin(&mut self, places: Places) -> JoinHandle<Read> {
        let (file, alone, connection) = (self.file.clone(), self.alone, self.connection.take());
        tokio::task::spawn_blocking(move || {
            let connection = connection.map_or_else(|| open(&file, alone), Ok)?;
            let rows = read(&connection, places)?;
            Ok((connection, rows))
        })
    }
}

fn is_full(rows: &[CopyRow]) -> bool {
    i64::try_from(rows.len()).is_ok_and(|rows| rows >= PAGE)
}

/// Opens the file for reading only.
fn open(file: &Path, alone: Alone) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let end = match alone {
        Alone::Yes => "?immutable=1",
        Alone::No => "",
    };
    let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let connection = Connection::open_with_flags(format!("file://{}{end}", escaped(&path)), flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
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

fn read(connection: &Connection, (from, to): Places) -> Result<Vec<CopyRow>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(
        "SELECT place, body, leaf_hash, ts_us, kind, verdict, app, route, subject, principal
         FROM record WHERE place >= ?1 AND place < ?2 ORDER BY place LIMIT ?3",
    )?;
    let rows = statement.query_map((from, to, PAGE), row)?;
    rows.collect()
}

fn row(row: &Row<'_>) -> Result<CopyRow, rusqlite::Error> {
    Ok(CopyRow {
        place: row.get(0)?,
        body: row.get(1)?,
        leaf_hash: row.get(2)?,
        ts_us: row.get(3)?,
        kind: row.get(4)?,
        verdict: row.get(5)?,
        app: row.get(6)?,
        route: row.get(7)?,
        subject: row.get(8)?,
        principal: row.get(9)?,
    })
}
