//! What the log says of releases, beside the database of rules.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::super::verify::copy::Outcome;
use super::super::verify::{Accepted, Cause, Report, releases};
use super::tampering::{finding, intact, trust};
use super::{Running, sample};
use crate::model::id::ReleaseNumber;
use crate::model::record::{Entry, Event, Verdict};
use crate::model::time::Timestamp;
use crate::store::audit::tests::Shell;

/// The hash of a release without content.
fn hash() -> String {
    format!("{:x}", Sha256::digest("0\n0\n0\n"))
}

fn published(sha256: &str) -> Entry {
    let event = Event::Change {
        outbox: 1,
        actor: "operator:root".to_owned(),
        action: "release_published".to_owned(),
        object: "release:3".to_owned(),
        before: serde_json::Value::Null,
        after: serde_json::json!({ "release": 3, "sha256": sha256, "note": "" }),
        at: Timestamp::from_seconds(1_795_480_000),
    };
    Entry::Event(Box::new(event))
}

fn started(sha256: Option<String>) -> Entry {
    let (release, log_key) = (ReleaseNumber(3), String::new());
    Entry::Event(Box::new(Event::Started {
        version: "1",
        release,
        release_sha256: sha256,
        log_key,
    }))
}

/// A log of these, and one decision under release 3.
async fn log(entries: Vec<Entry>) -> (std::sync::Arc<tempfile::TempDir>, String) {
    let running = Running::start().await;
    for entry in entries {
        let _ = running.audit.noted(entry).await.unwrap();
    }
    drop(running.audit.decided(sample::decision(Verdict::Deny)).await.unwrap());
    let url = running.url.clone();
    (running.stop().await, url)
}

/// A database of rules that has release 3, with that hash beside it.
async fn rules(directory: &Path) -> std::path::PathBuf {
    let file = directory.join("rules.db");
    let mut shell = Shell::open(&format!("sqlite://{}?mode=rwc", file.display())).await;
    let made = format!(
        "CREATE TABLE release (number INTEGER, rule_book TEXT, cedar TEXT, schema_json TEXT, sha256 TEXT);
        INSERT INTO release VALUES (3, '', '', '', '{}')",
        hash()
    );
    shell.run(made.leak()).await.unwrap();
    file
}

async fn beside_rules((directory, url): (&Path, &str)) -> Report {
    let report = intact(url, trust(7)).await;
    let compared = releases::compare(Outcome::Intact(report), &rules(directory).await).await;
    match compared.unwrap() {
        Outcome::Intact(report) => report,
        Outcome::Tampered(finding) => panic!("{finding}"),
    }
}

#[tokio::test]
async fn release_that_is_published_again_as_another_is_found() {
    let (_directory, url) = log(vec![published(&"0".repeat(64)), published(&hash())]).await;
    let found = finding(&url, trust(7)).await;
    assert_eq!((found.first, found.cause), (1, Cause::Republished { release: ReleaseNumber(3) }));
    let (_directory, url) = log(vec![published(&hash()), published(&hash())]).await;
    assert_eq!(intact(&url, trust(7)).await.releases_named, 1);
}

#[tokio::test]
async fn release_whose_publication_is_not_on_record_is_counted_apart() {
    for (entries, counts) in [
        (vec![], (Some(0), 1)),
        (vec![started(None)], (Some(0), 1)),
        (vec![started(Some(hash()))], (Some(1), 0)),
        (vec![published(&hash())], (Some(1), 0)),
    ] {
        let (directory, url) = log(entries).await;
        let report = beside_rules((directory.path(), &url)).await;
        assert_eq!((report.releases, report.releases_by_own_hash), counts, "{report:?}");
    }
}

#[test]
fn releases_that_were_lost_are_named_one_by_one() {
    for (numbers, said) in [
        (vec![4], "release 4 is lost"),
        (vec![4, 9], "releases 4 and 9 are lost"),
        (vec![4, 5, 9], "releases 4, 5 and 9 are lost"),
    ] {
        let accepted = Accepted {
            record: "0v9k3m2q-0".to_owned(),
            at: "2026-11-24T00:26:40.000000Z".to_owned(),
            by: "operator:root".to_owned(),
            reason: "x".to_owned(),
            lost: Vec::new(),
            releases: numbers.into_iter().map(ReleaseNumber).collect(),
            checkpoints: 0,
        };
        assert!(accepted.to_string().starts_with(said), "{accepted}");
    }
}
