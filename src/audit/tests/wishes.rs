//! Who is forgotten: whom somebody with the log's key wants forgotten, as far as the log held them then, and nobody and nothing
//! else.

use std::time::Duration;

use super::super::verify::Cause;
use super::super::verify::copy::Outcome;
use super::super::wish::{self, Request};
use super::super::{AuditError, AuditSettings, Ward, custody};
use super::acceptance::{accepted, order};
use super::aging::begun_anew;
use super::sample::{self, TENANT, UMA};
use super::upkeep::{intact, kept, log, outcome, run};
use super::{Running, clock, ward};
use crate::keys::LogKey;
use crate::model::id::Subject;
use crate::model::record::{Actor, Entry, Verdict};
use crate::model::time::Clock;
use crate::store::audit::tests::Shell;
use crate::store::audit::{AuditReader, Wish};

const RETENTION: Duration = Duration::from_hours(9_000);

fn uma() -> Subject {
    format!("{TENANT}.{UMA}").parse().unwrap()
}

fn request(subject: &Subject) -> Request {
    let (reason, asked_by) = ("Request 17".to_owned(), "operator:root".to_owned());
    Request { subject: subject.clone(), reason, asked_by, asked: clock().now() }
}

/// Asks that somebody be forgotten, as whoever has the log's key does.
pub(super) async fn wished(reader: &AuditReader, subject: &Subject) {
    let file = reader.file();
    let ward = ward(file.parent().unwrap());
    let asked = wish::ask(reader, ward, request(subject)).await.unwrap();
    assert!(reader.erasure_waits(asked.id).await.unwrap());
}

/// How many wishes wait.
pub(super) async fn waiting(url: &str) -> i64 {
    Shell::open(url).await.number("SELECT COUNT(*) FROM erasure").await
}

async fn forget((directory, url, clock): (&tempfile::TempDir, &str, &Clock)) {
    let work = async |upkeep: &super::super::upkeep::Upkeep| upkeep.forget_people().await.unwrap();
    kept((directory, url, clock), RETENTION, work).await;
}

/// Whoever can write the file, and not sign, has nobody forgotten; that they tried is on record.
#[tokio::test]
async fn wish_that_the_key_of_the_log_did_not_sign_is_refused_on_record() {
    let (directory, url, clock) = log(1).await;
    let reader = AuditReader::open(&url).await.unwrap();
    let stranger = LogKey::from_seed(&[8; 32]);
    let ward = Ward { key: stranger.clone(), ..ward(directory.path()) };
    let refused = wish::ask(&reader, ward, request(&uma())).await.unwrap_err();
    assert!(matches!(refused, AuditError::NotItsKey), "{refused}");
    let mut shell = Shell::open(&url).await;
    let origin = shell.texts("SELECT id FROM origin").await.remove(0);
    let wish = Wish {
        subject: uma().to_string(),
        reason: "Request 17".to_owned(),
        asked_by: "operator:somebody".to_owned(),
        asked_us: 1,
        logs: format!("[[\"{origin}\",10]]"),
    };
    reader.ask_erasure(&wish, &stranger.sign(&wish::message(&wish))).await.unwrap();
    wished(&reader, &uma()).await;
    let forged = "INSERT INTO erasure (subject, reason, asked_by, asked_us, logs)
        SELECT subject, reason, asked_by, asked_us, logs FROM erasure WHERE id = 2;
        INSERT INTO erasure (subject, reason, asked_by, asked_us, logs, signature)
        SELECT subject, CAST(x'ff' AS TEXT), asked_by, asked_us, logs, signature FROM erasure WHERE id = 2;
        INSERT INTO erasure (subject, reason, asked_by, asked_us, logs, signature)
        SELECT subject, reason || hex(zeroblob(10000000)), asked_by, asked_us, logs, signature FROM erasure WHERE id = 2;
        INSERT INTO erasure (subject, reason, asked_by, asked_us, logs, signature)
        SELECT subject, reason, asked_by, asked_us, replace(logs, ',', ',1'), signature FROM erasure WHERE id = 2;
        UPDATE erasure SET reason = 'another' WHERE id = 2";
    shell.run(forged).await.unwrap();
    assert_eq!(waiting(&url).await, 6);
    forget((&directory, &url, &clock)).await;
    assert_eq!(waiting(&url).await, 0);
    let report = intact(&url).await;
    assert_eq!((report.origins[0].blanked, report.principals), (0, 1));
    let told = "SELECT CAST(body AS TEXT) FROM record ORDER BY place DESC LIMIT 6";
    let told = shell.texts(told).await;
    assert!(told.iter().all(|body| body.contains("\"kind\":\"erasure_refused\"")), "{told:?}");
    assert!(told.iter().all(|body| body.len() < 10_000), "{told:?}");
    assert!(told.iter().any(|body| body.contains("operator:somebody")), "{told:?}");
}

/// What came after it was asked stays, and so nothing is won by putting it back.
#[tokio::test]
async fn wish_is_about_what_the_log_held_when_it_was_asked() {
    let (directory, url, clock) = log(1).await;
    let reader = AuditReader::open(&url).await.unwrap();
    let asked = wish::ask(&reader, ward(directory.path()), request(&uma())).await.unwrap();
    let mut shell = Shell::open(&url).await;
    shell.run("CREATE TABLE put_back AS SELECT * FROM erasure").await.unwrap();
    let running = Running::within(directory, AuditSettings::default(), None).await;
    drop(running.audit.decided(sample::decision(Verdict::Deny)).await.unwrap());
    let directory = running.stop().await;
    assert!(wish::is_left(&reader, &asked).await.unwrap());
    for _ in 0..2 {
        forget((&directory, &url, &clock)).await;
        assert!(!wish::is_left(&reader, &asked).await.unwrap());
        let report = intact(&url).await;
        assert_eq!((report.origins[0].blanked, report.principals), (5, 1));
        assert_eq!(waiting(&url).await, 0);
        shell.run("INSERT INTO erasure SELECT * FROM put_back").await.unwrap();
    }
}

/// A log that was begun since is none of those that it is about.
#[tokio::test]
async fn wish_is_about_the_logs_that_there_were() {
    let (directory, url, ward) = begun_anew().await;
    let reader = AuditReader::open(&url).await.unwrap();
    let _ = wish::ask(&reader, ward.clone(), request(&uma())).await.unwrap();
    accepted(&url, &ward, order("Moved")).await.unwrap();
    let decision = Entry::Decision(Box::new(sample::decision(Verdict::Deny)));
    run(directory.path(), &url, (&clock(), vec![decision])).await;
    forget((&directory, &url, &clock())).await;
    let mut shell = Shell::open(&url).await;
    let left = "SELECT COUNT(*) FROM record WHERE place >> 40 = 3 AND principal IS NOT NULL";
    assert_eq!((waiting(&url).await, shell.number(left).await), (0, 1));
    let gone = "SELECT COUNT(*) FROM record WHERE place >> 40 < 3 AND principal IS NOT NULL";
    assert_eq!(shell.number(gone).await, 0);
}

/// Somebody puts the newest checkpoint where nothing is yet: nobody signs more than there was.
#[tokio::test]
async fn wish_goes_no_further_than_the_checkpoint_that_was_signed() {
    let (_directory, url, _) = log(1).await;
    let reader = AuditReader::open(&url).await.unwrap();
    let mut shell = Shell::open(&url).await;
    let newest = "(SELECT MAX(place) FROM checkpoint)";
    let moved = format!("UPDATE checkpoint SET place = place + 1000 WHERE place = {newest}");
    shell.run_owned(moved).await;
    wished(&reader, &uma()).await;
    let logs = shell.texts("SELECT logs FROM erasure").await.remove(0);
    assert!(logs.ends_with(",10]]"), "{logs}");
}

#[tokio::test]
async fn key_does_not_change_while_somebody_is_still_to_be_forgotten() {
    let (directory, url, clock) = log(1).await;
    wished(&AuditReader::open(&url).await.unwrap(), &uma()).await;
    let (next, by) = (LogKey::from_seed(&[9; 32]), Actor::Operator("root".to_owned()));
    let rotate =
        || custody::rotate(&url, (clock.clone(), ward(directory.path())), next.clone(), by.clone());
    let refused = Box::pin(rotate()).await.unwrap_err();
    assert!(matches!(refused, AuditError::WishWaits), "{refused}");
    forget((&directory, &url, &clock)).await;
    Box::pin(rotate()).await.unwrap();
}

/// Somebody waits until a person is to be forgotten, and makes records of another look like theirs: the gate does not say for
/// them that this was in order.
#[tokio::test]
async fn blank_of_what_was_made_to_look_like_theirs_is_not_explained() {
    let (other, decision) = (
        format!("{TENANT}.00000000-0000-4000-8000-00000000abcd"),
        "(SELECT MIN(place) FROM record WHERE principal IS NOT NULL)",
    );
    // Another's record names a snapshot that says it is theirs; it is theirs by a body that was never signed; it mentions them.
    let named = format!(
        "INSERT INTO principal_snapshot (hash, reference, body, seen_us, noted)
         SELECT randomblob(32), reference, '{{\"subject\":\"{other}\"}}', seen_us, noted FROM principal_snapshot;
         UPDATE record SET principal = (SELECT MAX(key) FROM principal_snapshot) WHERE place = {decision}"
    );
    let spelled = format!(
        "UPDATE record SET body = CAST(replace(CAST(body AS TEXT), '\"kind\":\"', '\"kind\":\"signed_in\",\"actor\":\"{other}\",\"was\":\"') AS BLOB)
         WHERE place = (SELECT MAX(place) FROM record WHERE principal IS NULL)"
    );
    let mentioned = format!(
        "UPDATE record SET body = CAST(replace(CAST(body AS TEXT), '}}', ',\"principal\":{{\"kind\":\"user\",\"id\":\"{other}\"}}}}') AS BLOB), principal = NULL
         WHERE place = {decision}"
    );
    for forged in [named, spelled, mentioned] {
        let (directory, url, clock) = log(1).await;
        let mut shell = Shell::open(&url).await;
        shell.run("DROP TRIGGER record_is_never_changed; CREATE TABLE genuine AS SELECT * FROM record").await.unwrap();
        shell.run_owned(forged.clone()).await;
        wished(&AuditReader::open(&url).await.unwrap(), &other.parse().unwrap()).await;
        forget((&directory, &url, &clock)).await;
        let told = "SELECT COUNT(*) FROM record WHERE instr(body, CAST('\"kind\":\"erased\"' AS BLOB)) > 0";
        assert_eq!(shell.number(told).await, 0, "{forged}");
        // As if nothing but the blank had happened.
        shell.run("UPDATE record SET leaf_hash = (SELECT leaf_hash FROM genuine WHERE genuine.place = record.place)
            WHERE place IN (SELECT place FROM genuine)").await.unwrap();
        match outcome(&url, &[]).await {
            Outcome::Tampered(finding) => assert_ne!(finding.cause, Cause::CutOff, "{finding}"),
            Outcome::Intact(report) => panic!("{forged}: {report:?}"),
        }
    }
}
