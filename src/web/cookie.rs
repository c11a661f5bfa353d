//! Our cookies: names, attributes, and reading them without guessing.
//!
//! Over https their names carry the `__Host-` prefix (RFC 6265bis section 4.1.3.2), so that no sibling host can set
//! them. Plain http is for loopback hosts only, where the prefix can't be used. Two cookies of one name mean that
//! somebody meddled: then none counts.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

use crate::model::host::Origin;

/// One of our cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// The session of this host.
    Session,
    /// Binds sign-ins under way to this browser.
    Login,
}

/// What a request carries under one of our names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// Nothing.
    Nothing,
    /// Exactly one value.
    One(String),
    /// Several: none counts, and the browser is told to drop them.
    Several,
}

impl Cookie {
    /// The cookie's name on an origin.
    pub fn name(self, origin: &Origin) -> &'static str {
        match (self, origin.is_https()) {
            (Self::Session, true) => "__Host-gate_session",
            (Self::Session, false) => "gate_session",
            (Self::Login, true) => "__Host-gate_login",
            (Self::Login, false) => "gate_login",
        }
    }

    /// Reads it from a request; names are compared with their case.
    pub fn read(self, origin: &Origin, headers: &HeaderMap) -> Carried {
        let name = self.name(origin);
        // Read as bytes: a cookie of somebody else that is not ASCII must not hide ours on the same line.
        let lines = headers.get_all(header::COOKIE).into_iter().map(HeaderValue::as_bytes);
        let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';'));
        let values = pairs.filter_map(|pair| {
            let rest = pair.trim_ascii().strip_prefix(name.as_bytes())?;
            rest.strip_prefix(b"=")
        });
        // A value that is no text is none of ours, but it is a cookie of this name.
        let mut values = values.map(|value| String::from_utf8_lossy(value).into_owned());
        match (values.next(), values.next()) {
            (None, _) => Carried::Nothing,
            (Some(value), None) => Carried::One(value),
            (Some(_), Some(_)) => Carried::Several,
        }
    }

    /// `Set-Cookie` that gives the browser a value: for this host only, not for scripts, not on cross-site requests
    /// other than navigations. Without `lasts` it goes when the browser closes.
    pub fn set(self, origin: &Origin, value: &str, lasts: Option<Duration>) -> HeaderValue {
        let age = lasts.map(|span| format!("; Max-Age={}", span.as_secs())).unwrap_or_default();
        self.line(origin, value, &age)
    }

    /// `Set-Cookie` that takes it away.
    pub fn clear(self, origin: &Origin) -> HeaderValue {
        self.line(origin, "", "; Max-Age=0")
    }

    fn line(self, origin: &Origin, value: &str, age: &str) -> HeaderValue {
        let secure = if origin.is_https() { "; Secure" } else { "" };
        let name = self.name(origin);
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
        // Values are base64url that we made; should one ever not fit, an empty cookie opens nothing.
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
    }
}
