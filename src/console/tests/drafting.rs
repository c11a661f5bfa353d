//! The life of a change: edited, reviewed, approved, published, discarded, and never as somebody else's.

use http::StatusCode;

use super::adding::{content, fields, with};
use super::scene::{Answered, Person, Scene, get, post, scene, scene_with};
use crate::model::difference::revision;
use crate::model::grant::Grant;
use crate::model::id::ReleaseNumber;
use crate::publishing::SecondPerson;

const GRANT: &str = "/console/routes/intranet/finance/grants/finance-write";

async fn grant(scene: &Scene) -> Grant {
    let draft = scene.store.draft().await.unwrap();
    draft.grants.into_iter().find(|grant| grant.id.as_str() == "finance-write").unwrap()
}

/// Sends a form with only these fields.
pub(super) async fn form(
    scene: &Scene,
    person: &Person,
    (target, fields): (&str, &[(&str, &str)]),
) -> Answered {
    let csrf = person.csrf();
    let all: Vec<_> =
        [("_csrf", csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
    scene.send(person, post(target, &all)).await
}

pub(super) async fn waiting(scene: &Scene) -> usize {
    scene.store.pending().await.unwrap().pending.len()
}

pub(super) async fn remove(scene: &Scene, person: &Person) {
    let revision = revision(&grant(scene).await);
    let target = format!("{GRANT}/remove");
    let answer = form(scene, person, (&target, &[("revision", &revision)])).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
}

#[tokio::test]
async fn grant_is_edited_as_a_form_and_what_the_form_does_not_show_stays() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let page = scene.send(&owner, get("/console/routes/intranet/finance?edit=finance-write")).await;
    let before = grant(&scene).await;
    let mark = revision(&before);
    assert!(page.text.contains(&format!("name=\"revision\" value=\"{mark}\"")), "{}", page.text);
    assert!(page.text.contains("Change <code>finance-write</code>"));
    let csrf = owner.csrf();
    let typed = with(&fields(&csrf), "revision", Some(&mark));
    let typed = with(&typed, "ticket", Some("OPS-1"));
    let answer = scene.send(&owner, post(GRANT, &typed)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let after = grant(&scene).await;
    assert_eq!((after.ticket.as_str(), &after.route), ("OPS-1", &before.route));
    let page = scene.send(&owner, get("/console/routes/intranet/finance")).await;
    assert!(page.text.contains("Changed in the draft") && page.text.contains("In force: "));
    // The same form again was made from what is not there any more, and keeps what was typed.
    let late = with(&typed, "reason", Some("Kept as typed"));
    let answer = scene.send(&owner, post(GRANT, &late)).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text.contains("Kept as typed") && answer.text.contains("Somebody else changed"));
    assert_eq!(grant(&scene).await, after);
}

#[tokio::test]
async fn grant_is_ended_and_removed_in_the_draft_only_as_it_was_seen() {
    let scene = scene().await;
    let owner = scene.owner().await;
    for target in [format!("{GRANT}/end"), format!("{GRANT}/remove")] {
        let answer = form(&scene, &owner, (&target, &[("revision", "stale")])).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{target}");
    }
    assert_eq!(waiting(&scene).await, 0);
    let mark = revision(&grant(&scene).await);
    form(&scene, &owner, (&format!("{GRANT}/end"), &[("revision", &mark)])).await;
    assert!(grant(&scene).await.when.until.unwrap().0 <= scene.clock.now());
    remove(&scene, &owner).await;
    let page = scene.send(&owner, get("/console/routes/intranet/finance")).await;
    assert!(page.text.contains("Removed in the draft"), "{}", page.text);
    let other = form(
        &scene,
        &owner,
        ("/console/routes/intranet/reports/grants/me/remove", &[("revision", "x")]),
    )
    .await;
    assert_eq!(other.status, StatusCode::NOT_FOUND, "a grant of another route");
}

#[tokio::test]
async fn review_names_each_change_and_undoes_one() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let empty = scene.send(&owner, get("/console/draft")).await;
    assert!(empty.text.contains("No changes in the draft"));
    remove(&scene, &owner).await;
    let page = scene.send(&owner, get("/console/draft")).await;
    for text in [
        "finance-write",
        "Removed",
        ">olive</bdi>",
        "It compiles and validates.",
        "Publish release 2",
    ] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    let answer = form(
        &scene,
        &owner,
        ("/console/draft/undo", &[("kind", "grant"), ("id", "finance-write"), ("revision", "")]),
    )
    .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(waiting(&scene).await, 0);
}

#[tokio::test]
async fn draft_is_discarded_only_as_it_was_seen_and_on_record() {
    let scene = scene().await;
    let owner = scene.owner().await;
    remove(&scene, &owner).await;
    let page = scene.send(&owner, get("/console/draft/discard")).await;
    assert!(page.text.contains("This would be lost") && page.text.contains("finance-write"));
    let late = form(&scene, &owner, ("/console/draft/discard", &[("content", "other")])).await;
    assert_eq!((late.status, waiting(&scene).await), (StatusCode::CONFLICT, 1));
    let content = content(&scene, &owner).await;
    let done = form(&scene, &owner, ("/console/draft/discard", &[("content", &content)])).await;
    assert_eq!((done.status, waiting(&scene).await), (StatusCode::SEE_OTHER, 0));
    let records = scene.stopped().await;
    assert!(records.iter().any(|record| record["action"] == "draft_discarded"));
}

pub(super) async fn publish(scene: &Scene, person: &Person, fields: [&str; 3]) -> Answered {
    let [content, based_on, note] = fields;
    let fields = [("content", content), ("based_on", based_on), ("note", note)];
    form(scene, person, ("/console/draft/publish", &fields)).await
}

#[tokio::test]
async fn only_what_was_reviewed_on_what_is_live_is_published_and_the_note_is_kept() {
    let scene = scene().await;
    let owner = scene.owner().await;
    remove(&scene, &owner).await;
    let content = content(&scene, &owner).await;
    let silent = publish(&scene, &owner, [&content, "1", " "]).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
    let moved = publish(&scene, &owner, ["0123", "1", "Kept as typed"]).await;
    assert_eq!(moved.status, StatusCode::CONFLICT);
    assert!(moved.text.contains("value=\"Kept as typed\""), "{}", moved.text);
    let stale = publish(&scene, &owner, [&content, "0", "note"]).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    assert_eq!(scene.store.live_number().await.unwrap(), ReleaseNumber(1));
    let done = publish(&scene, &owner, [&content, "1", "note"]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    assert_eq!(scene.doorkeeper.live.current().number(), ReleaseNumber(2));
}

#[tokio::test]
async fn where_a_second_person_is_required_nobody_publishes_what_nobody_else_approved() {
    let scene = scene_with(SecondPerson::Required).await;
    let (eddie, pat) =
        (scene.person("eddie", &["editor"]).await, scene.person("pat", &["publisher"]).await);
    remove(&scene, &eddie).await;
    let page = scene.send(&pat, get("/console/draft")).await;
    assert!(page.text.contains("Publishing takes two") && !page.text.contains("Publish release"));
    let content = content(&scene, &pat).await;
    for approving in [false, true] {
        if approving {
            form(&scene, &pat, ("/console/draft/approve", &[("content", &content)])).await;
        }
        let alone = publish(&scene, &pat, [&content, "1", "note"]).await;
        assert_eq!(alone.status, StatusCode::CONFLICT, "{}", alone.text);
    }
    let late = form(&scene, &eddie, ("/console/draft/approve", &[("content", "other")])).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    form(&scene, &eddie, ("/console/draft/approve", &[("content", &content)])).await;
    let page = scene.send(&pat, get("/console/draft")).await;
    assert!(page.text.contains("Publish release 2"), "{}", page.text);
    let done = publish(&scene, &pat, [&content, "1", "note"]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
}

#[tokio::test]
async fn nobody_sees_what_they_may_not_do() {
    let scene = scene().await;
    let owner = scene.owner().await;
    remove(&scene, &owner).await;
    let viewer = scene.person("viewer", &["viewer"]).await;
    for target in ["/console/draft", "/console/routes/intranet/finance"] {
        let page = scene.send(&viewer, get(target)).await;
        for control in
            ["/draft/undo", "/draft/publish", "/draft/discard", "/draft/impact", "/remove"]
        {
            assert!(!page.text.contains(control), "{target} {control}");
        }
    }
}
