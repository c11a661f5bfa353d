//! Signing keys of the simulated tenant: RSA 2048, made at start, published as a JWK set (RFC 7517) without `alg`.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::error::SimError;

/// Entra's keys have this many bits.
const BITS: usize = 2048;

/// One key pair, able to sign.
pub(super) struct SigningKey {
    pub(super) kid: String,
    encoding: EncodingKey,
    modulus: String,
    exponent: String,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A new key from the operating system's randomness.
    pub(super) fn generate() -> Result<Self, SimError> {
        let key = RsaPrivateKey::new(&mut rand_core::OsRng, BITS).map_err(SimError::Key)?;
        let der = key.to_pkcs1_der().map_err(SimError::KeyEncoding)?;
        let modulus = key.n().to_bytes_be();
        // Entra's `kid` is a certificate thumbprint of 20 bytes; ours is made of the key itself.
        let thumbprint: Vec<u8> = Sha256::digest(&modulus).into_iter().take(20).collect();
        Ok(Self {
            kid: URL_SAFE_NO_PAD.encode(thumbprint),
            encoding: EncodingKey::from_rsa_der(der.as_bytes()),
            modulus: URL_SAFE_NO_PAD.encode(modulus),
            exponent: URL_SAFE_NO_PAD.encode(key.e().to_bytes_be()),
        })
    }

    /// RS256 over `input`, base64url.
    pub(super) fn sign(&self, input: &str) -> Result<String, SimError> {
        jsonwebtoken::crypto::sign(input.as_bytes(), &self.encoding, Algorithm::RS256)
            .map_err(SimError::Signature)
    }

    /// The modulus as it is published: what an attacker would use as an HMAC secret.
    pub(super) fn public_text(&self) -> &str {
        &self.modulus
    }

    fn jwk(&self, issuer: &str) -> Value {
        json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": self.modulus,
            "e": self.exponent,
            "cloud_instance_name": "microsoftonline.com",
            "issuer": issuer,
        })
    }
}

/// Keys in use: the first signs, all are published.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    current: Arc<SigningKey>,
    published: Vec<Arc<SigningKey>>,
}

/// What happens to the old key when a new one takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// It stays published, as in an orderly rollover.
    Keep,
    /// It is withdrawn at once, as after a leak.
    Drop,
}

impl Keys {
    /// A signing key and one that is published ahead of its use.
    pub(super) fn generate() -> Result<Self, SimError> {
        let published = vec![Arc::new(SigningKey::generate()?)];
        Ok(Self { current: Arc::new(SigningKey::generate()?), published })
    }

    pub(super) fn current(&self) -> &SigningKey {
        &self.current
    }

    /// Signs with a key that was never published before.
    pub(super) fn rotate(&mut self, key: SigningKey, overlap: Overlap) {
        let old = std::mem::replace(&mut self.current, Arc::new(key));
        match overlap {
            Overlap::Keep => self.published.insert(0, old),
            Overlap::Drop => self.published.clear(),
        }
    }

    /// The JWK set, each key with the issuer it may sign for.
    pub(super) fn jwks(&self, issuer: &str) -> Value {
        let keys: Vec<Value> =
            std::iter::once(&self.current).chain(&self.published).map(|k| k.jwk(issuer)).collect();
        json!({ "keys": keys })
    }
}
