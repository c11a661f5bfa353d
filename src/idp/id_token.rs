//! What an ID token must be beside the checks of every token: the answer to our own sign-in, and no access token.
//!
//! OpenID Connect Core 1.0 sections 3.1.3.7 (nonce, `azp`), 3.1.3.8 (`at_hash`) and 12.2 (tokens for a refresh token).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::IdpError;
use super::jwt::{Unverified, Verified, bad};

/// Two hundred groups make about 8 KiB.
const MAX_BYTES: usize = 64 * 1024;

/// Claims that Entra puts into access tokens alone, and that no policy of a tenant can add to an ID token.
const OF_ACCESS_TOKENS: [&str; 3] = ["scp", "idtyp", "appid"];

/// What the token came as an answer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered<'a> {
    /// The nonce of the sign-in; none for a token that came for a refresh token.
    pub(super) nonce: Option<&'a SecretString>,
    /// The access token that came with it.
    pub(super) access_token: &'a str,
    /// Our own client id.
    pub(super) client_id: &'a str,
}

/// Reads it into parts, without verifying anything.
///
/// # Errors
/// [`IdpError::BadToken`] when it is not a token of Entra's form.
pub(super) fn read(raw: &SecretString) -> Result<Unverified<'_>, IdpError> {
    Unverified::read(raw.expose_secret(), MAX_BYTES)
}

/// Whether a token that passed the checks of every token is the ID token of this sign-in.
///
/// # Errors
/// [`IdpError::BadToken`] with the first check that failed.
pub(super) fn check(token: &Verified, answered: Answered<'_>) -> Result<(), IdpError> {
    if OF_ACCESS_TOKENS.into_iter().any(|name| token.claims.mentions(name)) {
        return Err(bad("access_token"));
    }
    let azp = token.claim("azp");
    if azp.is_some_and(|azp| azp.as_str() != Some(answered.client_id)) {
        return Err(bad("authorized_party"));
    }
    let hash = token.claim("at_hash");
    if hash.is_some_and(|hash| hash.as_str() != Some(&*half_hash(answered.access_token))) {
        return Err(bad("access_token_hash"));
    }
    let Some(nonce) = answered.nonce else { return Ok(()) };
    let given = token.claims.text("nonce").unwrap_or_default();
    let same = given.as_bytes().ct_eq(nonce.expose_secret().as_bytes());
    if bool::from(same) { Ok(()) } else { Err(bad("nonce")) }
}

/// The left half of the SHA-256 of a token's text (RS256 hashes with SHA-256).
fn half_hash(token: &str) -> String {
    let digest = Sha256::digest(token);
    URL_SAFE_NO_PAD.encode(digest.get(..16).unwrap_or_default())
}
