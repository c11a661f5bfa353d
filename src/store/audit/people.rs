//! What the log says of people: who was here, and who used what.
//!
//! The table of records has no index but its own order, so whatever is not found by its place is looked for among the
//! newest records only, and the answer says how far back that was.

use std::collections::BTreeMap;

use super::super::error::StoreError;
use super::super::sqlite::failed;
use super::AuditReader;
use super::bad_row;
use super::read::{Line, line};
use crate::model::grant::Method;
use crate::model::id::{RouteId, Subject};
use crate::model::known::KnownPrincipal;
use crate::model::principal::{Principal, PrincipalHash, PrincipalSnapshot};
use crate::model::record::RecordLine;
use crate::model::time::Timestamp;

/// The most people that are told of: those seen last.
pub const PEOPLE: u32 = 10_000;

/// Records that are searched, newest first: about a tenth of a second.
const SEARCHED: i64 = 50_000;

/// When something was last used, as far back as was looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUses<K> {
    /// By whom or what.
    pub at: BTreeMap<K, Timestamp>,
    /// How far back was looked: the oldest record of the search; none where the log is empty.
    pub since: Option<Timestamp>,
}

impl AuditReader {
    /// Everybody of whom the log knows, at most the 10,000 seen last, each as they were then.
    ///
    /// # Errors
    /// When the file can't be read, or a row holds what this program never writes.
    pub async fn people(&self) -> Result<Vec<KnownPrincipal>, StoreError> {
        // The row of the largest value gives the other columns too (SQLite, "bare columns in an aggregate query").
        let rows: Vec<(Vec<u8>, String, i64)> = sqlx::query_as(
            "SELECT hash, body, MAX(seen_us) AS seen_us FROM principal_snapshot
             WHERE json_extract(body, '$.kind') <> 'anonymous'
             GROUP BY json_extract(body, '$.subject')
             ORDER BY seen_us DESC
             LIMIT $1",
        )
        .bind(i64::from(PEOPLE))
        .fetch_all(&self.pool)
        .await
        .map_err(failed(&self.pool, "read who was here"))?;
        rows.into_iter().map(known).collect()
    }

    /// When each person last did one of these on a route and was let in, among the newest 50,000 records.
    ///
    /// # Errors
    /// As for [`Self::people`].
    pub async fn users_of(
        &self,
        route: &RouteId,
        methods: &[Method],
    ) -> Result<LastUses<Subject>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT subject, MAX(ts_us) FROM (
                 SELECT subject, ts_us, route, verdict, body FROM record
                 ORDER BY place DESC LIMIT $3
             )
             WHERE route = $1 AND verdict = 'allow' AND subject IS NOT NULL
             AND instr($2, ',' || json_extract(CAST(body AS TEXT), '$.method') || ',') > 0
             GROUP BY subject",
        )
        .bind(route.as_str())
        .bind(listed(methods))
        .bind(SEARCHED)
        .fetch_all(&self.pool)
        .await
        .map_err(failed(&self.pool, "read who used a route"))?;
        self.uses(rows).await
    }

    /// When a person was last let in on each route, and how, among the newest 50,000 records.
    ///
    /// # Errors
    /// As for [`Self::people`].
    pub async fn used_by(
        &self,
        subject: &Subject,
        methods: &[Method],
    ) -> Result<LastUses<RouteId>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT route, MAX(ts_us) FROM (
                 SELECT subject, ts_us, route, verdict, body FROM record
                 ORDER BY place DESC LIMIT $3
             )
             WHERE subject = $1 AND verdict = 'allow' AND route IS NOT NULL
             AND instr($2, ',' || json_extract(CAST(body AS TEXT), '$.method') || ',') > 0
             GROUP BY route",
        )
        .bind(subject.to_string())
        .bind(listed(methods))
        .bind(SEARCHED)
        .fetch_all(&self.pool)
        .await
        .map_err(failed(&self.pool, "read what a person used"))?;
        self.uses(rows).await
    }

    /// When each person was last let in on each route, among the newest 50,000 records.
    ///
    /// # Errors
    /// As for [`Self::people`].
    pub async fn used(&self) -> Result<LastUses<(RouteId, Subject)>, StoreError> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT route, subject, MAX(ts_us) FROM (
                 SELECT route, subject, ts_us, verdict FROM record ORDER BY place DESC LIMIT $1
             )
             WHERE verdict = 'allow' AND route IS NOT NULL AND subject IS NOT NULL
             GROUP BY route, subject",
        )
        .bind(SEARCHED)
        .fetch_all(&self.pool)
        .await
        .map_err(failed(&self.pool, "read who used which route"))?;
        let read = |(route, subject, at): (String, String, i64)| {
            let wrong = |_| bad_row("record", &route, "it is about something that has no such id");
            let of = (route.parse().map_err(wrong)?, subject.parse().map_err(wrong)?);
            Ok((of, Timestamp::from_micros(at)))
        };
        let at = rows.into_iter().map(read).collect::<Result<_, StoreError>>()?;
        Ok(LastUses { at, since: self.searched_since().await? })
    }

    /// A person's newest decisions, newest first, at most `limit`, among the newest 50,000 records.
    ///
    /// # Errors
    /// As for [`Self::people`].
    pub async fn decisions_of(
        &self,
        subject: &Subject,
        limit: u32,
    ) -> Result<Vec<RecordLine>, StoreError> {
        let lines: Vec<Line> = sqlx::query_as(
            "SELECT r.place, o.id, r.ts_us, r.kind, r.body, p.body
             FROM (
                 SELECT place FROM (
                     SELECT place, subject, kind FROM record ORDER BY place DESC LIMIT $3
                 )
                 WHERE subject = $1 AND kind = 'decision' ORDER BY place DESC LIMIT $2
             ) found
             JOIN record r ON r.place = found.place
             JOIN origin o ON o.key = r.place >> 40
             LEFT JOIN principal_snapshot p ON p.hash = r.principal
             ORDER BY r.place DESC",
        )
        .bind(subject.to_string())
        .bind(i64::from(limit))
        .bind(SEARCHED)
        .fetch_all(&self.pool)
        .await
        .map_err(failed(&self.pool, "list the decisions about a person"))?;
        lines.into_iter().map(line).collect()
    }

    async fn uses<K: std::str::FromStr + Ord>(
        &self,
        rows: Vec<(String, i64)>,
    ) -> Result<LastUses<K>, StoreError> {
        let read = |(key, at): (String, i64)| {
            let wrong = |_| bad_row("record", &key, "it is about something that has no such id");
            Ok((key.parse().map_err(wrong)?, Timestamp::from_micros(at)))
        };
        let at = rows.into_iter().map(read).collect::<Result<_, StoreError>>()?;
        Ok(LastUses { at, since: self.searched_since().await? })
    }

    /// The oldest of the records that are searched.
    async fn searched_since(&self) -> Result<Option<Timestamp>, StoreError> {
        let since: Option<i64> = sqlx::query_scalar(
            "SELECT MIN(ts_us) FROM (SELECT ts_us FROM record ORDER BY place DESC LIMIT $1)",
        )
        .bind(SEARCHED)
        .fetch_one(&self.pool)
        .await
        .map_err(failed(&self.pool, "read how far back the log was searched"))?;
        Ok(since.map(Timestamp::from_micros))
    }
}

/// `,GET,HEAD,`: no method's name has a comma.
fn listed(methods: &[Method]) -> String {
    methods.iter().fold(",".to_owned(), |list, method| list + method.as_str() + ",")
}

fn known((hash, body, seen): (Vec<u8>, String, i64)) -> Result<KnownPrincipal, StoreError> {
    let wrong = |_: serde_json::Error| {
        let id = hash.as_slice().try_into().map(PrincipalHash);
        let id = id.map_or_else(|_| "of another length".to_owned(), |hash| hash.to_string());
        bad_row("principal_snapshot", &id, "it is no principal")
    };
    let content: Principal = serde_json::from_str(&body).map_err(wrong)?;
    let seen_at = Timestamp::from_micros(seen);
    Ok(KnownPrincipal { content: PrincipalSnapshot::new(content), seen_at })
}
