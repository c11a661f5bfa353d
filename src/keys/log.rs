//! The key that signs the audit log's checkpoints: Ed25519 (RFC 8032), a PKCS#8 PEM file (RFC 8410).
//!
//! Its public half is all that an auditor needs, and travels as 32 bytes.

use std::fmt;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::KeysError;

/// Signs checkpoints.
#[derive(Clone)]
pub struct LogKey(SigningKey);

/// What checks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPublicKey(VerifyingKey);

impl LogKey {
    pub(super) fn generate() -> Result<Vec<u8>, KeysError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| KeysError::Randomness)?;
        let pem = SigningKey::from_bytes(&seed).to_pkcs8_pem(LineEnding::LF);
        pem.map(|pem| pem.as_bytes().to_vec()).map_err(|_| KeysError::Randomness)
    }

    pub(super) fn parse(pem: &[u8]) -> Option<Self> {
        SigningKey::from_pkcs8_pem(std::str::from_utf8(pem).ok()?).ok().map(Self)
    }

    /// The key of this seed, for tests and vectors.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// What checks its signatures.
    pub fn public(&self) -> LogPublicKey {
        LogPublicKey(self.0.verifying_key())
    }

    /// The signature of `message`: 64 bytes, always the same.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogKey(..)")
    }
}

impl LogPublicKey {
    /// From its 32 bytes; none when they are no point of the curve.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        VerifyingKey::from_bytes(bytes).ok().map(Self)
    }

    /// Its 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Whether `signature` is this key's for `message`. Keys of small order and malleable signatures are refused.
    pub fn has_signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}
