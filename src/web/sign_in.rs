//! Where a sign-in starts, and what somebody is told who has to sign in, or prove more, first.
//!
//! A navigation goes there by itself. A script is told the address, for it can't follow to another origin, and sends its
//! person there if it likes; htmx does so by a header.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::fault::{Quote, seal};
use super::link::Link;
use super::wants::Wants;
use crate::model::session::StepUp;

/// The sign-in of an app's host, leading back to `back` (path and query), or to the front page.
pub fn at_app(back: Option<&str>) -> Link {
    leading("login", back)
}

/// The sign-in of Cedargate's own host, leading back to `back` (path and query), or to the front page.
pub fn at_gate(back: Option<&str>) -> Link {
    leading("begin", back)
}

fn leading(step: &str, back: Option<&str>) -> Link {
    let start = Link::path(&["_gate", step]);
    match back {
        Some(back) => start.with_path("return", back),
        None => start,
    }
}

/// The same sign-in, which asks for more than who somebody is: the words of `step_up` are those of
/// [`StepUp`], and `mfa` for the context that the settings name.
#[must_use]
pub fn proving(start: Link, step_up: &str) -> Link {
    start.with_query("step_up", step_up)
}

/// For somebody who is not signed in: 303 to `url` for a navigation, else 401 with the address.
pub fn first(wants: Wants, url: &str, quote: &Quote) -> Response {
    match wants {
        Wants::Page => go(url),
        Wants::Data | Wants::Htmx => {
            let challenge = HeaderValue::from_static("Bearer realm=\"cedargate\"");
            let said = json!({ "error": "unauthenticated" });
            told(wants, (url, said), (quote, challenge))
        }
    }
}

/// What somebody who is signed in has to prove.
#[derive(Debug, Clone, Copy)]
pub struct Proof<'a> {
    /// Where they do so.
    pub url: &'a str,
    /// What that address asks for.
    pub step_up: &'a str,
    /// What that is to Entra.
    pub asked: &'a StepUp,
}

/// For somebody who is signed in and has to prove more: 303 for a navigation, else 401 with the address, challenged as in
/// RFC 9470.
pub fn prove_first(wants: Wants, proof: Proof<'_>, quote: &Quote) -> Response {
    let Proof { url, step_up, asked } = proof;
    if wants == Wants::Page {
        return go(url);
    }
    let context = asked.context.as_ref().map(|context| format!(", acr_values=\"{context}\""));
    let age = asked.max_age.map(|age| format!(", max_age=\"{}\"", age.as_secs()));
    let challenge = format!(
        "Bearer realm=\"cedargate\", error=\"insufficient_user_authentication\"{}{}",
        context.unwrap_or_default(),
        age.unwrap_or_default()
    );
    // A context is `c` and a number, an age a number: always a header value. Should it ever not be, the plain challenge says
    // less.
    let challenge = HeaderValue::from_str(&challenge)
        .unwrap_or(HeaderValue::from_static("Bearer realm=\"cedargate\""));
    let said = json!({ "error": "step_up_required", "step_up": step_up });
    told(wants, (url, said), (quote, challenge))
}

/// 303 to an address that we made (RFC 9110 section 15.4.4): a POST becomes a GET on the way.
fn go(url: &str) -> Response {
    // The address is ASCII by construction; should it ever not be, the front page takes its place.
    let place = HeaderValue::from_str(url).unwrap_or(HeaderValue::from_static("/"));
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response();
    seal(response.headers_mut());
    response
}

fn told(
    wants: Wants,
    (url, mut said): (&str, Value),
    (quote, challenge): (&Quote, HeaderValue),
) -> Response {
    if let Some(members) = said.as_object_mut() {
        members.insert("login_url".to_owned(), json!(url));
        members.insert(quote.key().to_owned(), json!(quote.id()));
    }
    let mut response = (StatusCode::UNAUTHORIZED, Json(said)).into_response();
    let headers = response.headers_mut();
    seal(headers);
    headers.insert(header::WWW_AUTHENTICATE, challenge);
    headers.insert(header::VARY, HeaderValue::from_static("Cookie"));
    if let (Wants::Htmx, Ok(url)) = (wants, HeaderValue::from_str(url)) {
        headers.insert("hx-redirect", url);
    }
    response
}
