//! Sign-out (OpenID Connect RP-Initiated Logout 1.0, with Entra's rules), and the frames that tell other apps.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::header::{CONTENT_SECURITY_POLICY, HeaderValue, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use jsonwebtoken::{Algorithm, Validation};
use serde_json::Value;

use super::aadsts;
use super::answer;
use super::page::{self, Row};
use super::params::Params;
use super::people::Person;
use super::session::{COOKIE_NAME, session_of};
use super::state::BrowserSession;
use super::tenant::Sim;

#[derive(Template)]
#[template(path = "sim/sign_out.html")]
struct SignOutPage {
    action: String,
    row: Row,
}

#[derive(Template)]
#[template(path = "sim/signed_out.html")]
struct SignedOutPage {
    next: Option<String>,
    frames: Vec<String>,
}

/// `GET /{tenant}/oauth2/v2.0/logout`: without a hint that fits, the person is asked first.
pub(super) async fn ask(
    State(sim): State<Sim>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if sim.resolve(&tenant).is_none() {
        return answer::refusal(&sim, &aadsts::authorize(90002), "Check the address.");
    }
    let query = query.unwrap_or_default();
    let Some(params) = Params::parse(&query) else {
        return answer::refusal(&sim, &aadsts::authorize(900_144), "Check the address.");
    };
    let Some((id, session)) = session_of(&sim, &headers) else { return done(&sim, &params, None) };
    let person = sim.state().person(&session.object_id).cloned();
    let Some(person) = person else { return end(&sim, &params, (&id, &session)) };
    if is_hinted(&sim, &params, &person) {
        return end(&sim, &params, (&id, &session));
    }
    let action = format!("/{tenant}/oauth2/v2.0/logout?{query}");
    let shown = SignOutPage { action, row: page::row(0, &person) };
    // The form's answer may be a redirect, which browsers hold to the targets of the form.
    let targets = next(&sim, &params).map(|next| page::targets(&next)).unwrap_or_default();
    answer::page(StatusCode::OK, &shown, &targets)
}

/// `POST` to the same address: the person chose the account to sign out.
pub(super) async fn confirm(
    State(sim): State<Sim>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(&query.unwrap_or_default()).unwrap_or_default();
    match session_of(&sim, &headers) {
        Some((id, session)) => end(&sim, &params, (&id, &session)),
        None => done(&sim, &params, None),
    }
}

/// `GET /{tenant}/oauth2/logout`: the v1 endpoint, which signs out without asking.
pub(super) async fn at_once(
    State(sim): State<Sim>,
    Path(tenant): Path<String>,
    query: RawQuery,
    headers: HeaderMap,
) -> Response {
    if sim.resolve(&tenant).is_none() {
        return answer::refusal(&sim, &aadsts::authorize(90002), "Check the address.");
    }
    confirm(State(sim), query, headers).await
}

/// Whether `logout_hint`, or an ID token of ours in `id_token_hint`, means this person.
fn is_hinted(sim: &Sim, params: &Params, person: &Person) -> bool {
    let named = params.get("logout_hint").is_some_and(|hint| person.answers_to(hint));
    let token = params.get("id_token_hint").and_then(|token| subject(sim, token));
    named || token.is_some_and(|object_id| object_id == person.object_id)
}

/// `oid` of an ID token that one of our keys signed; it may have ended.
fn subject(sim: &Sim, token: &str) -> Option<String> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    let key = sim.state().keys.verifying(&header.kid?)?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    let token = jsonwebtoken::decode::<Value>(token, &key, &validation).ok()?;
    token.claims.get("oid")?.as_str().map(str::to_owned)
}

fn end(sim: &Sim, params: &Params, (id, session): (&str, &BrowserSession)) -> Response {
    sim.state().sessions.remove(id);
    let mut response = done(sim, params, Some(session));
    let gone = format!("{COOKIE_NAME}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    if let Ok(gone) = HeaderValue::from_str(&gone) {
        response.headers_mut().append(SET_COOKIE, gone);
    }
    response
}

/// Back to a registered address, by way of the frames when there are any; else a page.
fn done(sim: &Sim, params: &Params, session: Option<&BrowserSession>) -> Response {
    let frames = session.map(|session| frames(sim, session)).unwrap_or_default();
    match next(sim, params) {
        Some(next) if frames.is_empty() => answer::redirect(&next),
        next => {
            let sources = frames.iter().map(|frame| origin(frame)).collect::<Vec<_>>().join(" ");
            let mut response = answer::page(StatusCode::OK, &SignedOutPage { next, frames }, &[]);
            allow_frames(&mut response, &sources);
            response
        }
    }
}

/// Where to go afterwards, when the address is registered.
fn next(sim: &Sim, params: &Params) -> Option<String> {
    let uri = params.get("post_logout_redirect_uri")?;
    let registered = sim.clients().iter().any(|client| client.has_logout(uri));
    registered.then(|| with_state(uri, params.get("state")))
}

/// The front-channel address of each app that took part, with `sid` and, as at Entra, without `iss`.
fn frames(sim: &Sim, session: &BrowserSession) -> Vec<String> {
    let took_part = session.clients.iter().filter_map(|id| sim.client(id));
    let told = took_part.filter_map(|client| client.frontchannel_logout);
    told.map(|url| format!("{url}?sid={}", session.sid)).collect()
}

fn with_state(uri: &str, state: Option<&str>) -> String {
    let Some(state) = state else { return uri.to_owned() };
    let Ok(mut url) = url::Url::parse(uri) else { return uri.to_owned() };
    url.query_pairs_mut().append_pair("state", state);
    url.into()
}

/// The origin of an address, as a source in a policy.
fn origin(address: &str) -> String {
    url::Url::parse(address)
        .map_or_else(|_| String::new(), |url| url.origin().ascii_serialization())
}

fn allow_frames(response: &mut Response, sources: &str) {
    let Some(policy) = response.headers().get(CONTENT_SECURITY_POLICY) else { return };
    let policy = format!("{}; frame-src {sources}", policy.to_str().unwrap_or_default());
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
}
