//! Decisions as the log gives them back: [`DecisionRecord`]s read from the bytes that were stored.
//!
//! Read strictly. A body in another form, with a field that this program does not know, or under another id than that of
//! its place is an error that names the record: what is decided again must be all that was decided on. The content of the
//! principal is kept elsewhere, under its hash, and counts only when it has that hash.

use std::sync::Arc;

use serde::Deserialize;

use super::body::VERSION;
use super::host::Host;
use super::id::{AppId, DecisionId, ReleaseNumber, RequestId, RouteId, SessionId};
use super::principal::{Principal, PrincipalHash, PrincipalSnapshot, Reference};
use super::record::{
    Circumstances, ClientAddress, ConsoleFacts, DecisionRecord, Door, Reason, RequestFacts, RuleId,
    Verdict,
};
use super::time::{Instant, Timestamp};

/// Why a record can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the record {id} can't be read: {why}")]
pub struct Unreadable {
    /// Which record.
    pub id: DecisionId,
    /// What is wrong with it.
    pub why: String,
}

/// A decision of the log, still without the content of its principal.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its place in the log.
    pub id: DecisionId,
    /// When it went into the log.
    pub at: Timestamp,
    /// Who asked.
    pub principal: PrincipalHash,
    body: Box<Body>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    v: u8,
    id: String,
    at: Instant,
    kind: String,
    #[serde(rename = "salt")]
    _salt: String,
    request: RequestId,
    door: Door,
    client: ClientAddress,
    method: String,
    #[serde(default)]
    host: Option<Host>,
    path: String,
    #[serde(default)]
    unfolded: Option<String>,
    #[serde(default)]
    session: Option<SessionId>,
    #[serde(default)]
    app: Option<AppId>,
    #[serde(default)]
    route: Option<RouteId>,
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    console: Option<ConsoleFacts>,
    circumstances: Circumstances,
    release: ReleaseNumber,
    verdict: Verdict,
    reason: Reason,
    rules: Vec<RuleId>,
    #[serde(default)]
    errors: Vec<String>,
    duration_us: u64,
    principal: Reference,
}

impl Recorded {
    /// Reads the body that lies at the place of `id`.
    ///
    /// # Errors
    /// When it is not a decision in the form that this program writes, or is that of another place.
    pub fn read(id: DecisionId, body: &[u8]) -> Result<Self, Unreadable> {
        let unreadable = |why: String| Unreadable { id, why };
        let body: Box<Body> =
            serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))?;
        if body.v != VERSION {
            return Err(unreadable(format!("its form has version {}", body.v)));
        }
        if body.kind != "decision" {
            return Err(unreadable(format!("it is not a decision but `{}`", body.kind)));
        }
        if body.id != id.to_string() {
            return Err(unreadable(format!("it says that it is the record `{}`", body.id)));
        }
        let principal = body.principal.sha256.parse();
        let principal = principal.map_err(|error| unreadable(format!("principal: {error}")))?;
        Ok(Self { id, at: body.at.0, principal, body })
    }

    /// The whole decision.
    ///
    /// # Errors
    /// When `content` is another principal than the one who asked.
    pub fn with(self, content: Arc<PrincipalSnapshot>) -> Result<DecisionRecord, Unreadable> {
        let id = self.id;
        let body = *self.body;
        if content.hash() != self.principal || content.subject() != body.principal.id.as_ref() {
            let why = "its principal has another content than the one that was recorded".to_owned();
            return Err(Unreadable { id, why });
        }
        // Left out where the route and the method say them.
        let app = body.app.or_else(|| body.route.as_ref().map(|route| route.app().clone()));
        let action = body.action.unwrap_or_else(|| body.method.clone());
        let facts = RequestFacts {
            request: body.request,
            door: body.door,
            client: body.client,
            method: body.method,
            host: body.host,
            path: body.path,
            unfolded: body.unfolded,
        };
        Ok(DecisionRecord {
            facts,
            principal: content,
            session: body.session,
            app,
            route: body.route,
            action,
            console: body.console,
            circumstances: body.circumstances,
            release: body.release,
            verdict: body.verdict,
            reason: body.reason,
            rules: body.rules,
            errors: body.errors,
            duration_us: body.duration_us,
        })
    }
}

/// The principal whose content the log keeps under `hash`.
///
/// # Errors
/// In words, when the content can't be read, or not as what was hashed.
pub fn read_principal(
    hash: PrincipalHash,
    content: &str,
) -> Result<Arc<PrincipalSnapshot>, String> {
    let content: Principal = serde_json::from_str(content)
        .map_err(|error| format!("the principal {hash} can't be read: {error}"))?;
    // Hashed from what was read: a part that this program does not know would be missing from it.
    let content = PrincipalSnapshot::new(content);
    if content.hash() == hash {
        Ok(content)
    } else {
        Err(format!("the principal {hash} is not what was hashed, or is more than can be read"))
    }
}
