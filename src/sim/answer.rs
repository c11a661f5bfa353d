//! Answers: JSON, the error body of the token endpoint, and pages that keep the person at the provider.

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::error::SimError;
use super::failure::Failure;
use super::people::Person;
use super::tenant::{Sim, random_guid};

/// Nothing from elsewhere, nothing inline. Where a form may lead is added per page.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                           frame-ancestors 'none'; form-action 'self'";

/// The error body of the token endpoint and of discovery, with the status that goes with the error.
pub(super) fn failure(sim: &Sim, headers: &HeaderMap, failure: &Failure) -> Response {
    let status = match (failure.error, failure.number) {
        ("invalid_client", _) => StatusCode::UNAUTHORIZED,
        (_, 90055) => StatusCode::TOO_MANY_REQUESTS,
        ("temporarily_unavailable", _) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response = json(status, &failure_body(sim, headers, failure));
    if failure.error == "temporarily_unavailable" {
        set(&mut response, "retry-after", "1");
    }
    response
}

/// The members of that body.
fn failure_body(sim: &Sim, headers: &HeaderMap, failure: &Failure) -> Value {
    let trace = random_guid().unwrap_or_default();
    let correlation = headers
        .get("client-request-id")
        .and_then(|value| value.to_str().ok())
        .map_or_else(|| random_guid().unwrap_or_default(), str::to_owned);
    let timestamp = timestamp(sim);
    let mut body = json!({
        "error": failure.error,
        "error_description": format!(
            "{}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {timestamp}",
            failure.sentence(),
        ),
        "error_codes": [failure.number],
        "timestamp": timestamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": format!("{}/error?code={}", sim.origin(), failure.number),
    });
    if let Some(members) = body.as_object_mut() {
        if let Some(suberror) = failure.suberror {
            members.insert("suberror".to_owned(), json!(suberror));
        }
        if let Some(claims) = &failure.claims {
            members.insert("claims".to_owned(), json!(claims));
        }
    }
    body
}

fn timestamp(sim: &Sim) -> String {
    sim.now().to_jiff().strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// `client_info`: who the tokens are about, for MSAL's cache of accounts.
pub(super) fn client_info(sim: &Sim, person: &Person) -> String {
    let tenant = sim.tenant_of(person.directory);
    let info = json!({ "uid": person.object_id, "utid": tenant });
    URL_SAFE_NO_PAD.encode(info.to_string())
}

/// A JSON answer that nobody may store.
pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    set(&mut response, "content-type", "application/json; charset=utf-8");
    set(&mut response, "cache-control", "no-store, no-cache");
    response
}

/// A page, with further targets that its forms may lead to (browsers hold redirects to that list too).
pub(super) fn page(status: StatusCode, page: &impl Template, form_targets: &[String]) -> Response {
    let Ok(html) = page.render() else { return broken() };
    let mut policy = PAGE_POLICY.to_owned();
    for target in form_targets {
        policy.push(' ');
        policy.push_str(target);
    }
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

/// A redirect of the browser.
pub(super) fn redirect(target: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(target) else { return broken() };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(LOCATION, location);
    set(&mut response, "cache-control", "no-store");
    set(&mut response, "referrer-policy", "no-referrer");
    response
}

/// Status 500: the simulator itself failed, which no client should ever see.
pub(super) fn broken() -> Response {
    let mut response = Response::new(Body::from("the simulator failed"));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// Sets one header to a fixed value.
pub(super) fn set(response: &mut Response, name: &'static str, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

#[derive(Template)]
#[template(path = "sim/refusal.html")]
struct RefusalPage<'a> {
    sentence: String,
    explanation: &'a str,
    correlation: String,
    timestamp: String,
}

/// The page that keeps a person at the provider: no redirect, since its target is not trustworthy.
pub(super) fn refusal(sim: &Sim, failure: &Failure, explanation: &str) -> Response {
    let shown = RefusalPage {
        sentence: failure.sentence(),
        explanation,
        correlation: random_guid().unwrap_or_default(),
        timestamp: timestamp(sim),
    };
    page(StatusCode::BAD_REQUEST, &shown, &[])
}

/// An error of the simulator as an answer.
pub(super) fn or_broken(result: Result<Response, SimError>) -> Response {
    result.unwrap_or_else(|error| {
        tracing::error!(%error, "the simulator could not answer");
        broken()
    })
}
