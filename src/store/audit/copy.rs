//! Reading a log as it is, to check it or to take it away: oldest first, in short pages.
//!
//! Nothing is written, migrated or repaired. A page is read by itself, so that a check of a running log holds nobody up.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::error::StoreError;
use super::super::read_only::{Alone, Stamp};
use super::super::sqlite::raw_failed;
use super::pages::{CopyRow, PAGE, PAGE_BYTES, Pages, open};
use super::removals::Removals;
use super::{Origin, bad_row, line, seq_of};
use crate::model::body;
use crate::model::id::{OriginId, Subject};
use crate::model::principal::PrincipalHash;
use crate::model::time::Timestamp;

/// A log that is only read.
#[derive(Debug)]
pub struct LogCopy {
    file: PathBuf,
    alone: Alone,
    /// As the file was before it was opened.
    stamp: Option<Stamp>,
    /// None before the first question, after a failure, and while one is asked.
    connection: Option<Connection>,
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
        let (stamp, alone) = (Stamp::of(file), Alone::with(file));
        let (file, pages) = (file.to_owned(), Pages::of(file, alone));
        let mut copy = Self { file, alone, stamp, connection: None, pages };
        copy.origins().await?;
        Ok(copy)
    }

    /// Whether the file was opened as one that nobody writes, and somebody has begun to: what was read of it since may fit
    /// together in no way. From here on it is read as one that is written.
    pub fn is_overtaken(&mut self) -> bool {
        let is_written =
            || Alone::with(&self.file) == Alone::No || Stamp::of(&self.file) != self.stamp;
        if self.alone == Alone::No || !is_written() {
            return false;
        }
        self.alone = Alone::No;
        (self.connection, self.pages) = (None, Pages::of(&self.file, Alone::No));
        true
    }

    /// Asks something on a thread that may wait for the disk. `doing` completes "could not …".
    async fn ask<T: Send + 'static>(
        &mut self,
        doing: &'static str,
        question: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (file, alone, kept) = (self.file.clone(), self.alone, self.connection.take());
        let asked = tokio::task::spawn_blocking(move || {
            let connection = kept.map_or_else(|| open(&file, alone), Ok)?;
            let answer = question(&connection)?;
            Ok((connection, answer))
        });
        let asked = asked.await.unwrap_or_else(|_| Err(rusqlite::Error::InvalidQuery));
        let (connection, answer) = asked.map_err(|error| raw_failed(&self.file, doing, &error))?;
        self.connection = Some(connection);
        Ok(answer)
    }

    /// The origins, oldest first.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn origins(&mut self) -> Result<Vec<CopyOrigin>, StoreError> {
        let question = |log: &Connection| {
            log.prepare_cached("SELECT key, id, log_key, opened_us FROM origin ORDER BY key")?
                .query_map([], |row| row.try_into())?
                .collect::<Result<Vec<(i64, String, String, i64)>, _>>()
        };
        let found = self.ask("read the origins of the log", question).await?;
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
        let span = [of.origin.place(0), of.origin.end()];
        let question = move |log: &Connection| log.query_row(sql, span, |row| row.get(0));
        let place: Option<i64> = self.ask("find where the log begins and ends", question).await?;
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
        let question = move |log: &Connection| {
            let point = |row: &rusqlite::Row<'_>| {
                let size = seq_of(row.get(0)?);
                Ok(CopyPoint { size, note: row.get(1)?, peaks: row.get(2)? })
            };
            log.prepare_cached(sql)?.query_map([from, to, limit], point)?.collect()
        };
        self.ask("read checkpoints of the log", question).await
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

    /// Hashes of an origin's records from number `from` up to, and without, `to`: one page, up to the first that is missing.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn hashes(
        &mut self,
        of: &CopyOrigin,
        (from, to): (u64, u64),
    ) -> Result<Vec<[u8; 32]>, StoreError> {
        let (from, to) = (of.origin.place(from), of.origin.place(to));
        let question = move |log: &Connection| {
            log.prepare_cached(
                "SELECT place, leaf_hash FROM record
                 WHERE place >= ?1 AND place < ?2 ORDER BY place LIMIT ?3",
            )?
            .query_map([from, to, PAGE], |row| row.try_into())?
            .collect::<Result<Vec<(i64, [u8; 32])>, _>>()
        };
        let found = self.ask("read hashes of the log", question).await?;
        let follows = |((place, _), at): &((i64, [u8; 32]), i64)| place == at;
        let found = found.into_iter().zip(from..).take_while(follows);
        Ok(found.map(|((_, hash), _)| hash).collect())
    }

    /// Principals with a hash above `after`, with their content: one page.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn principals(&mut self, after: &[u8]) -> Result<Vec<(Vec<u8>, String)>, StoreError> {
        let after = after.to_owned();
        let question = move |log: &Connection| {
            let mut statement = log.prepare_cached(
                "SELECT hash, body FROM principal_snapshot WHERE hash > ?1 ORDER BY hash LIMIT ?2",
            )?;
            let mut found = statement.query(params![after, PAGE])?;
            let (mut page, mut bytes) = (Vec::new(), 0);
            while bytes < PAGE_BYTES
                && let Some(row) = found.next()?
            {
                let (hash, content): (Vec<u8>, String) = row.try_into()?;
                bytes += hash.len() + content.len();
                page.push((hash, content));
            }
            Ok(page)
        };
        self.ask("read principals of the log", question).await
    }

    /// The content of a principal; none when it was erased, or is not what was hashed.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn principal(&mut self, asked: PrincipalHash) -> Result<Option<String>, StoreError> {
        let question = move |log: &Connection| {
            log.prepare_cached("SELECT body FROM principal_snapshot WHERE hash = ?1")?
                .query_row([asked.0.as_slice()], |row| row.get(0))
                .optional()
        };
        let content: Option<String> = self.ask("read a principal of the log", question).await?;
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
    /// them, and none only when there are none. With them the number up to which it was looked.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn about(
        &mut self,
        of: &CopyOrigin,
        subject: &Subject,
        from: u64,
    ) -> Result<(Vec<u64>, u64), StoreError> {
        let end = self.last(of).await?.map_or(0, |last| last.saturating_add(1));
        let mut at = from;
        while at < end {
            let next = at.saturating_add(STRETCH).min(end);
            let (from, to) = (of.origin.place(at), of.origin.place(next));
            let subject = subject.clone();
            let question = move |log: &Connection| {
                let mut statement = log.prepare_cached(ABOUT)?;
                let mut found = statement.query(params![from, to, subject.to_string()])?;
                let mut numbers = Vec::new();
                while let Some(row) = found.next()? {
                    if is_about(row.get_ref(1)?.as_blob()?, &subject) {
                        numbers.push(seq_of(row.get(0)?));
                    }
                }
                Ok(numbers)
            };
            let found = self.ask("find the records of a person in the log", question).await?;
            if !found.is_empty() {
                return Ok((found, next));
            }
            at = next;
        }
        Ok((Vec::new(), end))
    }

    /// Records of an origin from number `from` up to, and without, `to` that say which log was accepted as it was or what was
    /// removed with age: the number and the body of each, oldest first.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn said(
        &mut self,
        of: &CopyOrigin,
        (from, to): (u64, u64),
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let (mut said, mut at) = (Vec::new(), from);
        while at < to {
            let next = at.saturating_add(STRETCH).min(to);
            let span = [of.origin.place(at), of.origin.place(next)];
            let question = move |log: &Connection| {
                let mut statement = log.prepare_cached(SAID)?;
                let found = statement.query_map(span, |row| row.try_into())?;
                found.collect::<Result<Vec<(i64, Vec<u8>)>, _>>()
            };
            let found = self.ask("find what the log says of others", question).await?;
            said.extend(found.into_iter().map(|(place, body)| (seq_of(place), body)));
            at = next;
        }
        Ok(said)
    }

    /// As [`Self::said`], of records that say what was erased.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn said_erased(
        &mut self,
        of: &CopyOrigin,
        (from, to): (u64, u64),
    ) -> Result<Vec<u64>, StoreError> {
        let span = [of.origin.place(from), of.origin.place(to)];
        let question = move |log: &Connection| {
            // A head is shorter than that, and nothing in it has to be escaped.
            let sql = r#"SELECT place FROM record WHERE place >= ?1 AND place < ?2
                AND instr(substr(body, 1, 128), CAST(',"kind":"erased",' AS BLOB)) > 0
                ORDER BY place"#;
            log.prepare_cached(sql)?.query_map(span, |row| row.get(0))?.collect()
        };
        let found: Vec<i64> = self.ask("find what was erased from the log", question).await?;
        Ok(found.into_iter().map(seq_of).collect())
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
        let span = [of.origin.place(0), of.origin.place(upto)];
        let question = move |log: &Connection| {
            // A head is shorter than that, and nothing in it has to be escaped.
            let sql = r#"SELECT CAST(body AS TEXT) FROM record
                 WHERE place >= ?1 AND place < ?2
                 AND instr(substr(body, 1, 128), CAST(',"kind":"key_rotated",' AS BLOB)) > 0
                 ORDER BY place DESC LIMIT 1"#;
            log.prepare_cached(sql)?.query_row(span, |row| row.get(0)).optional()
        };
        self.ask("find changes of keys in the log", question).await
    }

    /// The number of a record under a key that is no origin's, if there is one.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn stray(&mut self) -> Result<Option<u64>, StoreError> {
        let question = |log: &Connection| log.query_row(STRAY, [], |row| row.get(0));
        let place: Option<i64> = self.ask("look for records of no log", question).await?;
        Ok(place.map(seq_of))
    }

    /// What the file says of what was taken out of it, and is being taken.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn removals(&mut self) -> Result<Removals, StoreError> {
        self.ask("see what is removed from the log", Removals::read).await
    }

    /// Whether anything was, or may have been, taken out in order since then.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn removed_since(&mut self, before: &Removals) -> Result<bool, StoreError> {
        let before = before.clone();
        self.ask("see what was removed from the log", move |log| before.went_on(log)).await
    }
}

/// The first record in any of the gaps between the keys of origins.
const STRAY: &str = "SELECT MIN((
        SELECT place FROM record WHERE place BETWEEN gap.low AND gap.high ORDER BY place LIMIT 1
    )) FROM (
        SELECT (LAG(key, 1, -8388608) OVER (ORDER BY key) + 1) << 40 AS low, (key << 40) - 1 AS high FROM origin
        UNION ALL SELECT (MAX(key) + 1) << 40, 9223372036854775807 FROM origin
    ) AS gap";

/// Records between two places of one of two kinds. A head is shorter than that, and nothing in it has to be escaped.
const SAID: &str = r#"SELECT place, body FROM record
    WHERE place >= $1 AND place < $2 AND (
        instr(substr(body, 1, 128), CAST(',"kind":"restored",' AS BLOB)) > 0
        OR instr(substr(body, 1, 128), CAST(',"kind":"pruned",' AS BLOB)) > 0
    )
    ORDER BY place"#;

/// Records between two places that are a person's decisions, or mention them without being somebody else's.
const ABOUT: &str = "SELECT place, body FROM record
    WHERE place >= $1 AND place < $2 AND body IS NOT NULL AND (
        principal IN (
            SELECT key FROM principal_snapshot
            WHERE CASE WHEN json_valid(body) THEN json_extract(body, '$.subject') END = $3
        )
        OR (principal IS NULL AND instr(body, CAST($3 AS BLOB)) > 0)
    )
    ORDER BY place";

/// Whether what [`ABOUT`] found is about this person, and does not only mention them.
fn is_about(body: &[u8], subject: &Subject) -> bool {
    let decision = body::Head::read(body).is_some_and(|head| head.kind == "decision");
    decision || body::subject_of_event(body).as_ref() == Some(subject)
}
