//! Reading records of the log by their places.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::line::Kept;
use super::super::{Origin, seq_of};
use crate::model::id::{DecisionId, OriginId};
use crate::model::record::RecordLine;

/// The log, and the names of its origins.
pub(super) struct Records<'a> {
    log: &'a Connection,
    origins: HashMap<i64, OriginId>,
}

impl<'a> Records<'a> {
    pub(super) fn of(log: &'a Connection) -> Result<Self, rusqlite::Error> {
        Ok(Self { log, origins: origins(log)? })
    }

    /// The newest place.
    pub(super) fn newest(&self) -> Result<Option<i64>, rusqlite::Error> {
        self.log.query_row("SELECT MAX(place) FROM record", [], |row| row.get(0))
    }

    /// The record at a place; none when it was removed.
    pub(super) fn record(&self, place: i64) -> Result<Option<RecordLine>, rusqlite::Error> {
        let mut statement = self.log.prepare_cached(
            "SELECT r.place, r.body, r.remains, p.reference, p.body FROM record r
             LEFT JOIN principal_snapshot p ON p.key = r.principal WHERE r.place = ?1",
        )?;
        let found = statement.query_row([place], |row| self.line(row)).optional()?;
        Ok(found.map(|(_, line)| line))
    }

    /// At most `limit` records from one place on, before another, newest first.
    pub(super) fn piece(
        &self,
        (from, before): (i64, i64),
        limit: i64,
    ) -> Result<Vec<(i64, RecordLine)>, rusqlite::Error> {
        let mut statement = self.log.prepare_cached(
            "SELECT r.place, r.body, r.remains, p.reference, p.body FROM record r
             LEFT JOIN principal_snapshot p ON p.key = r.principal
             WHERE r.place >= ?1 AND r.place < ?2 ORDER BY r.place DESC LIMIT ?3",
        )?;
        let lines = statement.query_map(params![from, before, limit], |row| self.line(row))?;
        lines.collect()
    }

    /// Where a record lies; none when the log has no such origin.
    pub(super) fn place(&self, id: DecisionId) -> Option<i64> {
        let (key, _) = self.origins.iter().find(|(_, origin)| **origin == id.origin)?;
        Some(Origin { id: id.origin, key: *key }.place(id.seq))
    }

    /// The record that lies at a place.
    pub(super) fn id(&self, place: i64) -> Option<DecisionId> {
        let origin = *self.origins.get(&Origin::key_of(place))?;
        Some(DecisionId { origin, seq: seq_of(place) })
    }

    fn line(&self, row: &Row<'_>) -> Result<(i64, RecordLine), rusqlite::Error> {
        let place: i64 = row.get(0)?;
        let kept = Kept {
            body: row.get(1)?,
            remains: row.get(2)?,
            reference: row.get(3)?,
            content: row.get(4)?,
        };
        Ok((place, kept.line(self.id(place).ok_or(rusqlite::Error::InvalidQuery)?)))
    }
}

fn origins(log: &Connection) -> Result<HashMap<i64, OriginId>, rusqlite::Error> {
    let mut statement = log.prepare_cached("SELECT key, id FROM origin")?;
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    let read = |(key, id): (i64, String)| Some((key, id.parse().ok()?));
    Ok(rows.into_iter().filter_map(read).collect())
}
