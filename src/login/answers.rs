//! Answers that signing in is made of: redirects that leave no trace, and refusals of requests that are no navigation.

use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::model::host::Origin;
use crate::model::record::Refusal;
use crate::web::exchange::Exchange;
use crate::web::fault::{Fault, Quote, seal};
use crate::web::link::Link;
use crate::web::page::{self, Frame};
use crate::web::pages::OnwardPage;
use crate::web::sign_in;

/// 303: the next request is a GET whatever this one was, and a code leaves the address bar (RFC 9110 section 15.4.4).
pub(super) fn redirect(url: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(url) else {
        // Addresses are made of parts that were checked; one that is no header value leads nowhere.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, location);
    seal(response.headers_mut());
    quiet(response)
}

/// On to another origin: by 303, unless a page of this host may have got here by a form. What that page allows its forms
/// (`form-action`) holds for each redirect on their way, so such a way ends in a page of ours, which goes on by itself.
pub(super) fn onward(headers: &HeaderMap, url: &str) -> Response {
    if !comes_from_here(headers) {
        return redirect(url);
    }
    let (Ok(link), Ok(frame)) = (Link::parse(url), Frame::new("On to sign in")) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = page::still(StatusCode::OK, &OnwardPage { frame, link });
    // The address is ASCII by construction; should it ever not be, the link on the page leads there.
    if let Ok(refresh) = HeaderValue::from_str(&format!("0; url={url}")) {
        response.headers_mut().insert(header::REFRESH, refresh);
    }
    quiet(response)
}

/// Whether a page of this host sent a person here, whatever way that was.
fn comes_from_here(headers: &HeaderMap) -> bool {
    let says = |name: &str, what: &str| headers.get(name).is_some_and(|value| value == what);
    says("sec-fetch-site", "same-origin") && says("sec-fetch-dest", "document")
}

/// Codes and states are in the address: no page that follows may learn it (`Referer`).
pub(super) fn quiet(mut response: Response) -> Response {
    let quiet = HeaderValue::from_static("no-referrer");
    response.headers_mut().insert(header::REFERRER_POLICY, quiet);
    response
}

/// JSON of ours, not to be kept.
pub(super) fn data(status: StatusCode, body: serde_json::Value) -> Response {
    let mut response = (status, Json(body)).into_response();
    seal(response.headers_mut());
    let vary = HeaderValue::from_static("Cookie");
    response.headers_mut().insert(header::VARY, vary);
    response
}

/// 401 for whoever can't follow a redirect to a sign-in page; a script may send its person to the address.
pub(super) fn sign_in_first(exchange: &Exchange, link: &Link) -> Response {
    let url = exchange.origin.url(link.as_str());
    sign_in::first(exchange.wants, &url, &Quote::Request(exchange.facts.request.clone()))
}

/// Refuses everything but GET: a HEAD of a link checker must not spend a code.
pub(super) fn only_get(exchange: &Exchange) -> Option<Response> {
    if exchange.facts.method == "GET" {
        return None;
    }
    let mut response = fault(exchange, &Fault::of(&Refusal::MethodNotAllowed));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
    Some(response)
}

/// An answer that quotes the exchange.
pub(super) fn fault(exchange: &Exchange, fault: &Fault) -> Response {
    let quote = Quote::Request(exchange.facts.request.clone());
    fault.answer(exchange.wants, &quote, exchange.at)
}

/// The session cookie of a host is set here and nowhere else.
pub(super) fn with_cookies<const N: usize>(
    mut response: Response,
    cookies: [HeaderValue; N],
) -> Response {
    let headers: &mut HeaderMap = response.headers_mut();
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}

/// The front page of an origin.
pub(super) fn front_of(origin: &Origin) -> String {
    origin.url("/")
}
