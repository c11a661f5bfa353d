//! The console's changes: who did what, found by a query, with before and after.

use http::StatusCode;

use super::scene::{FINANCE, Scene, get, scene, subject};
use crate::model::record::{Actor, Entry, Event, LogUse, LogUseKind};
use crate::rule_files;
use crate::store::{Author, Edit};

async fn noted(scene: &Scene, event: Event) {
    scene.doorkeeper.audit.noted(Entry::Event(Box::new(event))).await.unwrap();
}

/// The reason of a grant, changed by this person; gives the id of the record.
async fn reworded(scene: &Scene, by: &str) -> String {
    let book = rule_files::demo().unwrap();
    let mut to = book.clone();
    let grant = to.grants.iter_mut().find(|grant| grant.id.as_str() == "finance-read").unwrap();
    grant.reason = "Quarterly figures, OPS-4412".to_owned();
    let author = Author { by: by.to_owned(), at: scene.clock.now() };
    scene.store.save_draft(Edit { from: &book, to: &to }, &author).await.unwrap();
    scene.change("grant_changed").await
}

#[tokio::test]
async fn a_change_says_who_did_what_and_why_with_before_and_after() {
    let scene = scene().await;
    let owner = scene.owner().await;
    scene.person("uma", &[]).await;
    let id = reworded(&scene, &subject("uma")).await;
    let list = scene.send(&owner, get("/console/changes")).await;
    let row = list.text.split(&format!("<tr id=\"e-{id}\"")).nth(1).unwrap();
    let row = row.split("</tr>").next().unwrap();
    for said in ["uma", "Grant changed", "grant:finance-read", "#grant-finance-read", "OPS-4412"] {
        assert!(row.contains(said), "{said}: {row}");
    }
    assert!(!row.contains(&format!("<bdi>{}", subject("uma"))), "{row}");
    let page = scene.send(&owner, get(&format!("/console/changes/{id}"))).await;
    assert_eq!(page.status, StatusCode::OK);
    let before = page.text.split("id=\"before\"").nth(1).unwrap();
    let (before, after) = before.split_once("id=\"after\"").unwrap();
    assert!(before.contains(FINANCE) && !before.contains("OPS-4412"), "{before}");
    assert!(after.contains("OPS-4412"), "{after}");
}

#[tokio::test]
async fn what_was_done_with_the_log_is_said_in_a_sentence_and_kept_as_it_was() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let told = [
        (
            LogUseKind::Read,
            r#"{"report":"refusals","format":"page","from":"2026-11-23","to":"2026-11-29","query":"","records":18}"#,
            "Refusals, 23 to 29 Nov 2026, 18 records",
        ),
        (
            LogUseKind::Exported,
            r#"{"report":"access","format":"csv","app":"","route":"intranet/finance"}"#,
            "Access review intranet/finance, as CSV",
        ),
        (
            LogUseKind::Exported,
            r#"{"format":"jsonl","query":"effect:deny","records":1,"first":"a","last":"a","sha256":"b"}"#,
            "1 record of effect:deny, as JSON Lines",
        ),
        (
            LogUseKind::Exported,
            r#"{"format":"tlog-proof","records":1,"first":"a-7","last":"a-7"}"#,
            "The proof of record a-7",
        ),
        (LogUseKind::Verified, r#"{"result":"intact","read":3}"#, "Intact, 3 records read"),
        (
            LogUseKind::Replayed,
            r#"{"result":"unknown","decided":4,"untold":1,"release":2,"draft":null,"draft_in_work":false}"#,
            "4 decisions under release 2, and for some it can&#39;t be told",
        ),
        (LogUseKind::Read, r#"{"record":"a-9"}"#, "Record a-9"),
        (LogUseKind::Read, r#"{"made_by":"a later program"}"#, ""),
    ];
    for (how, detail, said) in told {
        let used = LogUse {
            actor: Actor::Operator("root".to_owned()),
            how,
            detail: serde_json::from_str(detail).unwrap(),
            used_at: scene.clock.now(),
        };
        let entry = Entry::Event(Box::new(Event::LogUsed(Box::new(used))));
        let id = scene.doorkeeper.audit.noted(entry).await.unwrap().id().to_string();
        let list = scene.send(&owner, get("/console/changes")).await;
        let row = list.text.split(&format!("<tr id=\"e-{id}\"")).nth(1).unwrap();
        let row = row.split("</tr>").next().unwrap();
        assert!(row.contains(&format!("<bdi>{said}</bdi></td>")), "{said}: {row}");
        assert!(!row.contains('{'), "{row}");
        let page = scene.send(&owner, get(&format!("/console/changes/{id}"))).await;
        let (page, stored) = page.text.split_once("The record as it was stored").unwrap();
        assert!(page.contains(said) && !page.contains("{&#34;"), "{page}");
        assert!(stored.contains("detail"), "{stored}");
    }
}

#[tokio::test]
async fn what_the_gate_notes_of_itself_is_listed_when_it_is_asked_for() {
    let scene = scene().await;
    let owner = scene.owner().await;
    noted(&scene, Event::Heartbeat).await;
    let heartbeat = "Nothing else happened for a minute";
    let usual = scene.send(&owner, get("/console/changes")).await;
    assert!(!usual.text.contains(heartbeat), "{}", usual.text);
    let wanted = scene.send(&owner, get("/console/changes?q=kind:heartbeat").htmx()).await;
    assert!(wanted.text.trim_start().starts_with("<div id=\"rows\""), "{}", wanted.text);
    assert!(wanted.text.contains(heartbeat), "{}", wanted.text);
    let requests = scene.send(&owner, get("/console/changes?q=kind:decision")).await;
    assert!(requests.text.contains("Nothing matches"), "{}", requests.text);
}

#[tokio::test]
async fn a_request_is_not_among_the_changes() {
    let scene = scene().await;
    let owner = scene.owner().await;
    scene.send(&owner, get("/console/routes")).await;
    let id = scene.requests().await[0]["id"].as_str().unwrap().to_owned();
    for id in [id.as_str(), "nothing"] {
        let page = scene.send(&owner, get(&format!("/console/changes/{id}"))).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{id}");
    }
}

#[tokio::test]
async fn older_changes_are_on_further_pages() {
    let scene = scene().await;
    let owner = scene.owner().await;
    for by_ms in 0..52 {
        noted(&scene, Event::ClockStep { by_ms }).await;
    }
    let first = scene.send(&owner, get("/console/changes?q=kind:clock_step")).await;
    assert_eq!(first.text.matches("<tr id=\"e-").count(), 40);
    let older = first.text.split("id=\"older\" href=\"").nth(1).unwrap();
    let older = older.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
    let second = scene.send(&owner, get(&older)).await;
    assert_eq!(second.text.matches("<tr id=\"e-").count(), 12);
    assert!(!second.text.contains("id=\"older\""), "{}", second.text);
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_answered_beside_the_box() {
    let scene = scene().await;
    let owner = scene.owner().await;
    for (address, wrong) in [("q=reson:x", "reson"), ("range=2y", "`2y` is not one of the spans")] {
        let target = format!("/console/changes?{address}");
        let page = scene.send(&owner, get(&target)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains(wrong) && page.text.contains("aria-invalid"), "{}", page.text);
        let part = scene.send(&owner, get(&target).htmx()).await;
        assert_eq!(part.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(part.header("hx-retarget"), "#q-err");
        assert!(part.text.contains(wrong) && !part.text.contains('<'), "{}", part.text);
    }
}
