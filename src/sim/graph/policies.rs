//! Conditional Access as Graph shows it: authentication contexts, and the policies that are bound to them.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value, json};

use super::caller::{Answer, Call};
use crate::sim::aadsts::POLICY;
use crate::sim::tenant::Sim;

/// Permissions that open policies.
const READS: [&str; 2] = ["Policy.Read.All", "Policy.Read.ConditionalAccess"];

/// How many contexts a tenant has defined.
const DEFINED: u32 = 25;

/// `GET /v1.0/identity/conditionalAccess/policies`: one policy for all bound contexts, none when nothing is bound.
pub(super) async fn policies(State(sim): State<Sim>, headers: HeaderMap) -> Response {
    let call = Call { sim: &sim, headers: &headers };
    call.finish(all_policies(call))
}

fn all_policies(call: Call<'_>) -> Answer {
    Call::allowed(&call.access()?, &READS)?;
    let bound = call.sim.bound_contexts();
    let policy = json!({
        "id": POLICY, "displayName": "Second factor for authentication contexts", "state": "enabled",
        "conditions": {
            "applications": {
                "includeApplications": [], "excludeApplications": [], "includeUserActions": [],
                "includeAuthenticationContextClassReferences": bound,
            },
            "users": { "includeUsers": ["All"] }, "clientAppTypes": ["all"],
        },
        "grantControls": { "operator": "OR", "builtInControls": ["mfa"] },
    });
    let all: Vec<Value> = if bound.is_empty() { Vec::new() } else { vec![policy] };
    let context = "https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies";
    Ok(json!({ "@odata.context": context, "value": all }))
}

/// `GET /v1.0/identity/conditionalAccess/authenticationContextClassReferences`
pub(super) async fn contexts(State(sim): State<Sim>, headers: HeaderMap) -> Response {
    let call = Call { sim: &sim, headers: &headers };
    call.finish(all_contexts(call))
}

fn all_contexts(call: Call<'_>) -> Answer {
    Call::allowed(&call.access()?, &READS)?;
    let one = |number: u32| {
        json!({ "id": format!("c{number}"), "displayName": format!("Context {number}"),
            "description": "", "isAvailable": true })
    };
    let all: Vec<Value> = (1..=DEFINED).map(one).collect();
    let context = "https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/authenticationContextClassReferences";
    Ok(json!({ "@odata.context": context, "value": all }))
}
