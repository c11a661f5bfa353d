//! Keeping what signing out at Entra takes.

use secrecy::{ExposeSecret as _, SecretString};

use super::error::SessionError;
use super::sessions::Sessions;
use crate::model::id::SessionId;

impl Sessions {
    /// Keeps the ID token of a session, sealed for it.
    ///
    /// # Errors
    /// When it can't be sealed or kept.
    pub async fn keep_id_token(
        &self,
        id: &SessionId,
        token: &SecretString,
    ) -> Result<(), SessionError> {
        let sealed = self.seal_text(token, &place(id))?;
        Ok(self.parts.store.keep_id_token(id, sealed.expose_secret()).await?)
    }

    /// The ID token of a session; none when none was kept, or another key sealed it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn id_token(&self, id: &SessionId) -> Result<Option<SecretString>, SessionError> {
        let sealed = self.parts.store.id_token(id).await?.map(SecretString::from);
        Ok(sealed.and_then(|sealed| self.open_text(&sealed, &place(id))))
    }
}

/// Apart from the refresh token's, so that neither can be put in the other's place.
fn place(id: &SessionId) -> String {
    format!("id token of {id}")
}
