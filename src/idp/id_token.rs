//! Every check of an ID token, in the order of OpenID Connect Core 1.0 section 3.1.3.7 where it has one.
//!
//! The signature, `iss`, `aud`, `exp` and nonce are verified by the library. It leaves out `nbf`, `iat`, the tenant,
//! the version, hints in the header, members that are there twice and keys of somebody else; these come first here,
//! read from the same bytes. A claim seen before the signature is verified is used for nothing but to choose what it
//! must equal.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{
    CoreGenderClaim, CoreIdTokenVerifier, CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
};
use openidconnect::{
    ClaimsVerificationError, ClientId, EmptyAdditionalClaims, IdToken, IssuerUrl, JsonWebKeySet,
    Nonce, SignatureVerificationError,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::discovery::Provider;
use super::error::IdpError;
use super::members::Members;
use super::settings::EntraSettings;
use crate::model::id::{ObjectId, Subject, TenantId};
use crate::model::time::Timestamp;

/// How far two clocks may be apart. Entra dates its tokens five minutes back, so this is enough in both directions.
pub(super) const LEEWAY: Duration = Duration::from_mins(1);
/// The longest life of an ID token: a tenant may ask for a day.
const LONGEST_LIFE_SECONDS: i64 = 25 * 60 * 60;
/// Two hundred groups make about 8 KiB.
const MAX_TOKEN_BYTES: usize = 64 * 1024;
/// Names of keys are short.
const MAX_KID_BYTES: usize = 256;

/// Header members that tell a reader where to find a key or how to read differently. None is followed.
const REFUSED_HEADERS: [&str; 9] = ["jku", "jwk", "x5u", "x5c", "crit", "cty", "enc", "zip", "b64"];

/// Whether the token must carry the nonce of its sign-in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// A token for a code: this nonce must be there.
    Nonce(&'a SecretString),
    /// A token for a refresh token: OpenID Connect Core 1.0 section 12.2 gives it none.
    NoNonce,
}

/// What is needed besides the token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checks<'a> {
    pub(super) settings: &'a EntraSettings,
    pub(super) provider: &'a Provider,
    pub(super) wanted: Wanted<'a>,
    pub(super) now: Timestamp,
}

/// An ID token that passed every check.
#[derive(Debug)]
pub(super) struct Verified {
    /// Who it speaks of.
    pub(super) subject: Subject,
    /// Its claims.
    pub(super) claims: Members,
}

/// A token in parts, not verified.
struct Unverified {
    kid: String,
    claims: Members,
}

fn bad(check: &'static str) -> IdpError {
    IdpError::BadToken { check }
}

/// The key that `raw` claims to be signed with, for fetching keys before the checks.
///
/// # Errors
/// [`IdpError::BadToken`] when the header is not one of ours.
pub(super) fn key_name(raw: &SecretString) -> Result<String, IdpError> {
    parse(raw.expose_secret()).map(|token| token.kid)
}

/// Runs every check.
///
/// # Errors
/// [`IdpError::BadToken`] with the first check that failed, [`IdpError::ForeignTenant`].
pub(super) fn verify(raw: &SecretString, checks: Checks<'_>) -> Result<Verified, IdpError> {
    let raw = raw.expose_secret();
    let token = parse(raw)?;
    let claims = &token.claims;
    let tid = claims.text("tid").ok_or(bad("tenant"))?;
    let tenant: TenantId = tid.parse().map_err(|_| bad("tenant"))?;
    let issuer = checks.provider.issuer.of(tid);
    if claims.text("iss") != Some(issuer.as_str()) {
        return Err(bad("issuer"));
    }
    if !is_allowed(&tenant, checks) {
        return Err(IdpError::ForeignTenant { tenant });
    }
    if claims.text("ver") != Some("2.0") {
        return Err(bad("version"));
    }
    let object: ObjectId =
        claims.text("oid").and_then(|oid| oid.parse().ok()).ok_or(bad("object_id"))?;
    if claims.text("sub").is_none_or(str::is_empty) {
        return Err(bad("subject"));
    }
    if claims.text("aud") != Some(checks.settings.client_id.as_str()) {
        return Err(bad("audience"));
    }
    check_times(claims, checks.now)?;
    let key = checks.provider.key(&token.kid, &issuer, tid).map_err(bad)?;
    let keys = JsonWebKeySet::new(vec![key.key.clone()]);
    let issuer = IssuerUrl::new(issuer).map_err(|_| bad("issuer"))?;
    let client = ClientId::new(checks.settings.client_id.clone());
    let verifier = CoreIdTokenVerifier::new_public_client(client, issuer, keys);
    check_signature(raw, verifier, checks)?;
    Ok(Verified { subject: Subject { tenant, object }, claims: token.claims })
}

fn is_allowed(tenant: &TenantId, checks: Checks<'_>) -> bool {
    let allowed = &checks.settings.allowed_tenants;
    match &checks.provider.issuer {
        super::discovery::Issuer::One(_, own) if allowed.is_empty() => tenant == own,
        super::discovery::Issuer::One(..) | super::discovery::Issuer::Template(_) => {
            allowed.contains(tenant)
        }
    }
}

/// Splits a compact JWS (RFC 7515 section 3.1) and reads both halves strictly.
fn parse(raw: &str) -> Result<Unverified, IdpError> {
    if raw.len() > MAX_TOKEN_BYTES {
        return Err(bad("size"));
    }
    let parts: Vec<&str> = raw.split('.').collect();
    let [header, claims, _signature] = parts.as_slice() else { return Err(bad("format")) };
    let read = |part: &str| {
        let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| "format")?;
        Members::parse(&json)
    };
    let header = read(header).map_err(bad)?;
    if header.text("alg") != Some("RS256") {
        return Err(bad("algorithm"));
    }
    if REFUSED_HEADERS.into_iter().any(|name| header.mentions(name)) {
        return Err(bad("header"));
    }
    if header.get("typ").is_some_and(|kind| kind.as_str() != Some("JWT")) {
        return Err(bad("type"));
    }
    let kid = header.text("kid").filter(|kid| (1..=MAX_KID_BYTES).contains(&kid.len()));
    let kid = kid.ok_or(bad("kid"))?.to_owned();
    Ok(Unverified { kid, claims: read(claims).map_err(bad)? })
}

/// RFC 7519 sections 4.1.4 to 4.1.6. All three must be there, as whole numbers.
fn check_times(claims: &Members, now: Timestamp) -> Result<(), IdpError> {
    let (now, leeway) = (now.as_seconds(), i64::try_from(LEEWAY.as_secs()).unwrap_or(0));
    let expires = claims.seconds("exp").ok_or(bad("expiry"))?;
    let issued = claims.seconds("iat").ok_or(bad("issued_at"))?;
    let starts = claims.seconds("nbf").ok_or(bad("not_before"))?;
    if now >= expires.saturating_add(leeway) {
        return Err(bad("expiry"));
    }
    if starts > now.saturating_add(leeway) {
        return Err(bad("not_before"));
    }
    let life = expires.saturating_sub(issued);
    if issued > now.saturating_add(leeway) || !(1..=LONGEST_LIFE_SECONDS).contains(&life) {
        return Err(bad("issued_at"));
    }
    Ok(())
}

type RawToken = IdToken<
    EmptyAdditionalClaims,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

/// Hands the same bytes to the library, with a clock that is late by the leeway, since it has none of its own.
fn check_signature(
    raw: &str,
    verifier: CoreIdTokenVerifier<'_>,
    checks: Checks<'_>,
) -> Result<(), IdpError> {
    let token: RawToken = raw.parse().map_err(|_| bad("format"))?;
    let seconds = u64::try_from(checks.now.as_seconds()).unwrap_or(0);
    let late: SystemTime = UNIX_EPOCH + Duration::from_secs(seconds).saturating_sub(LEEWAY);
    let verifier = verifier
        .set_allowed_algs([CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256])
        .set_other_audience_verifier_fn(|_| false)
        .set_time_fn(move || late.into());
    let outcome = match checks.wanted {
        Wanted::Nonce(nonce) => {
            token.claims(&verifier, &Nonce::new(nonce.expose_secret().to_owned()))
        }
        Wanted::NoNonce => token.claims(&verifier, |_: Option<&Nonce>| Ok(())),
    };
    outcome.map(|_| ()).map_err(|error| bad(failed_check(&error)))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum is open")]
fn failed_check(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::InvalidIssuer(_) => "issuer",
        ClaimsVerificationError::InvalidAudience(_) => "audience",
        ClaimsVerificationError::Expired(_) => "expiry",
        ClaimsVerificationError::InvalidNonce(_) => "nonce",
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        ) => "kid",
        ClaimsVerificationError::SignatureVerification(_) => "signature",
        _ => "format",
    }
}

impl Verified {
    /// The member `name`, unless it is absent or null.
    pub(super) fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name).filter(|value| !value.is_null())
    }
}
