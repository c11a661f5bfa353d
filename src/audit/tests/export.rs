//! What is taken away: exactly what was asked for, and, as JSON Lines, checked by itself.

use std::path::Path;
use std::time::Duration;

pub(super) use super::super::export::Format;
use super::super::export::{Manifest, export};
use super::super::verify::copy::Outcome;
use super::super::verify::{Cause, Trust, export as check};
use super::{Running, event, sample};
use crate::keys::LogKey;
use crate::model::query::{Known, Query};
use crate::model::record::{Refusal, RefusalRecord, Verdict};
use crate::model::time::Timestamp;
use crate::store::audit::LogCopy;

struct Present;

impl Known for Present {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_795_490_000)
    }

    fn group_names(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// Sixty records in six minutes: allows, denies, events, and in each minute one hostile path.
async fn log() -> Running {
    let running = Running::start().await;
    for _minute in 0..6 {
        for verdict in [Verdict::Allow, Verdict::Deny, Verdict::Allow, Verdict::Allow] {
            drop(running.audit.decided(sample::decision(verdict)).await.unwrap());
            let _ = running.audit.noted(event("x")).await.unwrap();
        }
        let mut refusal = sample::refusal();
        refusal.facts.path = "=cmd|'/c calc'!A0,\"x\"".to_owned();
        let refusal: RefusalRecord = RefusalRecord { refusal: Refusal::TooLong, ..refusal };
        let entry = crate::model::record::Entry::Refusal(Box::new(refusal));
        let _ = running.audit.noted(entry).await.unwrap();
        let _ = running.audit.noted(event("y")).await.unwrap();
        running.clock.advance(Duration::from_mins(1));
    }
    running
}

pub(super) async fn exported(running: &Running, query: &str, format: Format) -> (String, Manifest) {
    exported_from(&running.url, query, format).await
}

pub(super) async fn exported_from(url: &str, query: &str, format: Format) -> (String, Manifest) {
    let path = Path::new(url.trim_start_matches("sqlite://"));
    let mut copy = LogCopy::open(path).await.unwrap();
    let (query, mut out): (Query, _) = (query.parse().unwrap(), Vec::new());
    let made = export(&mut copy, (&query, &Present), (format, &mut out), |_| {}).await.unwrap();
    (String::from_utf8(out).unwrap(), made)
}

fn checked(text: &str) -> Outcome {
    let keys = vec![LogKey::from_seed(&[7; 32]).public()];
    let trust = Trust { keys, checkpoints: Vec::new() };
    check::check(text.as_bytes(), trust, |_| {}).unwrap()
}

#[tokio::test]
async fn every_export_is_checked_by_itself_and_holds_what_was_asked_for() {
    let running = log().await;
    let table = [
        ("", 60),
        ("effect:deny", 6),
        ("effect:allow", 18),
        ("kind:abandoned", 30),
        ("effect:refused", 6),
        ("user:uma@contoso.example", 24),
        ("user:max", 0),
        ("at:>=2026-11-24T00:28:00Z at:<2026-11-24T00:29:00Z", 10),
        ("at:>=2026-11-24T00:28:00Z effect:deny", 4),
        // From a checkpoint on, and behind the last record.
        ("at:>=2026-11-24T00:27:40Z at:<2026-11-24T00:27:40Z", 0),
        ("at:>=2030-01-01T00:00:00Z", 0),
    ];
    for (query, records) in table {
        let (text, manifest) = exported(&running, query, Format::Jsonl).await;
        assert_eq!(manifest.records, records, "{query}");
        let lines = text.lines().filter(|line| line.starts_with("{\"v\":")).count();
        assert_eq!(lines as u64, records, "{query}");
        match checked(&text) {
            Outcome::Intact(report) => assert_eq!(report.read(), records, "{query}"),
            Outcome::Tampered(finding) => panic!("{query}: {finding}\n{text}"),
        }
        let asked_for_people = text.contains("\"Uma\"") || text.contains("\\\"Uma\\\"");
        assert_eq!(asked_for_people, query.is_empty() || text.contains("\"decision\""), "{query}");
    }
}

#[tokio::test]
async fn every_changed_byte_of_an_export_is_found_or_refused() {
    let running = log().await;
    let (text, _) = exported(&running, "effect:deny", Format::Jsonl).await;
    let bytes = text.as_bytes();
    // Each is read whole: a few thousand of them are enough to meet every kind of byte.
    for at in (0..bytes.len()).step_by(3) {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1 << (at % 7);
        let keys = vec![LogKey::from_seed(&[7; 32]).public()];
        let trust = Trust { keys, checkpoints: Vec::new() };
        let outcome = check::check(&changed[..], trust, |_| {});
        // A hint of the header that another key signs it is overruled by the key that is given.
        let harmless = matches!(outcome, Ok(Outcome::Intact(_)));
        assert!(
            !harmless || only_spelling(bytes, &changed),
            "byte {at}: {:?}",
            char::from(bytes[at])
        );
    }
}

/// White space of a note after its signatures, and nothing else, can differ without saying something else.
fn only_spelling(one: &[u8], other: &[u8]) -> bool {
    let at = one.iter().zip(other).position(|(one, other)| one != other).unwrap();
    let line_starts = one[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let line = &one[line_starts..];
    line.starts_with(b"{\"checkpoint\"") && line[at - line_starts..].starts_with(b"n\"}\n")
}

#[tokio::test]
async fn export_without_a_record_or_with_one_twice_is_found() {
    let running = log().await;
    let (text, _) = exported(&running, "effect:deny", Format::Jsonl).await;
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in
        lines.iter().enumerate().filter(|(_, line)| !line.contains("\"principal\":\""))
    {
        let without: Vec<&str> =
            lines.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, l)| *l).collect();
        let twice: Vec<&str> = lines
            .iter()
            .enumerate()
            .flat_map(|(i, l)| vec![*l; if i == at { 2 } else { 1 }])
            .collect();
        for changed in [without, twice] {
            let keys = vec![LogKey::from_seed(&[7; 32]).public()];
            let trust = Trust { keys, checkpoints: Vec::new() };
            let text = changed.join("\n") + "\n";
            let outcome = check::check(text.as_bytes(), trust, |_| {});
            let intact = matches!(outcome, Ok(Outcome::Intact(_)));
            assert!(!intact || line.contains("\"checkpoint\""), "line {at}: {line}");
        }
    }
}

#[tokio::test]
async fn export_signed_by_somebody_else_or_cut_off_is_not_taken() {
    let running = log().await;
    let (text, _) = exported(&running, "", Format::Jsonl).await;
    let keys = vec![LogKey::from_seed(&[8; 32]).public()];
    let outcome = check::check(text.as_bytes(), Trust { keys, checkpoints: Vec::new() }, |_| {});
    assert!(
        matches!(outcome.unwrap(), Outcome::Tampered(f) if matches!(f.cause, Cause::OtherKey { .. }))
    );
    let keys = vec![LogKey::from_seed(&[7; 32]).public()];
    let cut = check::check(
        &text.as_bytes()[..text.len() - 9],
        Trust { keys, checkpoints: Vec::new() },
        |_| {},
    );
    assert!(cut.unwrap_err().to_string().contains("the export was cut off"));
}

#[tokio::test]
async fn csv_has_a_row_for_each_record_and_no_formula() {
    let running = log().await;
    let (text, manifest) = exported(&running, "effect:refused,deny", Format::Csv).await;
    assert_eq!((manifest.records, text.matches("\r\n").count()), (12, 13));
    let mut lines = text.split("\r\n");
    let header = lines.next().unwrap();
    assert!(header.starts_with("\"time\",\"id\",\"kind\",\"effect\",\"user_id\""), "{header}");
    let refused = text.split("\r\n").find(|line| line.contains("refusal")).unwrap();
    assert!(refused.contains(r#","'=cmd|'/c calc'!A0,""x""","#), "{refused}");
    assert!(refused.ends_with(",\"1\""), "{refused}");
    let denied = text.split("\r\n").find(|line| line.contains("decision")).unwrap();
    assert!(
        denied.contains("\"deny\"") && denied.contains("\"Uma\"") && denied.ends_with(",\"0\""),
        "{denied}"
    );
}
