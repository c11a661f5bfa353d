//! What was typed while somebody else worked on the same: answered in place, and never lost.

use http::StatusCode;

use super::adding::{fields, with};
use super::drafting::{form, remove, waiting};
use super::scene::{Answered, Person, Scene, get, post, scene};
use crate::model::difference::revision;
use crate::model::rule_book::RuleBook;
use crate::store::{Author, Edit};

const POLICY: &str = "/console/policies/no-guests-in-admin";
const TEXT: &str = "forbid (principal, action, resource in Route::\"intranet/admin\");";

/// Changes the draft as somebody else.
pub(super) async fn meanwhile(scene: &Scene, by: &str, change: impl FnOnce(&mut RuleBook)) {
    let draft = scene.store.draft().await.unwrap();
    let mut to = draft.clone();
    change(&mut to);
    let author = Author { by: by.to_owned(), at: scene.clock.now() };
    scene.store.save_draft(Edit { from: &draft, to: &to }, &author).await.unwrap();
}

/// Presses *Check* where there is script.
async fn check(scene: &Scene, person: &Person, (target, id): (&str, Option<&str>)) -> Answered {
    let csrf = person.csrf();
    let typed =
        [("_csrf", csrf.as_str()), ("revision", "stale"), ("text", TEXT), ("order", "check")];
    let typed = with(&typed, "id", id);
    scene.send(person, post(target, &typed).htmx()).await
}

#[tokio::test]
async fn check_answers_with_its_part_of_the_page_whatever_is_wrong() {
    let scene = scene().await;
    let owner = scene.owner().await;
    for (place, status, said) in [
        (
            ("/console/new-policy", Some("No Such")),
            StatusCode::UNPROCESSABLE_ENTITY,
            "Choose an id",
        ),
        (
            ("/console/new-policy", Some("no-guests-in-admin")),
            StatusCode::CONFLICT,
            "There is a policy of this id already",
        ),
        ((POLICY, None), StatusCode::CONFLICT, "Somebody else changed this policy"),
        (("/console/policies/never-there", None), StatusCode::CONFLICT, "was removed meanwhile"),
        (("/console/new-policy", Some("closed")), StatusCode::OK, "Nothing is saved yet"),
    ] {
        let answer = check(&scene, &owner, place).await;
        assert_eq!(answer.status, status, "{place:?}: {}", answer.text);
        assert!(
            answer.text.trim_start().starts_with("<section id=\"problems\""),
            "{}",
            answer.text
        );
        assert!(answer.text.contains(said), "{said}: {}", answer.text);
        assert!(answer.header("hx-trigger").contains(said), "{said}");
    }
    assert_eq!(waiting(&scene).await, 0);
}

#[tokio::test]
async fn what_was_typed_into_a_policy_that_somebody_removed_can_be_saved_anew() {
    let scene = scene().await;
    let (owner, pat) = (scene.owner().await, scene.person("pat", &["editor"]).await);
    let policy = scene.store.draft().await.unwrap().policies.remove(0);
    let mark = revision(&policy);
    let gone = form(&scene, &pat, (&format!("{POLICY}/remove"), &[("revision", &mark)])).await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER, "{}", gone.text);
    let typed = [("revision", mark.as_str()), ("text", TEXT), ("order", "save")];
    let answer = form(&scene, &owner, (POLICY, &typed)).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    for text in ["was removed meanwhile by pat", "intranet/admin", "action=\"/console/new-policy\""]
    {
        assert!(answer.text.contains(text), "{text}: {}", answer.text);
    }
    let typed = [("revision", ""), ("id", "no-guests-in-admin"), ("text", TEXT), ("order", "save")];
    let anew = form(&scene, &owner, ("/console/new-policy", &typed)).await;
    assert_eq!(anew.status, StatusCode::SEE_OTHER, "{}", anew.text);
}

#[tokio::test]
async fn what_was_typed_into_a_grant_that_somebody_removed_can_be_added_anew() {
    let scene = scene().await;
    let (owner, pat) = (scene.owner().await, scene.person("pat", &["editor"]).await);
    remove(&scene, &pat).await;
    let csrf = owner.csrf();
    let typed = with(&fields(&csrf), "revision", Some("as it was"));
    let typed = with(&typed, "reason", Some("Kept as typed"));
    let target = "/console/routes/intranet/finance/grants/finance-write";
    let answer = scene.send(&owner, post(target, &typed)).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    for text in ["was removed meanwhile by pat", "Kept as typed", "Add a grant"] {
        assert!(answer.text.contains(text), "{text}: {}", answer.text);
    }
    let late = form(&scene, &owner, (&format!("{target}/end"), &[("revision", "x")])).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.text.contains("was removed meanwhile by pat"), "{}", late.text);
}

#[tokio::test]
async fn what_was_typed_of_a_route_or_an_app_that_somebody_removed_is_not_lost() {
    let scene = scene().await;
    let (owner, pat) = (scene.owner().await, scene.person("pat", &["editor"]).await);
    let by = super::scene::subject("pat");
    drop(pat);
    meanwhile(&scene, &by, |book| {
        book.routes.retain(|route| route.id.name() != "finance");
        book.grants.retain(|grant| grant.route.name() != "finance");
        book.assertions.clear();
    })
    .await;
    let route = [
        ("revision", "as it was"),
        ("pattern", "/finance/{*rest}"),
        ("title", "Kept as typed"),
        ("owner", ""),
        ("labels", ""),
        ("websockets", "refused"),
        ("letter_case", "kept"),
        ("encoded_slashes", "refused"),
        ("listing", "listed"),
        ("disclosure", "brief"),
    ];
    let settings = "/console/routes/intranet/finance/settings";
    let answer = form(&scene, &owner, (settings, &route)).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    for text in ["was removed meanwhile by pat", "Kept as typed", "name=\"name\"", "new-route"] {
        assert!(answer.text.contains(text), "{text}: {}", answer.text);
    }
    let csrf = owner.csrf();
    let grants = "/console/routes/intranet/finance/grants";
    let late = scene.send(&owner, post(grants, &fields(&csrf)).htmx()).await;
    assert_eq!((late.status, late.header("hx-retarget")), (StatusCode::CONFLICT, "#notices"));
    meanwhile(&scene, &by, |book| *book = RuleBook::default()).await;
    let gone = form(&scene, &owner, (settings, &route)).await;
    assert_eq!(gone.status, StatusCode::CONFLICT);
    assert!(gone.text.contains("The app intranet was removed meanwhile by pat"), "{}", gone.text);
    let app = [
        ("revision", "as it was"),
        ("name", "Kept as typed"),
        ("origins", "https://wiki.contoso.com"),
        ("upstream", ""),
        ("cors_origins", ""),
    ];
    let answer = form(&scene, &owner, ("/console/apps/intranet", &app)).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    for text in ["was removed meanwhile by pat", "Kept as typed", "value=\"intranet\"", "new-app"] {
        assert!(answer.text.contains(text), "{text}: {}", answer.text);
    }
}

#[tokio::test]
async fn undo_takes_back_what_was_seen_and_nothing_that_came_later() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let ticket = |text: &'static str| {
        move |book: &mut RuleBook| {
            let mut grants = book.grants.iter_mut();
            text.clone_into(&mut grants.find(|g| g.id.as_str() == "finance-write").unwrap().ticket);
        }
    };
    meanwhile(&scene, "operator:ann", ticket("OPS-1")).await;
    let seen = scene.send(&owner, get("/console/draft")).await.text;
    let (_, rest) = seen.split_once("name=\"revision\" value=\"").expect(&seen);
    let mark = rest.split_once('"').unwrap().0.to_owned();
    meanwhile(&scene, "operator:ben", ticket("OPS-2")).await;
    let undo = async |mark: &str| {
        let fields = [("kind", "grant"), ("id", "finance-write"), ("revision", mark)];
        form(&scene, &owner, ("/console/draft/undo", &fields)).await
    };
    let late = undo(&mark).await;
    assert_eq!((late.status, waiting(&scene).await), (StatusCode::CONFLICT, 1));
    assert!(late.text.contains("Nothing was undone"), "{}", late.text);
    let (_, rest) = late.text.split_once("name=\"revision\" value=\"").expect(&late.text);
    let done = undo(rest.split_once('"').unwrap().0).await;
    assert_eq!((done.status, waiting(&scene).await), (StatusCode::SEE_OTHER, 0));
}
