//! `X-Gate-Assertion`: an ES256 JWT (RFC 7519) that tells an upstream who is calling.
//!
//! One per principal and app, valid for 60 seconds and reused for at most 30 ([`Introductions`]). Anonymous requests have
//! none: the caller leaves the header empty. Refuses to sign when the key is unusable.
//!
//! [`Introductions`]: super::identity::Introductions

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::keys::AssertionKey;
use crate::model::id::AppId;
use crate::model::time::Timestamp;

const LIFETIME_SECONDS: i64 = 60;

/// What an assertion says about a person or workload.
#[derive(Debug, Clone, Serialize)]
pub struct About {
    /// `<tid>.<oid>`.
    pub sub: String,
    /// The name that people see.
    pub name: String,
    /// The user name.
    pub preferred_username: String,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Object ids of the groups that the app's rules mention.
    pub groups: Vec<String>,
    /// The app roles that the app's rules mention.
    pub roles: Vec<String>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    #[serde(flatten)]
    about: &'a About,
}

/// Why no assertion could be made.
#[derive(Debug, thiserror::Error)]
pub enum AssertionError {
    /// The key or the claims can't be used.
    #[error("can't sign an assertion for the upstream")]
    Signing(#[from] jsonwebtoken::errors::Error),
    /// The operating system gave no randomness.
    #[error("can't get randomness from the operating system for an assertion")]
    Randomness,
}

/// Makes assertions.
pub struct Assertions {
    issuer: String,
    header: Header,
    key: EncodingKey,
    jwks: String,
}

impl std::fmt::Debug for Assertions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Assertions({})", self.issuer)
    }
}

impl Assertions {
    /// Assertions of `issuer` (the public URL) under `key`.
    ///
    /// # Errors
    /// When the key can't sign.
    pub fn new(issuer: String, key: &AssertionKey) -> Result<Self, AssertionError> {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(key.kid().to_owned());
        let jwk = serde_json::json!({ "keys": [{ "kty": "EC", "crv": "P-256", "use": "sig",
            "alg": "ES256", "kid": key.kid(), "x": key.x(), "y": key.y() }] });
        Ok(Self {
            issuer,
            header,
            key: EncodingKey::from_ec_pem(key.pem().expose_secret().as_bytes())?,
            jwks: jwk.to_string(),
        })
    }

    /// The public key as a JWKS document (RFC 7517).
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// A new assertion for `app`.
    ///
    /// # Errors
    /// When there is no randomness or signing fails; the request must not be forwarded then.
    pub fn sign(
        &self,
        app: &AppId,
        about: &About,
        now: Timestamp,
    ) -> Result<String, AssertionError> {
        let mut jti = [0; 16];
        getrandom::fill(&mut jti).map_err(|_| AssertionError::Randomness)?;
        let iat = now.as_seconds();
        let claims = Claims {
            iss: &self.issuer,
            aud: app.as_str(),
            iat,
            exp: iat.saturating_add(LIFETIME_SECONDS),
            jti: URL_SAFE_NO_PAD.encode(jti),
            about,
        };
        Ok(jsonwebtoken::encode(&self.header, &claims, &self.key)?)
    }
}
