//! What operators' machines ask: alive, ready, metrics. On a listener of its own, never on a public one.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};

use crate::audit::Audit;
use crate::live::Live;
use crate::store::Store;
use crate::telemetry::Metrics;

/// What the answers are made of.
#[derive(Debug)]
pub(super) struct Ops {
    /// Can rules and sessions be read?
    pub(super) store: Store,
    /// Can records be kept?
    pub(super) audit: Audit,
    /// Which release is in force?
    pub(super) live: Live,
    /// The numbers.
    pub(super) metrics: Metrics,
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
    ops.metrics.release_in_force(ops.live.current().number().0);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ops.metrics.encode().map_or_else(
        |_| StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        |text| ([(header::CONTENT_TYPE, kind)], text).into_response(),
    )
}
