//! The page of knobs at `/_sim/`: everything that a test does by methods, by plain forms. Served in demos only.
//!
//! It changes the tenant only for forms of its own page, told by `Origin` (the Fetch standard has browsers send it with
//! every `POST`), so that no other page in the same browser turns a knob.

mod orders;
mod people;
mod rules;
mod view;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use http::header::{HeaderValue, LOCATION, ORIGIN};
use http::{HeaderMap, StatusCode};

use super::answer;
use super::params::Params;
use super::settings::Panel;
use super::tenant::Sim;

/// Where the page is.
const PATH: &str = "/_sim/";

/// The page's addresses; none when it is hidden.
pub(super) fn router(panel: Panel) -> Router<Sim> {
    match panel {
        Panel::Hidden => Router::new(),
        Panel::Shown => Router::new()
            .route("/", get(lead))
            .route("/_sim", get(lead))
            .route(PATH, get(show).post(turn)),
    }
}

/// `GET /`: the page of knobs is the nearest thing to a start page.
async fn lead() -> Response {
    answer::redirect(PATH)
}

async fn show(State(sim): State<Sim>, RawQuery(query): RawQuery) -> Response {
    let params = query.as_deref().and_then(Params::parse).unwrap_or_default();
    let shown = view::page(&sim, params.get("open").unwrap_or_default());
    let mut response = answer::page(StatusCode::OK, &shown, &[]);
    // Without a referrer the browser would say `Origin: null`.
    answer::set(&mut response, "referrer-policy", "same-origin");
    response
}

async fn turn(State(sim): State<Sim>, headers: HeaderMap, body: Bytes) -> Response {
    let from = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    if !from.is_some_and(|from| sim.origins().iter().any(|ours| **ours == *from)) {
        let text = format!("Forms are taken from {}{PATH} alone.", sim.origin());
        return refused(StatusCode::FORBIDDEN, &text);
    }
    let form = std::str::from_utf8(&body).ok().and_then(Params::parse);
    let done = form.ok_or_else(|| "The form can't be read.".to_owned());
    match done.and_then(|form| orders::carry_out(&sim, &form)) {
        Ok(section) => see(&section),
        Err(text) => refused(StatusCode::BAD_REQUEST, &text),
    }
}

/// Back to the page, at the section that the form stands in.
fn see(section: &str) -> Response {
    let mut response = answer::redirect(PATH);
    *response.status_mut() = StatusCode::SEE_OTHER;
    // A person's card stays open.
    let open = section.strip_prefix("person-").map(|user| format!("?open={user}"));
    let target = format!("{PATH}{}#{section}", open.unwrap_or_default());
    if let Ok(target) = HeaderValue::from_str(&target) {
        response.headers_mut().insert(LOCATION, target);
    }
    response
}

fn refused(status: StatusCode, text: &str) -> Response {
    answer::page(status, &view::Refused { text }, &[])
}
