//! What operators' machines ask: alive, ready, metrics. On a listener of its own, never on a public one.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};

use crate::audit::Audit;
use crate::audit::outlet::Lag;
use crate::idp::{CredentialKind, CredentialOutcome, CredentialReport, Idp, Reach, Which};
use crate::live::Live;
use crate::model::time::{Clock, Timestamp};
use crate::store::Store;
use crate::telemetry::{CredentialState, EntraState, Metrics, Reachable, Refused};

/// What the answers are made of.
#[derive(Debug)]
pub(super) struct Ops {
    /// Can rules and sessions be read?
    pub(super) store: Store,
    /// Can records be kept?
    pub(super) audit: Audit,
    /// Do records leave?
    pub(super) lag: Option<Lag>,
    /// Which release is in force?
    pub(super) live: Live,
    /// How do we stand at Entra?
    pub(super) idp: Idp,
    /// The time.
    pub(super) clock: Clock,
    /// The numbers.
    pub(super) metrics: Metrics,
    /// When the certificate of our own listener ends.
    pub(super) certificate_ends: Option<Timestamp>,
}

/// `/healthz`, `/readyz`, `/metrics`; exact paths, no conditions on headers.
pub(super) fn router(ops: Ops) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(ops))
}

/// 200 when a request could be decided and recorded, 503 with the reason when not.
async fn ready(State(ops): State<Arc<Ops>>) -> Response {
    let rules = ops.store.live_number().await;
    match rules {
        Ok(number) if ops.audit.is_writing() => {
            format!("ready, release {number}\n").into_response()
        }
        Ok(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "the audit log takes no records\n").into_response()
        }
        Err(error) => {
            tracing::warn!(error = %error, "Not ready: the database can't be read.");
            (StatusCode::SERVICE_UNAVAILABLE, "the database can't be read\n").into_response()
        }
    }
}

/// Everything counted, in the `OpenMetrics` text format.
async fn metrics(State(ops): State<Arc<Ops>>) -> Response {
    let log = ops.audit.counters();
    ops.metrics.audit_state(log.records, log.commits, log.queued);
    ops.metrics.outlet_lag(ops.lag.as_ref().map_or(0, Lag::records));
    at_entra(&ops);
    if let Some(end) = ops.certificate_ends {
        ops.metrics.certificate(seconds_between(ops.clock.now(), end));
    }
    ops.metrics.release_in_force(ops.live.current().number().0);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ops.metrics.encode().map_or_else(
        |_| StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        |text| ([(header::CONTENT_TYPE, kind)], text).into_response(),
    )
}

/// How we stand at Entra, as of now. Nobody is asked for it.
fn at_entra(ops: &Ops) {
    let (standing, now) = (ops.idp.standing(), ops.clock.now());
    ops.metrics.entra(EntraState {
        reachable: match standing.reach {
            Reach::Failing => Reachable::No,
            Reach::Reached | Reach::Unknown => Reachable::Yes,
        },
        metadata_age: standing.metadata_at.map(|at| seconds_between(at, now)),
        graph_requests: standing.graph_requests,
        graph_throttled: standing.graph_throttled,
    });
    for report in ops.idp.credentials() {
        ops.metrics.credential(state(&report, now));
    }
}

fn state(report: &CredentialReport, now: Timestamp) -> CredentialState {
    CredentialState {
        which: match report.which {
            Which::First => "first",
            Which::Second => "second",
        },
        kind: match report.kind {
            CredentialKind::Secret => "secret",
            CredentialKind::Certificate => "certificate",
            CredentialKind::FederatedToken => "federated_token",
        },
        expires_in: report.expires_at.map(|end| seconds_between(now, end)),
        refused: match report.outcome {
            CredentialOutcome::Refused { .. } => Refused::Yes,
            CredentialOutcome::Untried | CredentialOutcome::Accepted { .. } => Refused::No,
        },
    }
}

/// From one to the other, negative when they stand the other way round.
fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    to.as_seconds().saturating_sub(from.as_seconds())
}
