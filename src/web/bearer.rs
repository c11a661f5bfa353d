//! The access token that a request brings (RFC 6750 section 2.1): in one `Authorization` header, and nowhere else.
//!
//! A token in the query or in a form is none: addresses are logged, and forms are the app's. Other schemes are not
//! ours; whoever uses one is nobody known. No `Authorization` header ever reaches an app (`gateway/headers.rs`): what was
//! meant for the gate stays there, and an app is told by identity headers who asks.

use http::{HeaderMap, header};
use secrecy::SecretString;

/// What a request says in its `Authorization` header.
#[derive(Debug)]
pub enum Brought {
    /// Nothing, or something in a scheme that is not ours.
    Nothing,
    /// A bearer token, not looked into.
    Token(SecretString),
    /// What can't be read in one way only.
    Unreadable(&'static str),
}

impl Brought {
    /// Reads it.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(header::AUTHORIZATION).into_iter();
        let Some(line) = lines.next() else { return Self::Nothing };
        if lines.next().is_some() {
            return Self::Unreadable("there is more than one Authorization header");
        }
        let mut words = line.as_bytes().splitn(2, |byte| *byte == b' ');
        let scheme = words.next().unwrap_or_default();
        if !scheme.eq_ignore_ascii_case(b"bearer") {
            return Self::Nothing;
        }
        let token = words.next().unwrap_or_default().trim_ascii();
        match std::str::from_utf8(token) {
            Ok(token) if is_token(token) => Self::Token(token.to_owned().into()),
            Ok(_) | Err(_) => Self::Unreadable("its Authorization header holds no bearer token"),
        }
    }
}

/// `b64token` of RFC 6750 section 2.1.
fn is_token(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(plain)
}
