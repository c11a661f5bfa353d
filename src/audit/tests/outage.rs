//! When the file can't be written: refusal in time, the same bytes later, and a note that nobody waited.

use std::time::Duration;

use super::super::{AuditError, AuditSettings, Strictness};
use super::{Running, event, sample, seq};
use crate::model::record::Verdict;
use crate::store::audit::tests::Shell;

/// Another program that holds the write lock.
async fn hold(url: &str) -> Shell {
    let mut shell = Shell::open(url).await;
    shell.run("BEGIN IMMEDIATE").await.unwrap();
    shell
}

async fn release(mut shell: Shell) {
    shell.run("ROLLBACK").await.unwrap();
}

fn impatient() -> AuditSettings {
    AuditSettings { patience: Duration::from_millis(100), ..Default::default() }
}

#[test]
fn a_door_waits_two_seconds_unless_told_otherwise() {
    assert_eq!(AuditSettings::default().patience, Duration::from_secs(2));
    assert_eq!(AuditSettings::default().strictness, Strictness::Strict);
}

#[tokio::test]
async fn a_locked_log_refuses_in_time_and_says_later_that_nobody_waited() {
    let running = Running::with(impatient()).await;
    let before = running.audit.noted(event("before")).await.unwrap().id();
    let holder = hold(&running.url).await;
    let began = std::time::Instant::now();
    let refused = running.audit.decided(sample::decision(Verdict::Allow)).await.unwrap_err();
    assert!(matches!(refused, AuditError::Unavailable { .. }), "{refused}");
    assert!(began.elapsed() < Duration::from_secs(2));
    assert!(!running.audit.is_writing(), "who asks whether the gate is ready is told no");
    release(holder).await;
    let patient =
        super::super::Audit { patience: Duration::from_secs(30), ..running.audit.clone() };
    // Queued behind the abandoned entry, or behind the note about it.
    let _ = patient.noted(event("after")).await.unwrap();
    let _ = patient.noted(event("later")).await.unwrap();
    assert!(running.audit.is_writing());
    let bodies = running.bodies().await;
    let seqs: Vec<_> = bodies.iter().map(seq).collect();
    assert_eq!(seqs, (0..5).collect::<Vec<_>>());
    assert_eq!(bodies[1]["verdict"], "allow");
    let abandoned = format!("{}-{}", before.origin, before.seq + 1);
    let notes = bodies.iter().filter(|body| body["entry"] == *abandoned).count();
    assert_eq!(notes, 1, "{bodies:#?}");
}

/// A trigger makes the commit fail until it is dropped: the retry must bring the bytes of the first attempt.
#[tokio::test]
async fn a_retry_writes_the_same_bytes() {
    let running = Running::with(impatient()).await;
    let mut shell = Shell::open(&running.url).await;
    shell
        .run(
            "CREATE TRIGGER outage BEFORE INSERT ON record
         BEGIN SELECT RAISE(ABORT, 'no room'); END",
        )
        .await
        .unwrap();
    let refused = running.audit.decided(sample::decision(Verdict::Allow)).await.unwrap_err();
    assert!(matches!(refused, AuditError::Unavailable { .. }), "{refused}");
    assert!(running.audit.counters().failures > 0);
    running.clock.advance(Duration::from_mins(1));
    assert_eq!(running.reader.recent(9, None).await.unwrap(), []);
    shell.run("DROP TRIGGER outage").await.unwrap();
    let patient =
        super::super::Audit { patience: Duration::from_secs(30), ..running.audit.clone() };
    let _ = patient.noted(event("after")).await.unwrap();
    let bodies = running.bodies().await;
    assert_eq!(seq(&bodies[0]), 0);
    assert_eq!(bodies[0]["kind"], "decision");
    assert_eq!(bodies[0]["id"], format!("{}-0", running.audit.origin()));
    assert_eq!(bodies[0]["at"], "2026-11-24T00:26:40.000000Z");
    assert_eq!(bodies.last().unwrap()["at"], "2026-11-24T00:27:40.000000Z");
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_the_log_says_how_many() {
    let settings = AuditSettings {
        strictness: Strictness::StrictAllow,
        queue_entries: 8,
        patience: Duration::from_secs(30),
        ..Default::default()
    };
    let running = Running::with(settings).await;
    let holder = hold(&running.url).await;
    let mut refused = 0;
    // One batch may be in the writer's hands, eight entries may queue.
    for _ in 0..40 {
        match running.audit.decided(sample::decision(Verdict::Deny)).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(AuditError::Full { entries, .. }) => {
                assert_eq!(entries, 8);
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused > 0);
    assert_eq!(running.audit.counters().refused, refused);
    release(holder).await;
    while running.audit.counters().queued > 0 {
        tokio::task::yield_now().await;
    }
    let _ = running.audit.noted(event("one")).await.unwrap();
    let _ = running.audit.noted(event("two")).await.unwrap();
    let bodies = running.bodies().await;
    let counted: u64 = bodies
        .iter()
        .filter(|body| body["kind"] == "log_overflowed")
        .map(|body| body["count"].as_u64().unwrap())
        .sum();
    assert_eq!(counted, refused);
}

#[tokio::test]
async fn bytes_are_bounded_as_well() {
    let settings = AuditSettings { queue_bytes: 300, ..Default::default() };
    let running = Running::with(settings).await;
    let refused = running.audit.decided(sample::decision(Verdict::Allow)).await.unwrap_err();
    assert!(matches!(refused, AuditError::Full { entries: 0, bytes: 0 }), "{refused}");
}

#[tokio::test]
async fn records_of_another_writer_at_our_places_end_the_writer() {
    let mut running = Running::with(impatient()).await;
    let id = running.audit.noted(event("ours")).await.unwrap().id();
    let mut shell = Shell::open(&running.url).await;
    shell
        .run(
            "INSERT INTO record (place, body, leaf_hash)
         SELECT MAX(place) + 1, x'7b7d', zeroblob(32) FROM record",
        )
        .await
        .unwrap();
    let refused = running.audit.decided(sample::decision(Verdict::Allow)).await.unwrap_err();
    assert!(matches!(refused, AuditError::Stopped | AuditError::Unavailable { .. }), "{refused}");
    running.tasks.join_next().await.unwrap().unwrap();
    let later = running.audit.noted(event("later")).await.unwrap_err();
    assert!(matches!(later, AuditError::Stopped), "{later}");
    let foreign = crate::model::id::DecisionId { seq: id.seq + 1, ..id };
    let line = running.reader.record(foreign).await.unwrap().unwrap();
    assert_eq!(line.body, "{}");
}
