//! What was taken out of a log while somebody read it: seen by how it begins, by who is still to be forgotten, and by the
//! records that say so.

use rusqlite::Connection;

/// How things stood at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removals {
    /// For each origin its first record.
    firsts: Vec<Option<i64>>,
    /// Who is to be forgotten, by the number of the wish.
    wishes: Vec<i64>,
    /// The last record.
    last: i64,
}

impl Removals {
    pub(super) fn read(log: &Connection) -> Result<Self, rusqlite::Error> {
        let firsts = "SELECT (SELECT MIN(place) FROM record WHERE place BETWEEN key << 40 AND ((key + 1) << 40) - 1)
             FROM origin ORDER BY key";
        let firsts = all(log, firsts)?;
        let wishes = all(log, "SELECT id FROM erasure ORDER BY id")?;
        let last = "SELECT COALESCE(MAX(place), 0) FROM record";
        let last = log.query_row(last, [], |row| row.get(0))?;
        Ok(Self { firsts, wishes, last })
    }

    /// Whether it is not as it was then. Of a file that nobody writes it is.
    pub(super) fn went_on(&self, log: &Connection) -> Result<bool, rusqlite::Error> {
        let now = Self::read(log)?;
        let begins_elsewhere = !now.firsts.starts_with(&self.firsts);
        let fulfilled = self.wishes.iter().any(|wish| !now.wishes.contains(wish));
        Ok(begins_elsewhere || fulfilled || self.is_told(log)?)
    }

    /// Whether a record behind the last says that something is removed.
    fn is_told(&self, log: &Connection) -> Result<bool, rusqlite::Error> {
        // A head is shorter than that, and nothing in it has to be escaped.
        let sql = r#"SELECT EXISTS (SELECT 1 FROM record WHERE place > ?1 AND (
                instr(substr(body, 1, 128), CAST(',"kind":"erased",' AS BLOB)) > 0
                OR instr(substr(body, 1, 128), CAST(',"kind":"pruned",' AS BLOB)) > 0
            ))"#;
        log.query_row(sql, [self.last], |row| row.get(0))
    }
}

fn all<T: rusqlite::types::FromSql>(
    log: &Connection,
    sql: &str,
) -> Result<Vec<T>, rusqlite::Error> {
    log.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect()
}
