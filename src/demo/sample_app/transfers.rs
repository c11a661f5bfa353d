//! Long-lived and large exchanges: a WebSocket that echoes, server-sent events, a streamed download, an upload.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, stream};
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use serde_json::json;

use super::intranet::SampleApp;
use super::pages;

/// Time between two events.
const TICK: Duration = Duration::from_secs(1);
/// Downloads are streamed in pieces of this many bytes.
const CHUNK: usize = 64 * 1024;
/// The longest download: 1 GiB.
const LONGEST: u64 = 1 << 30;

/// `GET /ws`: sends every message back.
pub(super) async fn echo(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(repeat)
}

async fn repeat(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let sent = match message {
            Message::Text(_) | Message::Binary(_) => socket.send(message).await,
            // Pings are answered and closes completed below us.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => Ok(()),
        };
        if sent.is_err() {
            return;
        }
    }
}

/// `GET /events`: the time, and a share price that wanders, once a second for as long as anyone listens.
pub(super) async fn events(
    State(app): State<SampleApp>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ticks = stream::unfold(0_u32, move |count| {
        let app = app.clone();
        async move {
            if count > 0 {
                tokio::time::sleep(TICK).await;
            }
            let now = app.settings().clock.now();
            let time = now.to_jiff().strftime("%H:%M:%S").to_string();
            let tick = json!({ "time": time, "price_cents": price(now.as_seconds()) });
            let event = Event::default().event("tick").data(tick.to_string());
            Some((Ok(event), count.wrapping_add(1)))
        }
    });
    Sse::new(ticks).keep_alive(KeepAlive::default())
}

/// Cents between 90 and 110 euros, the same for everyone at the same second.
fn price(second: i64) -> i64 {
    let slow = (second % 120 - 60).abs() * 20;
    let fast = (second.wrapping_mul(7919) % 97).abs() * 8;
    9_000 + (slow + fast) % 2_000
}

/// `GET /download/{bytes}`: that many bytes of lines, streamed.
pub(super) async fn download(Path(bytes): Path<String>) -> Response {
    let Some(length) = bytes.parse::<u64>().ok().filter(|length| *length <= LONGEST) else {
        return (StatusCode::NOT_FOUND, "At most 1073741824 bytes.\n").into_response();
    };
    let line = b"Contoso intranet, a line of sixty-four bytes for the sample....\n";
    let chunk = Bytes::from(line.iter().copied().cycle().take(CHUNK).collect::<Vec<u8>>());
    let pieces = stream::unfold(length, move |left| {
        let chunk = chunk.clone();
        async move {
            let size = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            let rest = left.saturating_sub(u64::try_from(size).unwrap_or(left));
            (size > 0).then(|| (Ok::<_, Infallible>(chunk.slice(..size)), rest))
        }
    });
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (CONTENT_LENGTH, length.to_string()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"contoso-{length}.txt\"")),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}

/// `POST /upload`: counts what it is sent without keeping it.
pub(super) async fn upload(
    State(app): State<SampleApp>,
    headers: HeaderMap,
    mut body: Body,
) -> Response {
    let mut received = 0_usize;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => received += frame.data_ref().map_or(0, Bytes::len),
            Err(_) => return (StatusCode::BAD_REQUEST, "The upload broke off.\n").into_response(),
        }
    }
    let accept = headers.get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        return pages::uploaded(&app, &headers, received).await;
    }
    let body = json!({ "bytes": received }).to_string();
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
