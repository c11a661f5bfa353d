//! Small answers: who is signed in, the keys of assertions, and reports of blocked content.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::Login;
use super::answers::data;
use super::trouble::Trouble;
use crate::authz::decision::Mentions;
use crate::model::principal::{Principal, User};
use crate::web::caller::Caller;
use crate::web::exchange::Exchange;
use crate::web::fault::seal;
use crate::web::sign_in::at_app;

const LONGEST_REPORT_BYTES: usize = 8 * 1024;

/// `GET /_gate/whoami`: what the app is told of the person anyway, for its pages. No other origin can read it.
pub(super) async fn whoami(
    State(login): State<Arc<Login>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    headers: HeaderMap,
) -> Response {
    let caller = match Caller::of(&login.sessions, &exchange.origin, &headers).await {
        Ok(caller) => caller,
        Err(error) => return Trouble::from(error).answer(&exchange),
    };
    let body = match &**caller.principal {
        Principal::User(user) => known(user, &login.mentions(&exchange)),
        Principal::Workload(_) | Principal::Anonymous => nobody(&exchange),
    };
    let mut response = data(StatusCode::OK, body);
    caller.tidy(response.headers_mut());
    response
}

impl Login {
    fn mentions(&self, exchange: &Exchange) -> Arc<Mentions> {
        let snapshot = self.live.current();
        let mentions = exchange.app.as_ref().and_then(|app| snapshot.mentions(&app.id));
        mentions.cloned().unwrap_or_default()
    }
}

fn known(user: &User, mentions: &Mentions) -> Value {
    let groups: Vec<_> = user.groups.intersection(&mentions.groups).collect();
    let roles: Vec<_> = user.roles.intersection(&mentions.roles).collect();
    json!({
        "signed_in": true,
        "user_id": user.subject,
        "user_name": user.user_name,
        "name": user.name,
        "email": user.email,
        "groups": groups,
        "roles": roles,
    })
}

fn nobody(exchange: &Exchange) -> Value {
    let login = exchange.origin.url(at_app(Some("/")).as_str());
    json!({ "signed_in": false, "login_url": login })
}

/// `GET /_gate/jwks.json`: public keys (RFC 7517), for apps that check assertions.
pub(super) async fn jwks(State(login): State<Arc<Login>>) -> Response {
    let mut response = Response::new(Body::from(login.jwks.clone()));
    let headers = response.headers_mut();
    seal(headers);
    let kind = HeaderValue::from_static("application/jwk-set+json");
    headers.insert(header::CONTENT_TYPE, kind);
    let keep = HeaderValue::from_static("public, max-age=300");
    headers.insert(header::CACHE_CONTROL, keep);
    response
}

/// `POST /_gate/csp-report`: a browser blocked something on a page of ours. Anybody can send one, so it is for debugging
/// only; addresses in it are left out, because they can hold codes.
pub(super) async fn csp_report(body: Body) -> Response {
    if let Ok(body) = to_bytes(body, LONGEST_REPORT_BYTES).await {
        let directive = directive(&body);
        tracing::debug!(csp.directive = ?directive, "A browser blocked content on a page of ours.");
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    seal(response.headers_mut());
    response
}

/// The directive that a report names (CSP level 3 section 5.2), cut to 64 characters.
fn directive(body: &[u8]) -> Option<String> {
    let report: Value = serde_json::from_slice(body).ok()?;
    let name = report.pointer("/csp-report/effective-directive");
    let name = name.or_else(|| report.pointer("/0/body/effectiveDirective"))?;
    Some(name.as_str()?.chars().take(64).collect())
}
