//! Addresses that pages may link to: a path on the same host, or an absolute http(s) URL.
//!
//! `javascript:` and friends can't become a link, because nothing else can be made into a [`Link`].

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The same, but for `/`.
const BUT_SLASHES: &AsciiSet = &RESERVED.remove(b'/');

/// An address that is safe in `href` and `action`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link(String);

/// A text that is no address we link to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a path on this host nor an http or https address")]
pub struct InvalidLink(String);

impl Link {
    /// The path `/a/b/c` on the same host, each segment percent-encoded.
    pub fn path(segments: &[&str]) -> Self {
        let parts: Vec<_> =
            segments.iter().map(|part| utf8_percent_encode(part, RESERVED).to_string()).collect();
        Self(format!("/{}", parts.join("/")))
    }

    /// Reads a path on the same host (`/finance?x=1`) or an absolute http(s) URL.
    ///
    /// # Errors
    /// For any other scheme, for `//host`, for backslashes and control characters.
    pub fn parse(text: &str) -> Result<Self, InvalidLink> {
        let wrong = || InvalidLink(text.chars().take(120).collect());
        if text.chars().any(|c| c.is_control() || c == '\\') {
            return Err(wrong());
        }
        if text.starts_with('/') && !text.starts_with("//") {
            return Ok(Self(text.to_owned()));
        }
        let url = Url::parse(text).map_err(|_| wrong())?;
        let web = matches!(url.scheme(), "http" | "https") && url.has_host();
        web.then(|| Self(url.into())).ok_or_else(wrong)
    }

    /// The same address with one more query parameter.
    #[must_use]
    pub fn with_query(self, name: &str, value: &str) -> Self {
        self.with(name, value, RESERVED)
    }

    /// The same with a path as its value, whose slashes stay as they are (RFC 3986 section 3.4): people read addresses.
    #[must_use]
    pub fn with_path(self, name: &str, path: &str) -> Self {
        self.with(name, path, BUT_SLASHES)
    }

    fn with(mut self, name: &str, value: &str, encoded: &'static AsciiSet) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.extend(utf8_percent_encode(name, RESERVED));
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, encoded));
        self
    }

    /// The same address, pointing at the element with this id.
    #[must_use]
    pub fn with_fragment(mut self, id: &str) -> Self {
        self.0.push('#');
        self.0.extend(utf8_percent_encode(id, RESERVED));
        self
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
