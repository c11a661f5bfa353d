//! The words of htmx 4.0: what a browser asked for, and the headers it obeys.
//!
//! A fragment is only for a request that says it wants one; everything else, history restores included, gets the page.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

/// Request headers that our pages differ by.
pub const VARY: HeaderValue = HeaderValue::from_static("HX-Request, HX-Request-Type, HX-Boosted");

/// What htmx said of a request. None of it is trusted beyond the choice between page and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hx {
    /// How much is wanted.
    pub wants: Wants,
    /// Id of the element that will be replaced.
    pub target: Option<String>,
    /// Id of the element that asked.
    pub source: Option<String>,
}

/// How much of a page a request wants, and who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// A whole page, asked for by the browser itself or by a history restore.
    Page,
    /// A whole page, asked for by htmx.
    PageByScript,
    /// A part of the page.
    Fragment,
}

impl Hx {
    /// Reads the request's headers.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let id = |name: &str| {
            let (_, id) = headers.get(name)?.to_str().ok()?.split_once('#')?;
            Some(id.to_owned())
        };
        Self {
            wants: Wants::from_headers(headers),
            target: id("hx-target"),
            source: id("hx-source"),
        }
    }

    /// Whether a part of the page is wanted rather than the whole.
    pub fn wants_fragment(&self) -> bool {
        match self.wants {
            Wants::Page | Wants::PageByScript => false,
            Wants::Fragment => true,
        }
    }
}

impl Wants {
    fn from_headers(headers: &HeaderMap) -> Self {
        let says = |name: &str, value: &str| {
            headers.get(name).is_some_and(|is| is.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
        };
        if !says("hx-request", "true") || says("hx-history-restore-request", "true") {
            Self::Page
        } else if !says("hx-request-type", "partial") || says("hx-boosted", "true") {
            Self::PageByScript
        } else {
            Self::Fragment
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Hx {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::from_headers(&parts.headers))
    }
}

/// Response headers that htmx obeys.
#[derive(Debug, Clone, Default)]
pub struct HxOut {
    headers: Vec<(&'static str, String)>,
}

impl HxOut {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says `text` in the page's status line, which screen readers announce.
    #[must_use]
    pub fn announce(self, text: &str) -> Self {
        let json = serde_json::json!({ "announce": { "text": text } }).to_string();
        self.set("hx-trigger", ascii_json(&json))
    }

    /// Sends the browser to `url` by a real navigation. Works with every status, also 401.
    #[must_use]
    pub fn redirect(self, url: &str) -> Self {
        self.set("hx-redirect", url.to_owned())
    }

    /// Puts the answer into the element with this selector instead of the one that was meant.
    #[must_use]
    pub fn retarget(self, selector: &str) -> Self {
        self.set("hx-retarget", selector.to_owned())
    }

    /// Swaps in this way (`innerMorph`, `beforeend`, …) instead of the one that was meant.
    #[must_use]
    pub fn reswap(self, how: &str) -> Self {
        self.set("hx-reswap", how.to_owned())
    }

    /// Puts `url` into the address bar.
    #[must_use]
    pub fn push_url(self, url: &str) -> Self {
        self.set("hx-push-url", url.to_owned())
    }

    /// Puts `url` into the address bar, in the place of what stands there.
    #[must_use]
    pub fn replace_url(self, url: &str) -> Self {
        self.set("hx-replace-url", url.to_owned())
    }

    fn set(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl IntoResponseParts for HxOut {
    type Error = Response;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Response> {
        for (name, value) in self.headers {
            let value = HeaderValue::from_str(&value)
                .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())?;
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
        response.headers_mut().insert(header::VARY, VARY);
        Ok(response)
    }
}

/// The same JSON with everything outside ASCII written as `\uXXXX`: header values carry nothing else.
fn ascii_json(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut out, c| {
        if c.is_ascii() {
            out.push(c);
        } else {
            let mut units = [0_u16; 2];
            for unit in c.encode_utf16(&mut units).iter().copied() {
                let digit = |shift: u16| char::from_digit(u32::from(unit >> shift) & 0xf, 16);
                out.push_str("\\u");
                out.extend([12, 8, 4, 0].into_iter().filter_map(digit));
            }
        }
        out
    })
}

/// Sends somebody who is not signed in to `sign_in`: a navigation by 303, htmx by 401 with `HX-Redirect`.
///
/// A script can't follow a redirect to another origin, so htmx never gets one.
pub fn signed_out(hx: &Hx, sign_in: &str) -> Response {
    match hx.wants {
        Wants::Page => {
            (StatusCode::SEE_OTHER, [(header::LOCATION, sign_in.to_owned())]).into_response()
        }
        Wants::PageByScript | Wants::Fragment => {
            (StatusCode::UNAUTHORIZED, HxOut::new().redirect(sign_in), ()).into_response()
        }
    }
}
