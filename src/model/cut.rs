//! An open connection that was ended because nobody would be let in on it any more.

use serde::{Serialize, Serializer};

use super::actor::Actor;
use super::id::{AppId, DecisionId, ReleaseNumber, SessionId};
use super::verdict::{Reason, RuleId};

/// An allowed exchange that was cut while it was under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectionCut {
    /// The decision that had allowed it; its record says who, what and from where.
    #[serde(serialize_with = "as_text")]
    pub decision: DecisionId,
    /// What was cut.
    pub connection: ConnectionKind,
    /// Whose it was; nobody for one that nobody had signed in for.
    pub actor: Actor,
    /// In which session, if any.
    pub session: Option<SessionId>,
    /// To which app.
    pub app: AppId,
    /// Why.
    #[serde(flatten)]
    pub cause: CutCause,
}

/// What kind of connection lives longer than a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionKind {
    /// A request whose upload or answer is under way: a download, a stream of events, a long wait.
    Request,
    /// A WebSocket.
    #[serde(rename = "websocket")]
    WebSocket,
}

impl ConnectionKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Request, Self::WebSocket];

    /// The word in records and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::WebSocket => "websocket",
        }
    }
}

/// Why an open connection was cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum CutCause {
    /// Its session ended; that has an event of its own.
    SessionEnded,
    /// Its session could not be read for several seconds, so that nobody could tell whether it had ended.
    SessionUnreadable,
    /// The bearer token that had opened it expired.
    TokenExpired,
    /// Decided again, it would be denied.
    Denied {
        /// Why it would be.
        reason: Reason,
        /// The rules that would deny it, sorted.
        rules: Vec<RuleId>,
        /// The release that was asked.
        release: ReleaseNumber,
    },
    /// The route takes no WebSockets any more.
    NoWebsockets {
        /// The release that says so.
        release: ReleaseNumber,
    },
    /// Nothing moved on it for this long.
    Idle {
        /// The limit, in seconds.
        seconds: u64,
    },
}

impl CutCause {
    /// The word in records and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::SessionEnded => "session_ended",
            Self::SessionUnreadable => "session_unreadable",
            Self::TokenExpired => "token_expired",
            Self::Denied { .. } => "denied",
            Self::NoWebsockets { .. } => "no_websockets",
            Self::Idle { .. } => "idle",
        }
    }
}

fn as_text<S: Serializer>(id: &DecisionId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}
