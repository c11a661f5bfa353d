//! The only form in which tokens, codes and states reach the database.

use std::fmt;

use sha2::{Digest, Sha256};

/// SHA-256 of a secret that a browser carries. A stolen database or backup opens nothing with it.
///
/// Look-ups go by this hash through a unique index, so that comparing takes no time that depends on the secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretHash(String);

impl SecretHash {
    /// The hash of `secret`, exactly as the browser sent it.
    pub fn of(secret: &str) -> Self {
        Self(format!("{:x}", Sha256::digest(secret)))
    }

    /// 64 lower-case hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn stored(hex: String) -> Self {
        Self(hex)
    }
}

/// Lower-case hex.
impl fmt::Display for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
