//! What a token request redeems: a code, a refresh token, or the client's own permissions.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::aadsts;
use super::failure::Failure;
use super::params::Params;
use super::people::{Account, Assignment, Person};
use super::proof::Client;
use super::scopes::{self, DEFAULT, Resource, Wanted};
use super::settings::{AssignmentRule, Registration};
use super::state::{CODE_LIFE, Challenge, Granted, State, Use};
use super::tenant::{Named, Sim};

/// What a code or refresh token stood for.
#[derive(Debug, Clone)]
pub(super) struct Redeemed {
    pub(super) granted: Granted,
    /// Of the code alone.
    pub(super) nonce: Option<String>,
}

/// Redeems a code, once.
///
/// # Errors
/// As Entra words them.
pub(super) fn code(
    sim: &Sim,
    (client, tenant): (&Client, &str),
    params: &Params,
) -> Result<Redeemed, Failure> {
    let now = sim.now();
    let mut state = sim.state();
    let code = params.get("code").and_then(|code| state.codes.get_mut(code));
    let code = code.filter(|code| code.granted.client == client.registration.client_id);
    let code = code.ok_or_else(|| {
        aadsts::token(70000).because("The provided value for the 'code' parameter is not valid.")
    })?;
    if code.used == Use::Spent {
        return Err(aadsts::token(54005));
    }
    if now.since(code.made_at) > CODE_LIFE {
        return Err(aadsts::token(70008));
    }
    if !code.tenant_segment.eq_ignore_ascii_case(tenant) {
        return Err(aadsts::token(700_005));
    }
    if params.get("redirect_uri") != Some(code.redirect_uri.as_str()) {
        return Err(aadsts::token(50011));
    }
    if !fits(&code.challenge, params.get("code_verifier")) {
        return Err(aadsts::token(501_481));
    }
    code.used = Use::Spent;
    Ok(Redeemed { granted: code.granted.clone(), nonce: code.nonce.clone() })
}

/// A verifier without a challenge is refused, too: one of the two was tampered with.
fn fits(challenge: &Challenge, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (Challenge::Absent, None) => true,
        (Challenge::Absent, Some(_)) | (Challenge::Plain(_) | Challenge::S256(_), None) => false,
        (Challenge::Plain(sent), Some(verifier)) => sent == verifier,
        (Challenge::S256(sent), Some(verifier)) => {
            *sent == URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
        }
    }
}

/// Redeems a refresh token, which stays valid.
///
/// # Errors
/// As Entra words them.
pub(super) fn refresh(sim: &Sim, client: &Client, params: &Params) -> Result<Redeemed, Failure> {
    let state = sim.state();
    let unknown = || Failure { error: "invalid_grant", ..aadsts::token(9_002_313) };
    let token = params.get("refresh_token").and_then(|token| state.refresh.get(token));
    let token = token.filter(|token| token.granted.client == client.registration.client_id);
    let token = token.ok_or_else(unknown)?;
    match token.used {
        Use::Spent => Err(aadsts::token(50173)),
        Use::Fresh if state.policies.refresh_wants_factor(token.granted.factor) => {
            Err(aadsts::token(50076))
        }
        Use::Fresh => Ok(Redeemed { granted: token.granted.clone(), nonce: None }),
    }
}

/// The person, unless something closed the door since the sign-in.
///
/// # Errors
/// As Entra words them.
pub(super) fn still_welcome(
    sim: &Sim,
    (client, named): (&Client, Named),
    redeemed: &Redeemed,
) -> Result<Person, Failure> {
    let state = sim.state();
    let person = state.person(&redeemed.granted.object_id).ok_or_else(|| aadsts::token(50034))?;
    if !named.takes(person.directory) {
        return Err(aadsts::token(50020));
    }
    closed(person, &client.registration)
        .map_or_else(|| Ok(person.clone()), |n| Err(aadsts::token(n)))
}

/// Why the registration is not open to the person, as an AADSTS number.
pub(super) fn closed(person: &Person, registration: &Registration) -> Option<u32> {
    match (person.account, person.assignment, registration.assignment) {
        (Account::Disabled, _, _) => Some(50057),
        (Account::Enabled, Assignment::Unassigned, AssignmentRule::Required) => Some(50105),
        (Account::Enabled, Assignment::Unassigned, AssignmentRule::Open)
        | (Account::Enabled, Assignment::Assigned, _) => None,
    }
}

/// The scopes of the request; those of the sign-in when it names none.
pub(super) fn scopes(redeemed: &Redeemed, params: &Params) -> Vec<String> {
    params.get("scope").map_or_else(|| redeemed.granted.scopes.clone(), scopes::split)
}

/// The one API that the tokens are for. A sign-in may have named several: the first counts when the request names none.
///
/// # Errors
/// As Entra words them.
pub(super) fn wanted(sim: &Sim, list: &[String], params: &Params) -> Result<Wanted, Failure> {
    let origins = sim.origins();
    let mut all = scopes::wanted(&sim.state(), &origins, list)?;
    if params.get("scope").is_none() {
        all.truncate(1);
    }
    scopes::single(all)
}

/// The API and the roles that a client gets for itself (RFC 6749 section 4.4).
///
/// # Errors
/// As Entra words them.
pub(super) fn itself(
    sim: &Sim,
    named: Named,
    client: &Client,
    params: &Params,
) -> Result<(Resource, BTreeSet<String>), Failure> {
    match named {
        Named::Tenant(_) => {}
        Named::Any | Named::Consumers => return Err(aadsts::token(9_001_023)),
    }
    let scope = params.get("scope");
    let scope = scope.ok_or_else(|| aadsts::token(900_144).because("Parameter: 'scope'."))?;
    let list = scopes::split(scope);
    if !list.iter().all(|scope| scope.ends_with(&format!("/{DEFAULT}"))) {
        return Err(aadsts::token(1_002_012));
    }
    let origins = sim.origins();
    let state = sim.state();
    let wanted = scopes::single(scopes::wanted(&state, &origins, &list)?)?;
    let roles = own_roles(&state, client, &wanted.resource)?;
    Ok((wanted.resource, roles))
}

fn own_roles(
    state: &State,
    client: &Client,
    resource: &Resource,
) -> Result<BTreeSet<String>, Failure> {
    let (id, registration) = match resource {
        Resource::Graph => {
            let all = client.registration.graph.iter();
            // Delegated only: it says "the signed-in person".
            return Ok(all.filter(|name| *name != "User.Read").cloned().collect());
        }
        Resource::Api { client: id, .. } => (id, state.registration(id)),
    };
    let held = client.registration.permissions.iter();
    let held = held.filter(|held| held.resource == *id).map(|held| held.role.clone());
    let roles: BTreeSet<String> = held.collect();
    let required = registration.is_some_and(|api| api.assignment == AssignmentRule::Required);
    // A registration may always ask for a token for itself.
    let own = *id == client.registration.client_id;
    if roles.is_empty() && required && !own { Err(aadsts::token(501_051)) } else { Ok(roles) }
}
