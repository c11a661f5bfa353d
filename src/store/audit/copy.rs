//! Reading a log as it is, to check it or to take it away: oldest first, in short pages.
//!
//! Nothing is written, migrated or repaired. A page is read by itself, so that a check of a running log holds nobody up.

use std::path::Path;

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::super::error::StoreError;
use super::super::sqlite;
use super::pages::{Alone, CopyRow, PAGE, Pages};
use super::{Origin, bad_row, line, seq_of};
use crate::model::body;
use crate::model::id::{OriginId, Subject};
use crate::model::principal::PrincipalHash;
use crate::model::time::Timestamp;

/// A log that is only read.
#[derive(Debug)]
pub struct LogCopy {
    connection: SqliteConnection,
    file: std::path::PathBuf,
    pages: Pages,
}

/// An origin of a log.
#[derive(Debug, Clone)]
pub struct CopyOrigin {
    /// Its name.
    pub id: OriginId,
    /// The key that the file names as its first, as C2SP verifier key; may be empty.
    pub log_key: String,
    /// When it began.
    pub opened: Timestamp,
    pub(super) origin: Origin,
}

/// A stored checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyPoint {
    /// How many records it vouches for.
    pub size: u64,
    /// The note.
    pub note: String,
    /// The peaks.
    pub peaks: Vec<u8>,
}

/// Records that are searched through at once: a long read keeps the WAL from being taken in.
const STRETCH: u64 = 16_384;
/// Records that are read where the first of them will do, mostly.
const FEW: i64 = 8;

impl LogCopy {
    /// Opens a file, or the log of a running gate, for reading.
    ///
    /// # Errors
    /// When it is not there, or is no log.
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        let wal = {
            let mut wal = file.as_os_str().to_owned();
            wal.push("-wal");
            wal
        };
        // Without a WAL beside it nobody writes it: then it may lie where nothing can be written.
        let alone = !Path::new(&wal).exists();
        let options = SqliteConnectOptions::new().filename(file).read_only(true).immutable(alone);
        let connection = SqliteConnection::connect_with(&options)
            .await
            .map_err(|error| sqlite::opening(file, error))?;
        let pages = Pages::of(file, if alone { Alone::Yes } else { Alone::No });
        let mut copy = Self { connection, file: file.to_owned(), pages };
        copy.origins().await?;
        Ok(copy)
    }

    fn failed(&self, doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError + use<> {
        sqlite::failed_in(self.file.clone(), doing)
    }

    /// The origins, oldest first.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn origins(&mut self) -> Result<Vec<CopyOrigin>, StoreError> {
        let failed = self.failed("read the origins of the log");
        let found: Vec<(i64, String, String, i64)> =
            sqlx::query_as("SELECT key, id, log_key, opened_us FROM origin ORDER BY key")
                .fetch_all(&mut self.connection)
                .await
                .map_err(failed)?;
        let read = |(key, id, log_key, opened): (i64, String, String, i64)| {
            let id =
                id.parse().map_err(|_| bad_row("origin", &key, "its id is not an origin id"))?;
            let opened = Timestamp::from_micros(opened);
            Ok(CopyOrigin { id, log_key, opened, origin: Origin { id, key } })
        };
        found.into_iter().map(read).collect()
    }

    /// The first record of an origin that is there.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn first(&mut self, of: &CopyOrigin) -> Result<Option<u64>, StoreError> {
        self.edge("SELECT MIN(place) FROM record WHERE place BETWEEN $1 AND $2", of).await
    }

    /// The last record of an origin that is there.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn last(&mut self, of: &CopyOrigin) -> Result<Option<u64>, StoreError> {
        self.edge("SELECT MAX(place) FROM record WHERE place BETWEEN $1 AND $2", of).await
    }

    async fn edge(
        &mut self,
        sql: &'static str,
        of: &CopyOrigin,
    ) -> Result<Option<u64>, StoreError> {
        let failed = self.failed("find where the log begins and ends");
        let place: Option<i64> = sqlx::query_scalar(sql)
            .bind(of.origin.place(0))
            .bind(of.origin.end())
            .fetch_one(&mut self.connection)
            .await
            .map_err(failed)?;
        Ok(place.map(seq_of))
    }

    /// Checkpoints of an origin over at least `size` records, smallest first: one page.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn points(
        &mut self,
        of: &CopyOrigin,
        size: u64,
    ) -> Result<Vec<CopyPoint>, StoreError> {
        let sql = "SELECT place, note, peaks FROM checkpoint WHERE place BETWEEN $1 AND $2
                   ORDER BY place LIMIT $3";
        self.read_points(sql, (of.origin.place(size), of.origin.end(), PAGE)).await
    }

    /// The newest checkpoint of an origin over at most `size` records.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn point_before(
        &mut self,
        of: &CopyOrigin,
        size: u64,
    ) -> Result<Option<CopyPoint>, StoreError> {
        let sql = "SELECT place, note, peaks FROM checkpoint WHERE place BETWEEN $1 AND $2
                   ORDER BY place DESC LIMIT $3";
        let found = self.read_points(sql, (of.origin.place(0), of.origin.place(size), 1)).await?;
        Ok(found.into_iter().next())
    }

    async fn read_points(
        &mut self,
        sql: &'static str,
        (from, to, limit): (i64, i64, i64),
    ) -> Result<Vec<CopyPoint>, StoreError> {
        let failed = self.failed("read checkpoints of the log");
        let found: Vec<(i64, String, Vec<u8>)> = sqlx::query_as(sql)
            .bind(from)
            .bind(to)
            .bind(limit)
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed)?;
        let point = |(place, note, peaks)| CopyPoint { size: seq_of(place), note, peaks };
        Ok(found.into_iter().map(point).collect())
    }

    /// Records of an origin from number `from` up to, and without, `to`: one page.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn rows(
        &mut self,
        of: &CopyOrigin,
        (from, to): (u64, u64),
    ) -> Result<Vec<CopyRow>, StoreError> {
        self.pages.rows((of.origin.place(from), of.origin.place(to))).await
    }

    /// The first decision of an origin from number `from` up to, and without, `to`.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn decision(
        &mut self,
        of: &CopyOrigin,
        (from, to): (u64, u64),
    ) -> Result<Option<CopyRow>, StoreError> {
        let mut at = from;
        while at < to {
            let places = (of.origin.place(at), of.origin.place(to));
            let rows = self.pages.first(places, FEW).await?;
            let Some(last) = rows.last().map(CopyRow::seq) else { break };
            let found = rows.into_iter().find(CopyRow::is_decision);
            if found.is_some() {
                return Ok(found);
            }
            at = last.saturating_add(1);
        }
        Ok(None)
    }

    /// Hashes of an origin's records from number `from` up to, and without, `to`: one page.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn hashes(
        &mut self,
        of: &CopyOrigin,
        (from, to): (u64, u64),
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let failed = self.failed("read hashes of the log");
        sqlx::query_scalar(
            "SELECT leaf_hash FROM record WHERE place >= $1 AND place < $2 ORDER BY place LIMIT $3",
        )
        .bind(of.origin.place(from))
        .bind(of.origin.place(to))
        .bind(PAGE)
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed)
    }

    /// Principals with a hash above `after`, with their content: one page.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn principals(&mut self, after: &[u8]) -> Result<Vec<(Vec<u8>, String)>, StoreError> {
        let failed = self.failed("read principals of the log");
        sqlx::query_as(
            "SELECT hash, body FROM principal_snapshot WHERE hash > $1 ORDER BY hash LIMIT $2",
        )
        .bind(after)
        .bind(PAGE)
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed)
    }

    /// The content of a principal; none when it was erased, or is not what was hashed.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn principal(&mut self, asked: PrincipalHash) -> Result<Option<String>, StoreError> {
        let failed = self.failed("read a principal of the log");
        let content: Option<String> =
            sqlx::query_scalar("SELECT body FROM principal_snapshot WHERE hash = $1")
                .bind(asked.0.as_slice())
                .fetch_optional(&mut self.connection)
                .await
                .map_err(failed)?;
        Ok(content.and_then(|content| line::of(asked, content)))
    }

    /// The first record of an origin that was made at or after `at`, by halving; the number behind the last when there is
    /// none. Right as far as the clock did not go back.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn first_since(&mut self, of: &CopyOrigin, at: Timestamp) -> Result<u64, StoreError> {
        let mut low = self.first(of).await?.unwrap_or(0);
        let mut high = self.last(of).await?.map_or(low, |last| last.saturating_add(1));
        while low < high {
            let middle = low + (high - low) / 2;
            let places = (of.origin.place(middle), of.origin.end());
            let found = self.pages.first(places, 1).await?;
            // What can't be read is as old as can be: less is taken for young.
            let made = found.first().map(|row| row.at().unwrap_or(Timestamp::from_micros(0)));
            if made.is_some_and(|made| made < at) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// Numbers of records of an origin that are about somebody and have their content, from number `from` on: some of
    /// them, and none only when there are none.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn about(
        &mut self,
        of: &CopyOrigin,
        subject: &Subject,
        from: u64,
    ) -> Result<Vec<u64>, StoreError> {
        let end = self.last(of).await?.map_or(0, |last| last.saturating_add(1));
        let mut at = from;
        while at < end {
            let next = at.saturating_add(STRETCH);
            let places = (of.origin.place(at), of.origin.place(next));
            let failed = self.failed("find the records of a person in the log");
            let found: Vec<(i64, Vec<u8>)> = sqlx::query_as(ABOUT)
                .bind(places.0)
                .bind(places.1)
                .bind(subject.to_string())
                .fetch_all(&mut self.connection)
                .await
                .map_err(failed)?;
            let found: Vec<u64> = found
                .into_iter()
                .filter(|(_, body)| is_about(body, subject))
                .map(|(place, _)| seq_of(place))
                .collect();
            if !found.is_empty() {
                return Ok(found);
            }
            at = next;
        }
        Ok(Vec::new())
    }

    /// The last change of keys among the records of an origin below number `upto`, as its body.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn last_rotation(
        &mut self,
        of: &CopyOrigin,
        upto: u64,
    ) -> Result<Option<String>, StoreError> {
        let failed = self.failed("find changes of keys in the log");
        // A head is shorter than that, and nothing in it has to be escaped.
        sqlx::query_scalar(
            r#"SELECT CAST(body AS TEXT) FROM record
             WHERE place >= $1 AND place < $2
             AND instr(substr(body, 1, 128), CAST(',"kind":"key_rotated",' AS BLOB)) > 0
             ORDER BY place DESC LIMIT 1"#,
        )
        .bind(of.origin.place(0))
        .bind(of.origin.place(upto))
        .fetch_optional(&mut self.connection)
        .await
        .map_err(failed)
    }
}

/// Records between two places that are a person's decisions, or mention them without being somebody else's.
pub(super) const ABOUT: &str = "SELECT place, body FROM record
    WHERE place >= $1 AND place < $2 AND body IS NOT NULL AND (
        principal IN (SELECT key FROM principal_snapshot WHERE json_extract(body, '$.subject') = $3)
        OR (principal IS NULL AND instr(body, CAST($3 AS BLOB)) > 0)
    )
    ORDER BY place";

/// Whether what [`ABOUT`] found is about this person, and does not only mention them.
pub(super) fn is_about(body: &[u8], subject: &Subject) -> bool {
    let decision = body::Head::read(body).is_some_and(|head| head.kind == "decision");
    decision || body::subject_of_event(body).as_ref() == Some(subject)
}
