//! What happens to sums that the log does not take.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tempfile::TempDir;

use super::super::flood::{Flood, Limit, Source};
use super::super::house::House;
use super::super::refuser::Refuser;
use crate::audit::tests::ward;
use crate::audit::{self, AuditSettings};
use crate::model::record::ClientAddress;
use crate::model::time::{Clock, Timestamp};
use crate::telemetry::Metrics;

/// One request turned away of each of three sources.
fn flooded() -> Arc<Flood> {
    let flood = Arc::new(Flood::new(Limit { per_second: 1, burst: 1 }));
    let now = Timestamp::from_seconds(1_000);
    for ip in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        let client = ClientAddress::Known(ip.parse().unwrap());
        flood.charge(Source::Address(client), now);
        assert!(flood.turns_away(Source::Address(client), client, now));
    }
    flood
}

#[tokio::test]
async fn sums_that_a_failing_log_does_not_take_are_kept() {
    let (folder, flood) = (TempDir::new().unwrap(), flooded());
    let url = format!("sqlite://{}", folder.path().join("audit.db").display());
    let patience = Duration::from_millis(200);
    let settings = AuditSettings { patience, ..AuditSettings::default() };
    // The writer is not run, so nothing becomes durable.
    let log = audit::open(&url, settings, Clock::System, ward(folder.path())).await.unwrap();
    let house = House { public: "https://gate.example".parse().unwrap(), contact: None };
    let refuser = Refuser::new(log.audit, Arc::clone(&flood), Metrics::new(), house);
    assert!(refuser.sum_up().now_or_never().is_none(), "dropped before its end");
    let begun = tokio::time::Instant::now();
    refuser.sum_up().await;
    assert!(begun.elapsed() < patience * 2, "it ends at the first failure");
    let kept = flood.take_summaries();
    assert_eq!(kept.iter().map(|summary| summary.count).collect::<Vec<_>>(), [1, 1, 1]);
}
