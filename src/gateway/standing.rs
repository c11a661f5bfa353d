//! Whether what was allowed would be allowed still: the same question, put again as things stand now.
//!
//! Nothing is recorded while the answer stays the same. The path is matched anew, because a release may have other
//! routes; the client's address and what was asked stay as they were.

use super::enforce::{Asked, foresee};
use super::open::Line;
use crate::authz::snapshot::Snapshot;
use crate::model::cut::{ConnectionKind, CutCause};
use crate::model::record::{Reason, RuleId, Verdict};
use crate::model::route::WebSockets;
use crate::model::time::Timestamp;
use crate::web::caller::Caller;

/// How an open exchange stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It would be allowed; until then at least, when only time can change that.
    Holds {
        /// None: for as long as nothing else changes.
        until: Option<Timestamp>,
    },
    /// It would not.
    Lapsed(CutCause),
}

/// Decides again on an exchange as `caller`, who is who asked as they are now, at `now`.
pub(super) fn standing(
    line: &Line,
    caller: &Caller,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Standing {
    let exchange = &line.open.exchange;
    let denied = |reason: Reason, rules: Vec<RuleId>| {
        Standing::Lapsed(CutCause::Denied { reason, rules, release: snapshot.number() })
    };
    let app = snapshot.app(exchange.origin.host()).filter(|app| app.id == line.open.app.id);
    let Some(app) = app else { return denied(Reason::NoRoute, Vec::new()) };
    let found = snapshot.find(&app.id, &exchange.facts.path);
    let asked = Asked { exchange, caller, app, found: found.as_ref(), method: line.open.method };
    let (decision, until) = foresee(snapshot, asked, now);
    if decision.verdict == Verdict::Deny {
        return denied(decision.reason, decision.rules);
    }
    let websockets = found.map_or(WebSockets::Refused, |found| found.route.websockets);
    if line.kind == ConnectionKind::WebSocket && websockets == WebSockets::Refused {
        return Standing::Lapsed(CutCause::NoWebsockets { release: snapshot.number() });
    }
    Standing::Holds { until }
}
