//! Decisions that leave the page: as they are made, and as files.

use axum::body::to_bytes;
use http::StatusCode;

use super::scene::{Person, Scene, get, post, scene, subject};
use crate::store::audit::tests::Shell;

/// Somebody without a role who knocks so many times.
async fn knocked(scene: &Scene, times: usize) {
    let uma = scene.person("uma", &[]).await;
    for _ in 0..times {
        scene.send(&uma, get("/console/routes")).await;
    }
}

async fn ids(scene: &Scene) -> Vec<String> {
    let records = scene.requests().await;
    records.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_was_missed_comes_first_oldest_first_and_no_more_than_fits() {
    let scene = scene().await;
    let owner = scene.owner().await;
    knocked(&scene, 1).await;
    let seen = ids(&scene).await.pop().unwrap();
    knocked(&scene, 3).await;
    let live = async |address: &str, seen: &str| {
        let sending = get(&format!("/console/decisions/live{address}")).with("last-event-id", seen);
        scene.send(&owner, sending).await
    };
    let answer = live("?q=effect:deny", &seen).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(
        (answer.header("cache-control"), answer.header("x-accel-buffering")),
        ("no-store", "no")
    );
    let sent: Vec<_> = answer.text.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    let all = ids(&scene).await;
    let behind = all.iter().position(|id| *id == seen).unwrap() + 1;
    assert_eq!(sent, all[behind..behind + 3]);
    assert!(answer.text.contains("<tr id=") && !answer.text.contains("hx-"), "{}", answer.text);
    assert!(!answer.text.contains("event: skipped"), "{}", answer.text);
    knocked(&scene, 12).await;
    let answer = live("?q=effect:deny", &seen).await;
    assert_eq!(answer.text.matches("<tr id=").count(), 10);
    assert!(answer.text.contains("event: skipped"), "{}", answer.text);
    // Without a place to go on from it begins with what comes.
    let answer = scene.send(&owner, get("/console/decisions/live")).await;
    assert_eq!(answer.text.matches("<tr id=").count(), 0);
    let answer = live("?q=reson:x", &seen).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

async fn exported(scene: &Scene, person: &Person, q: &str, format: &str) -> super::scene::Answered {
    let token = person.csrf();
    let fields = [("_csrf", token.as_str()), ("q", q), ("range", "all"), ("format", format)];
    scene.send(person, post("/console/decisions/export", &fields)).await
}

#[tokio::test]
async fn what_is_taken_away_is_what_was_found_and_is_on_record() {
    let scene = scene().await;
    let owner = scene.owner().await;
    knocked(&scene, 5).await;
    let csv = exported(&scene, &owner, "effect:deny", "csv").await;
    assert_eq!(csv.status, StatusCode::OK);
    let name = csv.header("content-disposition");
    assert!(
        name.starts_with("attachment; filename=\"decisions_v") && name.ends_with(".csv\""),
        "{name}"
    );
    assert_eq!(csv.text.lines().count(), 6, "{}", csv.text);
    let jsonl = exported(&scene, &owner, "effect:deny", "jsonl").await;
    let records: Vec<serde_json::Value> =
        jsonl.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let denied = records.iter().filter(|record| record["verdict"] == "deny").count();
    assert_eq!(denied, 5, "{}", jsonl.text);
    for (q, format) in [("reson:x", "csv"), ("", "xlsx")] {
        let wrong = exported(&scene, &owner, q, format).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{q} {format}");
    }
    let mut notes = scene.stopped().await;
    notes.retain(|record| record["kind"] == "log_exported");
    assert_eq!(notes.len(), 2);
    for note in notes {
        assert!(note.to_string().contains(&subject("olive")), "{note}");
        assert!(note.to_string().contains("\"records\":5"), "{note}");
    }
}

#[tokio::test]
async fn an_export_that_breaks_off_is_not_taken_for_complete_and_is_on_record() {
    let scene = scene().await;
    let owner = scene.owner().await;
    knocked(&scene, 3).await;
    let mut shell = Shell::open(&format!("sqlite://{}", scene.reader.file().display())).await;
    let origin = shell.texts("SELECT id FROM origin").await.pop().unwrap();
    shell.run("UPDATE origin SET id = 'iiiiiiii'").await.unwrap();
    let token = owner.csrf();
    let fields = [("_csrf", token.as_str()), ("q", ""), ("range", "all"), ("format", "csv")];
    let answer = scene.open(&owner, post("/console/decisions/export", &fields)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    to_bytes(answer.into_body(), usize::MAX).await.unwrap_err();
    shell.rename_origin(&origin).await;
    let records = scene.stopped().await;
    let note = records.iter().find(|record| record["kind"] == "log_exported").unwrap();
    assert_eq!(note["detail"]["cut_off"], true, "{note}");
}

#[tokio::test]
async fn a_live_list_ends_with_the_session_and_says_so() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let answer = scene.open(&owner, get("/console/decisions/live")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    scene.clock.advance(std::time::Duration::from_hours(13));
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(text.contains("event: signin") && !text.contains("<tr"), "{text}");
}

#[tokio::test]
async fn an_empty_list_waits_for_what_comes() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let page = scene.send(&owner, get("/console/decisions?q=path:/nothing")).await;
    assert!(page.text.contains("No decision matches"), "{}", page.text);
    assert!(
        page.text.contains("hx-sse:connect=") && page.text.contains("tail-state"),
        "{}",
        page.text
    );
}
