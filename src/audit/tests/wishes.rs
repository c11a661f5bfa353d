//! Who is forgotten: whom somebody with the log's key wants forgotten, and nobody and nothing else.

use std::time::Duration;

use super::super::verify::Cause;
use super::super::verify::copy::Outcome;
use super::super::{AuditError, wish};
use super::sample::{TENANT, UMA};
use super::upkeep::{intact, kept, log, outcome};
use super::ward;
use crate::keys::LogKey;
use crate::model::id::Subject;
use crate::model::time::Timestamp;
use crate::store::audit::tests::Shell;
use crate::store::audit::{AuditReader, Wish};

/// Asks that somebody be forgotten, as whoever has the log's key does.
pub(super) async fn wished(reader: &AuditReader, subject: &Subject, asked: Timestamp) {
    let directory = reader.file();
    let ward = ward(directory.parent().unwrap());
    wish::ask(reader, ward, &request(subject, asked)).await.unwrap();
}

fn request(subject: &Subject, asked: Timestamp) -> Wish {
    let (subject, reason) = (subject.to_string(), "Request 17".to_owned());
    Wish { subject, reason, asked_by: "operator:root".to_owned(), asked }
}

/// Whoever can write the file, and not sign, has nobody forgotten; that they tried is on record.
#[tokio::test]
async fn wish_that_the_key_of_the_log_did_not_sign_is_refused_on_record() {
    let (directory, url, clock) = log(1).await;
    let subject: Subject = format!("{TENANT}.{UMA}").parse().unwrap();
    let reader = AuditReader::open(&url).await.unwrap();
    // One that was fulfilled, and is put back.
    wished(&reader, &subject, clock.now().minus(Duration::from_hours(7 * 24 + 1))).await;
    wished(&reader, &subject, clock.now().plus(Duration::from_hours(1))).await;
    let stranger =
        super::super::Ward { key: LogKey::from_seed(&[8; 32]), ..ward(directory.path()) };
    let other = request(&subject, clock.now());
    let refused = wish::ask(&reader, stranger, &other).await.unwrap_err();
    assert!(matches!(refused, AuditError::NotItsKey), "{refused}");
    reader.ask_erasure(&other, &LogKey::from_seed(&[8; 32]).sign(b"anything")).await.unwrap();
    wished(&reader, &subject, clock.now()).await;
    let mut shell = Shell::open(&url).await;
    let forged = "INSERT INTO erasure (subject, reason, asked_by, asked_us)
        SELECT subject, reason, 'operator:somebody', asked_us FROM erasure LIMIT 1;
        INSERT INTO erasure (subject, reason, asked_by, asked_us, signature)
        SELECT 'nobody', reason, asked_by, asked_us, signature FROM erasure;
        UPDATE erasure SET reason = 'another' WHERE id = 4";
    shell.run(forged).await.unwrap();
    let wishes = reader.erasures_waiting().await.unwrap();
    assert_eq!(wishes, 10);
    let (place, retention) = ((&*directory, &*url, &clock), Duration::from_hours(9_000));
    kept(place, retention, async |upkeep| upkeep.forget_people().await.unwrap()).await;
    assert_eq!(reader.erasures_waiting().await.unwrap(), 0);
    let report = intact(&url).await;
    assert_eq!((report.origins[0].blanked, report.principals), (0, 1));
    let told = "SELECT CAST(body AS TEXT) FROM record ORDER BY place DESC LIMIT 10";
    let told = shell.texts(told).await;
    assert!(told.iter().all(|body| body.contains("\"kind\":\"erasure_refused\"")), "{told:?}");
    assert!(told.iter().any(|body| body.contains("operator:somebody")), "{told:?}");
}

/// Somebody waits until a person is to be forgotten, and makes a record of another look like theirs.
#[tokio::test]
async fn blank_of_what_was_made_to_look_like_theirs_is_not_explained() {
    let (directory, url, clock) = log(1).await;
    let subject: Subject = format!("{TENANT}.{UMA}").parse().unwrap();
    let mut shell = Shell::open(&url).await;
    shell.run("DROP TRIGGER record_is_never_changed").await.unwrap();
    // The record of an event behind a decision of theirs is now one as well.
    let forged = "UPDATE record SET principal = (SELECT key FROM principal_snapshot),
        body = (SELECT body FROM record WHERE principal IS NOT NULL ORDER BY place LIMIT 1)
        WHERE place = (SELECT MIN(place) FROM record WHERE principal IS NULL
            AND place > (SELECT MIN(place) FROM record WHERE principal IS NOT NULL))";
    shell.run(forged).await.unwrap();
    let others = shell.number("SELECT COUNT(*) FROM record WHERE principal IS NOT NULL").await;
    assert_eq!(others, 6, "five are theirs");
    wished(&AuditReader::open(&url).await.unwrap(), &subject, clock.now()).await;
    let (place, retention) = ((&*directory, &*url, &clock), Duration::from_hours(9_000));
    kept(place, retention, async |upkeep| upkeep.forget_people().await.unwrap()).await;
    assert_eq!(shell.number("SELECT COUNT(*) FROM record WHERE body IS NULL").await, 6);
    match outcome(&url, &[]).await {
        Outcome::Tampered(finding) => {
            assert!(matches!(finding.cause, Cause::Blanked), "{finding}");
        }
        Outcome::Intact(report) => panic!("{report:?}"),
    }
}
