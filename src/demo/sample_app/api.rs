//! The JSON addresses that the pages call with `fetch`, and a scheduled job without a browser.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::intranet::SampleApp;
use super::visitor::Visitor;

/// Said in turn.
const QUOTES: [(&str, &str); 5] = [
    ("A good lock is one you forget about.", "Facilities"),
    ("If it is not written down, it was not decided.", "Audit"),
    ("Every report begins as somebody's question.", "Reporting"),
    ("Numbers are patient; deadlines are not.", "Finance"),
    ("Restart it once; after that, find out why.", "IT"),
];

/// `GET /api/hello`: greets whoever asks.
pub(super) async fn hello(State(app): State<SampleApp>, headers: HeaderMap) -> Response {
    let visitor = Visitor::read(app.verifier(), &headers).await;
    answer(
        StatusCode::OK,
        &json!({
            "hello": visitor.name().unwrap_or("stranger"),
            "user": visitor.first("X-Gate-User"),
            "decision": visitor.first("X-Gate-Decision"),
            "assertion": visitor.badge(),
        }),
    )
}

/// `GET /api/quote`: a line for the day.
pub(super) async fn quote(State(app): State<SampleApp>) -> Response {
    let quote = QUOTES.iter().cycle().nth(app.next_quote() % QUOTES.len());
    let (text, by) = quote.copied().unwrap_or_default();
    answer(StatusCode::OK, &json!({ "quote": text, "by": by }))
}

/// `POST /api/orders`: says what it was sent, and by whom.
pub(super) async fn order(
    State(app): State<SampleApp>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let visitor = Visitor::read(app.verifier(), &headers).await;
    match serde_json::from_slice::<Value>(&body) {
        Ok(order) => {
            let by = visitor.first("X-Gate-User").unwrap_or("stranger");
            answer(StatusCode::CREATED, &json!({ "accepted": order, "by": by }))
        }
        Err(_) => answer(StatusCode::BAD_REQUEST, &json!({ "error": "the order is not JSON" })),
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    (status, headers, body.to_string()).into_response()
}
