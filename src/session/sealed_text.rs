//! Short secrets of a sign-in under way, sealed for the row that keeps them: a stolen database completes no sign-in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};

use super::error::SessionError;
use super::sessions::Sessions;

impl Sessions {
    /// Seals `plain` for `place`, as text; only the same place opens it again.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn seal_text(
        &self,
        plain: &SecretString,
        place: &str,
    ) -> Result<SecretString, SessionError> {
        let sealed =
            self.parts.token_key.seal(plain.expose_secret().as_bytes(), place.as_bytes())?;
        Ok(URL_SAFE_NO_PAD.encode(sealed).into())
    }

    /// Opens what [`Sessions::seal_text`] made; none when it was changed, moved, or sealed with another key.
    pub fn open_text(&self, sealed: &SecretString, place: &str) -> Option<SecretString> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed.expose_secret()).ok()?;
        let plain = self.parts.token_key.open(&sealed, place.as_bytes()).ok()?;
        String::from_utf8(plain).ok().map(SecretString::from)
    }
}
