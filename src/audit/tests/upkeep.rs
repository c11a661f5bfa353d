//! What is removed leaves a trace and a log that holds; what is removed without one is found (`tampering.rs`).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::merkle::Peaks;
use super::super::upkeep::Upkeep;
use super::super::verify::copy::{self, Outcome};
use super::super::verify::{Cause, Oddity, Report, Trust};
use super::super::{AuditSettings, Log};
use super::sample::{TENANT, UMA};
use super::wishes::{waiting, wished};
use super::{Running, event, sample, ward};
use crate::keys::LogKey;
use crate::model::record::{Anew, Entry, Event, Removal, Verdict};
use crate::model::time::{Clock, Timestamp};
use crate::store::audit::tests::Shell;
use crate::store::audit::{AuditReader, CopyOrigin, LogCopy, Step};

pub(super) async fn outcome(url: &str, checkpoints: &[String]) -> Outcome {
    let keys = vec![LogKey::from_seed(&[7; 32]).public()];
    let mut copy = LogCopy::open(Path::new(url.trim_start_matches("sqlite://"))).await.unwrap();
    copy::check(&mut copy, Trust { keys, checkpoints: checkpoints.to_vec() }, |_| {}).await.unwrap()
}

pub(super) async fn intact(url: &str) -> Report {
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
pub(super) async fn log(minutes: u32) -> (Arc<tempfile::TempDir>, String, Clock) {
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
    kept_by(ward(directory.path()), (url, clock), retention, work).await;
}

/// As [`kept`], by whoever has this ward.
pub(super) async fn kept_by(
    ward: super::super::Ward,
    (url, clock): (&str, &Clock),
    retention: Duration,
    work: impl AsyncFnOnce(&Upkeep),
) {
    let opened = super::super::open(url, AuditSettings::default(), clock.clone(), ward);
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

/// A run of the gate at this time, which records these one after the other.
pub(super) async fn run(directory: &Path, url: &str, (clock, entries): (&Clock, Vec<Entry>)) {
    let ward = ward(directory);
    let opened = super::super::open(url, AuditSettings::default(), clock.clone(), ward);
    let log: Log = opened.await.unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let recording = async {
        for entry in entries {
            let _ = log.audit.noted(entry).await.unwrap();
        }
        stop.cancel();
    };
    tokio::join!(recording, log.writer.run(stop.clone()));
}

fn asked() -> Entry {
    Entry::Decision(Box::new(sample::decision(Verdict::Deny)))
}

#[tokio::test]
async fn principal_goes_when_no_record_names_it_any_more_and_no_sooner() {
    let directory = tempfile::TempDir::new().unwrap();
    let url = format!("sqlite://{}/audit.db", directory.path().display());
    let clock = Clock::fixed(Timestamp::from_seconds(1_795_480_000));
    let at = (directory.path(), &*url);
    run(at.0, at.1, (&clock, vec![asked(), event("x")])).await;
    for _ in 0..3 {
        clock.advance(Duration::from_hours(24));
        run(at.0, at.1, (&clock, vec![event("x"), event("y")])).await;
    }
    let place = (&directory, &*url, &clock);
    kept(place, Duration::from_hours(90), async |upkeep| upkeep.prune().await.unwrap()).await;
    let report = intact(&url).await;
    assert_eq!((report.origins[0].first, report.principals), (0, 1));
    kept(place, Duration::from_hours(1), async |upkeep| upkeep.prune().await.unwrap()).await;
    let report = intact(&url).await;
    assert_eq!((report.origins[0].first, report.principals), (6, 0));
    // They come back.
    run(at.0, at.1, (&clock, vec![asked()])).await;
    assert_eq!(intact(&url).await.principals, 1);
}

/// A clock that was years behind for a while made records that look old, and are none of the oldest.
#[tokio::test]
async fn principal_that_was_noted_by_a_wrong_clock_stays_while_a_record_names_it() {
    let directory = tempfile::TempDir::new().unwrap();
    let url = format!("sqlite://{}/audit.db", directory.path().display());
    let now = 1_795_480_000;
    let at = |seconds| Clock::fixed(Timestamp::from_seconds(seconds));
    for (clock, entries) in [
        (at(now), vec![event("v"), event("w")]),
        (at(now + 3_600), vec![event("x")]),
        (at(now - 100_000_000), vec![asked()]),
        (at(now + 3_600), vec![event("y")]),
    ] {
        run(directory.path(), &url, (&clock, entries)).await;
    }
    let place = (&directory, &*url, &at(now + 3_600));
    kept(place, Duration::from_hours(1), async |upkeep| upkeep.prune().await.unwrap()).await;
    let report = intact(&url).await;
    assert_eq!((report.read(), report.principals), (5, 1));
}

#[tokio::test]
async fn person_is_forgotten_and_the_log_still_holds() {
    let (directory, url, clock) = log(3).await;
    let reader = AuditReader::open(&url).await.unwrap();
    let subject = format!("{TENANT}.{UMA}").parse().unwrap();
    wished(&reader, &subject).await;
    let place = (&*directory, &*url, &clock);
    let retention = Duration::from_hours(9_000);
    kept(place, retention, async |upkeep| upkeep.forget_people().await.unwrap()).await;
    assert_eq!(waiting(&url).await, 0);
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

/// The log of `url` as whoever reads it has it.
async fn copied(url: &str) -> (LogCopy, CopyOrigin) {
    let mut copy = LogCopy::open(Path::new(url.trim_start_matches("sqlite://"))).await.unwrap();
    let origin = copy.origins().await.unwrap().remove(0);
    (copy, origin)
}

#[tokio::test]
async fn removal_that_was_cut_off_leaves_a_log_that_holds_and_is_finished_later() {
    let (directory, url, clock) = log(6).await;
    let opened =
        super::super::open(&url, AuditSettings::default(), clock.clone(), ward(directory.path()));
    let log: Log = opened.await.unwrap();
    let (stop, remover) = (tokio_util::sync::CancellationToken::new(), log.writer.remover());
    let (mut copy, origin) = copied(&url).await;
    let removing = async {
        let point = copy.point_before(&origin, 40).await.unwrap().unwrap();
        let root = Peaks::from_bytes(point.size, &point.peaks).unwrap().root();
        let root = Some(STANDARD.encode(root));
        let removal = Removal { origin: origin.id.to_string(), upto: point.size, root };
        let pruned = Event::Pruned { removal, before: clock.now(), anew: Anew::default() };
        let _ = log.audit.noted(Entry::Event(Box::new(pruned))).await.unwrap();
        let mut tree = Peaks::default();
        for hash in copy.hashes(&origin, (0, 13)).await.unwrap() {
            tree.push(hash);
        }
        let done = Step { upto: 13, peaks: tree.to_bytes(), log_key: None };
        remover.prune(&origin, done).await.unwrap();
        stop.cancel();
    };
    tokio::join!(removing, log.writer.run(stop.clone()));
    let report = intact(&url).await;
    assert_eq!((report.origins[0].first, report.read()), (13, 48));
    let place = (&*directory, &*url, &clock);
    kept(place, Duration::from_secs(150), async |upkeep| upkeep.prune().await.unwrap()).await;
    assert_eq!(intact(&url).await.origins[0].first, 40);
    // Whoever puts something where nothing is any more is found.
    let mut shell = Shell::open(&url).await;
    let forged = "INSERT INTO record (place, body, leaf_hash)
        SELECT place - 20, body, leaf_hash FROM record WHERE place & 1099511627775 = 50";
    shell.run(forged).await.unwrap();
    match outcome(&url, &[]).await {
        Outcome::Tampered(finding) => {
            assert_eq!((finding.first, finding.last, finding.cause), (30, 39, Cause::Unvouched));
        }
        Outcome::Intact(report) => panic!("{report:?}"),
    }
}

/// Cut off when everything is blanked, and what was kept of the person is still there.
#[tokio::test]
async fn erasure_that_was_cut_off_before_its_end_is_ended_by_the_next_look() {
    let (directory, url, clock) = log(1).await;
    let subject = format!("{TENANT}.{UMA}").parse().unwrap();
    let reader = AuditReader::open(&url).await.unwrap();
    wished(&reader, &subject).await;
    let mut shell = Shell::open(&url).await;
    let outage = "CREATE TRIGGER outage BEFORE DELETE ON principal_snapshot
        BEGIN SELECT RAISE(ABORT, 'no power'); END";
    shell.run(outage).await.unwrap();
    let (place, retention) = ((&*directory, &*url, &clock), Duration::from_hours(9_000));
    kept(place, retention, async |upkeep| {
        upkeep.forget_people().await.unwrap_err();
    })
    .await;
    shell.run("DROP TRIGGER outage").await.unwrap();
    let report = intact(&url).await;
    assert_eq!((report.origins[0].blanked, report.principals), (5, 1));
    kept(place, retention, async |upkeep| upkeep.forget_people().await.unwrap()).await;
    let report = intact(&url).await;
    assert_eq!((report.origins[0].blanked, report.principals), (5, 0));
    assert_eq!(waiting(&url).await, 0);
}

/// Announced, cut off, and nothing else: the next start carries it out.
#[tokio::test]
async fn erasure_that_was_only_announced_is_carried_out_at_the_next_start() {
    let (directory, url, clock) = log(1).await;
    let subject = format!("{TENANT}.{UMA}").parse().unwrap();
    let reader = AuditReader::open(&url).await.unwrap();
    wished(&reader, &subject).await;
    let place = (&*directory, &*url, &clock);
    // The writer's own thread refuses to blank: what it is told to announce is on record by then.
    let mut shell = Shell::open(&url).await;
    let outage = "CREATE TRIGGER outage BEFORE UPDATE ON record
        BEGIN SELECT RAISE(ABORT, 'no power'); END";
    shell.run(outage).await.unwrap();
    let retention = Duration::from_hours(9_000);
    kept(place, retention, async |upkeep| {
        upkeep.forget_people().await.unwrap_err();
    })
    .await;
    shell.run("DROP TRIGGER outage").await.unwrap();
    let report = intact(&url).await;
    assert_eq!((report.origins[0].records, report.origins[0].blanked), (11, 0));
    let [odd] = &report.warnings[..] else { panic!("{report:?}") };
    assert_eq!((odd.what, odd.times), (Oddity::NotErased, 5));
    kept(place, retention, async |upkeep| upkeep.forget_people().await.unwrap()).await;
    let report = intact(&url).await;
    assert_eq!((report.origins[0].blanked, report.warnings.len()), (5, 0));
    assert_eq!(waiting(&url).await, 0);
}

/// Checks the log, and does something to it once the check has read its first page.
async fn beside(
    (directory, url, clock): (&tempfile::TempDir, &str, &Clock),
    retention: Duration,
    work: impl AsyncFnOnce(&Upkeep) + Send,
) -> Outcome {
    // Somebody has it open already, so that it is read as one that may be written.
    let mut beside = Shell::open(url).await;
    assert!(beside.number("SELECT COUNT(*) FROM record").await > 0);
    while_checked((directory, url, clock), retention, work).await
}

async fn while_checked(
    (directory, url, clock): (&tempfile::TempDir, &str, &Clock),
    retention: Duration,
    work: impl AsyncFnOnce(&Upkeep) + Send,
) -> Outcome {
    let (keys, mut work) = (vec![LogKey::from_seed(&[7; 32]).public()], Some(work));
    let (mut copy, _) = copied(url).await;
    let progress = |_| {
        let Some(work) = work.take() else { return };
        let done = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(kept((directory, url, clock), retention, work));
        };
        std::thread::scope(|scope| scope.spawn(done).join().unwrap());
    };
    copy::check(&mut copy, Trust { keys, checkpoints: Vec::new() }, progress).await.unwrap()
}

#[tokio::test]
async fn check_beside_an_erasure_finds_nothing_wrong() {
    let (directory, url, clock) = log(3).await;
    let reader = AuditReader::open(&url).await.unwrap();
    let subject = format!("{TENANT}.{UMA}").parse().unwrap();
    wished(&reader, &subject).await;
    let place = (&*directory, &*url, &clock);
    let forget = async |upkeep: &Upkeep| upkeep.forget_people().await.unwrap();
    match beside(place, Duration::from_hours(9_000), forget).await {
        Outcome::Intact(report) => assert_eq!(report.origins[0].blanked, 15),
        Outcome::Tampered(finding) => panic!("{finding}"),
    }
}

#[tokio::test]
async fn check_beside_a_removal_finds_nothing_wrong() {
    let (directory, url, clock) = log(6).await;
    let place = (&*directory, &*url, &clock);
    let prune = async |upkeep: &Upkeep| upkeep.prune().await.unwrap();
    match beside(place, Duration::from_secs(150), prune).await {
        Outcome::Intact(report) => assert_eq!(report.origins[0].first, 40),
        Outcome::Tampered(finding) => panic!("{finding}"),
    }
}

/// A file that nobody wrote is opened as one that nobody will.
#[tokio::test]
async fn check_of_a_log_that_a_gate_begins_to_write_begins_anew() {
    let (directory, url, clock) = log(6).await;
    let place = (&*directory, &*url, &clock);
    let prune = async |upkeep: &Upkeep| upkeep.prune().await.unwrap();
    match while_checked(place, Duration::from_secs(150), prune).await {
        Outcome::Intact(report) => {
            assert_eq!((report.origins[0].first, report.origins[0].records), (40, 61));
        }
        Outcome::Tampered(finding) => panic!("{finding}"),
    }
}
