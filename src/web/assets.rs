//! Files that our pages load: embedded in the binary and served under addresses that name their content.
//!
//! `/_gate/static/<name>-<hash>.<ext>` changes whenever the content does, so browsers may keep a file for good
//! (RFC 8246). Only exact names are answered; there is no file system behind them.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use super::headers;

/// Where the files live, on every host that we answer for.
pub const PREFIX: &str = "/_gate/static/";

/// A file that pages refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// htmx, its two extensions and our own script, in that order.
    Script,
    /// `CodeMirror`, and our own script that lays it over the text of a policy.
    Editor,
    /// Buttons that copy what somebody may have to quote.
    Copy,
    /// The one style sheet.
    Sheet,
    /// All icons, as symbols of one SVG.
    Icons,
    /// The product's mark, also the favicon.
    Mark,
}

impl File {
    /// Every file.
    pub const ALL: [Self; 6] =
        [Self::Script, Self::Editor, Self::Copy, Self::Sheet, Self::Icons, Self::Mark];

    /// The file's address on any of our hosts, with the hash of its content.
    pub fn url(self) -> &'static str {
        &self.asset().url
    }

    fn asset(self) -> &'static Asset {
        match self {
            Self::Script => &SCRIPT,
            Self::Editor => &EDITOR,
            Self::Copy => &COPY,
            Self::Sheet => &SHEET,
            Self::Icons => &ICONS,
            Self::Mark => &MARK,
        }
    }
}

/// A file as it is served.
#[derive(Debug)]
struct Asset {
    url: String,
    etag: HeaderValue,
    content_type: HeaderValue,
    body: Bytes,
}

static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(["console", "js"], JAVASCRIPT, Bytes::from(SCRIPT_PARTS.join("\n;\n")))
});
static EDITOR: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(["editor", "js"], JAVASCRIPT, Bytes::from(EDITOR_PARTS.join("\n;\n")))
});
static COPY: LazyLock<Asset> = LazyLock::new(|| {
    let body = include_bytes!("../../templates/assets/copy.js");
    Asset::new(["copy", "js"], JAVASCRIPT, Bytes::from_static(body))
});
static SHEET: LazyLock<Asset> = LazyLock::new(|| {
    let content_type = HeaderValue::from_static("text/css; charset=utf-8");
    let body = include_bytes!("../../templates/assets/console.css");
    Asset::new(["console", "css"], content_type, Bytes::from_static(body))
});
static ICONS: LazyLock<Asset> = LazyLock::new(|| {
    let body = include_bytes!("../../templates/assets/vendor/lucide/icons.svg");
    Asset::new(["icons", "svg"], SVG, Bytes::from_static(body))
});
static MARK: LazyLock<Asset> = LazyLock::new(|| {
    let body = include_bytes!("../../templates/assets/mark.svg");
    Asset::new(["mark", "svg"], SVG, Bytes::from_static(body))
});

const JAVASCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
const SVG: HeaderValue = HeaderValue::from_static("image/svg+xml");

/// One script rather than four: loaded apart they race, and a page could act before the hx-csp gate stands.
const SCRIPT_PARTS: [&str; 4] = [
    include_str!("../../templates/assets/vendor/htmx/htmx.min.js"),
    include_str!("../../templates/assets/vendor/htmx/hx-csp.min.js"),
    include_str!("../../templates/assets/vendor/htmx/hx-sse.min.js"),
    include_str!("../../templates/assets/app.js"),
];

/// Loaded on one page alone, since it is ten times as large as all others.
const EDITOR_PARTS: [&str; 2] = [
    include_str!("../../templates/assets/vendor/codemirror/codemirror.min.js"),
    include_str!("../../templates/assets/editor.js"),
];

impl Asset {
    fn new([name, extension]: [&str; 2], content_type: HeaderValue, body: Bytes) -> Self {
        let digest = Sha256::digest(&body);
        let bytes = digest.first_chunk().copied().unwrap_or_default();
        let hash = format!("{:016x}", u64::from_be_bytes(bytes));
        let etag = HeaderValue::from_str(&format!("\"{hash}\""))
            .unwrap_or(HeaderValue::from_static("\"0\""));
        Self { url: format!("{PREFIX}{name}-{hash}.{extension}"), etag, content_type, body }
    }
}

/// The routes that answer for the files, for doors that are axum routers.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route(
        "/_gate/static/{file}",
        get(|Path(file): Path<String>, headers: HeaderMap| async move { answer(&file, &headers) }),
    )
}

/// The file with this hashed name (what follows [`PREFIX`]), 304 when the browser holds it already, or 404.
pub fn answer(name: &str, request: &HeaderMap) -> Response {
    let found = File::ALL
        .into_iter()
        .map(File::asset)
        .find(|asset| asset.url.strip_prefix(PREFIX).is_some_and(|own| own == name));
    let Some(asset) = found else { return missing() };
    let held = request.get(header::IF_NONE_MATCH).is_some_and(|held| *held == asset.etag);
    let body = if held { Body::empty() } else { Body::from(asset.body.clone()) };
    let mut response = Response::new(body);
    if held {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        response.headers_mut().insert(header::CONTENT_TYPE, asset.content_type.clone());
    }
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, forever);
    response.headers_mut().insert(header::ETAG, asset.etag.clone());
    headers::harden(response.headers_mut());
    response
}

fn missing() -> Response {
    let mut response = Response::new(Body::from("No such file.\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers::harden(response.headers_mut());
    response
}
