//! Client assertions: a JWT signed with the client's certificate (RFC 7523 section 3), or a token of another issuer
//! that the registration trusts (workload identity federation).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use rsa::RsaPublicKey;
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use super::aadsts;
use super::failure::Failure;
use super::settings::{FederatedCredential, FederatedKey, Registration};
use super::tenant::Sim;
use crate::model::time::Timestamp;

/// How far clocks may be apart, in seconds.
const TOLERANCE: i64 = 300;

/// An assertion, and the tenant address that it was sent to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Presented<'a> {
    pub(super) segment: &'a str,
    pub(super) token: &'a str,
}

/// A token taken apart but not verified.
struct Parts<'a> {
    header: Header,
    claims: Value,
    signed: &'a str,
    signature: &'a str,
}

impl Parts<'_> {
    fn text(&self, name: &str) -> &str {
        self.claims.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// `aud`, alone or the only one of a list.
    fn audience(&self) -> &str {
        match self.claims.get("aud") {
            Some(Value::String(one)) => one,
            Some(Value::Array(many)) if many.len() == 1 => {
                many.first().and_then(Value::as_str).unwrap_or_default()
            }
            _ => "",
        }
    }

    fn is_signed_by(&self, key: &DecodingKey) -> bool {
        let message = self.signed.as_bytes();
        jsonwebtoken::crypto::verify(self.signature, message, key, self.header.alg).unwrap_or(false)
    }
}

/// Whether the assertion proves that the client is `registration`.
///
/// # Errors
/// As Entra words them.
pub(super) fn check(
    sim: &Sim,
    registration: &Registration,
    presented: &Presented<'_>,
) -> Result<(), Failure> {
    let parts = parts(presented.token).ok_or_else(|| aadsts::token(9_002_313))?;
    let own = parts.header.x5t.is_some() || parts.header.x5t_s256.is_some();
    if own || parts.text("iss") == registration.client_id {
        certified(sim, registration, (presented, &parts))
    } else {
        federated(sim, registration, &parts)
    }
}

fn parts(token: &str) -> Option<Parts<'_>> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    let (signed, signature) = token.rsplit_once('.')?;
    let (_, payload) = signed.split_once('.')?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims = serde_json::from_slice(&payload).ok()?;
    Some(Parts { header, claims, signed, signature })
}

fn certified(
    sim: &Sim,
    registration: &Registration,
    (presented, parts): (&Presented<'_>, &Parts<'_>),
) -> Result<(), Failure> {
    if parts.text("iss") != registration.client_id || parts.text("sub") != registration.client_id {
        return Err(aadsts::token(700_021));
    }
    let untrusted = |reason: &str| Err(aadsts::token(700_027).because(reason));
    let found = registration.certificates.iter().find(|der| is_named(&parts.header, der));
    let Some(der) = found else {
        return untrusted("Reason - The key was not found.");
    };
    let sound = matches!(parts.header.alg, Algorithm::PS256 | Algorithm::RS256);
    let key = public_key(der).filter(|_| sound);
    if !key.is_some_and(|key| parts.is_signed_by(&key)) {
        return untrusted(
            "Reason - The key was found, but use of the key to verify the signature failed.",
        );
    }
    if !audiences(sim, presented.segment).iter().any(|known| known == parts.audience()) {
        return Err(aadsts::token(50012).because("Reason - The audience is invalid."));
    }
    in_time(sim.now(), parts)
}

/// Whether the header names this certificate. Some clients pad the thumbprint with `=`.
fn is_named(header: &Header, der: &[u8]) -> bool {
    let is =
        |given: &str, digest: &[u8]| given.trim_end_matches('=') == URL_SAFE_NO_PAD.encode(digest);
    match (&header.x5t_s256, &header.x5t) {
        (Some(given), _) => is(given, &Sha256::digest(der)),
        (None, Some(given)) => is(given, &Sha1::digest(der)),
        (None, None) => false,
    }
}

/// The RSA key of a certificate.
pub(super) fn public_key(der: &[u8]) -> Option<DecodingKey> {
    let certificate = Certificate::from_der(der).ok()?;
    let info = certificate.tbs_certificate.subject_public_key_info.to_der().ok()?;
    let key = RsaPublicKey::from_public_key_der(&info).ok()?;
    Some(DecodingKey::from_rsa_der(key.to_pkcs1_der().ok()?.as_bytes()))
}

/// The token endpoint under each name that it has.
fn audiences(sim: &Sim, segment: &str) -> Vec<String> {
    let named = [segment.to_owned(), sim.tenant().to_owned()];
    let endpoints = sim.origins().into_iter().flat_map(|origin| {
        named.clone().map(|tenant| format!("{origin}/{tenant}/oauth2/v2.0/token"))
    });
    endpoints.collect()
}

fn in_time(now: Timestamp, parts: &Parts<'_>) -> Result<(), Failure> {
    let time = |name: &str| parts.claims.get(name).and_then(whole_seconds);
    let now = now.as_seconds();
    let begun = time("nbf").is_none_or(|start| start <= now.saturating_add(TOLERANCE));
    let lasting = time("exp").is_some_and(|end| end > now.saturating_sub(TOLERANCE));
    if begun && lasting { Ok(()) } else { Err(aadsts::token(700_024)) }
}

/// A `NumericDate` (RFC 7519 section 2) without its fraction: MSAL for Python sends one.
fn whole_seconds(date: &Value) -> Option<i64> {
    date.as_i64().or_else(|| date.to_string().split_once('.')?.0.parse().ok())
}

fn federated(sim: &Sim, registration: &Registration, parts: &Parts<'_>) -> Result<(), Failure> {
    let (issuer, subject) = (parts.text("iss"), parts.text("sub"));
    let unmatched = || {
        aadsts::token(70021).because(&format!(
            "Assertion Issuer: '{issuer}'. Assertion Subject: '{subject}'. Assertion Audience: '{}'.",
            parts.audience()
        ))
    };
    {
        let mut state = sim.state();
        if state.federation_lag > 0 {
            state.federation_lag -= 1;
            return Err(unmatched());
        }
    }
    let fits = |known: &&FederatedCredential| {
        known.issuer == issuer && known.subject == subject && known.audience == parts.audience()
    };
    let known = registration.federated.iter().find(fits).ok_or_else(unmatched)?;
    let key = match &known.key {
        FederatedKey::Cluster => sim.state().keys.cluster_key(),
        FederatedKey::Rsa { n, e } => DecodingKey::from_rsa_components(n, e).ok(),
    };
    let signed = parts.header.alg == Algorithm::RS256;
    if !key.is_some_and(|key| signed && parts.is_signed_by(&key)) {
        let reason =
            "Reason - The key was found, but use of the key to verify the signature failed.";
        return Err(aadsts::token(700_027).because(reason));
    }
    in_time(sim.now(), parts)
}
