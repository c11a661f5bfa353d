//! v2.0 ID tokens (OpenID Connect Core 1.0 section 2) with Entra's claims.

use serde_json::json;

use super::claims::{self, put};
use super::error::SimError;
use super::jws::{self, Claims};
use super::people::Person;
use super::settings::{OptionalClaim, Registration};
use super::state::{Granted, State};
use super::tenant::Sim;

/// Signs an ID token; `nonce` is absent on refreshed ones. None when the person or the client is gone.
pub(super) fn id_token(
    sim: &Sim,
    state: &mut State,
    granted: &Granted,
    nonce: Option<&str>,
) -> Result<Option<String>, SimError> {
    let Some(client) = state.registration(&granted.client).cloned() else { return Ok(None) };
    let Some(person) = state.person(&granted.object_id).cloned() else { return Ok(None) };
    let mut claims = about(sim, granted, &person)?;
    claims::membership(sim, state, (&person, &client), &mut claims);
    claims::origin(&person, &client, &granted.scopes, &mut claims);
    optional(&client, granted, &person, &mut claims);
    if let Some(nonce) = nonce {
        put(&mut claims, "nonce", json!(nonce));
    }
    let header = jws::header(state.keys.current());
    match state.next_tamper.take() {
        Some(tamper) => jws::tampered(&state.keys, &client, (header, claims), &tamper).map(Some),
        None => jws::signed(state.keys.current(), &header, &claims).map(Some),
    }
}

fn about(sim: &Sim, granted: &Granted, person: &Person) -> Result<Claims, SimError> {
    let tenant = sim.tenant_of(person.directory);
    let mut claims = claims::base(sim)?;
    put(&mut claims, "aud", json!(granted.client));
    put(&mut claims, "iss", json!(sim.issuer_of(tenant)));
    put(&mut claims, "sub", json!(sim.pairwise(person, &granted.client)));
    put(&mut claims, "ver", json!("2.0"));
    if granted.scopes.iter().any(|scope| scope == "profile") {
        put(&mut claims, "oid", json!(person.object_id));
        put(&mut claims, "tid", json!(tenant));
        put(&mut claims, "name", json!(person.name));
        put(&mut claims, "preferred_username", json!(person.user_name));
    }
    Ok(claims)
}

fn optional(client: &Registration, granted: &Granted, person: &Person, claims: &mut Claims) {
    if client.lists(OptionalClaim::Sid) {
        put(claims, "sid", json!(granted.sid));
    }
    if client.lists(OptionalClaim::LoginHint) {
        put(claims, "login_hint", json!(person.hint()));
    }
    if client.lists(OptionalClaim::AuthTime) || granted.max_age.is_some() {
        put(claims, "auth_time", json!(granted.authenticated_at.as_seconds()));
    }
    if !granted.id_acrs.is_empty() {
        put(claims, "acrs", json!(granted.id_acrs));
    }
}
