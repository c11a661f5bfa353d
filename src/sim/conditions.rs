//! How well the simulator's endpoints do: slow, hanging, cut off, unavailable; and what ails Graph in particular.

use std::collections::BTreeMap;
use std::time::Duration;

/// What can ail on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// Metadata documents of both versions, and instance discovery.
    Metadata,
    /// Key sets of both versions.
    Keys,
    /// The authorize endpoint and its pages.
    Authorize,
    /// The token endpoint.
    Token,
    /// The sign-out endpoints.
    Logout,
    /// Graph, `userinfo` included.
    Graph,
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Metadata, Self::Keys, Self::Authorize, Self::Token, Self::Logout, Self::Graph];

    /// The endpoint that an address belongs to.
    pub(super) fn of(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            ["v1.0", ..] | ["oidc", "userinfo"] => Some(Self::Graph),
            [_, "discovery", "instance"] | [_, .., ".well-known", "openid-configuration"] => {
                Some(Self::Metadata)
            }
            [_, "discovery", ..] => Some(Self::Keys),
            [_, "oauth2", .., "authorize"] => Some(Self::Authorize),
            [_, "oauth2", .., "token"] => Some(Self::Token),
            [_, "oauth2", .., "logout"] => Some(Self::Logout),
            _ => None,
        }
    }

    /// As the page of knobs names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Keys => "keys",
            Self::Authorize => "authorize",
            Self::Token => "token",
            Self::Logout => "logout",
            Self::Graph => "graph",
        }
    }
}

/// How an endpoint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It answers.
    Well,
    /// It answers after this long.
    Slow(Duration),
    /// It takes requests and never answers.
    Hanging,
    /// The connection ends without an answer.
    Dead,
    /// Status 503 with a `Retry-After` of one second.
    Unavailable,
    /// Status 502 with a page of HTML, as a gateway in between answers.
    NotJson,
}

/// How many ids Graph gives in one piece.
const SIZE_LIMIT: usize = 11_000;

/// Whether Graph goes by the permissions of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphRights {
    /// What a token holds counts.
    AsHeld,
    /// Every call is refused with status 403.
    Denied,
}

/// What ails Graph.
#[derive(Debug, Clone)]
pub(super) struct GraphState {
    /// So many requests are still answered with status 429.
    pub(super) throttled: u32,
    pub(super) retry_after: Duration,
    pub(super) rights: GraphRights,
    /// The most ids of one `getMember…` answer.
    pub(super) size_limit: usize,
}

impl Default for GraphState {
    fn default() -> Self {
        let retry_after = Duration::from_secs(1);
        Self { throttled: 0, retry_after, rights: GraphRights::AsHeld, size_limit: SIZE_LIMIT }
    }
}

impl GraphState {
    /// Uses up one refusal, and tells how long the client shall wait.
    pub(super) fn take_throttle(&mut self) -> Option<Duration> {
        self.throttled = self.throttled.checked_sub(1)?;
        Some(self.retry_after)
    }
}

/// The endpoints that do not do well.
pub(super) type Conditions = BTreeMap<Endpoint, Condition>;
