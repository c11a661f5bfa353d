//! The token in a session cookie: 256 random bits that mean nothing by themselves.
//!
//! A text that is not exactly what [`Token::generate`] could have made is no token: shortened, padded, with white space
//! around it, or with last bits that decoding would ignore. So one session has one spelling.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::store::SecretHash;

/// Random bytes in a token.
const BYTES: usize = 32;

/// Characters of a token: 32 bytes in base64url without padding.
const CHARACTERS: usize = 43;

/// The operating system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no randomness")]
pub struct NoRandomness;

/// The secret that opens a session. It never prints; [`Token::expose`] is for the cookie alone.
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    /// A new token from the operating system's randomness.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes).into()))
    }

    /// Reads a token from a cookie; none when the text can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != CHARACTERS {
            return None;
        }
        // This engine refuses padding, other alphabets and set bits after the last byte.
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == BYTES).then(|| Self(text.into()))
    }

    /// The text for the cookie.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The form in which it is kept and looked up.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(self.expose())
    }
}

/// Never the secret.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
