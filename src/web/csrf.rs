//! Proof that a form was sent by a page of ours, in the session that it was made for.
//!
//! Three locks, all of which must open: the session cookie is `SameSite=Lax`; the browser says that the request comes
//! from the same origin (`Sec-Fetch-Site`, or `Origin` where that is missing); and the form carries a token that only a
//! page of this session could know.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::model::host::Origin;

/// The token of a session's forms: derived from the cookie's secret, so it needs no storage and ends with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsrfToken(String);

impl CsrfToken {
    /// The token for the holder of a cookie value.
    pub fn of(cookie: &str) -> Self {
        let digest =
            Sha256::new().chain_update(b"cedargate csrf\0").chain_update(cookie).finalize();
        Self(URL_SAFE_NO_PAD.encode(digest))
    }

    /// The text that forms carry.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Checks a form's token, in constant time.
    ///
    /// # Errors
    /// With the word for the record when it does not match.
    pub fn check(&self, presented: Option<&str>) -> Result<(), &'static str> {
        let presented = presented.ok_or("token missing")?;
        let same: bool = self.0.as_bytes().ct_eq(presented.as_bytes()).into();
        same.then_some(()).ok_or("token wrong")
    }
}

/// Checks that the browser sent a request from a page of `origin`.
///
/// # Errors
/// With the word for the record when it came from elsewhere, or says nothing about where it came from.
pub fn check_origin(origin: &Origin, headers: &HeaderMap) -> Result<(), &'static str> {
    let one = |name: &str| -> Result<Option<&str>, &'static str> {
        let mut lines = headers.get_all(name).into_iter();
        match (lines.next(), lines.next()) {
            (None, _) => Ok(None),
            (Some(line), None) => line.to_str().map(Some).map_err(|_| "origin unreadable"),
            (Some(_), Some(_)) => Err("origin given twice"),
        }
    };
    let sent_from = one(header::ORIGIN.as_str())?;
    if sent_from.is_some_and(|from| from != origin.to_string()) {
        return Err("other origin");
    }
    match one("sec-fetch-site")? {
        Some("same-origin") => Ok(()),
        Some(_) => Err("other site"),
        None if sent_from.is_some() => Ok(()),
        None => Err("origin missing"),
    }
}
