//! What the audit log keeps: decisions, refusals before a decision, and other events.
//!
//! A record says enough to decide again: principal (by content hash), canonical path, action, context, release. Query
//! strings, cookies and tokens have no field here and so can't be kept; what is empty is left out. The writer wraps an
//! [`Entry`] into an envelope (id, time, salt) and stores the JSON bytes once; they are never serialised again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

pub use super::acceptance::{Acceptance, Anew, FoundLog, Lost, Removal};
pub use super::actor::Actor;
use super::civil::{LocalTime, Zone};
pub use super::client_address::ClientAddress;
pub use super::event::{Event, LogUse, LogUseKind, Memberships, STOPPED, SessionEnd};
use super::grant::Method;
use super::host::Host;
use super::id::{AppId, DecisionId, ReleaseNumber, RequestId, RouteId, SessionId};
use super::principal::PrincipalSnapshot;
use super::time::Timestamp;
pub use super::verdict::{Reason, RuleId, Verdict};

/// One thing that happened and must be on record.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Entry {
    /// A request that was decided.
    Decision(Box<DecisionRecord>),
    /// A request that was refused before there was anything to decide.
    Refusal(Box<RefusalRecord>),
    /// Anything else.
    Event(Box<Event>),
}

impl Entry {
    /// The word in the `kind` column: `decision`, `refusal`, or the event's own.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Decision(_) => "decision",
            Self::Refusal(_) => "refusal",
            Self::Event(event) => event.kind(),
        }
    }
}

/// Which door a request came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// The reverse proxy.
    Proxy,
    /// The console.
    Console,
    /// Our own pages under `/_gate/` and the portal.
    Own,
}

/// What is known of a request before anything is decided.
#[derive(Debug, Clone, Serialize)]
pub struct RequestFacts {
    /// The exchange's name in the logs.
    pub request: RequestId,
    /// The door it came through.
    pub door: Door,
    /// Where it came from.
    pub client: ClientAddress,
    /// The method as sent, cut to 32 characters.
    pub method: String,
    /// The canonical host; none when it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
    /// The canonical path; for a refused path the raw bytes, escaped and cut. Never the query.
    pub path: String,
    /// The canonical path before it was read in lower case for an app that does not tell the cases apart; none where that
    /// changed nothing. Rules that tell them apart would decide on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfolded: Option<String>,
}

/// The circumstances that rules may look at, exactly as they were given to Cedar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Circumstances {
    /// The present.
    pub now: Timestamp,
    /// Whether the session met the MFA context of the settings.
    pub mfa: MfaState,
    /// Authentication contexts that the session met.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub auth_contexts: BTreeSet<String>,
    /// When the person last proved who they are; nobody signed in has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_in_at: Option<Timestamp>,
    /// Path parameters of the matched route.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// The present in every time zone that the release names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub local: BTreeMap<Zone, LocalTime>,
}

/// What a decision of the console rests on. Its rules come with the program, and who holds a role with the settings; neither
/// is part of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsoleFacts {
    /// The roles in the console that the settings gave the principal.
    pub roles: BTreeSet<String>,
    /// The content hash of the console's own rules.
    pub rules: String,
}

/// Whether a session met the MFA context of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MfaState {
    /// It did.
    Met,
    /// It did not, or nobody is signed in.
    NotMet,
}

/// A request and what was decided about it.
#[derive(Debug, Clone)]
pub struct DecisionRecord {
    /// The request.
    pub facts: RequestFacts,
    /// Who asked. Their reference is put last in the body ([`super::body`]).
    pub principal: Arc<PrincipalSnapshot>,
    /// Their session here, if any.
    pub session: Option<SessionId>,
    /// The app; none for our own pages.
    pub app: Option<AppId>,
    /// The route that the path matched.
    pub route: Option<RouteId>,
    /// The Cedar action.
    pub action: String,
    /// What the console decided on; none where it did not decide.
    pub console: Option<ConsoleFacts>,
    /// The circumstances.
    pub circumstances: Circumstances,
    /// The release that decided.
    pub release: ReleaseNumber,
    /// The answer.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The rules that made it, sorted.
    pub rules: Vec<RuleId>,
    /// Evaluation errors, sorted: rule and message.
    pub errors: Vec<String>,
    /// Time that deciding took, in microseconds.
    pub duration_us: u64,
}

/// The fields of a decision as they are spelled: without the app that its route names, an action that is the method, and
/// what is empty. Who asked is put behind them ([`super::body`]).
#[derive(Serialize)]
struct Spelled<'a> {
    #[serde(flatten)]
    facts: &'a RequestFacts,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<&'a AppId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a RouteId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    console: Option<&'a ConsoleFacts>,
    circumstances: &'a Circumstances,
    release: ReleaseNumber,
    verdict: Verdict,
    reason: Reason,
    rules: &'a [RuleId],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    errors: &'a [String],
    duration_us: u64,
}

impl Serialize for DecisionRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let route = self.route.as_ref();
        let spelled = Spelled {
            facts: &self.facts,
            session: self.session.as_ref(),
            app: self.app.as_ref().filter(|app| route.is_none_or(|route| route.app() != *app)),
            route,
            action: Some(self.action.as_str()).filter(|action| *action != self.facts.method),
            console: self.console.as_ref(),
            circumstances: &self.circumstances,
            release: self.release,
            verdict: self.verdict,
            reason: self.reason,
            rules: &self.rules,
            errors: &self.errors,
            duration_us: self.duration_us,
        };
        spelled.serialize(serializer)
    }
}

/// Why a request was refused before there was anything to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "refusal")]
pub enum Refusal {
    /// 421: no app has this host.
    UnknownHost,
    /// 400: the host can't be read in one way only.
    AmbiguousHost,
    /// 400: the path can't be read in one way only.
    AmbiguousPath {
        /// Which rule of the canonical path it breaks.
        rule: &'static str,
    },
    /// 414: a path or query longer than any that is read.
    TooLong,
    /// 400: headers that contradict each other or name what a client has no say in.
    BadHeaders {
        /// What is wrong with them.
        problem: &'static str,
    },
    /// 400: the request says who sends it in a way that can't be read in one way only.
    UnreadableToken {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// 401: the request carried a bearer token that is not accepted.
    BadToken {
        /// What is wrong with it, continuing "the token …".
        problem: &'static str,
    },
    /// 403: the token is sound, but gives its holder nothing here.
    InsufficientScope {
        /// What it lacks, continuing "the token …".
        problem: &'static str,
    },
    /// 503: whether the token is sound, or whose it is, could not be found out.
    UnsettledToken {
        /// What could not be found out, continuing "the token …".
        problem: &'static str,
    },
    /// 404: an address of ours where nothing is.
    NotFound,
    /// 405: a method that is never forwarded.
    MethodNotAllowed,
    /// 429: its source was refused too often; never recorded by itself, see [`Event::TurnedAway`].
    TooMany,
    /// 403: a form that our own page did not send (missing or wrong token, another site).
    ForgedForm {
        /// Which check failed.
        check: &'static str,
    },
}

/// A request that was refused before there was anything to decide.
#[derive(Debug, Clone, Serialize)]
pub struct RefusalRecord {
    /// The request.
    #[serde(flatten)]
    pub facts: RequestFacts,
    /// Why it was refused.
    #[serde(flatten)]
    pub refusal: Refusal,
}

/// A record as lists show it, read back from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordLine {
    /// Its place in the log.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// `decision`, `refusal` or an event's word.
    pub kind: String,
    /// The exact JSON that was stored.
    pub body: String,
    /// The principal as it was at that moment, as JSON; none for entries without one.
    pub principal: Option<String>,
}

impl DecisionRecord {
    /// The method when it is one that can be decided on.
    pub fn method(&self) -> Option<Method> {
        Method::from_name(&self.facts.method)
    }
}
