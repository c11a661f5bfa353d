//! A live session whose person has just proved more of themselves at Entra.
//!
//! What a session may open changes with it, so that every token that opened it before dies in the same transaction
//! (OWASP ASVS 5.0, 7.2.4): nobody who saw one earlier can use what was proved now. The session keeps its id and limits.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Store;
use super::error::StoreError;
use super::secret_hash::SecretHash;
use super::sqlite::{Tx, begin, failed};
use crate::model::id::SessionId;
use crate::model::principal::PrincipalSnapshot;
use crate::model::time::Timestamp;

const RAISING: &str = "raise a session";

/// What a step-up changes. None keeps what is there.
#[derive(Debug, Clone)]
pub struct Raise {
    /// The person as the new token describes them.
    pub principal: Arc<PrincipalSnapshot>,
    /// All authentication contexts met, and when each was met last.
    pub auth_contexts: BTreeMap<String, Timestamp>,
    /// When the person last proved who they are.
    pub proved_at: Timestamp,
    /// The same as Entra tells it (`auth_time`).
    pub authenticated_at: Option<Timestamp>,
    /// `sid` of Entra's own session.
    pub entra_session: Option<String>,
    /// `login_hint` for signing out at Entra.
    pub login_hint: Option<String>,
    /// The refresh token for the next re-check, sealed.
    pub refresh_token: Option<Vec<u8>>,
    /// The next re-check.
    pub recheck_at: Timestamp,
}

impl Store {
    /// Writes a step-up, ends every token of the session, and gives it this one on the gate's host. `false` when there is
    /// no such session any more; nothing is changed then.
    ///
    /// # Errors
    /// When the database fails; nothing is changed then.
    pub async fn raise_session(
        &self,
        (id, token): (&SessionId, &SecretHash),
        raise: &Raise,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = begin(&self.pool, RAISING).await?;
        if !self.write_raise(&mut tx, (id, raise), now).await? {
            return Ok(false);
        }
        self.replace_tokens(&mut tx, (id, token), now).await?;
        tx.commit().await.map_err(failed(&self.pool, RAISING))?;
        Ok(true)
    }

    async fn write_raise(
        &self,
        tx: &mut Tx,
        (id, raise): (&SessionId, &Raise),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        sqlx::query(
            r"
            UPDATE session SET principal = $2, auth_contexts = $3, proved_at = $4,
                authenticated_at = COALESCE($5, authenticated_at),
                entra_session = COALESCE($6, entra_session), login_hint = COALESCE($7, login_hint),
                refresh_token = COALESCE($8, refresh_token), recheck_at = $9, read_at = $10
            WHERE id = $1 AND ends_at > $10
                AND epoch = (SELECT value FROM setting WHERE name = 'session_epoch')
            ",
        )
        .bind(id.as_str())
        .bind(raise.principal.to_json())
        .bind(serde_json::json!(raise.auth_contexts).to_string())
        .bind(raise.proved_at.as_micros())
        .bind(raise.authenticated_at.map(Timestamp::as_micros))
        .bind(&raise.entra_session)
        .bind(&raise.login_hint)
        .bind(raise.refresh_token.as_ref().map(|sealed| STANDARD.encode(sealed)))
        .bind(raise.recheck_at.as_micros())
        .bind(now.as_micros())
        .execute(&mut **tx)
        .await
        .map(|done| done.rows_affected() == 1)
        .map_err(failed(&self.pool, RAISING))
    }

    async fn replace_tokens(
        &self,
        tx: &mut Tx,
        (id, token): (&SessionId, &SecretHash),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM session_token WHERE session = $1")
            .bind(id.as_str())
            .execute(&mut **tx)
            .await
            .map_err(failed(&self.pool, RAISING))?;
        sqlx::query(
            r"
            INSERT INTO session_token (token_hash, session, host, made_at)
            SELECT $1, id, host, $3 FROM session WHERE id = $2
            ",
        )
        .bind(token.as_str())
        .bind(id.as_str())
        .bind(now.as_micros())
        .execute(&mut **tx)
        .await
        .map(|_| ())
        .map_err(failed(&self.pool, RAISING))
    }
}
