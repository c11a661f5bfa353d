//! What the review of a draft tells: every change of a grant, broken assertions in words, and no more of people than is due.

use http::StatusCode;

use super::dashboard::{READ, did};
use super::drafting::{form, remove};
use super::meanwhile::meanwhile;
use super::scene::{Scene, get, scene, subject};
use crate::model::assertion::Assertion;
use crate::model::grant::{Grant, Mfa};
use crate::model::rule_book::RuleBook;

/// Changes one grant of the draft at the command line.
async fn changed(scene: &Scene, id: &str, change: impl FnOnce(&mut Grant)) {
    let change = |book: &mut RuleBook| {
        change(book.grants.iter_mut().find(|grant| grant.id.as_str() == id).unwrap());
    };
    meanwhile(scene, "operator:demo", change).await;
}

#[tokio::test]
async fn new_reason_and_ticket_of_a_grant_stand_beside_the_old_ones() {
    let scene = scene().await;
    let owner = scene.owner().await;
    changed(&scene, "finance-write", |grant| {
        "Because I say so".clone_into(&mut grant.reason);
        "OPS-9".clone_into(&mut grant.ticket);
    })
    .await;
    let page = scene.send(&owner, get("/console/draft")).await;
    for text in ["reason: <del>", "Because I say so", "ticket: <del>", "OPS-9", "Finance may"] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    assert!(page.text.contains("demo, at the command line"), "{}", page.text);
}

#[tokio::test]
async fn a_broken_assertion_is_told_in_words_and_its_impact_can_be_seen() {
    let scene = scene().await;
    let owner = scene.owner().await;
    changed(&scene, "finance-read", |grant| grant.when.mfa = Mfa::Required).await;
    let page = scene.send(&owner, get("/console/draft")).await;
    for text in [
        "/console/assertions#assertion-finance-reads",
        "Finance can read intranet /finance",
        "They don&#39;t always get in (GET), because of",
        "grant finance-read</bdi>",
        "/console/draft/impact",
    ] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    assert!(!page.text.contains("Publish release 2"));
    let list = scene.send(&owner, get("/console/assertions")).await;
    assert!(list.text.contains("id=\"assertion-finance-reads\""), "{}", list.text);
    assert!(page.text.contains("href=\"/console/assertions\""), "the menu leads there");
}

#[tokio::test]
async fn assertions_are_counted_and_none_is_left_out_in_silence() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let one = |book: &mut RuleBook| {
        book.assertions.retain(|assertion| assertion.id.as_str() == "finance-reads");
    };
    meanwhile(&scene, "operator:demo", one).await;
    let page = scene.send(&owner, get("/console/draft")).await.text;
    assert!(page.contains("1 of 1 assertion holds."), "{page}");
    let many = |book: &mut RuleBook| {
        let first = book.assertions[0].clone();
        let others = (1..25).map(|number| Assertion {
            id: format!("finance-reads-{number}").parse().unwrap(),
            ..first.clone()
        });
        book.assertions.extend(others);
    };
    meanwhile(&scene, "operator:demo", many).await;
    changed(&scene, "finance-read", |grant| grant.when.mfa = Mfa::Required).await;
    let page = scene.send(&owner, get("/console/draft")).await.text;
    assert!(page.contains("0 of 25 assertions hold."), "{page}");
    assert!(page.contains("<li>And 5 more.</li>"), "{page}");
}

#[tokio::test]
async fn a_note_is_not_lost_with_the_draft_that_it_was_for() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let typed = [("content", "-"), ("based_on", "1"), ("note", "Typed with care")];
    let late = form(&scene, &owner, ("/console/draft/publish", &typed)).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.text);
    assert!(late.text.contains("No changes in the draft"), "{}", late.text);
    assert!(late.text.contains("The note that you typed: <bdi>Typed with care<"), "{}", late.text);
}

#[tokio::test]
async fn account_ids_of_colleagues_are_shown_to_those_who_may_read_people() {
    let scene = scene().await;
    let owner = scene.owner().await;
    remove(&scene, &owner).await;
    let olive = subject("olive");
    let page = scene.send(&owner, get("/console/draft")).await;
    assert!(page.text.contains(&olive), "{}", page.text);
    for role in ["viewer", "editor", "publisher"] {
        let person = scene.person(role, &[role]).await;
        let page = scene.send(&person, get("/console/draft")).await;
        assert!(page.text.contains(">olive</bdi>") && !page.text.contains(&olive), "{role}");
    }
}

#[tokio::test]
async fn what_a_few_people_did_is_counted_for_those_only_who_read_the_log() {
    let scene = scene().await;
    for _ in 0..3 {
        did(&scene, &READ).await;
    }
    meanwhile(&scene, "operator:demo", |book| {
        book.grants.retain(|grant| grant.id.as_str() != "finance-read");
        book.assertions.clear();
    })
    .await;
    let seen = async |role: &str| {
        let person = scene.person(role, &[role]).await;
        for _ in 0..200 {
            let page = scene.send(&person, get("/console/draft/impact?window=24h")).await.text;
            if !page.contains("Deciding again") {
                return page;
            }
        }
        panic!("it takes too long");
    };
    let owner = seen("owner").await;
    assert!(owner.contains("3 would change: 3 would be refused (1 person)"), "{owner}");
    let editor = seen("editor").await;
    assert!(editor.contains("some would be refused (fewer than 5 people)"), "{editor}");
    assert!(editor.contains("not shown") && !editor.contains("1 person"), "{editor}");
}
