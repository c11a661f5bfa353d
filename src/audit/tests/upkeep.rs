//! What is removed leaves a trace and a log that holds; what is removed without one is found (`tampering.rs`).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::super::upkeep::Upkeep;
use super::super::verify::copy::{self, Outcome};
use super::super::verify::{Cause, Report, Trust};
use super::super::{AuditSettings, Log};
use super::sample::{TENANT, UMA};
use super::{Running, event, sample, ward};
use crate::keys::LogKey;
use crate::model::record::Verdict;
use crate::model::time::Clock;
use crate::store::audit::tests::Shell;
use crate::store::audit::{AuditReader, LogCopy};

async fn outcome(url: &str, checkpoints: &[String]) -> Outcome {
    let keys = vec![LogKey::from_seed(&[7; 32]).public()];
    let mut copy = LogCopy::open(Path::new(url.trim_start_matches("sqlite://"))).await.unwrap();
    copy::check(&mut copy, Trust { keys, checkpoints: checkpoints.to_vec() }, |_| {}).await.unwrap()
}

async fn intact(url: &str) -> Report {
    against(url, &[]).await
}

/// What a check sees that compares with these.
async fn against(url: &str, checkpoints: &[String]) -> Report {
    match outcome(url, checkpoints).await {
        Outcome::Intact(report) => report,
        Outcome::Tampered(finding) => panic!("{finding}"),
    }
}

/// A log of ten records in each of `minutes`, and the time behind them.
async fn log(minutes: u32) -> (Arc<tempfile::TempDir>, String, Clock) {
    let running = Running::start().await;
    for _ in 0..minutes {
        for _ in 0..5 {
            drop(running.audit.decided(sample::decision(Verdict::Deny)).await.unwrap());
            let _ = running.audit.noted(event("x")).await.unwrap();
        }
        running.clock.advance(Duration::from_mins(1));
    }
    let (url, clock) = (running.url.clone(), running.clock.clone());
    (running.stop().await, url, clock)
}

/// Does something with the upkeep of a log whose writer runs meanwhile.
pub(super) async fn kept(
    (directory, url, clock): (&tempfile::TempDir, &str, &Clock),
    retention: Duration,
    work: impl AsyncFnOnce(&Upkeep),
) {
    let opened =
        super::super::open(url, AuditSettings::default(), clock.clone(), ward(directory.path()));
    let log: Log = opened.await.unwrap();
    let upkeep = Upkeep::of(&log, url, clock.clone(), retention).unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let working = async {
        work(&upkeep).await;
        stop.cancel();
    };
    tokio::join!(working, log.writer.run(stop.clone()));
}

#[tokio::test]
async fn what_is_too_old_goes_in_whole_ranges_and_the_rest_still_holds() {
    let (directory, url, clock) = log(6).await;
    let place = (&*directory, &*url, &clock);
    let mut shell = Shell::open(&url).await;
    let anchored = shell.texts("SELECT note FROM checkpoint ORDER BY place").await;
    drop(shell);
    // All but the last two and a half minutes.
    let retention = Duration::from_secs(150);
    kept(place, retention, async |upkeep| upkeep.prune().await.unwrap()).await;
    let report = intact(&url).await;
    let log = &report.origins[0];
    assert_eq!((log.first, log.records, log.read), (40, 61, 21));
    // A checkpoint over what is gone says nothing by itself; behind a later one that fits it has nothing more to say.
    let oldest = against(&url, anchored.get(..1).unwrap()).await;
    assert_eq!((oldest.compared, oldest.aged, oldest.uncompared.len()), (0, 0, 1));
    let all = against(&url, &anchored).await;
    assert_eq!((all.compared + all.aged, all.uncompared.len()), (anchored.len() as u64, 0));
    assert!(all.compared > 0 && all.aged > 0, "{all:?}");
    // Once more, with nothing to do.
    kept(place, retention, async |upkeep| upkeep.prune().await.unwrap()).await;
    assert_eq!(intact(&url).await.read(), 21);
    // Whoever goes on removing by hand is found.
    let mut shell = Shell::open(&url).await;
    shell
        .run(
            "INSERT INTO audit_mode VALUES ('prune', 1) ON CONFLICT DO UPDATE SET value = 1;
        DELETE FROM record WHERE place & 1099511627775 < 50;
        DELETE FROM checkpoint WHERE place & 1099511627775 < 50",
        )
        .await
        .unwrap();
    match outcome(&url, &[]).await {
        Outcome::Tampered(finding) => {
            assert_eq!((finding.first, finding.last, finding.cause), (0, 49, Cause::CutOff));
        }
        Outcome::Intact(report) => panic!("{report:?}"),
    }
}

#[tokio::test]
async fn everything_too_old_leaves_a_log_that_goes_on() {
    let (directory, url, clock) = log(3).await;
    clock.advance(Duration::from_hours(100));
    let place = (&*directory, &*url, &clock);
    kept(place, Duration::from_hours(1), async |upkeep| upkeep.prune().await.unwrap()).await;
    let report = intact(&url).await;
    assert_eq!((report.origins[0].first, report.principals), (20, 1));
    let running = Running::within(directory, AuditSettings::default(), None).await;
    drop(running.audit.decided(sample::decision(Verdict::Deny)).await.unwrap());
    assert_eq!(intact(&url).await.read(), 12);
}

#[tokio::test]
async fn person_is_forgotten_and_the_log_still_holds() {
    let (directory, url, clock) = log(3).await;
    let reader = AuditReader::open(&url).await.unwrap();
    let subject = format!("{TENANT}.{UMA}").parse().unwrap();
    reader.ask_erasure(&subject, ("Request 17", "operator:root"), clock.now()).await.unwrap();
    let place = (&*directory, &*url, &clock);
    let retention = Duration::from_hours(9_000);
    kept(place, retention, async |upkeep| upkeep.forget_people().await.unwrap()).await;
    assert_eq!(reader.erasures_waiting().await.unwrap(), 0);
    let report = intact(&url).await;
    let log = &report.origins[0];
    assert_eq!((log.records, log.read, log.blanked, report.principals), (31, 16, 15, 0));
    let mut shell = Shell::open(&url).await;
    let left = shell
        .texts("SELECT COALESCE(CAST(body AS TEXT), '') || COALESCE(remains, '') FROM record")
        .await;
    assert!(left.iter().all(|text| !text.contains(UMA)), "{left:?}");
    assert_eq!(shell.number("SELECT COUNT(*) FROM erasure").await, 0);
    // They come back: what is decided then is whole again.
    let running = Running::within(directory, AuditSettings::default(), None).await;
    drop(running.audit.decided(sample::decision(Verdict::Deny)).await.unwrap());
    assert_eq!(intact(&url).await.principals, 1);
    // Nobody else can be forgotten in their shadow.
    let erased = "INSERT INTO audit_mode VALUES ('erase', 1) ON CONFLICT DO UPDATE SET value = 1;
        UPDATE record SET body = NULL, principal = NULL WHERE place & 1099511627775 = 1";
    shell.run(erased).await.unwrap();
    match outcome(&url, &[]).await {
        Outcome::Tampered(finding) => {
            assert_eq!((finding.first, finding.cause), (1, Cause::Blanked));
        }
        Outcome::Intact(report) => panic!("{report:?}"),
    }
}
