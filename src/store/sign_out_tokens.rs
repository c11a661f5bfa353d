//! What signing out at Entra takes where it gave no `login_hint`: the ID token of the sign-in, sealed.

use super::Store;
use super::error::StoreError;
use super::sqlite::failed;
use crate::model::id::SessionId;

impl Store {
    /// Keeps the sealed ID token of a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_id_token(&self, id: &SessionId, sealed: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE session SET id_token = $2 WHERE id = $1")
            .bind(id.as_str())
            .bind(sealed)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(failed(&self.pool, "keep the ID token of a session"))
    }

    /// The sealed ID token of a session, when one was kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn id_token(&self, id: &SessionId) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar("SELECT id_token FROM session WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map(Option::flatten)
            .map_err(failed(&self.pool, "read the ID token of a session"))
    }
}
