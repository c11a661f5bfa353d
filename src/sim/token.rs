//! The token endpoint (RFC 6749 sections 3.2 and 5, RFC 7636): codes and refresh tokens, with Entra's errors.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use secrecy::ExposeSecret;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::answer::{self, Failure};
use super::claims;
use super::discovery::UNKNOWN_TENANT;
use super::error::SimError;
use super::fault::TokenFault;
use super::params::Params;
use super::people::{Account, Assignment};
use super::state::{Access, CODE_LIFE, Granted, Refresh, State, Use};
use super::tenant::{Sim, random};

const GRANT: &str = "invalid_grant";
const MALFORMED: Failure =
    Failure::new("invalid_request", 900_144, "The request body must contain each parameter once.");
const UNSUPPORTED: Failure =
    Failure::new("unsupported_grant_type", 70003, "The app requested an unsupported grant type.");
const UNKNOWN_CLIENT: Failure = Failure::new(
    "unauthorized_client",
    700_016,
    "Application with this identifier was not found in the directory.",
);
const BAD_SECRET: Failure = Failure::new(
    "invalid_client",
    7_000_215,
    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value.",
);
const NO_SECRET: Failure = Failure::new(
    "invalid_client",
    7_000_218,
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
);
const BAD_CODE: Failure =
    Failure::new(GRANT, 70000, "The provided value for the 'code' parameter is not valid.");
const SPENT_CODE: Failure =
    Failure::new(GRANT, 54005, "OAuth2 Authorization code was already redeemed.");
const OLD_CODE: Failure =
    Failure::new(GRANT, 70008, "The provided authorization code or refresh token has expired.");
const OTHER_TENANT: Failure =
    Failure::new(GRANT, 700_005, "Provided authorization code is for another tenant.");
const OTHER_REDIRECT: Failure =
    Failure::new(GRANT, 50011, "The redirect URI does not match the one of the code.");
const BAD_VERIFIER: Failure = Failure::new(
    GRANT,
    501_481,
    "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
);
const BAD_REFRESH: Failure =
    Failure::new(GRANT, 9_002_313, "Invalid request. Request is malformed or invalid.");
const REVOKED: Failure =
    Failure::new(GRANT, 50173, "The provided grant has expired due to it being revoked.");
const DISABLED: Failure = Failure::new(GRANT, 50057, "The user account is disabled.");
const UNASSIGNED: Failure =
    Failure::new(GRANT, 50105, "The signed in user is not assigned to a role for the application.");

/// `POST /{tenant}/oauth2/v2.0/token`
pub(super) async fn token(
    Shared(sim): Shared<Sim>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let refused = |failure| answer::failure(&sim, &headers, failure);
    if sim.resolve(&tenant).is_none() {
        return refused(UNKNOWN_TENANT);
    }
    let fault = sim.state().next_fault.take();
    let without_id_token = fault == Some(TokenFault::NoIdToken);
    if let Some(response) = fault.and_then(|fault| ordered(&sim, &headers, &fault)) {
        return response;
    }
    let params = std::str::from_utf8(&body).ok().and_then(Params::parse);
    let Some(params) = params else { return refused(MALFORMED) };
    let client = match client_of(&sim, &headers, &params) {
        Ok(client) => client,
        Err(failure) => return refused(failure),
    };
    let mut state = sim.state();
    let redeemed = match params.get("grant_type") {
        Some("authorization_code") => code(&sim, &mut state, (&client, &tenant), &params),
        Some("refresh_token") => refresh(&state, &client, &params),
        Some(_) | None => Err(UNSUPPORTED),
    };
    match redeemed.and_then(|(granted, nonce)| still_welcome(&state, granted, nonce)) {
        Ok((granted, nonce)) => {
            let issued = issue(&sim, &mut state, &granted, nonce.as_deref());
            answer::or_broken(issued.map(|mut body| {
                if without_id_token && let Some(body) = body.as_object_mut() {
                    body.remove("id_token");
                }
                answer::json(StatusCode::OK, &body)
            }))
        }
        Err(failure) => refused(failure),
    }
}

type Redeemed = Result<(Granted, Option<String>), Failure>;

/// The client, by secret in the body or in Basic authentication (whose parts are form-encoded, RFC 6749 2.3.1).
fn client_of(sim: &Sim, headers: &HeaderMap, params: &Params) -> Result<String, Failure> {
    let basic = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(basic);
    let (id, secret) = match (basic, params.get("client_id")) {
        (Some((id, secret)), _) => (id, Some(secret)),
        (None, Some(id)) => (id.to_owned(), params.get("client_secret").map(str::to_owned)),
        (None, None) => return Err(MALFORMED),
    };
    let client = sim.client(&id).ok_or(UNKNOWN_CLIENT)?;
    let secret = secret.ok_or(NO_SECRET)?;
    let same =
        subtle::ConstantTimeEq::ct_eq(secret.as_bytes(), client.secret.expose_secret().as_bytes());
    if bool::from(same) { Ok(id) } else { Err(BAD_SECRET) }
}

fn basic(value: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |part: &str| {
        url::form_urlencoded::parse(part.as_bytes()).next().map(|(name, _)| name.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}

fn code(sim: &Sim, state: &mut State, (client, tenant): (&str, &str), params: &Params) -> Redeemed {
    let code = params.get("code").and_then(|code| state.codes.get_mut(code)).ok_or(BAD_CODE)?;
    if code.granted.client != client {
        return Err(BAD_CODE);
    }
    if code.used == Use::Spent {
        return Err(SPENT_CODE);
    }
    if sim.now().since(code.made_at) > CODE_LIFE {
        return Err(OLD_CODE);
    }
    if !code.tenant_segment.eq_ignore_ascii_case(tenant) {
        return Err(OTHER_TENANT);
    }
    if params.get("redirect_uri") != Some(code.redirect_uri.as_str()) {
        return Err(OTHER_REDIRECT);
    }
    let verifier = params.get("code_verifier").unwrap_or_default();
    if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != code.challenge {
        return Err(BAD_VERIFIER);
    }
    code.used = Use::Spent;
    Ok((code.granted.clone(), code.nonce.clone()))
}

fn refresh(state: &State, client: &str, params: &Params) -> Redeemed {
    let token = params.get("refresh_token").ok_or(BAD_REFRESH)?;
    let refresh = state.refresh.get(token).ok_or(BAD_REFRESH)?;
    match refresh.used {
        Use::Fresh if refresh.granted.client == client => Ok((refresh.granted.clone(), None)),
        Use::Fresh => Err(BAD_REFRESH),
        Use::Spent => Err(REVOKED),
    }
}

fn still_welcome(state: &State, granted: Granted, nonce: Option<String>) -> Redeemed {
    let person = state.person(&granted.object_id).ok_or(DISABLED)?;
    match (person.account, person.assignment) {
        (Account::Disabled, _) => Err(DISABLED),
        (Account::Enabled, Assignment::Unassigned) => Err(UNASSIGNED),
        (Account::Enabled, Assignment::Assigned) => Ok((granted, nonce)),
    }
}

fn issue(
    sim: &Sim,
    state: &mut State,
    granted: &Granted,
    nonce: Option<&str>,
) -> Result<serde_json::Value, SimError> {
    let access = claims::access_token(sim, state.keys.current(), granted)?;
    let sub = sim.pairwise(&granted.object_id, &granted.client);
    let expires_at = sim.now().plus(Duration::from_hours(1));
    let known = Access { object_id: granted.object_id.clone(), sub, expires_at };
    state.access.insert(access.clone(), known);
    let mut body = json!({
        "token_type": "Bearer",
        // As at Entra, `offline_access` is granted without being named.
        "scope": granted.scopes.iter().filter(|s| *s != "offline_access").cloned().collect::<Vec<_>>().join(" "),
        "expires_in": 3599,
        "ext_expires_in": 3599,
        "access_token": access,
    });
    let Some(members) = body.as_object_mut() else { return Ok(body) };
    let asked = |scope: &str| granted.scopes.iter().any(|asked| asked == scope);
    if asked("offline_access") {
        let token = format!("1.{}", random(96)?);
        let kept = Refresh { granted: granted.clone(), used: Use::Fresh };
        state.refresh.insert(token.clone(), kept);
        members.insert("refresh_token".to_owned(), json!(token));
    }
    if asked("openid") {
        let token = claims::id_token(sim, state, granted, nonce)?;
        members.insert("id_token".to_owned(), json!(token));
    }
    Ok(body)
}

/// The answer that a test ordered; none for faults that only change a good answer.
fn ordered(sim: &Sim, headers: &HeaderMap, fault: &TokenFault) -> Option<Response> {
    match fault {
        TokenFault::Unavailable => {
            let text = "The service is temporarily unavailable. Please retry later.";
            let failure = Failure::new("temporarily_unavailable", 90033, text);
            let body = answer::failure_body(sim, headers, failure);
            let mut response = answer::json(StatusCode::SERVICE_UNAVAILABLE, &body);
            answer::set(&mut response, "retry-after", "1");
            Some(response)
        }
        TokenFault::InvalidGrant(number) => {
            let failure = Failure::new(GRANT, *number, "Refused, as the test ordered.");
            Some(answer::failure(sim, headers, failure))
        }
        TokenFault::Challenge { claims } => {
            let text = "You must use multi-factor authentication to access this resource.";
            let failure = Failure::new("interaction_required", 50076, text);
            let mut body = answer::failure_body(sim, headers, failure);
            if let Some(members) = body.as_object_mut() {
                members.insert("suberror".to_owned(), json!("basic_action"));
                members.insert("claims".to_owned(), json!(claims));
            }
            Some(answer::json(StatusCode::BAD_REQUEST, &body))
        }
        TokenFault::NotJson => {
            let mut response = Response::new(Body::from("<html><h1>502 Bad Gateway</h1></html>"));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            answer::set(&mut response, "content-type", "text/html");
            Some(response)
        }
        TokenFault::NoIdToken => None,
    }
}
