//! Whatever is done to a log shows, and where; what does not show without a checkpoint from outside shows with one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::super::merkle::{Hash, leaf_hash};
use super::super::verify::copy::{self, Outcome};
use super::super::verify::{Cause, Finding, Report, Trust};
use super::super::{AuditSettings, Outbox, custody};
use super::{Running, clock, event, opened, sample, ward};
use crate::keys::LogKey;
use crate::model::body::{Head, whole};
use crate::model::record::{Actor, Verdict};
use crate::store::audit::LogCopy;
use crate::store::audit::tests::Shell;

pub(super) fn trust(seed: u8) -> Trust {
    Trust { keys: vec![LogKey::from_seed(&[seed; 32]).public()], checkpoints: Vec::new() }
}

async fn outcome(url: &str, trust: Trust) -> Outcome {
    let mut copy = LogCopy::open(Path::new(url.trim_start_matches("sqlite://"))).await.unwrap();
    copy::check(&mut copy, trust, |_| {}).await.unwrap()
}

pub(super) async fn intact(url: &str, trust: Trust) -> Report {
    match outcome(url, trust).await {
        Outcome::Intact(report) => report,
        Outcome::Tampered(finding) => panic!("{finding}"),
    }
}

pub(super) async fn finding(url: &str, trust: Trust) -> Finding {
    match outcome(url, trust).await {
        Outcome::Intact(report) => panic!("{report:?}"),
        Outcome::Tampered(finding) => finding,
    }
}

/// A log of 40 records in four minutes, decisions and events, stopped in order.
pub(super) async fn log() -> (Arc<TempDir>, String) {
    let running = Running::start().await;
    for _minute in 0..4 {
        for _ in 0..8 {
            drop(running.audit.decided(sample::decision(Verdict::Deny)).await.unwrap());
        }
        let _ = running.audit.noted(event("x")).await.unwrap();
        let _ = running.audit.noted(event("y")).await.unwrap();
        running.clock.advance(std::time::Duration::from_mins(1));
    }
    let url = running.url.clone();
    (running.stop().await, url)
}

/// Opens the guard rails, as somebody who can write the file can.
pub(super) const OPEN: &str =
    "DROP TRIGGER record_is_never_changed; DROP TRIGGER record_is_never_deleted;
    DROP TRIGGER checkpoint_only_moves_on; DROP TRIGGER checkpoint_is_never_deleted;
    DROP TRIGGER principal_is_never_changed; DROP TRIGGER principal_is_never_deleted;";

#[tokio::test]
async fn log_that_nobody_touched_is_intact() {
    let (_directory, url) = log().await;
    let report = intact(&url, trust(7)).await;
    let [origin] = &report.origins[..] else { panic!("{report:?}") };
    assert_eq!((origin.first, origin.records, origin.read, origin.checkpoints), (0, 40, 40, 4));
    assert_eq!(report.principals, 1);
}

#[tokio::test]
async fn running_log_is_intact_too() {
    let running = Running::start().await;
    for _ in 0..5 {
        drop(running.audit.decided(sample::decision(Verdict::Allow)).await.unwrap());
    }
    assert_eq!(intact(&running.url, trust(7)).await.read(), 5);
}

#[expect(clippy::too_many_lines, reason = "a table")]
#[tokio::test]
async fn every_kind_of_change_is_found_with_its_place_and_cause() {
    let at = "(SELECT MIN(place) + 13 FROM record)";
    let table: &[(&str, &str, (u64, u64), &str)] = &[
        (
            "edited",
            "UPDATE record SET body = CAST(REPLACE(CAST(body AS TEXT), 'deny', 'allo') AS BLOB) WHERE place = @",
            (13, 13),
            "does not fit its hash",
        ),
        (
            "somebody else",
            "INSERT INTO principal_snapshot SELECT key + 1, zeroblob(32), reference || ' ', body, 0, 0 FROM principal_snapshot;
            UPDATE record SET principal = principal + 1 WHERE place = @",
            (13, 13),
            "does not fit its hash",
        ),
        (
            "nobody",
            "UPDATE record SET principal = NULL WHERE place = @",
            (13, 13),
            "does not fit its hash",
        ),
        (
            "nobody, with what was said of them in the body",
            "UPDATE record SET principal = NULL, body = CAST(rtrim(CAST(body AS TEXT), '}') || (
                SELECT ',\"principal\":' || reference || '}' FROM principal_snapshot
            ) AS BLOB) WHERE place = @",
            (13, 13),
            "column `principal`",
        ),
        (
            "removed",
            "DELETE FROM record WHERE place = @",
            (13, 13),
            "missing: the next one that is there is 14",
        ),
        (
            "removed with what follows",
            "DELETE FROM record WHERE place >= @",
            (13, 19),
            "vouches for 20 records, and the log has 13",
        ),
        (
            "removed from the front",
            "DELETE FROM record WHERE place < @ - 3",
            (0, 9),
            "removed with age",
        ),
        (
            "swapped",
            "UPDATE record SET (body, leaf_hash) = (SELECT body, leaf_hash FROM record WHERE place = @ + 1) WHERE place = @",
            (13, 13),
            "its content says that it is",
        ),
        (
            "blanked",
            "UPDATE record SET body = NULL WHERE place = @",
            (13, 13),
            "no record says that it was erased",
        ),
        (
            "blanked with its hash",
            "UPDATE record SET body = NULL, leaf_hash = zeroblob(32) WHERE place = @",
            (10, 19),
            "they are not those that the checkpoint over 20",
        ),
        (
            "appended",
            "INSERT INTO record (place, body, principal, leaf_hash) SELECT MAX(place) + 1, body, principal, leaf_hash FROM record",
            (40, 40),
            "says that it is",
        ),
        (
            "checkpoint gone with what it covers",
            "DELETE FROM checkpoint WHERE place = (SELECT MAX(place) FROM checkpoint)",
            (30, 39),
            "no checkpoint vouches",
        ),
        (
            "checkpoint changed",
            "UPDATE checkpoint SET note = REPLACE(note, char(10) || '20' || char(10), char(10) || '21' || char(10))",
            (10, 19),
            "does not hold",
        ),
        (
            "peaks changed",
            "UPDATE checkpoint SET peaks = zeroblob(64) WHERE place = (SELECT MIN(place) + 10 FROM checkpoint)",
            (10, 19),
            "the peaks that the file keeps beside the checkpoint over 20",
        ),
        (
            "peaks of the newest gone",
            "UPDATE checkpoint SET peaks = x'' WHERE place = (SELECT MAX(place) FROM checkpoint)",
            (30, 39),
            "the peaks that the file keeps beside the checkpoint over 40",
        ),
        (
            "principal changed",
            "UPDATE principal_snapshot SET body = REPLACE(body, 'Uma', 'Ume')",
            (0, 39),
            "is changed",
        ),
        (
            "principal named otherwise",
            "UPDATE principal_snapshot SET reference = REPLACE(reference, 'user', 'usor')",
            (0, 0),
            "does not fit its hash",
        ),
        ("principal gone", "DELETE FROM principal_snapshot", (0, 0), "is missing"),
    ];
    for (what, statement, place, says) in table {
        let (_directory, url) = log().await;
        let mut shell = Shell::open(&url).await;
        shell.run(OPEN).await.unwrap();
        let statement = statement.replace('@', at).leak();
        shell.run(statement).await.unwrap();
        drop(shell);
        let finding = finding(&url, trust(7)).await;
        let text = finding.to_string();
        assert!(text.contains(says), "{what}: {text}");
        assert_eq!((finding.first, finding.last), *place, "{what}: {text}");
    }
}

/// The hash of a record of which this is kept.
async fn hashed(shell: &mut Shell, body: &[u8]) -> Hash {
    if Head::read(body).unwrap().kind != "decision" {
        return leaf_hash(body);
    }
    let reference = shell.texts("SELECT reference FROM principal_snapshot").await.remove(0);
    leaf_hash(&whole(body.to_vec(), &reference))
}

/// Somebody who edits a record and makes its hash fit again.
#[tokio::test]
async fn record_that_was_rewritten_with_its_hash_is_found_by_the_next_checkpoint() {
    let (_directory, url) = log().await;
    let mut shell = Shell::open(&url).await;
    shell.run(OPEN).await.unwrap();
    let bodies =
        shell.texts("SELECT CAST(body AS TEXT) FROM record WHERE place & 1099511627775 = 13").await;
    let forged = bodies[0].replace("no_grant", "no_group");
    let hash = hashed(&mut shell, forged.as_bytes()).await;
    shell.rewrite(13, forged.into_bytes(), hash.to_vec()).await;
    let finding = finding(&url, trust(7)).await;
    assert_eq!((finding.first, finding.last, finding.cause), (10, 19, Cause::Root { size: 20 }));
}

#[tokio::test]
async fn changed_bytes_in_the_file_are_found_at_their_record() {
    let (_directory, url) = log().await;
    let mut shell = Shell::open(&url).await;
    shell.run(OPEN).await.unwrap();
    let bodies = shell.texts("SELECT CAST(body AS TEXT) FROM record ORDER BY place").await;
    // Each takes a whole check: a byte here and there of each record. All of them are changed in `bytes.rs`.
    let mut pass = 0;
    for (seq, body) in bodies.iter().enumerate() {
        let bytes = body.as_bytes();
        let hash = hashed(&mut shell, bytes).await;
        for at in (seq % 7..bytes.len()).step_by(29) {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1 << (pass % 8);
            pass += 1;
            shell.rewrite(seq, changed, hash.to_vec()).await;
            let found = finding(&url, trust(7)).await;
            assert_eq!(found.first, seq as u64, "byte {at}: {found}");
        }
        shell.rewrite(seq, bytes.to_vec(), hash.to_vec()).await;
    }
    assert!(pass > 400, "{pass}");
    intact(&url, trust(7)).await;
}

#[tokio::test]
async fn end_that_was_removed_with_its_checkpoints_shows_with_a_checkpoint_from_outside_only() {
    let (directory, url) = log().await;
    let mark = std::fs::read_to_string(directory.path().join("log.mark")).unwrap();
    let mut shell = Shell::open(&url).await;
    shell.run(OPEN).await.unwrap();
    shell.run("DELETE FROM record WHERE place & 1099511627775 >= 30; DELETE FROM checkpoint WHERE place & 1099511627775 > 30").await.unwrap();
    assert_eq!(intact(&url, trust(7)).await.read(), 30);
    let found = finding(&url, Trust { checkpoints: vec![mark], ..trust(7) }).await;
    assert_eq!(found.cause, Cause::Truncated { vouched: 40, records: 30 });
    assert_eq!((found.first, found.last), (30, 39));
}

#[tokio::test]
async fn log_that_was_signed_again_by_another_key_is_found() {
    let (_directory, url) = log().await;
    let found = finding(&url, trust(8)).await;
    assert!(matches!(found.cause, Cause::OtherKey { .. }), "{found}");
}

/// Two histories of one log: a copy was continued elsewhere with the same key.
#[tokio::test]
async fn checkpoint_of_another_history_is_found() {
    let (directory, url) = log().await;
    let file = PathBuf::from(url.trim_start_matches("sqlite://"));
    let other = TempDir::new().unwrap();
    // Open until it is copied: whoever closes the file last moves what is in the WAL.
    let mut shell = Shell::open(&url).await;
    shell.run("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    std::fs::copy(file, other.path().join("audit.db")).unwrap();
    drop(shell);
    let continued = async |directory: Arc<TempDir>, word: &str| {
        let running = Running::within(directory, AuditSettings::default(), None).await;
        let _ = running.audit.noted(event(word)).await.unwrap();
        let directory = running.stop().await;
        let mark = std::fs::read_to_string(directory.path().join("log.mark")).unwrap();
        (directory, mark)
    };
    let (_other, mark) = continued(Arc::new(other), "there").await;
    let (_directory, _) = continued(directory, "here").await;
    let found = finding(&url, Trust { checkpoints: vec![mark], ..trust(7) }).await;
    assert_eq!(found.cause, Cause::Forked { size: 41 });
}

#[tokio::test]
async fn checkpoint_of_something_else_is_named_as_not_compared() {
    let (_directory, url) = log().await;
    let point = super::super::checkpoint::Checkpoint {
        origin: crate::model::id::OriginId::from_bytes([1; 5]),
        size: 3,
        root: [0; 32],
    };
    let note = point.note(&[&LogKey::from_seed(&[8; 32])]);
    let report = intact(&url, Trust { checkpoints: vec![note], ..trust(7) }).await;
    assert_eq!(report.uncompared, [point.to_string()]);
}

pub(super) fn operator() -> Actor {
    Actor::Operator("root".to_owned())
}

#[tokio::test]
async fn key_hands_over_and_old_and_new_key_both_check_the_log() {
    let (directory, url) = log().await;
    let next = LogKey::from_seed(&[9; 32]);
    let old = ward(directory.path());
    custody::rotate(&url, (clock(), old.clone()), next.clone(), operator()).await.unwrap();
    // Cut off before the new key was put in place: the next start takes it.
    let cut_off = super::super::Ward { successor: Some(next.clone()), ..old.clone() };
    let log = opened(&url, cut_off).await.unwrap();
    assert_eq!((log.key, log.ending), (next.public(), super::super::Ending::InOrder));
    drop(log);
    std::fs::remove_file(directory.path().join("log.mark")).unwrap();
    let refused = opened(&url, old).await.map(|_| ());
    // The old key signed the change itself, so nothing forbids to open; but what it signs after it does not hold.
    refused.unwrap();
    let new = super::super::Ward { key: next, ..ward(directory.path()) };
    let log = opened(&url, new).await.unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let note = async {
        let _ = log.audit.noted(event("after")).await.unwrap();
        stop.cancel();
    };
    tokio::join!(log.writer.run(stop.clone()), note);
    for seed in [7, 9] {
        assert_eq!(intact(&url, trust(seed)).await.read(), 43);
    }
    assert!(matches!(finding(&url, trust(8)).await.cause, Cause::OtherKey { .. }));
}

#[tokio::test]
async fn key_that_took_over_unasked_is_found() {
    let (directory, url) = log().await;
    std::fs::remove_file(directory.path().join("log.mark")).unwrap();
    let mut shell = Shell::open(&url).await;
    shell.run(OPEN).await.unwrap();
    // A thief of the database signs the last checkpoint with a key of their own.
    let thief = LogKey::from_seed(&[66; 32]);
    let notes = shell.texts("SELECT note FROM checkpoint ORDER BY place DESC LIMIT 1").await;
    let point = super::super::checkpoint::Checkpoint::unverified(&notes[0]).unwrap();
    shell.renote(40, point.note(&[&thief])).await;
    let found = finding(&url, trust(7)).await;
    assert!(matches!(found.cause, Cause::Checkpoint(_)), "{found}");
}

#[tokio::test]
async fn log_that_was_accepted_goes_on_behind_the_old_one_and_names_it() {
    let (directory, url) = log().await;
    let mut shell = Shell::open(&url).await;
    shell.run(OPEN).await.unwrap();
    shell.run("DELETE FROM record WHERE place & 1099511627775 >= 30; DELETE FROM checkpoint WHERE place & 1099511627775 > 30").await.unwrap();
    let settings = AuditSettings::default;
    let opened = super::super::open(&url, settings(), clock(), ward(directory.path()));
    assert!(opened.await.is_err());
    let rows = super::outbox::Rows::default();
    let order = super::acceptance::order("restored");
    let custody = (clock(), ward(directory.path()));
    let changes = ("main", &rows as &dyn Outbox, std::future::ready(Ok(())));
    let origin = custody::accept(&url, custody, changes, order).await.unwrap();
    let running = Running::within(Arc::clone(&directory), settings(), None).await;
    assert_eq!(running.audit.origin(), origin);
    let _ = running.audit.noted(event("on")).await.unwrap();
    let directory = running.stop().await;
    let report = intact(&url, trust(7)).await;
    assert_eq!(report.origins.len(), 2);
    assert_eq!((report.origins[0].records, report.origins[1].records), (30, 2));
    assert_eq!(report.origins[1].restored.as_deref(), Some("restored"));
    // Who drops the old one later is found.
    shell.run("DELETE FROM record WHERE place < (2 << 40); DELETE FROM checkpoint WHERE place < (2 << 40); DELETE FROM origin WHERE key = 1").await.unwrap();
    let found = finding(&url, trust(7)).await;
    assert_eq!(found.cause, Cause::OriginGone);
    drop(directory);
}

#[tokio::test]
async fn proof_convinces_whoever_has_the_key_and_nobody_else() {
    use super::super::proof::{Proof, ProofError};
    let (_directory, url) = log().await;
    let mut copy = LogCopy::open(Path::new(url.trim_start_matches("sqlite://"))).await.unwrap();
    let origin = copy.origins().await.unwrap()[0].id;
    let key = LogKey::from_seed(&[7; 32]).public();
    for seq in 0..40 {
        let id = crate::model::id::DecisionId { origin, seq };
        let proof = Proof::make(&mut copy, id).await.unwrap().unwrap();
        let text = proof.to_text();
        let read = Proof::parse(&text).unwrap();
        assert_eq!(read, proof);
        assert_eq!(read.check(&key).unwrap().origin, origin);
        let other = LogKey::from_seed(&[8; 32]).public();
        assert!(matches!(read.check(&other), Err(ProofError::Checkpoint(_))));
        let mut moved = read.clone();
        moved.index = (seq + 1) % 40;
        assert!(matches!(moved.check(&key), Err(ProofError::Elsewhere { .. })));
        let mut edited = read;
        edited.body[3] ^= 1;
        assert!(matches!(edited.check(&key), Err(ProofError::Elsewhere { .. })));
    }
    let beyond = crate::model::id::DecisionId { origin, seq: 40 };
    assert_eq!(Proof::make(&mut copy, beyond).await.unwrap(), None);
}
