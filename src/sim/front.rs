//! The front of the simulator: repairs addresses as Entra does, and lets an endpoint ail before it is reached.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, StatusCode};
use http_body::Frame;
use tower_service::Service;

use super::aadsts;
use super::answer;
use super::conditions::{Condition, Endpoint};
use super::tenant::Sim;

/// The simulator behind this front.
pub(super) fn router(sim: Sim, inner: Router) -> Router {
    Router::new().fallback(move |request: Request| pass(sim.clone(), inner.clone(), request))
}

async fn pass(sim: Sim, mut inner: Router, mut request: Request) -> Response {
    collapse(request.uri_mut());
    let endpoint = Endpoint::of(request.uri().path());
    let condition = endpoint.and_then(|endpoint| sim.state().conditions.get(&endpoint).copied());
    match condition.unwrap_or(Condition::Well) {
        Condition::Well => {}
        Condition::Slow(span) => tokio::time::sleep(span).await,
        Condition::Hanging => std::future::pending().await,
        Condition::Dead => return Response::new(Body::new(Cut)),
        Condition::Unavailable => return unavailable(&sim, request.headers()),
        Condition::NotJson => return not_json(),
    }
    match inner.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// `//` counts as `/`: clients whose authority ends in a slash ask so.
fn collapse(uri: &mut Uri) {
    if !uri.path().contains("//") {
        return;
    }
    let mut path = uri.path().to_owned();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let Ok(target) = PathAndQuery::try_from(format!("{path}{query}")) else { return };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target);
    if let Ok(repaired) = Uri::from_parts(parts) {
        *uri = repaired;
    }
}

fn unavailable(sim: &Sim, headers: &HeaderMap) -> Response {
    answer::failure(sim, headers, &aadsts::token(90033))
}

/// What a gateway in front of a broken server says.
pub(super) fn not_json() -> Response {
    let mut response = Response::new(Body::from("<html><h1>502 Bad Gateway</h1></html>"));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    answer::set(&mut response, "content-type", "text/html");
    response
}

/// A body that fails before its first byte, so that the server drops the connection with nothing sent.
struct Cut;

impl http_body::Body for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
    }
}
