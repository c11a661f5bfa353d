//! Scopes (RFC 6749 section 3.3, with Entra's resources): which API a token is for and what it may do there.

use std::collections::BTreeSet;

use super::aadsts;
use super::failure::Failure;
use super::settings::Registration;
use super::state::State;

/// Application id of Microsoft Graph.
pub(super) const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// Hosts that Graph has in Microsoft's clouds.
const GRAPH_ORIGINS: [&str; 4] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
];

/// Scopes that belong to sign-in and to no API.
const RESERVED: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// What ends a request for everything that was consented to.
pub(super) const DEFAULT: &str = ".default";

/// An API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resource {
    Graph,
    /// A registration, by client id, under the identifier that was asked for.
    Api {
        client: String,
        identifier: String,
    },
}

/// One API with the permissions asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) resource: Resource,
    pub(super) names: BTreeSet<String>,
}

/// The APIs in a list of scopes, in the order of their first mention.
///
/// # Errors
/// Malformed, unknown or mixed scopes, as Entra words them.
pub(super) fn wanted(
    state: &State,
    origins: &[std::sync::Arc<str>],
    scopes: &[String],
) -> Result<Vec<Wanted>, Failure> {
    let mut all: Vec<Wanted> = Vec::new();
    for scope in scopes.iter().filter(|scope| !RESERVED.contains(&scope.as_str())) {
        let (resource, name) = one(state, origins, scope)?;
        match all.iter_mut().find(|wanted| wanted.resource == resource) {
            Some(wanted) => {
                wanted.names.insert(name);
            }
            None => all.push(Wanted { resource, names: BTreeSet::from([name]) }),
        }
    }
    let mixed = |wanted: &Wanted| wanted.names.len() > 1 && wanted.names.contains(DEFAULT);
    if all.iter().any(mixed) {
        let text = ".default scope can't be combined with resource-specific scopes.";
        return Err(aadsts::token(70011).because(text));
    }
    Ok(all)
}

fn one(
    state: &State,
    origins: &[std::sync::Arc<str>],
    scope: &str,
) -> Result<(Resource, String), Failure> {
    let malformed = || aadsts::token(70011).because(&format!("The scope '{scope}' is not valid."));
    let sound = |c: char| c.is_ascii_alphanumeric() || "-._~:/".contains(c);
    if !scope.chars().all(sound) {
        return Err(malformed());
    }
    let Some((identifier, name)) = scope.rsplit_once('/') else {
        return Ok((Resource::Graph, scope.to_owned()));
    };
    if name.is_empty() || identifier.is_empty() {
        return Err(malformed());
    }
    let plain = identifier.trim_end_matches('/');
    let graph = plain == GRAPH
        || GRAPH_ORIGINS.contains(&plain)
        || origins.iter().any(|origin| &**origin == plain);
    if graph {
        return Ok((Resource::Graph, name.to_owned()));
    }
    let api =
        state.registrations.iter().find(|api| api.app_id_uri == plain || api.client_id == plain);
    let api =
        api.ok_or_else(|| aadsts::token(500_011).because(&format!("Resource: '{plain}'.")))?;
    exposed(api, name)?;
    let (client, identifier) = (api.client_id.clone(), identifier.to_owned());
    Ok((Resource::Api { client, identifier }, name.to_owned()))
}

fn exposed(api: &Registration, name: &str) -> Result<(), Failure> {
    if name == DEFAULT || api.scopes.contains(name) {
        return Ok(());
    }
    let text = format!("Scope: '{name}', resource: '{}'.", api.app_id_uri);
    Err(aadsts::token(650_053).because(&text))
}

/// The one API of a token request; Graph when only sign-in was asked for.
///
/// # Errors
/// Several APIs, as Entra words it.
pub(super) fn single(mut all: Vec<Wanted>) -> Result<Wanted, Failure> {
    if all.len() > 1 {
        return Err(aadsts::token(700_022));
    }
    Ok(all.pop().unwrap_or(Wanted { resource: Resource::Graph, names: BTreeSet::new() }))
}

/// What the answer of the token endpoint calls granted: every scope as it was asked for. As at Entra, `offline_access`
/// is granted without being named.
pub(super) fn echoed(scopes: &[String]) -> String {
    let named = scopes.iter().map(String::as_str).filter(|scope| *scope != "offline_access");
    named.collect::<Vec<_>>().join(" ")
}

/// Splits a list of scopes at spaces.
pub(super) fn split(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}
