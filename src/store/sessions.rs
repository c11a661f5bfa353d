//! Sessions and the tokens that open them.
//!
//! A session is one row; its tokens (one on the gate's host, one per app host) are rows that go with it. Ending a session
//! is removing its row: nothing is left that could be taken for alive. Sessions of another epoch are not found at all.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Store;
use super::error::StoreError;
use super::secret_hash::SecretHash;
use super::session_ends::End;
use super::session_rows::{Opened, OpenedRow, Row, StoredSession, opened, read};
use super::sqlite::{Tx, begin, failed};
use crate::model::host::Host;
use crate::model::id::{SessionId, Subject};
use crate::model::principal::PrincipalSnapshot;
use crate::model::record::{Actor, SessionEnd};
use crate::model::time::Timestamp;

/// How a session is started.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// The token of the session that this browser had before; it ends.
    pub replaced: Option<&'a SecretHash>,
    /// Sessions that one person may have; the oldest end.
    pub per_person: u32,
}

/// What a successful re-check changes.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// The person as the new token describes them.
    pub principal: Arc<PrincipalSnapshot>,
    /// The refresh token for the next time, sealed; none keeps the present one.
    pub refresh_token: Option<Vec<u8>>,
    /// The next time.
    pub recheck_at: Timestamp,
    /// This time.
    pub read_at: Timestamp,
}

impl Store {
    /// Starts a session with its first token. In the same transaction the browser's former session ends, and so do the
    /// person's oldest ones beyond the cap; these ends wait in the outbox.
    ///
    /// # Errors
    /// When the database fails; nothing is changed then.
    pub async fn start_session(
        &self,
        session: &StoredSession,
        token: &SecretHash,
        start: Start<'_>,
    ) -> Result<(), StoreError> {
        let mut tx = begin(&self.pool, "start a session").await?;
        let end = |why| End {
            why,
            detail: String::new(),
            by: Actor::Subject(session.subject.clone()),
            at: session.signed_in_at,
        };
        if let Some(replaced) = start.replaced {
            self.end_replaced(&mut tx, replaced, &end(SessionEnd::Replaced)).await?;
        }
        let too_many = end(SessionEnd::TooMany);
        self.end_oldest(&mut tx, (&session.subject, start.per_person), &too_many).await?;
        self.add_session(&mut tx, session).await?;
        self.add_token(&mut tx, (token, &session.id, &session.host), session.signed_in_at).await?;
        tx.commit().await.map_err(failed(&self.pool, "start a session"))
    }

    /// Adds the token of an app's host to a session, in place of an older one of that host. `false` when there is no such
    /// session, or `host` is the gate's own.
    ///
    /// # Errors
    /// When the database fails; nothing is changed then.
    pub async fn add_child(
        &self,
        session: &SessionId,
        (token, host): (&SecretHash, &Host),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = begin(&self.pool, "add a child session").await?;
        let parent: Option<String> = sqlx::query_scalar(
            r"
            SELECT s.host FROM session s
            JOIN setting e ON e.name = 'session_epoch' AND e.value = s.epoch
            WHERE s.id = $1 AND s.ends_at > $2
            ",
        )
        .bind(session.as_str())
        .bind(now.as_micros())
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed(&self.pool, "add a child session"))?;
        if parent.is_none_or(|gate| gate == host.as_str()) {
            return Ok(false);
        }
        sqlx::query("DELETE FROM session_token WHERE session = $1 AND host = $2")
            .bind(session.as_str())
            .bind(host.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed(&self.pool, "add a child session"))?;
        self.add_token(&mut tx, (token, session, host), now).await?;
        tx.commit().await.map_err(failed(&self.pool, "add a child session"))?;
        Ok(true)
    }

    /// The session that a token opens; none when it has ended or belongs to another epoch.
    ///
    /// # Errors
    /// When the database fails or the row can't be read.
    pub async fn session_of(&self, token: &SecretHash) -> Result<Option<Opened>, StoreError> {
        let row: Option<OpenedRow> = sqlx::query_as(
            r"
            SELECT t.host AS token_host, s.id, s.host, s.subject, s.principal, s.auth_contexts,
                s.entra_session, s.login_hint, s.refresh_token, s.signed_in_at, s.proved_at,
                s.authenticated_at, s.seen_at, s.recheck_at, s.ends_at, s.read_at, s.client,
                s.browser
            FROM session_token t
            JOIN session s ON s.id = t.session
            JOIN setting e ON e.name = 'session_epoch' AND e.value = s.epoch
            WHERE t.token_hash = $1
            ",
        )
        .bind(token.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(failed(&self.pool, "look up a session"))?;
        row.map(opened).transpose()
    }

    /// The session with this id; none when it has ended or belongs to another epoch.
    ///
    /// # Errors
    /// When the database fails or the row can't be read.
    pub async fn session(&self, id: &SessionId) -> Result<Option<StoredSession>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            r"
            SELECT s.id, s.host, s.subject, s.principal, s.auth_contexts, s.entra_session,
                s.login_hint, s.refresh_token, s.signed_in_at, s.proved_at, s.authenticated_at,
                s.seen_at, s.recheck_at, s.ends_at, s.read_at, s.client, s.browser
            FROM session s
            JOIN setting e ON e.name = 'session_epoch' AND e.value = s.epoch
            WHERE s.id = $1
            ",
        )
        .bind(id.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(failed(&self.pool, "look up a session"))?;
        row.map(read).transpose()
    }

    /// A person's sessions, newest first.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn sessions_of(&self, subject: &Subject) -> Result<Vec<StoredSession>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            r"
            SELECT s.id, s.host, s.subject, s.principal, s.auth_contexts, s.entra_session,
                s.login_hint, s.refresh_token, s.signed_in_at, s.proved_at, s.authenticated_at,
                s.seen_at, s.recheck_at, s.ends_at, s.read_at, s.client, s.browser
            FROM session s
            JOIN setting e ON e.name = 'session_epoch' AND e.value = s.epoch
            WHERE s.subject = $1 ORDER BY s.signed_in_at DESC, s.id
            ",
        )
        .bind(subject.to_string())
        .fetch_all(&self.pool)
        .await
        .map_err(failed(&self.pool, "list sessions"))?;
        rows.into_iter().map(read).collect()
    }

    /// Notes that a session was used.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_session(&self, id: &SessionId, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE session SET seen_at = $2 WHERE id = $1 AND seen_at < $2")
            .bind(id.as_str())
            .bind(at.as_micros())
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(failed(&self.pool, "note the use of a session"))
    }

    /// Moves all times of a session back, after the clock was. Nothing happens when its times or its contexts are not those
    /// of `session` any more: somebody else has moved or changed them meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shift_session(
        &self,
        session: &StoredSession,
        by: Duration,
    ) -> Result<(), StoreError> {
        let met = session.auth_contexts.iter().map(|(context, met)| (context, met.minus(by)));
        let auth_contexts: std::collections::BTreeMap<_, _> = met.collect();
        let was = serde_json::json!(session.auth_contexts).to_string();
        sqlx::query(
            r"
            UPDATE session SET signed_in_at = signed_in_at - $2, proved_at = proved_at - $2,
                authenticated_at = authenticated_at - $2, seen_at = seen_at - $2,
                recheck_at = recheck_at - $2, ends_at = ends_at - $2, read_at = read_at - $2,
                auth_contexts = $3
            WHERE id = $1 AND seen_at = $4 AND auth_contexts = $5
            ",
        )
        .bind(session.id.as_str())
        .bind(i64::try_from(by.as_micros()).unwrap_or(i64::MAX))
        .bind(serde_json::json!(auth_contexts).to_string())
        .bind(session.seen_at.as_micros())
        .bind(was)
        .execute(&self.pool)
        .await
        .map(|_| ())
        .map_err(failed(&self.pool, "move the times of a session"))
    }

    /// Writes what a re-check brought; `false` when the session has ended meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_session(
        &self,
        id: &SessionId,
        renewal: &Renewal,
    ) -> Result<bool, StoreError> {
        sqlx::query(
            r"
            UPDATE session SET principal = $2,
                refresh_token = COALESCE($3, refresh_token), recheck_at = $4, read_at = $5
            WHERE id = $1
            ",
        )
        .bind(id.as_str())
        .bind(renewal.principal.to_json())
        .bind(renewal.refresh_token.as_ref().map(|sealed| STANDARD.encode(sealed)))
        .bind(renewal.recheck_at.as_micros())
        .bind(renewal.read_at.as_micros())
        .execute(&self.pool)
        .await
        .map(|done| done.rows_affected() == 1)
        .map_err(failed(&self.pool, "renew a session"))
    }

    /// Sets when groups and roles are read again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn postpone_recheck(&self, id: &SessionId, to: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE session SET recheck_at = $2 WHERE id = $1")
            .bind(id.as_str())
            .bind(to.as_micros())
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(failed(&self.pool, "postpone a re-check"))
    }

    /// Raises the session epoch: no session made before is found any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn raise_session_epoch(&self) -> Result<(), StoreError> {
        sqlx::query(
            r"
            UPDATE setting SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT)
            WHERE name = 'session_epoch'
            ",
        )
        .execute(&self.pool)
        .await
        .map(|_| ())
        .map_err(failed(&self.pool, "raise the session epoch"))
    }

    async fn add_session(&self, tx: &mut Tx, session: &StoredSession) -> Result<(), StoreError> {
        sqlx::query(
            r"
            INSERT INTO session
                (id, host, epoch, subject, principal, auth_contexts, entra_session, login_hint,
                refresh_token, signed_in_at, proved_at, authenticated_at, seen_at, recheck_at,
                ends_at, client, browser, read_at)
            SELECT $1, $2, value, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                $17
            FROM setting WHERE name = 'session_epoch'
            ",
        )
        .bind(session.id.as_str())
        .bind(session.host.as_str())
        .bind(session.subject.to_string())
        .bind(session.principal.to_json())
        .bind(serde_json::json!(session.auth_contexts).to_string())
        .bind(&session.entra_session)
        .bind(&session.login_hint)
        .bind(session.refresh_token.as_ref().map(|sealed| STANDARD.encode(sealed)))
        .bind(session.signed_in_at.as_micros())
        .bind(session.proved_at.as_micros())
        .bind(session.authenticated_at.map(Timestamp::as_micros))
        .bind(session.seen_at.as_micros())
        .bind(session.recheck_at.as_micros())
        .bind(session.ends_at.as_micros())
        .bind(session.client.map(|client| client.to_string()))
        .bind(session.browser.map(|browser| browser.to_string()))
        .bind(session.read_at.as_micros())
        .execute(&mut **tx)
        .await
        .map(|_| ())
        .map_err(failed(&self.pool, "start a session"))
    }

    async fn add_token(
        &self,
        tx: &mut Tx,
        (token, session, host): (&SecretHash, &SessionId, &Host),
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            r"
            INSERT INTO session_token (token_hash, session, host, made_at)
            VALUES ($1, $2, $3, $4)
            ",
        )
        .bind(token.as_str())
        .bind(session.as_str())
        .bind(host.as_str())
        .bind(at.as_micros())
        .execute(&mut **tx)
        .await
        .map(|_| ())
        .map_err(failed(&self.pool, "add a session's token"))
    }
}
