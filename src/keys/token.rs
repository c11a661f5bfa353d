//! The key that seals tokens at rest: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), random 192-bit nonces.
//!
//! A sealed text is the nonce followed by the ciphertext with its tag. Every failure to open one is the same error,
//! so that nothing can be learned from the difference.

use std::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

use super::KeysError;

const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 24;

/// The key that seals tokens at rest.
#[derive(Clone)]
pub struct TokenKey(XChaCha20Poly1305);

/// A sealed text that this key does not open: cut, changed, sealed by another key or for another place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("can't open a sealed token: it was changed, or sealed by another key")]
pub struct Unsealable;

impl TokenKey {
    pub(super) fn generate() -> Result<Vec<u8>, KeysError> {
        let mut bytes = vec![0; KEY_LENGTH];
        getrandom::fill(&mut bytes).map_err(|_| KeysError::Randomness)?;
        Ok(bytes)
    }

    /// The key that these bytes are.
    pub fn new(bytes: &[u8; KEY_LENGTH]) -> Self {
        Self(XChaCha20Poly1305::new(bytes.into()))
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        XChaCha20Poly1305::new_from_slice(bytes).ok().map(Self)
    }

    /// Seals `plain` for the place that `aad` names; only the same `aad` opens it again.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn seal(&self, plain: &[u8], aad: &[u8]) -> Result<Vec<u8>, KeysError> {
        let mut nonce = [0; NONCE_LENGTH];
        getrandom::fill(&mut nonce).map_err(|_| KeysError::Randomness)?;
        let sealed = self
            .0
            .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad })
            .map_err(|_| KeysError::Randomness)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// The plain text of `sealed`.
    ///
    /// # Errors
    /// [`Unsealable`] for whatever this key did not seal for this `aad`.
    pub fn open(&self, sealed: &[u8], aad: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let (nonce, msg) = sealed.split_at_checked(NONCE_LENGTH).ok_or(Unsealable)?;
        self.0.decrypt(XNonce::from_slice(nonce), Payload { msg, aad }).map_err(|_| Unsealable)
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(..)")
    }
}
