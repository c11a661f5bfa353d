//! The successful answer of the token endpoint (RFC 6749 section 5.1).

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::access_token::{self, Minted};
use super::error::SimError;
use super::id_token;
use super::people::{Directory, Person};
use super::proof::Client;
use super::redeem::Redeemed;
use super::scopes::{self, Resource, Wanted};
use super::state::{Access, Refresh, State, Subject, Use};
use super::tenant::{Named, Sim, random};

/// `expires_in`, in seconds.
const EXPIRES_IN: u32 = 3599;

/// What is issued to a client that acts for a person.
#[derive(Debug)]
pub(super) struct Order<'a> {
    pub(super) client: &'a Client,
    pub(super) redeemed: &'a Redeemed,
    pub(super) person: &'a Person,
    pub(super) wanted: Wanted,
    /// As the request names them.
    pub(super) scopes: Vec<String>,
}

/// Access token, and ID and refresh token where they were asked for.
///
/// # Errors
/// When a token can't be signed.
pub(super) fn for_person(sim: &Sim, order: &Order<'_>) -> Result<Value, SimError> {
    let granted = &order.redeemed.granted;
    let mut state = sim.state();
    let whose = (order.client, granted, order.person);
    let minted = access_token::delegated(sim, &mut state, whose, &order.wanted)?;
    let sub = sim.pairwise(order.person, &granted.client);
    let subject = Subject::Person(order.person.object_id.clone());
    remember(sim, &mut state, &minted, (subject, sub));
    let mut body = json!({
        "token_type": "Bearer",
        "scope": scopes::echoed(&order.scopes),
        "expires_in": EXPIRES_IN,
        "ext_expires_in": EXPIRES_IN,
        "access_token": minted.token,
    });
    let Some(members) = body.as_object_mut() else { return Ok(body) };
    let signed_in_for = |scope: &str| granted.scopes.iter().any(|asked| asked == scope);
    if signed_in_for("offline_access") {
        let token = format!("1.{}", random(96)?);
        let kept = Refresh { granted: granted.clone(), used: Use::Fresh };
        state.refresh.insert(token.clone(), kept);
        members.insert("refresh_token".to_owned(), json!(token));
    }
    if signed_in_for("openid") && order.scopes.iter().any(|scope| scope == "openid") {
        let nonce = order.redeemed.nonce.as_deref();
        let token = id_token::id_token(sim, &mut state, granted, nonce)?;
        members.insert("id_token".to_owned(), json!(token));
    }
    Ok(body)
}

/// An access token alone (RFC 6749 section 4.4.3).
///
/// # Errors
/// When it can't be signed.
pub(super) fn for_client(
    sim: &Sim,
    (client, roles): (&Client, BTreeSet<String>),
    (named, resource): (Named, &Resource),
) -> Result<Value, SimError> {
    let directory = match named {
        Named::Tenant(directory) => directory,
        Named::Any | Named::Consumers => Directory::Contoso,
    };
    let mut state = sim.state();
    let tenant = sim.tenant_of(directory);
    let minted = access_token::app_only(sim, &mut state, (client, roles), (tenant, resource))?;
    let subject = Subject::Client(client.registration.client_id.clone());
    let sub = client.registration.object_id.clone();
    remember(sim, &mut state, &minted, (subject, sub));
    Ok(json!({
        "token_type": "Bearer",
        "expires_in": EXPIRES_IN,
        "ext_expires_in": EXPIRES_IN,
        "access_token": minted.token,
    }))
}

/// Graph knows its tokens by heart.
fn remember(sim: &Sim, state: &mut State, minted: &Minted, (subject, sub): (Subject, String)) {
    let Some(permissions) = minted.graph.clone() else { return };
    let expires_at = sim.now().plus(Duration::from_hours(1));
    let access = Access { subject, sub, permissions, expires_at };
    state.access.insert(minted.token.clone(), access);
}
