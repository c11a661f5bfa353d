//! Our own secrets: the key that seals tokens at rest, the key that signs assertions for upstreams, and the key that signs
//! the audit log's checkpoints.
//!
//! They live in one directory (mode 0700), one file each (mode 0400), and are made at the first start. A file that
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

/// The file of the log's key, of the one that is to follow it, and of the one that it followed.
const LOG: &str = "log.pem";
const NEXT_LOG: &str = "log.next.pem";
const LAST_LOG: &str = "log.before.pem";

fn log_key(path: &Path) -> Result<LogKey, KeysError> {
    LogKey::parse(&files::read_or_make(path, LogKey::generate)?)
        .ok_or_else(|| KeysError::malformed(path, "an Ed25519 private key in PKCS#8 PEM"))
}

/// Our own secrets, read once at the start.
#[derive(Debug)]
pub struct Keys {
    /// Seals refresh tokens at rest.
    pub token: TokenKey,
    /// Signs `X-Gate-Assertion`.
    pub assertion: AssertionKey,
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
        })
    }

    /// The log's key alone; made where it is missing.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn log(dir: &Path) -> Result<LogKey, KeysError> {
        files::ensure_directory(dir)?;
        log_key(&dir.join(LOG))
    }

    /// The key that is to sign the log after a change of keys; made where there is none yet.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn next_log(dir: &Path) -> Result<LogKey, KeysError> {
        log_key(&dir.join(NEXT_LOG))
    }

    /// That key, where a change of keys has begun.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn begun_log(dir: &Path) -> Result<Option<LogKey>, KeysError> {
        if dir.join(NEXT_LOG).exists() { Self::next_log(dir).map(Some) } else { Ok(None) }
    }

    /// The log's key, where there is one.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn existing_log(dir: &Path) -> Result<Option<LogKey>, KeysError> {
        let path = dir.join(LOG);
        if path.exists() { log_key(&path).map(Some) } else { Ok(None) }
    }

    /// What checks the key that the log's key followed, where there is one.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn last_log(dir: &Path) -> Result<Option<LogPublicKey>, KeysError> {
        let path = dir.join(LAST_LOG);
        if path.exists() { log_key(&path).map(|key| Some(key.public())) } else { Ok(None) }
    }

    /// Puts that key in the place of the one before, which is kept under the name `log.before.pem`.
    ///
    /// # Errors
    /// When a file can't be moved.
    pub fn install_log(dir: &Path) -> Result<(), KeysError> {
        let (now, next, before) = (dir.join(LOG), dir.join(NEXT_LOG), dir.join(LAST_LOG));
        // A second name first: at no moment is the log without a key.
        let linked = std::fs::remove_file(&before);
        if let Err(error) = linked
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(KeysError::io("remove", &before)(error));
        }
        std::fs::hard_link(&now, &before)
            .map_err(KeysError::io("keep the key before as", &before))?;
        std::fs::rename(&next, &now).map_err(KeysError::io("put the new key in place as", &now))
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
