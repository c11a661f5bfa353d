//! Access tokens: v2.0 or v1.0 for a registration's API, and v1.0 ones for Graph.

use std::collections::BTreeSet;

use serde_json::json;

use super::claims::{self, put};
use super::error::SimError;
use super::jws::{self, Claims};
use super::people::Person;
use super::policies::Factor;
use super::proof::Client;
use super::scopes::{GRAPH, Resource, Wanted};
use super::settings::{OptionalClaim, Registration, TokenVersion};
use super::state::{Granted, State};
use super::tenant::{Sim, v1_issuer};

/// A new access token, and what it allows at Graph when it is for Graph.
pub(super) struct Minted {
    pub(super) token: String,
    pub(super) graph: Option<BTreeSet<String>>,
}

/// A token with which `client` acts for the person of `granted`.
///
/// # Errors
/// When it can't be signed.
pub(super) fn delegated(
    sim: &Sim,
    state: &mut State,
    (client, granted, person): (&Client, &Granted, &Person),
    wanted: &Wanted,
) -> Result<Minted, SimError> {
    let mut claims = claims::base(sim)?;
    let tenant = sim.tenant_of(person.directory);
    put(&mut claims, "tid", json!(tenant));
    put(&mut claims, "oid", json!(person.object_id));
    put(&mut claims, "name", json!(person.name));
    match &wanted.resource {
        Resource::Graph => {
            let permissions = for_graph(client, granted, wanted);
            put(&mut claims, "sub", json!(sim.pairwise(person, GRAPH)));
            put(&mut claims, "idtyp", json!("user"));
            put(&mut claims, "scp", json!(joined(&permissions)));
            graph(client, tenant, &mut claims);
            let token = jws::signed_for_graph(state.keys.current(), &claims)?;
            Ok(Minted { token, graph: Some(permissions) })
        }
        Resource::Api { client: id, identifier } => {
            let Some(api) = state.registration(id).cloned() else { return Err(SimError::Gone) };
            put(&mut claims, "sub", json!(sim.pairwise(person, id)));
            put(&mut claims, "scp", json!(scp(&api, wanted)));
            put(&mut claims, "sid", json!(granted.sid));
            if !granted.access_acrs.is_empty() {
                put(&mut claims, "acrs", json!(granted.access_acrs));
            }
            claims::membership(sim, state, (person, &api), &mut claims);
            claims::origin(person, &api, &granted.scopes, &mut claims);
            names(&api, granted, person, &mut claims);
            versioned(sim, (client, &api), (tenant, identifier), &mut claims);
            sign_for_api(state, (client, &api), claims)
        }
    }
}

/// A token with which `client` acts for itself, holding `roles`.
///
/// # Errors
/// When it can't be signed.
pub(super) fn app_only(
    sim: &Sim,
    state: &mut State,
    (client, roles): (&Client, BTreeSet<String>),
    (tenant, resource): (&str, &Resource),
) -> Result<Minted, SimError> {
    let mut claims = claims::base(sim)?;
    put(&mut claims, "tid", json!(tenant));
    put(&mut claims, "oid", json!(client.registration.object_id));
    put(&mut claims, "sub", json!(client.registration.object_id));
    if !roles.is_empty() {
        put(&mut claims, "roles", json!(roles));
    }
    match resource {
        Resource::Graph => {
            put(&mut claims, "idtyp", json!("app"));
            graph(client, tenant, &mut claims);
            let token = jws::signed_for_graph(state.keys.current(), &claims)?;
            Ok(Minted { token, graph: Some(roles) })
        }
        Resource::Api { client: id, identifier } => {
            let Some(api) = state.registration(id).cloned() else { return Err(SimError::Gone) };
            if api.lists(OptionalClaim::Idtyp) {
                put(&mut claims, "idtyp", json!("app"));
            }
            versioned(sim, (client, &api), (tenant, identifier), &mut claims);
            sign_for_api(state, (client, &api), claims)
        }
    }
}

/// What Graph allows: what was asked for, and what was consented to earlier.
fn for_graph(client: &Client, granted: &Granted, wanted: &Wanted) -> BTreeSet<String> {
    let signs = ["openid", "profile", "email"];
    let signs = signs.into_iter().filter(|name| granted.scopes.iter().any(|asked| asked == name));
    let mut all: BTreeSet<String> = client.registration.graph.clone();
    all.extend(signs.map(str::to_owned));
    all.extend(wanted.names.iter().filter(|name| *name != super::scopes::DEFAULT).cloned());
    all
}

fn graph(client: &Client, tenant: &str, claims: &mut Claims) {
    put(claims, "aud", json!(GRAPH));
    put(claims, "iss", json!(v1_issuer(tenant)));
    put(claims, "app_displayname", json!(client.registration.name));
    put(claims, "appid", json!(client.registration.client_id));
    put(claims, "appidacr", json!(client.method.code()));
    put(claims, "ver", json!("1.0"));
}

/// `.default` stands for every scope that the API exposes.
fn scp(api: &Registration, wanted: &Wanted) -> String {
    if wanted.names.contains(super::scopes::DEFAULT) {
        joined(&api.scopes)
    } else {
        joined(&wanted.names)
    }
}

fn names(api: &Registration, granted: &Granted, person: &Person, claims: &mut Claims) {
    match api.access_tokens {
        TokenVersion::V2 => put(claims, "preferred_username", json!(person.user_name)),
        TokenVersion::V1 => {
            put(claims, "unique_name", json!(person.user_name));
            put(claims, "upn", json!(person.user_name));
            put(claims, "acr", json!("1"));
            put(
                claims,
                "amr",
                match granted.factor {
                    Factor::Given => json!(["pwd", "mfa"]),
                    Factor::Missing => json!(["pwd"]),
                },
            );
        }
    }
}

/// What differs between the versions: issuer, audience, and how the client is named.
fn versioned(
    sim: &Sim,
    (client, api): (&Client, &Registration),
    (tenant, identifier): (&str, &str),
    claims: &mut Claims,
) {
    let (id, code) = (&client.registration.client_id, client.method.code());
    match api.access_tokens {
        TokenVersion::V2 => {
            put(claims, "aud", json!(api.client_id));
            put(claims, "iss", json!(sim.issuer_of(tenant)));
            put(claims, "azp", json!(id));
            put(claims, "azpacr", json!(code));
            put(claims, "ver", json!("2.0"));
        }
        TokenVersion::V1 => {
            put(claims, "aud", json!(identifier));
            put(claims, "iss", json!(v1_issuer(tenant)));
            put(claims, "appid", json!(id));
            put(claims, "appidacr", json!(code));
            put(claims, "ver", json!("1.0"));
        }
    }
}

fn sign_for_api(
    state: &mut State,
    (client, api): (&Client, &Registration),
    claims: Claims,
) -> Result<Minted, SimError> {
    let mut header = jws::header(state.keys.current());
    if api.access_tokens == TokenVersion::V1 {
        put(&mut header, "x5t", json!(state.keys.current().kid));
    }
    let token = match state.next_access_tamper.take() {
        Some(tamper) => {
            jws::tampered(&state.keys, &client.registration, (header, claims), &tamper)?
        }
        None => jws::signed(state.keys.current(), &header, &claims)?,
    };
    state.api_tokens.insert(token.clone());
    Ok(Minted { token, graph: None })
}

fn joined(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}
