//! Claims about a person that ID tokens and access tokens share: roles, groups, where the person comes from.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::error::SimError;
use super::groups::GroupKind;
use super::jws::{BACKDATED, Claims, LIFE};
use super::people::{Origin, Person};
use super::settings::{GroupClaims, OptionalClaim, Registration};
use super::state::State;
use super::tenant::{Sim, random, v1_issuer};

/// More groups than this do not fit into a JWT.
const GROUP_LIMIT: usize = 200;

/// Puts a claim.
pub(super) fn put(claims: &mut Claims, name: &str, value: Value) {
    claims.insert(name.to_owned(), value);
}

/// The claims that every token begins with.
pub(super) fn base(sim: &Sim) -> Result<Claims, SimError> {
    let issued = sim.now().as_seconds().saturating_sub(BACKDATED);
    let mut claims = Claims::new();
    put(&mut claims, "iat", json!(issued));
    put(&mut claims, "nbf", json!(issued));
    put(&mut claims, "exp", json!(issued.saturating_add(LIFE)));
    put(&mut claims, "aio", json!(random(48)?));
    put(&mut claims, "rh", json!(format!("1.{}.", random(24)?)));
    put(&mut claims, "uti", json!(random(16)?));
    Ok(claims)
}

/// Roles and groups of `person`, as the registration `audience` wants them.
pub(super) fn membership(
    sim: &Sim,
    state: &State,
    (person, audience): (&Person, &Registration),
    claims: &mut Claims,
) {
    let groups = listed_groups(state, person);
    let roles = match audience.group_claims {
        GroupClaims::Absent => roles(state, person, audience),
        GroupClaims::Ids => {
            ids(sim, person, &groups, claims);
            roles(state, person, audience)
        }
        GroupClaims::IdsAsRoles => groups.iter().map(|id| (*id).to_owned()).collect(),
        GroupClaims::NamesAsRoles => {
            let named = groups.iter().filter_map(|id| state.groups.get(*id));
            named.map(|group| group.name.clone()).collect()
        }
    };
    if !roles.is_empty() {
        put(claims, "roles", json!(roles));
    }
    if audience.group_claims != GroupClaims::Absent && !person.directory_roles.is_empty() {
        put(claims, "wids", json!(person.directory_roles));
    }
}

/// The groups that count for tokens: all but Microsoft 365 groups.
fn listed_groups<'a>(state: &State, person: &'a Person) -> Vec<&'a str> {
    let security =
        |id: &&str| state.groups.get(*id).is_none_or(|group| group.kind == GroupKind::Security);
    person.groups.iter().map(String::as_str).filter(security).collect()
}

fn ids(sim: &Sim, person: &Person, groups: &[&str], claims: &mut Claims) {
    if groups.len() > GROUP_LIMIT {
        let endpoint = format!(
            "https://graph.windows.net/{}/users/{}/getMemberObjects",
            sim.tenant_of(person.directory),
            person.object_id
        );
        put(claims, "_claim_names", json!({ "groups": "src1" }));
        put(claims, "_claim_sources", json!({ "src1": { "endpoint": endpoint } }));
    } else if !groups.is_empty() {
        put(claims, "groups", json!(groups));
    }
}

/// The person's roles on this registration: those that it declares, and those that nobody declares.
fn roles(state: &State, person: &Person, audience: &Registration) -> BTreeSet<String> {
    let elsewhere = |role: &str| state.registrations.iter().any(|one| one.app_roles.contains(role));
    let here = |role: &&String| audience.app_roles.contains(*role) || !elsewhere(role);
    person.roles.iter().filter(here).cloned().collect()
}

/// `email` and what says that the person is a guest.
pub(super) fn origin(
    person: &Person,
    audience: &Registration,
    scopes: &[String],
    claims: &mut Claims,
) {
    let asked = scopes.iter().any(|scope| scope == "email");
    let guest = matches!(person.origin, Origin::Guest { .. });
    if asked || guest || audience.lists(OptionalClaim::Email) {
        put(claims, "email", json!(person.email));
        if audience.lists(OptionalClaim::XmsEdov) {
            // Verified means that the address is of a domain of the person's own tenant.
            put(claims, "xms_edov", json!(person.email == person.user_name));
        }
    }
    if let Origin::Guest { home } = &person.origin {
        put(claims, "idp", json!(v1_issuer(home)));
    }
    if audience.lists(OptionalClaim::Acct) {
        put(claims, "acct", json!(i32::from(guest)));
    }
}
