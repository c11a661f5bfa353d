//! What is taken away from a log with a known loss: that it is one is in it.

use super::super::verify::copy::Outcome;
use super::super::verify::{Report, Trust, export as check};
use super::acceptance::{accepted, anchored, known, lost, one_more, order, shortened};
use super::export::{Format, exported_from};
use super::tampering::trust;

fn intact(text: &str, trust: Trust) -> Report {
    match check::check(text.as_bytes(), trust, |_| {}).unwrap() {
        Outcome::Intact(report) => report,
        Outcome::Tampered(finding) => panic!("{finding}\n{text}"),
    }
}

#[tokio::test]
async fn export_holds_what_was_accepted_whatever_was_asked_for() {
    let (directory, url, told) = shortened().await;
    let ward = anchored(directory.path(), &told);
    accepted(&url, &ward, order("The disk failed")).await.unwrap();
    one_more(&url, &ward).await;
    let table = [
        // What is asked for, how many records that are, and how many notes speak of what is not in it.
        ("", 32, 0),
        ("effect:deny", 24, 0),
        ("kind:abandoned", 7, 0),
        ("at:<2026-11-24T00:27:00Z", 12, 2),
        ("at:>=2026-11-24T00:27:00Z at:<2026-11-24T00:28:00Z", 10, 2),
        ("at:>=2030-01-01T00:00:00Z", 0, 2),
    ];
    for (query, records, elsewhere) in table {
        let (text, manifest) = exported_from(&url, query, Format::Jsonl).await;
        assert_eq!(manifest.records, records, "{query}");
        let report = intact(&text, known(&ward));
        assert_eq!(report.uncompared.len(), elsewhere, "{query}: {report:?}");
        if records > 20 {
            assert_eq!(lost(&report).len(), 1, "{query}: {report:?}");
        }
    }
}

#[tokio::test]
async fn checkpoint_over_more_than_an_export_holds_is_no_proof_that_anything_is_gone() {
    let (directory, url, _) = shortened().await;
    let ward = super::ward(directory.path());
    accepted(&url, &ward, order("x")).await.unwrap();
    let (text, _) = exported_from(&url, "", Format::Jsonl).await;
    one_more(&url, &ward).await;
    let report = intact(&text, known(&ward));
    assert_eq!(report.uncompared.len(), 1, "{report:?}");
    assert_eq!(intact(&text, trust(7)).read(), 31);
}
