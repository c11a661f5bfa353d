//! The two bearer endpoints a sign-in needs: `userinfo` and Graph's list of a person's groups.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::answer;
use super::people::Person;
use super::tenant::{Sim, random_guid};

/// `GET /oidc/userinfo`
pub(super) async fn userinfo(State(sim): State<Sim>, headers: HeaderMap) -> Response {
    match bearer(&sim, &headers) {
        Some((person, sub)) => answer::json(
            StatusCode::OK,
            &json!({ "sub": sub, "name": person.name, "email": person.user_name }),
        ),
        None => unauthenticated(&sim),
    }
}

/// `POST /v1.0/me/getMemberObjects`: every group, nested ones included, in one answer.
pub(super) async fn member_objects(
    State(sim): State<Sim>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some((person, _)) = bearer(&sim, &headers) else { return unauthenticated(&sim) };
    let asked: Option<Value> = serde_json::from_slice(&body).ok();
    let only = asked.as_ref().and_then(|body| body.get("securityEnabledOnly")?.as_bool());
    if only.is_none() {
        let text = "securityEnabledOnly is required.";
        return graph_error(&sim, StatusCode::BAD_REQUEST, ("Request_BadRequest", text));
    }
    let context = "https://graph.microsoft.com/v1.0/$metadata#Collection(Edm.String)";
    answer::json(StatusCode::OK, &json!({ "@odata.context": context, "value": person.groups }))
}

fn bearer(sim: &Sim, headers: &HeaderMap) -> Option<(Person, String)> {
    let token = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    let state = sim.state();
    let access = state.access.get(token).filter(|access| sim.now() < access.expires_at)?;
    Some((state.person(&access.object_id)?.clone(), access.sub.clone()))
}

fn unauthenticated(sim: &Sim) -> Response {
    let text = "Access token validation failure.";
    graph_error(sim, StatusCode::UNAUTHORIZED, ("InvalidAuthenticationToken", text))
}

fn graph_error(sim: &Sim, status: StatusCode, (code, message): (&str, &str)) -> Response {
    let request = random_guid().unwrap_or_default();
    let date = sim.now().to_jiff().strftime("%Y-%m-%dT%H:%M:%S").to_string();
    answer::json(
        status,
        &json!({ "error": { "code": code, "message": message,
            "innerError": { "date": date, "request-id": request, "client-request-id": request } } }),
    )
}
