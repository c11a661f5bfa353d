//! The cookie that binds sign-ins under way to a browser, one per host.
//!
//! One value serves many tabs, so a well-formed one is kept. Two cookies of the name count as none. What a sign-in is
//! bound to is the hash; nothing that can be looked up opens anything by itself.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use crate::model::host::Origin;
use crate::session::{NoRandomness, Token};
use crate::store::SecretHash;
use crate::web::cookie::{Carried, Cookie};

/// As long as a sign-in may take, and then some.
const LASTS: Duration = Duration::from_mins(30);

/// A browser that begins a sign-in.
#[derive(Debug)]
pub(super) struct Browser {
    pub(super) hash: SecretHash,
    /// The `Set-Cookie` that must go with the answer.
    pub(super) cookie: HeaderValue,
}

impl Browser {
    /// The browser of a request, under its own value or a new one.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub(super) fn welcome(origin: &Origin, headers: &HeaderMap) -> Result<Self, NoRandomness> {
        let token = carried(origin, headers).map_or_else(Token::generate, Ok)?;
        let cookie = Cookie::Login.set(origin, token.expose(), Some(LASTS));
        Ok(Self { hash: token.hash(), cookie })
    }
}

/// The hash that a request's cookie stands for. Without one it is a hash that no browser has, so that looking a code or
/// a state up burns it all the same.
pub(super) fn browser_of(origin: &Origin, headers: &HeaderMap) -> SecretHash {
    carried(origin, headers).map_or_else(|| SecretHash::of(""), |token| token.hash())
}

fn carried(origin: &Origin, headers: &HeaderMap) -> Option<Token> {
    match Cookie::Login.read(origin, headers) {
        Carried::One(text) => Token::parse(&text),
        Carried::Nothing | Carried::Several => None,
    }
}
