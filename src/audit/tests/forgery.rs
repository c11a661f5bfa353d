//! Somebody who may write the file, and says in it what the log did not.

use std::path::Path;
use std::time::Duration;

use super::super::checkpoint::{Checkpoint, parse_verifier_key, verifier_key};
use super::super::verify::copy::Outcome;
use super::super::verify::{Cause, Trust, export};
use super::Running;
use super::export::{Format, exported};
use super::tampering::{OPEN, finding, intact, log, trust};
use super::{event, sample};
use crate::keys::LogKey;
use crate::model::record::Verdict;
use crate::store::audit::LogCopy;
use crate::store::audit::tests::Shell;

/// Does this to a log that nobody touched before.
async fn after(statement: &'static str) -> (std::sync::Arc<tempfile::TempDir>, String) {
    let (directory, url) = log().await;
    let mut shell = Shell::open(&url).await;
    shell.run(OPEN).await.unwrap();
    shell.run(statement).await.unwrap();
    (directory, url)
}

/// To a check that trusts key 8, a log of key 7 is one that somebody signed again as a whole.
#[tokio::test]
async fn key_that_an_empty_log_names_vouches_for_no_other_log() {
    let (_directory, url) = after(
        "UPDATE origin SET key = 2;
        UPDATE record SET place = place + 1099511627776;
        UPDATE checkpoint SET place = place + 1099511627776;
        INSERT INTO origin SELECT 1, '00000001', 0, log_key FROM origin",
    )
    .await;
    let found = finding(&url, trust(8)).await;
    assert!(matches!(found.cause, Cause::OtherKey { .. }), "{found}");
    assert_eq!(intact(&url, trust(7)).await.origins.len(), 2);
}

fn checked(text: &str, seed: u8) -> Outcome {
    export::check(text.as_bytes(), trust(seed), |_| {}).unwrap()
}

fn cause(text: &str, seed: u8) -> Cause {
    match checked(text, seed) {
        Outcome::Intact(report) => panic!("{report:?}"),
        Outcome::Tampered(finding) => finding.cause,
    }
}

async fn in_lines(query: &str) -> String {
    let running = Running::start().await;
    for _ in 0..3 {
        drop(running.audit.decided(sample::decision(Verdict::Deny)).await.unwrap());
        let _ = running.audit.noted(event("x")).await.unwrap();
    }
    exported(&running, query, Format::Jsonl).await.0
}

#[tokio::test]
async fn key_of_a_header_without_records_vouches_for_no_other_log() {
    let text = in_lines("").await;
    let header: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let key = parse_verifier_key(header["key"].as_str().unwrap());
    let other = "00000001".parse().unwrap();
    let key = verifier_key(other, &key.unwrap().1);
    let header = format!("{{\"cedargate_export\":1,\"origin\":\"{other}\",\"key\":\"{key}\"}}");
    let text = format!("{header}\n{text}");
    assert!(matches!(cause(&text, 8), Cause::OtherKey { .. }));
    assert!(matches!(checked(&text, 7), Outcome::Intact(_)));
}

#[tokio::test]
async fn who_asked_is_who_the_record_names_and_not_who_a_column_names() {
    let (_directory, url) = log().await;
    let mut shell = Shell::open(&url).await;
    shell.run(OPEN).await.unwrap();
    let content = shell.texts("SELECT body FROM principal_snapshot").await.remove(0);
    let forged = content.replace("Uma", "Max");
    shell.impersonate(&forged).await;
    let found = finding(&url, trust(7)).await;
    assert_eq!(found.cause, Cause::Column { column: "principal_snapshot.hash" });
    assert_eq!(found.first, 0);
    // Nor is anybody shown in their place.
    let reader = crate::store::audit::AuditReader::open(&url).await.unwrap();
    let shown = reader.recent(100, None).await.unwrap();
    assert!(shown.iter().all(|line| line.principal.is_none()));
    assert!(shown.iter().any(|line| line.body.contains("\"principal\"")));
}

#[tokio::test]
async fn export_holds_who_asked_in_its_records_and_nobody_else() {
    let text = in_lines("").await;
    let (records, who) = text.rsplit_once("{\"principal\":").unwrap();
    assert!(matches!(cause(records, 7), Cause::Principal { what: "missing", .. }));
    let other = "{\"kind\":\"anonymous\"}";
    let hash = crate::model::principal::PrincipalHash::of(other.as_bytes());
    let other = serde_json::to_string(other).unwrap();
    let more = format!("{text}{{\"principal\":\"{hash}\",\"content\":{other}}}\n");
    assert!(matches!(cause(&more, 7), Cause::Principal { what: "named by none of them", .. }));
    let twice = format!("{text}{{\"principal\":{who}");
    assert!(matches!(cause(&twice, 7), Cause::Principal { .. }));
    let none = in_lines("kind:abandoned").await;
    assert!(matches!(checked(&none, 7), Outcome::Intact(_)), "{none}");
}

#[tokio::test]
async fn records_that_no_log_of_the_file_has_are_found() {
    let (_directory, url) = after(
        "INSERT INTO record (place, body, leaf_hash)
        SELECT 7 * 1099511627776 + 3, body, leaf_hash FROM record LIMIT 1",
    )
    .await;
    let found = finding(&url, trust(7)).await;
    assert_eq!((found.first, found.last, found.cause), (3, 3, Cause::Unvouched));
}

#[tokio::test]
async fn checkpoint_that_lies_elsewhere_than_it_says_is_found() {
    let (_directory, url) = after(
        "UPDATE checkpoint SET place = place + 50 WHERE place = (SELECT MAX(place) FROM checkpoint)",
    )
    .await;
    let found = tokio::time::timeout(Duration::from_mins(1), finding(&url, trust(7)));
    let found = found.await.expect("a check that ends");
    assert!(matches!(found.cause, Cause::Misplaced(_)), "{found}");
}

#[tokio::test]
async fn checkpoint_of_an_unknown_key_is_not_taken_for_compared() {
    let (_directory, url) = log().await;
    let mut shell = Shell::open(&url).await;
    let notes = shell.texts("SELECT note FROM checkpoint ORDER BY place").await;
    let mut point = Checkpoint::unverified(&notes[1]).unwrap();
    let stranger = LogKey::from_seed(&[99; 32]);
    let right = point.note(&[&stranger]);
    point.root = [0; 32];
    for note in [right, point.note(&[&stranger])] {
        let report = intact(&url, Trust { checkpoints: vec![note], ..trust(7) }).await;
        assert_eq!((report.compared, report.uncompared.len()), (0, 1), "{report:?}");
    }
    let ours = point.note(&[&LogKey::from_seed(&[7; 32])]);
    let found = finding(&url, Trust { checkpoints: vec![ours], ..trust(7) }).await;
    assert_eq!(found.cause, Cause::Forked { size: 20 });
}

async fn opened(url: &str) -> Result<LogCopy, crate::store::StoreError> {
    LogCopy::open(Path::new(url.trim_start_matches("sqlite://"))).await
}

#[tokio::test]
async fn file_whose_tables_are_programs_is_not_read() {
    let (_directory, url) =
        after("ALTER TABLE record RENAME TO other; CREATE VIEW record AS SELECT * FROM other")
            .await;
    let error = opened(&url).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("`record` is no table"), "{cause}");
}

#[tokio::test]
async fn long_records_are_read_few_at_once_and_longer_ones_not_at_all() {
    let (_directory, url) = after(
        "UPDATE record SET body = CAST(substr(body, 1, length(body) - 1) || zeroblob(1048576) AS BLOB)",
    )
    .await;
    let mut copy = opened(&url).await.unwrap();
    let origin = copy.origins().await.unwrap().remove(0);
    assert_eq!(copy.rows(&origin, (0, 40)).await.unwrap().len(), 4);
    let mut shell = Shell::open(&url).await;
    shell.run("UPDATE record SET body = zeroblob(5000000)").await.unwrap();
    assert!(copy.rows(&origin, (0, 40)).await.is_err());
}
