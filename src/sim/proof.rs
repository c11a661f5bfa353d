//! How a client proves itself at the token endpoint (RFC 6749 section 2.3, RFC 7523): secret, certificate, foreign token.

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use super::aadsts;
use super::assertion::{self, Presented};
use super::failure::Failure;
use super::params::Params;
use super::settings::Registration;
use super::tenant::Sim;

/// The only kind of assertion there is (RFC 7523 section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client that proved itself.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) registration: Registration,
    pub(super) method: Method,
}

/// By what. `azpacr` and `appidacr` tell it to APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// A client secret: `1`.
    Secret,
    /// A certificate or a foreign token: `2`.
    Assertion,
}

impl Method {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Secret => "1",
            Self::Assertion => "2",
        }
    }
}

/// The client of a token request that was sent to the tenant address `segment`.
///
/// # Errors
/// As Entra words them.
pub(super) fn client(
    sim: &Sim,
    segment: &str,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Client, Failure> {
    let basic = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(basic);
    let (id, secret) = match (basic, params.get("client_id")) {
        (Some((id, _)), Some(named)) if id != named => return Err(aadsts::token(9_002_313)),
        (Some((id, secret)), _) => (id, Some(secret)),
        (None, Some(id)) => (id.to_owned(), params.get("client_secret").map(str::to_owned)),
        (None, None) => return Err(aadsts::token(900_144).because("Parameter: 'client_id'.")),
    };
    let named = sim.resolve(segment).ok_or_else(|| aadsts::token(90002))?;
    let registration = sim.client(&id).ok_or_else(|| aadsts::token(700_016))?;
    named.admits(&registration).map_err(aadsts::token)?;
    match (secret, params.get("client_assertion")) {
        // Both at once would leave open which of them counts.
        (Some(_), Some(_)) => Err(aadsts::token(9_002_313)),
        (Some(secret), None) => by_secret(sim, registration, &secret),
        (None, Some(token)) => {
            if params.get("client_assertion_type") != Some(ASSERTION_TYPE) {
                return Err(aadsts::token(900_144).because("Parameter: 'client_assertion_type'."));
            }
            let presented = Presented { segment, token };
            assertion::check(sim, &registration, &presented)?;
            Ok(Client { registration, method: Method::Assertion })
        }
        (None, None) => Err(aadsts::token(7_000_218)),
    }
}

fn by_secret(sim: &Sim, registration: Registration, given: &str) -> Result<Client, Failure> {
    let same = |known: &str| bool::from(given.as_bytes().ct_eq(known.as_bytes()));
    let known = registration.secrets.iter().find(|known| same(known.value.expose_secret()));
    let known = known.ok_or_else(|| aadsts::token(7_000_215))?;
    if known.expires_at.is_some_and(|end| end <= sim.now()) {
        return Err(aadsts::token(7_000_222));
    }
    Ok(Client { registration, method: Method::Secret })
}

/// Id and secret of Basic authentication, whose parts are form-encoded (RFC 6749 section 2.3.1).
fn basic(value: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |part: &str| {
        url::form_urlencoded::parse(part.as_bytes()).next().map(|(name, _)| name.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}
