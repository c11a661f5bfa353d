//! What becomes of logs that have ended, and of what was said about them, as they age.

use std::time::Duration;

use super::super::error::AuditError;
use super::super::verify::{Cause, Report};
use super::super::{Ward, custody};
use super::acceptance::{accepted, accepted_at, anchored, known, lost, order, shortened};
use super::tampering::{finding, intact, trust};
use super::upkeep::{kept, kept_by, run};
use super::{clock, event, sample};
use crate::keys::LogKey;
use crate::model::record::{Actor, Anew, Entry, Event, Lost, Removal, Verdict};
use crate::model::time::Clock;
use crate::store::audit::tests::Shell;

const RETENTION: Duration = Duration::from_hours(1);

/// Some time in which something is recorded, and a removal of what is too old behind it.
async fn half_a_retention(directory: &tempfile::TempDir, url: &str, clock: &Clock) {
    for _ in 0..3 {
        clock.advance(RETENTION / 6);
        let asked = Entry::Decision(Box::new(sample::decision(Verdict::Deny)));
        run(directory.path(), url, (clock, vec![asked, event("x")])).await;
    }
    let prune = async |upkeep: &super::super::upkeep::Upkeep| upkeep.prune().await.unwrap();
    kept((directory, url, clock), RETENTION, prune).await;
}

/// A log with a known loss that another was begun behind, and what is known from outside.
pub(super) async fn begun_anew() -> (std::sync::Arc<tempfile::TempDir>, String, Ward) {
    let (directory, url, told) = shortened().await;
    let ward = anchored(directory.path(), &told);
    accepted(&url, &ward, order("The disk failed")).await.unwrap();
    (directory, url, ward)
}

fn firsts(report: &Report) -> Vec<u64> {
    report.origins.iter().map(|log| log.first).collect()
}

#[tokio::test]
async fn log_that_was_accepted_ages_and_what_is_left_explains_itself() {
    let (directory, url, ward) = begun_anew().await;
    let clock = clock();
    let mut seen = Vec::new();
    for _ in 0..8 {
        half_a_retention(&directory, &url, &clock).await;
        let report = intact(&url, known(&ward)).await;
        let [Lost { kept: 30, told: 40, .. }] = &lost(&report)[..] else { panic!("{report:?}") };
        assert_eq!((report.uncompared.len(), report.accepted[0].checkpoints), (0, 1), "{report:?}");
        assert!(report.accepted[0].to_string().contains("-0: The disk failed"), "{report:?}");
        seen.push(firsts(&report));
    }
    // Too young, then gone as a whole; the one behind it loses records from there on, its first one, which accepted, among
    // them, and the one that said that anew.
    assert_eq!(seen[..2], [[0, 0], [0, 0]]);
    assert!(seen.iter().skip(2).all(|left| left.len() == 1), "{seen:?}");
    assert!(seen[2][0] > 0 && seen[7][0] > 30, "{seen:?}");
}

#[tokio::test]
async fn losses_stay_known_from_one_acceptance_to_the_next() {
    let (directory, url, ward) = begun_anew().await;
    let clock = clock();
    half_a_retention(&directory, &url, &clock).await;
    accepted_at(&clock, &url, &ward, order("Moved")).await.unwrap();
    for _ in 0..7 {
        half_a_retention(&directory, &url, &clock).await;
        let report = intact(&url, known(&ward)).await;
        assert!(lost(&report).iter().all(|lost| (lost.kept, lost.told) == (30, 40)), "{report:?}");
        let reasons: Vec<_> = report.accepted.iter().map(|accepted| &*accepted.reason).collect();
        assert!(reasons.contains(&"The disk failed"), "{reasons:?}");
    }
    let report = intact(&url, known(&ward)).await;
    assert_eq!((report.origins.len(), report.uncompared.len()), (1, 0), "{report:?}");
}

#[tokio::test]
async fn principals_go_from_a_log_that_was_begun_behind_another_too() {
    let (directory, url, _) = begun_anew().await;
    let clock = clock();
    half_a_retention(&directory, &url, &clock).await;
    assert_eq!(intact(&url, trust(7)).await.principals, 1);
    clock.advance(Duration::from_hours(48));
    for _ in 0..3 {
        clock.advance(Duration::from_hours(24));
        run(directory.path(), &url, (&clock, vec![event("x"), event("y")])).await;
    }
    let prune = async |upkeep: &super::super::upkeep::Upkeep| upkeep.prune().await.unwrap();
    kept((&*directory, &url, &clock), RETENTION, prune).await;
    let report = intact(&url, trust(7)).await;
    assert_eq!((report.origins.len(), report.principals), (1, 0));
}

#[tokio::test]
async fn end_of_a_log_that_was_accepted_with_records_missing_is_removed_with_age() {
    let (directory, url, ward) = begun_anew().await;
    let mut shell = Shell::open(&url).await;
    shell
        .run("DELETE FROM record WHERE place >> 40 = 1 AND place & 1099511627775 >= 25")
        .await
        .unwrap();
    drop(shell);
    let found = finding(&url, known(&ward)).await;
    assert!(matches!(found.cause, Cause::Truncated { .. }), "{found}");
    accepted(&url, &ward, order("So be it")).await.unwrap();
    let clock = clock();
    // Some of it is too old before all of it is; a part of what does not hold can't be taken off.
    clock.advance(RETENTION * 2);
    half_a_retention(&directory, &url, &clock).await;
    assert_eq!(intact(&url, known(&ward)).await.origins.len(), 1);
}

/// Whoever can write the file, and not sign, has nothing signed that was never said.
#[tokio::test]
async fn what_was_not_signed_is_not_said_anew() {
    let (directory, url, _) = begun_anew().await;
    let clock = clock();
    for _ in 0..3 {
        half_a_retention(&directory, &url, &clock).await;
    }
    let mut shell = Shell::open(&url).await;
    let anew =
        "SELECT CAST(body AS TEXT) FROM record WHERE instr(body, CAST('said_anew' AS BLOB)) > 0
        ORDER BY place DESC LIMIT 1";
    let body = shell.texts(anew).await.remove(0);
    let forged = body.replace("\"told\":40", "\"told\":99");
    assert_ne!(forged, body);
    let seq = serde_json::from_str(&body).map(|body| super::seq(&body)).unwrap();
    let hash = super::super::merkle::leaf_hash(forged.as_bytes());
    shell.rewrite(usize::try_from(seq).unwrap(), forged.into_bytes(), hash.to_vec()).await;
    drop(shell);
    clock.advance(RETENTION * 2);
    run(directory.path(), &url, (&clock, vec![event("x"), event("y")])).await;
    let place = (&*directory, &*url, &clock);
    kept(place, RETENTION, async |upkeep| {
        let refused = upkeep.prune().await.unwrap_err();
        assert!(matches!(refused, AuditError::Unproven { .. }), "{refused}");
    })
    .await;
}

/// A log of one origin, and behind it, begun anew, another; both of this moment, and nothing of them too old.
async fn young() -> (std::sync::Arc<tempfile::TempDir>, String, Clock) {
    let (directory, url, _) = begun_anew().await;
    let clock = clock();
    for _ in 0..3 {
        clock.advance(Duration::from_mins(1));
        run(directory.path(), &url, (&clock, vec![event("x"), event("y")])).await;
    }
    (directory, url, clock)
}

/// Whether a hash goes with a body that somebody changes.
#[derive(Clone, Copy)]
enum Hashes {
    Kept,
    Recomputed,
}

/// Makes records of an origin look ten years older.
async fn backdate(url: &str, (origin, query): (i64, &'static str), hashes: Hashes) {
    let mut shell = Shell::open(url).await;
    shell.run("DROP TRIGGER IF EXISTS record_is_never_changed").await.unwrap();
    for body in shell.texts(query).await {
        let seq = serde_json::from_str(&body).map(|body| super::seq(&body)).unwrap();
        let older = body.replacen("\"at\":\"202", "\"at\":\"201", 1);
        assert_ne!(older, body);
        let hash = match hashes {
            Hashes::Kept => super::super::merkle::leaf_hash(body.as_bytes()),
            Hashes::Recomputed => super::super::merkle::leaf_hash(older.as_bytes()),
        };
        shell.rewrite_in((origin, seq), older.into_bytes(), hash.to_vec()).await;
    }
}

/// What the file holds, and how many records say that something was removed.
async fn held(url: &str) -> (i64, i64) {
    let mut shell = Shell::open(url).await;
    let told =
        "SELECT COUNT(*) FROM record WHERE instr(body, CAST('\"kind\":\"pruned\"' AS BLOB)) > 0";
    let records = shell.number("SELECT COUNT(*) FROM record WHERE place >> 40 = 1").await;
    (records, shell.number(told).await)
}

const NEWER: &str = "SELECT CAST(body AS TEXT) FROM record WHERE place >> 40 = 2 ORDER BY place";
const ITS_FIRST: &str =
    "SELECT CAST(body AS TEXT) FROM record WHERE place >> 40 = 2 ORDER BY place LIMIT 1";

/// Whoever can write the file, and not sign, has nothing removed by making it look old.
#[tokio::test]
async fn what_was_made_to_look_old_is_not_removed() {
    for (bodies, hashes) in [
        (NEWER, Hashes::Kept),
        (NEWER, Hashes::Recomputed),
        (ITS_FIRST, Hashes::Kept),
        (ITS_FIRST, Hashes::Recomputed),
    ] {
        let (directory, url, clock) = young().await;
        let before = held(&url).await;
        backdate(&url, (2, bodies), hashes).await;
        kept((&*directory, &url, &clock), RETENTION, async |upkeep| {
            let refused = upkeep.prune().await.unwrap_err();
            assert!(matches!(refused, AuditError::Unproven { .. }), "{refused}");
        })
        .await;
        assert_eq!(held(&url).await, before);
    }
}

/// The same where there is no other log.
#[tokio::test]
async fn what_was_made_to_look_old_in_the_only_log_is_not_removed() {
    let (directory, url, clock) = minutes().await;
    let before = held(&url).await;
    let all = "SELECT CAST(body AS TEXT) FROM record ORDER BY place";
    backdate(&url, (1, all), Hashes::Recomputed).await;
    kept((&directory, &url, &clock), RETENTION, async |upkeep| {
        let refused = upkeep.prune().await.unwrap_err();
        assert!(matches!(refused, AuditError::Unproven { .. }), "{refused}");
    })
    .await;
    assert_eq!(held(&url).await, before);
}

/// A log of some minutes, none of which is too old.
async fn minutes() -> (tempfile::TempDir, String, Clock) {
    let directory = tempfile::TempDir::new().unwrap();
    let url = format!("sqlite://{}/audit.db", directory.path().display());
    let clock = clock();
    for _ in 0..5 {
        clock.advance(Duration::from_mins(1));
        run(directory.path(), &url, (&clock, vec![event("x"), event("y")])).await;
    }
    let mut shell = Shell::open(&url).await;
    let guards = "DROP TRIGGER record_is_never_changed; DROP TRIGGER record_is_never_deleted;
        DROP TRIGGER checkpoint_is_never_deleted";
    shell.run(guards).await.unwrap();
    (directory, url, clock)
}

/// All but the last record before a checkpoint is taken away, and that one made to look old: its tree needs no leaf of those.
#[tokio::test]
async fn what_is_gone_already_proves_nothing() {
    let (directory, url, clock) = minutes().await;
    let mut shell = Shell::open(&url).await;
    let size = "SELECT place & 1099511627775 FROM checkpoint ORDER BY place LIMIT 1 OFFSET 2";
    let size = shell.number(size).await;
    shell
        .run_owned(format!(
            "DELETE FROM record WHERE place & 1099511627775 < {size} - 1;
             DELETE FROM checkpoint WHERE place & 1099511627775 < {size}"
        ))
        .await;
    let last = "SELECT CAST(body AS TEXT) FROM record ORDER BY place LIMIT 1";
    backdate(&url, (1, last), Hashes::Recomputed).await;
    let before = held(&url).await;
    kept((&directory, &url, &clock), RETENTION, async |upkeep| {
        let refused = upkeep.prune().await.unwrap_err();
        assert!(matches!(refused, AuditError::Unproven { .. }), "{refused}");
    })
    .await;
    assert_eq!(held(&url).await, before);
}

/// The same with the true tree over what is gone put in its place, for which no key is needed.
#[tokio::test]
async fn what_was_taken_away_by_hand_is_not_taken_for_removed() {
    let directory = tempfile::TempDir::new().unwrap();
    let url = format!("sqlite://{}/audit.db", directory.path().display());
    let clock = clock();
    clock.advance(RETENTION * 3);
    let wrong = Clock::fixed(clock.now().minus(RETENTION * 2));
    // For a while the clock was behind; what was recorded before that is young.
    for told in [&clock, &wrong, &wrong, &clock] {
        run(directory.path(), &url, (told, vec![event("x"), event("y")])).await;
    }
    let file = std::path::Path::new(url.trim_start_matches("sqlite://"));
    let mut copy = crate::store::audit::LogCopy::open(file).await.unwrap();
    let log = copy.origins().await.unwrap().remove(0);
    let mut tree = super::super::merkle::Peaks::default();
    for hash in copy.hashes(&log, (0, 2)).await.unwrap() {
        tree.push(hash);
    }
    let mut shell = Shell::open(&url).await;
    let digits = |text: String, byte: &u8| format!("{text}{byte:02x}");
    let peaks = tree.to_bytes().iter().fold(String::new(), digits);
    shell
        .run_owned(format!(
            "DROP TRIGGER record_is_never_deleted; DROP TRIGGER checkpoint_is_never_deleted;
             DELETE FROM record WHERE place & 1099511627775 < 2;
             DELETE FROM checkpoint WHERE place & 1099511627775 <= 2;
             INSERT INTO checkpoint (place, note, peaks) VALUES ((1 << 40) + 2, '', x'{peaks}')"
        ))
        .await;
    let before = held(&url).await;
    kept((&directory, &url, &clock), RETENTION, async |upkeep| {
        let refused = upkeep.prune().await.unwrap_err();
        assert!(matches!(refused, AuditError::Unproven { .. }), "{refused}");
    })
    .await;
    assert_eq!(held(&url).await, before);
}

/// Nor what was blanked by hand.
#[tokio::test]
async fn blank_that_no_record_explains_does_not_go_with_age() {
    let (directory, url, clock) = minutes().await;
    let mut shell = Shell::open(&url).await;
    shell.run("UPDATE record SET body = NULL, remains = '{\"at\":\"2019-01-01T00:00:00Z\",\"kind\":\"x\"}' WHERE place & 1099511627775 = 3").await.unwrap();
    clock.advance(RETENTION * 2);
    let before = held(&url).await;
    kept((&directory, &url, &clock), RETENTION, async |upkeep| {
        let refused = upkeep.prune().await.unwrap_err();
        assert!(matches!(refused, AuditError::Unproven { .. }), "{refused}");
    })
    .await;
    assert_eq!(held(&url).await, before);
}

/// A file that was lost: the gate made another, and would not write on it.
#[tokio::test]
async fn log_that_nothing_was_ever_written_in_holds_up_nothing() {
    let (directory, url, clock) = minutes().await;
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!(
            "{}{suffix}",
            directory.path().join("audit.db").display()
        ));
    }
    let ward = super::ward(directory.path());
    assert!(super::opened(&url, ward.clone()).await.is_err());
    accepted(&url, &ward, order("It was lost")).await.unwrap();
    run(directory.path(), &url, (&clock, vec![event("x"), event("y")])).await;
    assert_eq!(Shell::open(&url).await.number("SELECT COUNT(*) FROM origin").await, 2);
    clock.advance(RETENTION * 2);
    kept((&directory, &url, &clock), RETENTION, async |upkeep| upkeep.prune().await.unwrap()).await;
    let mut shell = Shell::open(&url).await;
    assert_eq!(shell.number("SELECT COUNT(*) FROM origin").await, 1);
    assert!(shell.number("SELECT MIN(place) & 1099511627775 FROM record").await > 0);
}

/// A log ended when another was begun behind it, and that is what the other's first record says, and nothing else.
#[tokio::test]
async fn log_without_its_first_record_says_nothing_of_those_before_it() {
    let (directory, url, clock) = young().await;
    let before = held(&url).await;
    let mut shell = Shell::open(&url).await;
    shell.run("DELETE FROM record WHERE place = 2 << 40").await.unwrap();
    let first =
        "SELECT CAST(body AS TEXT) FROM record WHERE place >> 40 = 2 ORDER BY place LIMIT 1";
    backdate(&url, (2, first), Hashes::Recomputed).await;
    kept((&*directory, &url, &clock), RETENTION, async |upkeep| {
        let refused = upkeep.prune().await.unwrap_err();
        assert!(matches!(refused, AuditError::Unproven { .. }), "{refused}");
    })
    .await;
    assert_eq!(held(&url).await, before);
}

/// The older of two logs is put behind the younger one, as if that had ended long ago.
#[tokio::test]
async fn log_ended_only_before_one_that_says_so() {
    let (directory, url, _) = begun_anew().await;
    let clock = clock();
    clock.advance(RETENTION * 2);
    run(directory.path(), &url, (&clock, vec![event("x"), event("y")])).await;
    let mut shell = Shell::open(&url).await;
    let turned = "DROP TRIGGER IF EXISTS record_is_never_changed; DROP TRIGGER IF EXISTS checkpoint_only_moves_on;
        UPDATE record SET place = place + (2 << 40) WHERE place >> 40 = 1;
        UPDATE checkpoint SET place = place + (2 << 40) WHERE place >> 40 = 1;
        UPDATE origin SET key = 3 WHERE key = 1";
    shell.run(turned).await.unwrap();
    let key = super::ward(directory.path()).key.public();
    let file = std::path::Path::new(url.trim_start_matches("sqlite://"));
    let mut copy = crate::store::audit::LogCopy::open(file).await.unwrap();
    let logs = copy.origins().await.unwrap();
    // The one that is said to come before the other was found by none of the others.
    let [first, later @ ..] = logs.as_slice() else { panic!("there are two") };
    let ended = super::super::age::ended(&mut copy, (first, later), (clock.now(), &key));
    assert!(ended.await.unwrap().is_none());
}

#[tokio::test]
async fn no_record_says_that_what_is_behind_it_was_removed() {
    let (directory, url, clock) = minutes().await;
    let origin = Shell::open(&url).await.texts("SELECT id FROM origin").await.remove(0);
    let removal = Removal { origin, upto: 1_000, root: None };
    let pruned = Event::Pruned { removal, before: clock.now(), anew: Anew::default() };
    run(directory.path(), &url, (&clock, vec![Entry::Event(Box::new(pruned))])).await;
    let found = finding(&url, trust(7)).await;
    assert_eq!((found.first, found.cause), (10, Cause::Unreadable));
}

/// For a while the clock was years behind: what it stamped is no measure of what was recorded before, and was ahead: it holds
/// nothing up.
#[tokio::test]
async fn no_record_goes_on_the_word_of_another_and_none_stays() {
    let directory = tempfile::TempDir::new().unwrap();
    let url = format!("sqlite://{}/audit.db", directory.path().display());
    let clock = clock();
    clock.advance(RETENTION * 10);
    let behind = Clock::fixed(clock.now().minus(RETENTION * 9));
    let ahead = Clock::fixed(clock.now().plus(RETENTION * 1_000));
    for told in [&clock, &behind, &behind, &behind, &behind, &clock] {
        run(directory.path(), &url, (told, vec![event("x"), event("y")])).await;
    }
    let before = held(&url).await;
    let prune = async |upkeep: &super::super::upkeep::Upkeep| upkeep.prune().await.unwrap();
    kept((&directory, &url, &clock), RETENTION, prune).await;
    // The halving takes what is in the middle for old, and so all before it.
    assert_eq!(held(&url).await.1, before.1);
    run(directory.path(), &url, (&ahead, vec![event("x"), event("y")])).await;
    for _ in 0..6 {
        clock.advance(RETENTION);
        run(directory.path(), &url, (&clock, vec![event("x"), event("y")])).await;
    }
    // What was stamped ahead may be met by the halving, and is then passed by the next look.
    for _ in 0..2 {
        kept((&directory, &url, &clock), RETENTION, prune).await;
    }
    assert!(firsts(&intact(&url, trust(7)).await)[0] > 18);
}

/// What an earlier key signed goes too, once a day, by what the present one signed behind it.
#[tokio::test]
async fn records_that_an_earlier_key_signed_go_with_age() {
    let (directory, url, clock) = minutes().await;
    let (next, by) = (LogKey::from_seed(&[9; 32]), Actor::Operator("root".to_owned()));
    let old = super::ward(directory.path());
    let rotated = custody::rotate(&url, (clock.clone(), old.clone()), next.clone(), by);
    Box::pin(rotated).await.unwrap();
    let ward = Ward { key: next, before: Some(old.key.public()), ..old };
    let mut firsts = Vec::new();
    for hours in [2, 30] {
        clock.advance(Duration::from_hours(hours));
        let prune = async |upkeep: &super::super::upkeep::Upkeep| upkeep.prune().await.unwrap();
        kept_by(ward.clone(), (&url, &clock), RETENTION, prune).await;
        firsts.extend(intact(&url, trust(9)).await.origins.iter().map(|log| log.first));
    }
    assert!(firsts[0] == 0 && firsts[1] > 5, "{firsts:?}");
}

/// Cut off between what is said and what is done, and in the midst of it.
#[tokio::test]
async fn removal_of_a_whole_log_that_was_cut_off_is_finished_later() {
    let (directory, url, ward) = begun_anew().await;
    let clock = clock();
    clock.advance(RETENTION * 2);
    let mut shell = Shell::open(&url).await;
    let outage = "CREATE TRIGGER outage BEFORE DELETE ON record
        BEGIN SELECT RAISE(ABORT, 'no power'); END";
    shell.run(outage).await.unwrap();
    let place = (&*directory, &*url, &clock);
    kept(place, RETENTION, async |upkeep| {
        upkeep.prune().await.unwrap_err();
    })
    .await;
    shell.run("DROP TRIGGER outage").await.unwrap();
    assert_eq!(firsts(&intact(&url, known(&ward)).await), [0, 0]);
    kept(place, RETENTION, async |upkeep| upkeep.prune().await.unwrap()).await;
    let report = intact(&url, known(&ward)).await;
    assert_eq!((report.origins.len(), lost(&report).len()), (1, 1));
}
