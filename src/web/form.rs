//! Forms that hold a token and nothing else: whether our own page sent one.

use axum::body::{Body, to_bytes};
use http::HeaderMap;
use url::form_urlencoded;

use super::caller::Caller;
use super::csrf::check_origin;
use super::exchange::Exchange;

/// The most that such a form may hold: 4 KiB.
const LONGEST_FORM_BYTES: usize = 4 * 1024;

/// Checks that a form came from a page of ours, made for this session.
///
/// # Errors
/// With the word for the record when it did not.
pub async fn check(
    (exchange, caller): (&Exchange, &Caller),
    headers: &HeaderMap,
    body: Body,
) -> Result<(), &'static str> {
    check_origin(&exchange.origin, headers)?;
    let body = to_bytes(body, LONGEST_FORM_BYTES).await.map_err(|_| "form too long")?;
    std::str::from_utf8(&body).map_err(|_| "form unreadable")?;
    let mut tokens = form_urlencoded::parse(&body).filter(|(name, _)| name == "_csrf");
    let presented = match (tokens.next(), tokens.next()) {
        (Some(_), Some(_)) => return Err("token given twice"),
        (first, _) => first.map(|(_, token)| token),
    };
    let token = caller.csrf().ok_or("no session")?;
    token.check(presented.as_deref())
}
