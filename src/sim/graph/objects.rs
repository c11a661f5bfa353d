//! `getByIds`: objects of the directory by id, groups with their names.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value, json};

use super::caller::{Answer, Call, READS_GROUPS, Refusal};
use crate::sim::groups::GroupKind;
use crate::sim::state::State as Memory;
use crate::sim::tenant::Sim;

/// The most ids of one request.
const MOST: usize = 1000;

/// `POST /v1.0/directoryObjects/getByIds`: what does not exist is missing from the answer without a word.
pub(super) async fn by_ids(State(sim): State<Sim>, headers: HeaderMap, body: Bytes) -> Response {
    let call = Call { sim: &sim, headers: &headers };
    call.finish(found(call, &body))
}

fn found(call: Call<'_>, body: &[u8]) -> Answer {
    let access = call.access()?;
    Call::allowed(&access, &READS_GROUPS)?;
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let ids = ids(&body).map_err(Refusal::Bad)?;
    let types = body.get("types").and_then(Value::as_array).into_iter().flatten();
    let types: Vec<&str> = types.filter_map(Value::as_str).collect();
    let wanted = |kind: &str| types.is_empty() || types.contains(&kind);
    let state = call.sim.state();
    let mut found: Vec<Value> = Vec::new();
    for id in ids {
        found.extend(group(&state, id).filter(|_| wanted("group")));
        found.extend(person(&state, id).filter(|_| wanted("user")));
    }
    let context = "https://graph.microsoft.com/v1.0/$metadata#directoryObjects";
    Ok(json!({ "@odata.context": context, "value": found }))
}

fn ids(body: &Value) -> Result<Vec<&str>, String> {
    let ids = body.get("ids").and_then(Value::as_array).ok_or("ids is required.")?;
    if ids.len() > MOST {
        return Err(format!("Number of included identifiers cannot exceed '{MOST}'."));
    }
    let texts: Option<Vec<&str>> = ids.iter().map(Value::as_str).collect();
    texts.ok_or_else(|| "Invalid object identifier.".to_owned())
}

fn group(state: &Memory, id: &str) -> Option<Value> {
    let group = state.groups.get(id)?;
    Some(json!({
        "@odata.type": "#microsoft.graph.group", "id": id, "displayName": group.name,
        "description": null, "mailEnabled": group.kind == GroupKind::Microsoft365,
        "securityEnabled": group.kind == GroupKind::Security,
    }))
}

fn person(state: &Memory, id: &str) -> Option<Value> {
    let person = state.person(id)?;
    Some(json!({
        "@odata.type": "#microsoft.graph.user", "id": id, "displayName": person.name,
        "mail": person.email, "userPrincipalName": person.user_name,
    }))
}
