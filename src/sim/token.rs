//! The token endpoint (RFC 6749 sections 3.2 and 5, RFC 7636): who asks, for what, and the answer.

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use http::header::ORIGIN;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::aadsts;
use super::answer;
use super::error::SimError;
use super::failure::Failure;
use super::fault::TokenFault;
use super::front;
use super::issue;
use super::params::Params;
use super::proof::{self, Client};
use super::redeem;
use super::tenant::{Named, Sim};

/// Why no token is given.
enum Stopped {
    /// The client is told.
    Refused(Failure),
    /// The simulator itself failed.
    Broken(SimError),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl From<SimError> for Stopped {
    fn from(error: SimError) -> Self {
        Self::Broken(error)
    }
}

/// `POST /{tenant}/oauth2/v2.0/token`
pub(super) async fn token(
    Shared(sim): Shared<Sim>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = sim.state().next_fault.take();
    let without_id_token = fault == Some(TokenFault::NoIdToken);
    if let Some(response) = fault.and_then(|fault| ordered(&sim, &headers, &fault)) {
        return response;
    }
    match granted(&sim, &tenant, &headers, &body) {
        Ok(mut body) => {
            if without_id_token && let Some(body) = body.as_object_mut() {
                body.remove("id_token");
            }
            answer::json(StatusCode::OK, &body)
        }
        Err(Stopped::Refused(failure)) => answer::failure(&sim, &headers, &failure),
        Err(Stopped::Broken(error)) => answer::or_broken(Err(error)),
    }
}

/// `GET` of the same address: people get there with the Back button.
pub(super) async fn wrong_verb(Shared(sim): Shared<Sim>, headers: HeaderMap) -> Response {
    answer::failure(&sim, &headers, &aadsts::token(900_561))
}

fn granted(sim: &Sim, tenant: &str, headers: &HeaderMap, body: &[u8]) -> Result<Value, Stopped> {
    let named = sim.resolve(tenant).ok_or_else(|| aadsts::token(90002))?;
    if headers.contains_key(ORIGIN) {
        // Only single-page apps redeem from a browser, and none is registered here.
        return Err(aadsts::token(9_002_326).into());
    }
    let params = std::str::from_utf8(body).ok().and_then(Params::parse);
    let params = params.ok_or_else(|| aadsts::token(900_144))?;
    let client = proof::client(sim, tenant, headers, &params)?;
    match params.get("grant_type") {
        Some("authorization_code") => {
            let redeemed = redeem::code(sim, (&client, tenant), &params)?;
            for_person(sim, (&client, named), &redeemed, &params)
        }
        Some("refresh_token") => {
            let redeemed = redeem::refresh(sim, &client, &params)?;
            for_person(sim, (&client, named), &redeemed, &params)
        }
        Some("client_credentials") => {
            let (resource, roles) = redeem::itself(sim, named, &client, &params)?;
            Ok(issue::for_client(sim, (&client, roles), (named, &resource))?)
        }
        Some(_) => Err(aadsts::token(70003).into()),
        None => Err(aadsts::token(900_144).because("Parameter: 'grant_type'.").into()),
    }
}

fn for_person(
    sim: &Sim,
    (client, named): (&Client, Named),
    redeemed: &redeem::Redeemed,
    params: &Params,
) -> Result<Value, Stopped> {
    let person = redeem::still_welcome(sim, (client, named), redeemed)?;
    let scopes = redeem::scopes(redeemed, params);
    let wanted = redeem::wanted(sim, &scopes, params)?;
    let order = issue::Order { client, redeemed, person: &person, wanted, scopes };
    let mut body = issue::for_person(sim, &order)?;
    if params.get("client_info") == Some("1")
        && let Some(members) = body.as_object_mut()
    {
        members.insert("client_info".to_owned(), json!(answer::client_info(sim, &person)));
    }
    Ok(body)
}

/// The answer that was ordered; none for faults that only change a good answer.
fn ordered(sim: &Sim, headers: &HeaderMap, fault: &TokenFault) -> Option<Response> {
    match fault {
        TokenFault::Unavailable => {
            let text = "The service is temporarily unavailable. Please retry later.";
            let failure = Failure::new("temporarily_unavailable", 90033, text);
            Some(answer::failure(sim, headers, &failure))
        }
        TokenFault::Aadsts(number) => Some(answer::failure(sim, headers, &aadsts::token(*number))),
        TokenFault::InvalidGrant(number) => {
            let failure = Failure { error: "invalid_grant", ..aadsts::token(*number) };
            let failure = Failure { suberror: None, claims: None, ..failure };
            Some(answer::failure(sim, headers, &failure))
        }
        TokenFault::Challenge { claims } => {
            let failure = Failure { error: "interaction_required", ..aadsts::token(50076) };
            Some(answer::failure(sim, headers, &failure.asking(claims.clone())))
        }
        TokenFault::NotJson => Some(front::not_json()),
        TokenFault::NoIdToken => None,
    }
}
