//! The checks that ID tokens and access tokens share, so that neither kind can lack one.
//!
//! They follow OpenID Connect Core 1.0 section 3.1.3.7 and RFC 8725. The library verifies the signature, and `iss`,
//! `aud` and `exp` once more. It leaves out `nbf`, `iat`, the tenant, the version, hints in the header, members that
//! are there twice and keys of somebody else; these come first here, read from the same bytes. A claim seen before the
//! signature is verified is used for nothing but to choose what it must equal.

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
use serde_json::Value;

use super::error::IdpError;
use super::members::Members;
use super::provider::{Issuer, Provider};
use super::settings::EntraSettings;
use crate::model::entra::Cloud;
use crate::model::id::{ObjectId, Subject, TenantId};
use crate::model::time::Timestamp;

/// How far two clocks may be apart. Entra dates its tokens five minutes back, so this is enough in both directions.
pub(super) const LEEWAY: Duration = Duration::from_mins(1);
/// The longest life of a token: a tenant may ask for a day.
const LONGEST_LIFE_SECONDS: i64 = 25 * 60 * 60;
/// Names of keys are short.
const MAX_KID_BYTES: usize = 256;

/// Header members that tell a reader where to find a key or how to read differently. None is followed.
const REFUSED_HEADERS: [&str; 9] = ["jku", "jwk", "x5u", "x5c", "crit", "cty", "enc", "zip", "b64"];

/// What a token must agree with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checks<'a> {
    /// Which tenants are allowed.
    pub(super) settings: &'a EntraSettings,
    /// Issuer, version and keys.
    pub(super) provider: &'a Provider,
    /// For whom it must be meant: exactly this, and nobody else beside it.
    pub(super) audience: &'a str,
    /// The present.
    pub(super) now: Timestamp,
}

/// A token that passed every check.
#[derive(Debug)]
pub(super) struct Verified {
    /// Who it speaks of.
    pub(super) subject: Subject,
    /// Its claims.
    pub(super) claims: Members,
}

impl Verified {
    /// The member `name`, unless it is absent or null.
    pub(super) fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name).filter(|value| !value.is_null())
    }
}

/// A token in parts, not verified. Prints nothing of it.
pub(super) struct Unverified<'a> {
    raw: &'a str,
    kid: Option<String>,
    claims: Members,
}

pub(super) fn bad(check: &'static str) -> IdpError {
    IdpError::BadToken { check }
}

impl<'a> Unverified<'a> {
    /// Splits a compact JWS (RFC 7515 section 3.1) and reads both halves strictly.
    ///
    /// # Errors
    /// [`IdpError::BadToken`] with what it is not.
    pub(super) fn read(raw: &'a str, max_bytes: usize) -> Result<Self, IdpError> {
        if raw.len() > max_bytes {
            return Err(bad("size"));
        }
        let mut parts = raw.split('.');
        let [Some(header), Some(claims), Some(_signature), None] =
            [parts.next(), parts.next(), parts.next(), parts.next()]
        else {
            return Err(bad("format"));
        };
        let kid = read_header(&read_part(header)?)?;
        Ok(Self { raw, kid, claims: read_part(claims)? })
    }

    /// The key that it claims to be signed with, for fetching keys before the checks.
    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Runs every check.
    ///
    /// # Errors
    /// [`IdpError::BadToken`] with the first check that failed, [`IdpError::ForeignTenant`].
    pub(super) fn verify(self, checks: Checks<'_>) -> Result<Verified, IdpError> {
        let claims = &self.claims;
        let tid = claims.text("tid").ok_or(bad("tenant"))?;
        let tenant: TenantId = tid.parse().map_err(|_| bad("tenant"))?;
        let issuer = checks.provider.issuer.of(tid);
        if claims.text("ver") != Some(checks.provider.version.claim()) {
            return Err(bad("version"));
        }
        if claims.text("iss") != Some(issuer.as_str()) {
            return Err(bad("issuer"));
        }
        if !is_allowed(&tenant, checks) {
            return Err(IdpError::ForeignTenant { tenant });
        }
        let object: ObjectId =
            claims.text("oid").and_then(|oid| oid.parse().ok()).ok_or(bad("object_id"))?;
        if claims.text("sub").is_none_or(str::is_empty) {
            return Err(bad("subject"));
        }
        let audience = claims.text("aud");
        if audience != Some(checks.audience) {
            let graph = audience.is_some_and(Cloud::is_graph);
            return Err(bad(if graph { "graph" } else { "audience" }));
        }
        check_times(claims, checks.now)?;
        let key = checks.provider.key(self.kid(), &issuer, tid).map_err(bad)?;
        let keys = JsonWebKeySet::new(vec![key.key.clone()]);
        let issuer = IssuerUrl::new(issuer).map_err(|_| bad("issuer"))?;
        let client = ClientId::new(checks.audience.to_owned());
        let verifier = CoreIdTokenVerifier::new_public_client(client, issuer, keys);
        check_signature(self.raw, verifier, checks.now)?;
        Ok(Verified { subject: Subject { tenant, object }, claims: self.claims })
    }
}

fn read_part(part: &str) -> Result<Members, IdpError> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| bad("format"))?;
    Members::parse(&json).map_err(bad)
}

/// RFC 7515 section 4.1, as far as Entra uses it: `alg`, `typ`, `kid`. Gives the name of the key.
fn read_header(header: &Members) -> Result<Option<String>, IdpError> {
    if header.text("alg") != Some("RS256") {
        return Err(bad("algorithm"));
    }
    // Entra signs the hash of this nonce in place of the nonce, so that only Graph can verify the token.
    if header.mentions("nonce") {
        return Err(bad("graph"));
    }
    if REFUSED_HEADERS.into_iter().any(|name| header.mentions(name)) {
        return Err(bad("header"));
    }
    if header.get("typ").is_some_and(|kind| kind.as_str() != Some("JWT")) {
        return Err(bad("type"));
    }
    let Some(kid) = header.get("kid") else { return Ok(None) };
    let kid = kid.as_str().filter(|kid| (1..=MAX_KID_BYTES).contains(&kid.len()));
    kid.map(|kid| Some(kid.to_owned())).ok_or(bad("kid"))
}

/// One tenant's issuer speaks for people of that tenant only, whoever else is on the list.
fn is_allowed(tenant: &TenantId, checks: Checks<'_>) -> bool {
    let allowed = &checks.settings.allowed_tenants;
    match &checks.provider.issuer {
        Issuer::One(_, own) => tenant == own && (allowed.is_empty() || allowed.contains(own)),
        Issuer::Template(_) => allowed.contains(tenant),
    }
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

/// Hands the same bytes to the library, with a clock that is late by the leeway, since it has none of its own. Nonces
/// are the business of ID tokens alone.
fn check_signature(
    raw: &str,
    verifier: CoreIdTokenVerifier<'_>,
    now: Timestamp,
) -> Result<(), IdpError> {
    let token: RawToken = raw.parse().map_err(|_| bad("format"))?;
    let seconds = u64::try_from(now.as_seconds()).unwrap_or(0);
    let late: SystemTime = UNIX_EPOCH + Duration::from_secs(seconds).saturating_sub(LEEWAY);
    let verifier = verifier
        .set_allowed_algs([CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256])
        .set_other_audience_verifier_fn(|_| false)
        .set_time_fn(move || late.into());
    let outcome = token.claims(&verifier, |_: Option<&Nonce>| Ok(()));
    outcome.map(|_| ()).map_err(|error| bad(failed_check(&error)))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum is open")]
fn failed_check(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::InvalidIssuer(_) => "issuer",
        ClaimsVerificationError::InvalidAudience(_) => "audience",
        ClaimsVerificationError::Expired(_) => "expiry",
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        ) => "kid",
        ClaimsVerificationError::SignatureVerification(_) => "signature",
        _ => "format",
    }
}
