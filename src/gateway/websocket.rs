//! WebSocket upgrades (RFC 6455 section 4): recognised strictly, completed only by a valid 101.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use sha1::{Digest, Sha1};

use crate::model::app::App;
use crate::model::route::{Route, WebSockets};

/// What a request wants to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Upgrade {
    /// Nothing: an ordinary request.
    None,
    /// A WebSocket, with the client's key.
    WebSocket(HeaderValue),
}

impl Upgrade {
    /// Reads the handshake of a client; `route` and `app` say whether it may be made.
    ///
    /// # Errors
    /// With the problem when a header asks for any other upgrade, for a WebSocket that the route does not allow, from a
    /// page of another origin, or in a form that is no handshake.
    pub(super) fn of(
        method: &Method,
        headers: &HeaderMap,
        place: Place<'_>,
    ) -> Result<Self, &'static str> {
        let mut wanted = headers.get_all(header::UPGRADE).into_iter();
        match (wanted.next(), wanted.next()) {
            (None, _) => return Ok(Self::None),
            (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"websocket") => {}
            (Some(_), _) => return Err("only an upgrade to `websocket` is possible"),
        }
        if place.route.is_none_or(|route| route.websockets == WebSockets::Refused) {
            return Err("this route takes no WebSocket");
        }
        let version =
            single(headers, "sec-websocket-version").is_some_and(|version| version == "13");
        if *method != Method::GET || !version || !names_upgrade(headers) {
            return Err("the WebSocket handshake is not that of version 13");
        }
        if has_body(headers) {
            return Err("a WebSocket handshake has no body");
        }
        if !from_the_app(headers, place.app) {
            return Err("a WebSocket can be opened only by pages of the app itself");
        }
        let key = single(headers, "sec-websocket-key");
        let key = key.ok_or("the WebSocket handshake must have one key")?;
        Ok(Self::WebSocket(key.clone()))
    }
}

/// The value of a header that came once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a HeaderValue> {
    let mut lines = headers.get_all(name).into_iter();
    lines.next().filter(|_| lines.next().is_none())
}

/// Without `Connection: upgrade` the proxy before us took this for an ordinary request (RFC 9110 section 7.8).
fn names_upgrade(headers: &HeaderMap) -> bool {
    let lines =
        headers.get_all(header::CONNECTION).into_iter().filter_map(|line| line.to_str().ok());
    let mut tokens = lines.flat_map(|line| line.split(','));
    tokens.any(|token| token.trim().eq_ignore_ascii_case("upgrade"))
}

/// Bytes before the switch could be read as frames after it.
fn has_body(headers: &HeaderMap) -> bool {
    let empty = headers.get(header::CONTENT_LENGTH).is_none_or(|length| length == "0");
    !empty || headers.contains_key(header::TRANSFER_ENCODING)
}

/// Where an upgrade is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) app: &'a App,
    pub(super) route: Option<&'a Route>,
}

/// Whether `Origin` is there, once, and one of the app's own (cross-site WebSocket hijacking).
fn from_the_app(headers: &HeaderMap, app: &App) -> bool {
    let mut lines = headers.get_all(header::ORIGIN).into_iter();
    match (lines.next(), lines.next()) {
        (Some(one), None) => {
            app.origins.iter().any(|origin| one.as_bytes() == origin.to_string().as_bytes())
        }
        (None, _) | (Some(_), Some(_)) => false,
    }
}

/// Whether an upstream's answer completes the handshake for `key`.
pub(super) fn completes(status: StatusCode, headers: &HeaderMap, key: &HeaderValue) -> bool {
    let digest = Sha1::new()
        .chain_update(key)
        .chain_update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
        .finalize();
    let expected = STANDARD.encode(digest);
    status == StatusCode::SWITCHING_PROTOCOLS
        && headers
            .get("sec-websocket-accept")
            .is_some_and(|accept| accept.as_bytes() == expected.as_bytes())
        && headers
            .get(header::UPGRADE)
            .is_some_and(|kind| kind.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Sets the headers of a handshake, which hygiene had removed.
pub(super) fn announce(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
}
