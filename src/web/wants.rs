//! What kind of answer a client can use, read from its request headers.
//!
//! The same refusal is a page for somebody who navigates, JSON for a script, and a header for htmx. Sending a script to
//! a sign-in page on another origin only makes it fail in the dark, so redirects are for navigations alone.

use http::{HeaderMap, Method, header};

/// The kind of answer that a client can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// A person navigates: pages and redirects.
    Page,
    /// A script, an image, an API client: status and JSON, never a redirect to another origin.
    Data,
    /// htmx: status, `HX-Redirect` and fragments.
    Htmx,
}

impl Wants {
    /// Reads it from method and headers (Fetch Metadata where present, `Accept` otherwise).
    pub fn of(method: &Method, headers: &HeaderMap) -> Self {
        let is = |name: &str, value: &str| {
            headers.get(name).is_some_and(|found| found.as_bytes() == value.as_bytes())
        };
        if is("hx-request", "true") {
            return Self::Htmx;
        }
        if headers.contains_key("sec-fetch-mode") {
            return if is("sec-fetch-mode", "navigate") { Self::Page } else { Self::Data };
        }
        let reads = method == Method::GET || method == Method::HEAD;
        let scripted = headers.contains_key("x-requested-with");
        if reads && !scripted && accepts_html(headers) { Self::Page } else { Self::Data }
    }
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|range| {
        let kind = range.split(';').next().unwrap_or("").trim();
        kind.eq_ignore_ascii_case("text/html")
    })
}
