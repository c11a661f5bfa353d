//! Recorded decisions, decided again beside the gate that made them.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use cedargate::model::route::LetterCase;
use cedargate::model::rule_book::RuleBook;

use crate::harness::{World, command_on};

#[track_caller]
fn says(output: &Output, code: i32, lines: &[&str]) -> String {
    let out = String::from_utf8(output.stdout.clone()).unwrap();
    let err = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    for line in lines {
        assert!(out.contains(line) || err.contains(line), "no `{line}` in:\n{out}{err}");
    }
    out
}

/// A gate that several persons visited: let in, kept out, not known, with letters that don't matter, in the console.
async fn visited() -> World {
    let folded = |book: &mut RuleBook| {
        let finance = book.routes.iter_mut().find(|route| route.id.name() == "finance");
        finance.unwrap().letter_case = LetterCase::Folded;
    };
    let world = World::start_with(folded).await;
    for person in ["uma", "nora", "rob", "gia", "olive"] {
        let mut browser = world.browser_of(person).await;
        for path in ["/", "/finance/summary", "/Finance/Summary", "/admin/users", "/nowhere"] {
            browser.open(&world.app(path)).await;
        }
        browser.fetch("POST", &world.app("/finance/bookings")).await;
        for page in ["/", "/console/routes", "/console/decisions"] {
            browser.open(&world.gate(page)).await;
        }
    }
    let mut nobody = world.browser();
    for path in ["/", "/finance/summary", "/nowhere"] {
        nobody.step(&world.app(path)).await;
    }
    nobody.step(&world.gate("/console/routes")).await;
    world.nightly_job().await.open(&world.app("/api/accounts")).await;
    world
}

fn without_finance(book: &mut RuleBook) {
    book.assertions.clear();
    book.grants.retain(|grant| grant.id.as_str() != "finance-read");
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_fall_the_same_and_a_release_that_takes_something_away_says_from_whom() {
    let world = visited().await;
    let decided =
        world.decisions().await.iter().filter(|record| record["kind"] == "decision").count();
    let same = world.command(&["audit", "replay", "--json"]);
    let same: serde_json::Value = serde_json::from_str(&says(&same, 0, &[])).unwrap();
    let report = &same["report"];
    let (apps, pages) = (&report["decided"], &report["pages"]);
    assert_eq!(same["result"], "same");
    assert_eq!(apps.as_u64().unwrap() + pages.as_u64().unwrap(), decided as u64, "{same}");
    assert!(pages.as_u64().unwrap() > 15, "{same}");
    let next = world.release(without_finance).await.to_string();
    let mut uma = world.browser_of("uma").await;
    let refused = async { while uma.open(&world.app("/finance/summary")).await.status != 403 {} };
    tokio::time::timeout(Duration::from_secs(10), refused).await.expect("the release is seen");
    says(&world.command(&["audit", "replay"]), 0, &["(2)", "0 differ"]);
    let lost = world.command(&["audit", "replay", "--release", &next]);
    let lost = says(&lost, 1, &["loses  GET intranet/finance  Uma", " decisions, e.g. "]);
    assert!(!lost.contains("gains"), "{lost}");
    says(
        &world.command(&["audit", "replay", "--release", "1"]),
        1,
        &["gains  GET intranet/finance  Uma", "1 decision, e.g. "],
    );
    says(&world.command(&["audit", "replay", "--release", "7"]), 2, &["there is no release 7"]);
    says(&world.command(&["audit", "replay", "--sample", "5"]), 0, &["0 differ"]);
    let none = ["audit", "replay", "--from", "2099-01-01T00:00:00Z"];
    says(&world.command(&none), 0, &["0 decisions on apps"]);
    let used = world.events("log_used").await;
    assert_eq!(used[0]["detail"]["result"], "same", "{used:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn draft_is_put_to_what_people_asked_for_before_it_is_in_force() {
    let world = visited().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = elsewhere.path().join("rules");
    let rules = folder.to_str().unwrap();
    says(&world.command(&["rules", "export", rules]), 0, &[]);
    let replay = ["audit", "replay", "--draft", rules];
    says(&world.command(&replay), 0, &["nobody gains or loses", "were left out"]);
    take_finance_away(&folder);
    let lost = "loses  GET intranet/finance  Uma";
    says(&world.command(&replay), 1, &[lost]);
    says(&world.command(&["rules", "import", rules]), 0, &[]);
    says(&world.command(&["audit", "replay", "--draft-in-work"]), 1, &[lost]);
    let live = ["audit", "replay", "--draft-in-work", "--compare-with", "live"];
    says(&world.command(&live), 1, &[lost, "compared with the live release"]);
    let review = world.command(&["rules", "review"]);
    says(&review, 0, &[lost, "requests of the last 7 days (a sample of 10000 at most)"]);
    std::fs::write(folder.join("grants.toml"), "[[grant]]\n").unwrap();
    says(&world.command(&replay), 2, &["grants.toml"]);
}

fn take_finance_away(folder: &Path) {
    let grants = folder.join("grants.toml");
    let text = std::fs::read_to_string(&grants).unwrap();
    let kept = text.split("[[grant]]").filter(|grant| !grant.contains("\"finance-read\""));
    std::fs::write(&grants, kept.collect::<Vec<_>>().join("[[grant]]")).unwrap();
    std::fs::remove_file(folder.join("assertions.toml")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_record_differs_and_what_can_not_be_put_again_is_never_the_same() {
    let world = World::start().await;
    world.browser_of("uma").await.open(&world.app("/finance/summary")).await;
    let id = world.decisions().await[0]["id"].as_str().unwrap().to_owned();
    let gate = world.places.gate();
    let data = world.stop().await;
    let run = |arguments: &[&str]| command_on(data.path(), &gate, arguments);
    says(&run(&["audit", "replay"]), 0, &["0 differ"]);
    let script = "DROP TRIGGER record_is_never_changed;
        UPDATE record SET body = CAST(replace(CAST(body AS TEXT), '\"verdict\":\"allow\"', '\"verdict\":\"deny\"') AS BLOB)
        WHERE principal IS NOT NULL AND instr(body, '\"route\":\"intranet/finance\"') > 0;";
    alter(data.path(), "audit.db", script).await;
    let differs = format!("differs  {id}  GET intranet/finance  Uma");
    let verdict = "verdict: recorded \"deny\", now \"allow\"";
    says(&run(&["audit", "replay"]), 1, &[&differs, verdict]);
    let script =
        "UPDATE record SET body = CAST(REPLACE(CAST(body AS TEXT), 'deny', 'dony') AS BLOB)
        WHERE principal IS NOT NULL AND instr(body, '\"route\":\"intranet/finance\"') > 0;";
    alter(data.path(), "audit.db", script).await;
    says(&run(&["audit", "replay"]), 2, &[&format!("the record {id} can't be read")]);
    let script = "UPDATE record SET principal = NULL, remains = '{\"at\":\"\",\"kind\":\"decision\"}', body = NULL
        WHERE principal IS NOT NULL AND instr(body, '\"route\":\"intranet/finance\"') > 0;";
    alter(data.path(), "audit.db", script).await;
    says(&run(&["audit", "replay"]), 0, &["1 were erased"]);
    alter(
        data.path(),
        "audit.db",
        "DROP TRIGGER principal_is_never_deleted; DELETE FROM principal_snapshot;",
    )
    .await;
    says(&run(&["audit", "replay"]), 2, &["is not in the log any more"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn release_that_can_not_be_used_leaves_its_decisions_untold() {
    let world = World::start().await;
    world.browser_of("uma").await.open(&world.app("/finance/summary")).await;
    let gate = world.places.gate();
    let data = world.stop().await;
    alter(data.path(), "cedargate.db", "UPDATE release SET sha256 = 'x';").await;
    let told = command_on(data.path(), &gate, &["audit", "replay"]);
    says(&told, 2, &["can't tell: release 2 can't be read", "content does not match"]);
}

async fn alter(data: &Path, file: &str, script: &'static str) {
    use sqlx::Connection as _;
    let url = format!("sqlite://{}", data.join(file).display());
    let mut file = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(script).execute(&mut file).await.unwrap();
    file.close().await.unwrap();
}
