//! Keys of our own: what they can do, never what they are.
//!
//! Secrets at rest are sealed with XChaCha20-Poly1305: its nonces of 192 bits may be random (draft-irtf-cfrg-xchacha-03).

use std::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

/// Bytes of a nonce; they stand before the sealed text.
const NONCE_BYTES: usize = 24;

/// Why something could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The operating system gave no random bytes.
    #[error("could not seal a token: the operating system gave no randomness")]
    Randomness,
    /// The text is too long for the cipher.
    #[error("could not seal a token: it is too long")]
    TooLong,
    /// Another key, another place or other bytes.
    #[error("could not open a sealed token: it was sealed with another key, or altered")]
    NotOurs,
}

/// The key that seals tokens at rest.
#[derive(Clone)]
pub struct TokenKey(XChaCha20Poly1305);

impl TokenKey {
    /// From 32 secret random bytes.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(Key::from_slice(secret)))
    }

    /// Seals `plain` so that it opens only under the same `aad`: the place where it is kept.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn seal(&self, plain: &[u8], aad: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| SealError::Randomness)?;
        let payload = Payload { msg: plain, aad };
        let sealed = self.0.encrypt(XNonce::from_slice(&nonce), payload);
        let mut out = nonce.to_vec();
        out.extend(sealed.map_err(|_| SealError::TooLong)?);
        Ok(out)
    }

    /// Opens what [`TokenKey::seal`] made.
    ///
    /// # Errors
    /// `NotOurs` when the key, the `aad` or a single bit differs.
    pub fn open(&self, sealed: &[u8], aad: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, msg) = sealed.split_at_checked(NONCE_BYTES).ok_or(SealError::NotOurs)?;
        let payload = Payload { msg, aad };
        self.0.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| SealError::NotOurs)
    }
}

/// Never the key.
impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(..)")
    }
}
