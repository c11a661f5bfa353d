//! Who was here, as the log keeps them.

use super::super::error::StoreError;
use super::super::sqlite::failed;
use super::AuditReader;
use super::bad_row;
use crate::model::known::KnownPrincipal;
use crate::model::principal::{Principal, PrincipalHash, PrincipalSnapshot};
use crate::model::time::Timestamp;

/// The most people that are told of: those seen last.
pub const PEOPLE: u32 = 10_000;

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
