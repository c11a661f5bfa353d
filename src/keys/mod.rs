//! Our own secrets: the key that seals tokens at rest, the key that signs assertions for upstreams, and the key that signs
//! the audit log's checkpoints.
//!
//! Both live in one directory (mode 0700), one file each (mode 0400), and are made at the first start. A file that
//! group or others may read is refused, as is one of the wrong length or form: nothing is repaired or replaced,
//! since a replaced key would make every stored token unreadable without a word.
//! Sealing is XChaCha20-Poly1305 with random nonces; signing keys are in PKCS#8 PEM (RFC 5208): P-256 for assertions, named
//! by its RFC 7638 thumbprint, Ed25519 for the log.

mod assertion;
mod files;
mod log;
mod token;

use std::path::{Path, PathBuf};

pub use assertion::AssertionKey;
pub use log::{LogKey, LogPublicKey};
pub use token::{TokenKey, Unsealable};

/// The file of the log's key.
const LOG: &str = "log.pem";

/// Our own secrets, read once at the start.
#[derive(Debug)]
pub struct Keys {
    /// Seals refresh tokens at rest.
    pub token: TokenKey,
    /// Signs `X-Gate-Assertion`.
    pub assertion: AssertionKey,
    /// Signs the audit log's checkpoints.
    pub log: LogKey,
}

impl Keys {
    /// The keys in `dir`; the directory and whatever it lacks are created first.
    ///
    /// # Errors
    /// When the directory or a file can't be read or made, is open to others, or holds something else than a key.
    pub fn open(dir: &Path) -> Result<Self, KeysError> {
        files::ensure_directory(dir)?;
        let token = dir.join("token.key");
        let assertion = dir.join("assertion.pem");
        Ok(Self {
            token: TokenKey::parse(&files::read_or_make(&token, TokenKey::generate)?)
                .ok_or_else(|| KeysError::malformed(&token, "exactly 32 bytes"))?,
            assertion: AssertionKey::parse(&files::read_or_make(
                &assertion,
                AssertionKey::generate,
            )?)
            .ok_or_else(|| KeysError::malformed(&assertion, "a P-256 private key in PKCS#8 PEM"))?,
            log: Self::log(dir)?,
        })
    }

    /// The log's key alone; made where it is missing.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn log(dir: &Path) -> Result<LogKey, KeysError> {
        files::ensure_directory(dir)?;
        let path = dir.join(LOG);
        LogKey::parse(&files::read_or_make(&path, LogKey::generate)?)
            .ok_or_else(|| KeysError::malformed(&path, "an Ed25519 private key in PKCS#8 PEM"))
    }
}

/// Why our keys can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file system refused.
    #[error(
        "can't {doing} `{path}`; check that it exists on a writable disk and belongs to the user that runs cedargate"
    )]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Group or others have access.
    #[error(
        "`{path}` is open to group or others (mode {mode:04o}); run `chmod {wanted} {path}`, and replace the key if somebody may have read it"
    )]
    Exposed {
        /// The file or directory.
        path: PathBuf,
        /// Its mode now.
        mode: u32,
        /// The mode it should have.
        wanted: &'static str,
    },
    /// Not a key.
    #[error(
        "`{path}` does not hold {wanted}; restore it from a backup, or move it away to have a new key made"
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What belongs into it.
        wanted: &'static str,
    },
    /// The operating system gave no randomness.
    #[error("can't get randomness from the operating system to make a key")]
    Randomness,
}

impl KeysError {
    fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }

    fn malformed(path: &Path, wanted: &'static str) -> Self {
        Self::Malformed { path: path.to_owned(), wanted }
    }
}

#[cfg(test)]
mod tests;
