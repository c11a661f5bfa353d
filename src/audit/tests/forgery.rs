//! Somebody who may write the file, and says in it what the log did not.

use super::super::verify::copy::Outcome;
use super::super::verify::{Cause, export};
use super::Running;
use super::export::{Format, exported};
use super::tampering::{OPEN, finding, intact, log, trust};
use super::{event, sample};
use crate::model::record::Verdict;
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
    let key = super::super::checkpoint::parse_verifier_key(header["key"].as_str().unwrap());
    let other = "00000001".parse().unwrap();
    let key = super::super::checkpoint::verifier_key(other, &key.unwrap().1);
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
