//! Who has a session, as it knows them.

use super::Store;
use super::bad_row;
use super::error::StoreError;
use super::session_rows::{Row, StoredSession, read};
use super::sqlite::failed;
use crate::model::known::KnownPrincipal;
use crate::model::principal::{Principal, PrincipalSnapshot};
use crate::model::time::Timestamp;

/// Sessions that one list has at most: the ones used last.
pub const SESSIONS: u32 = 2_000;

impl Store {
    /// The people of the sessions used last, at most 2,000, as their last token or re-check described them.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn people_of_sessions(&self) -> Result<Vec<KnownPrincipal>, StoreError> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            r"
            SELECT s.id, s.principal, s.seen_at FROM session s
            JOIN setting e ON e.name = 'session_epoch' AND e.value = s.epoch
            ORDER BY s.seen_at DESC LIMIT $1
            ",
        )
        .bind(i64::from(SESSIONS))
        .fetch_all(&self.pool)
        .await
        .map_err(failed(&self.pool, "read the people of sessions"))?;
        let known = |(id, principal, seen_at): (String, String, i64)| {
            let content: Principal =
                serde_json::from_str(&principal).map_err(|e| bad_row("session", &id, e))?;
            let seen_at = Timestamp::from_micros(seen_at);
            Ok(KnownPrincipal { content: PrincipalSnapshot::new(content), seen_at })
        };
        rows.into_iter().map(known).collect()
    }

    /// The sessions used last, at most 2,000.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn newest_sessions(&self) -> Result<Vec<StoredSession>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            r"
            SELECT s.id, s.host, s.subject, s.principal, s.auth_contexts, s.entra_session,
                s.login_hint, s.refresh_token, s.signed_in_at, s.proved_at, s.authenticated_at,
                s.seen_at, s.recheck_at, s.ends_at, s.read_at, s.client, s.browser
            FROM session s
            JOIN setting e ON e.name = 'session_epoch' AND e.value = s.epoch
            ORDER BY s.seen_at DESC, s.id LIMIT $1
            ",
        )
        .bind(i64::from(SESSIONS))
        .fetch_all(&self.pool)
        .await
        .map_err(failed(&self.pool, "list sessions"))?;
        rows.into_iter().map(read).collect()
    }
}
