//! Answers that are files to keep.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, header};

use super::fault::seal;

/// A file of this name and type. The name is one of ours: letters, digits, `.`, `-` and `_`.
pub fn file(name: &str, kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    seal(headers);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // A name that fits into no header leaves the browser to find one.
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}
