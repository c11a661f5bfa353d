//! What is odd about a log is said, and changes no answer.

use super::super::verify::{Oddity, Report};
use super::Running;
use super::tampering::{intact, trust};
use crate::model::id::ReleaseNumber;
use crate::model::record::{Entry, Event};
use crate::model::time::Timestamp;

fn started() -> Event {
    Event::Started {
        version: "1",
        release: ReleaseNumber(1),
        release_sha256: None,
        log_key: String::new(),
    }
}

/// A log of these events, each so many seconds after the one before it; the clock may go back.
async fn heard(events: Vec<(i64, Event)>) -> Report {
    let running = Running::start().await;
    for (seconds, happened) in events {
        let now = running.clock.now().as_micros();
        running.clock.set(Timestamp::from_micros(now + seconds * 1_000_000));
        let _ = running.audit.noted(Entry::Event(Box::new(happened))).await.unwrap();
    }
    intact(&running.url, trust(7)).await
}

fn told(report: &Report) -> Vec<(Oddity, u64, u64)> {
    let of = |at: &str| at.rsplit('-').next().unwrap().parse().unwrap();
    report.warnings.iter().map(|one| (one.what, of(&one.at), one.times)).collect()
}

#[tokio::test]
async fn run_after_run_with_a_heart_that_beats_gives_no_warning() {
    let report = heard(vec![
        (0, started()),
        (60, Event::Heartbeat),
        (170, Event::Heartbeat),
        (1, Event::Stopped),
        // A long time off, and a clock that was set meanwhile.
        (-9_000, started()),
        (60, Event::Heartbeat),
        (900, Event::CrashFound { records: 6 }),
        (0, started()),
    ])
    .await;
    assert_eq!(told(&report), []);
}

#[tokio::test]
async fn time_that_goes_back_silence_and_a_start_without_an_end_are_said() {
    let report = heard(vec![
        (0, started()),
        (-1, Event::Heartbeat),
        (181, Event::Heartbeat),
        (600, Event::Heartbeat),
        (1, started()),
    ])
    .await;
    let expected =
        [(Oddity::ClockWentBack, 1, 1), (Oddity::Silence, 2, 2), (Oddity::StartUnexplained, 4, 1)];
    assert_eq!(told(&report), expected);
    let texts: Vec<String> = report.warnings.iter().map(ToString::to_string).collect();
    assert!(texts[0].contains("earlier time"), "{texts:?}");
    assert!(texts[1].ends_with("; there is one more like it"), "{texts:?}");
    assert!(texts[2].contains("no record before it"), "{texts:?}");
}
