//! The key that signs assertions: ECDSA on P-256 (ES256, RFC 7518 section 3.4), named by its RFC 7638 thumbprint.
//!
//! Refuses any other curve and any other file form than PKCS#8 PEM.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use super::KeysError;

/// The key that signs assertions, with its public half ready for publication.
pub struct AssertionKey {
    pem: SecretString,
    kid: String,
    x: String,
    y: String,
}

impl AssertionKey {
    pub(super) fn generate() -> Result<Vec<u8>, KeysError> {
        let mut scalar = [0; 32];
        // One draw in 2^32 is zero or not below the order of the curve, and is drawn again.
        for _ in 0..8 {
            getrandom::fill(&mut scalar).map_err(|_| KeysError::Randomness)?;
            if let Ok(key) = p256::SecretKey::from_slice(&scalar)
                && let Ok(pem) = key.to_pkcs8_pem(LineEnding::LF)
            {
                return Ok(pem.as_bytes().to_vec());
            }
        }
        Err(KeysError::Randomness)
    }

    pub(super) fn parse(pem: &[u8]) -> Option<Self> {
        let pem = std::str::from_utf8(pem).ok()?;
        let point = p256::SecretKey::from_pkcs8_pem(pem).ok()?.public_key().to_encoded_point(false);
        let x = URL_SAFE_NO_PAD.encode(point.x()?);
        let y = URL_SAFE_NO_PAD.encode(point.y()?);
        // RFC 7638: the required members in lexicographic order, without white space.
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(Sha256::digest(members));
        Some(Self { pem: pem.into(), kid, x, y })
    }

    /// The private key, PKCS#8 PEM.
    pub fn pem(&self) -> &SecretString {
        &self.pem
    }

    /// Its RFC 7638 thumbprint (SHA-256, base64url).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The x coordinate of the public key, base64url.
    pub fn x(&self) -> &str {
        &self.x
    }

    /// The y coordinate of the public key, base64url.
    pub fn y(&self) -> &str {
        &self.y
    }
}

impl fmt::Debug for AssertionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssertionKey({})", self.kid)
    }
}
