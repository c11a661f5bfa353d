//! Policies and assertions: listed, checked, saved to the draft, never lost.

use http::StatusCode;

use super::drafting::{form, waiting};
use super::scene::{Answered, Person, Scene, get, scene, subject};
use crate::model::assertion::{Assertion, Claim};
use crate::model::difference::revision;
use crate::model::grant::Who;
use crate::model::policy::Policy;

const POLICY: &str = "/console/policies/no-guests-in-admin";
const SOUND: &str = "forbid (principal, action, resource in Route::\"intranet/admin\");";

async fn policy(scene: &Scene) -> Policy {
    scene.store.draft().await.unwrap().policies.into_iter().next().unwrap()
}

async fn send(scene: &Scene, person: &Person, [order, text]: [&str; 2]) -> Answered {
    let mark = revision(&policy(scene).await);
    form(scene, person, (POLICY, &[("revision", &mark), ("text", text), ("order", order)])).await
}

#[tokio::test]
async fn list_shows_grants_and_written_policies_with_what_is_wrong_first() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let page = scene.send(&owner, get("/console/policies")).await;
    for text in ["no-guests-in-admin", "finance-read", "written", "grant", "Forbid"] {
        assert!(page.text.contains(text), "{text}");
    }
    let draft = scene.store.draft().await.unwrap();
    let mut wrong = draft.clone();
    wrong.policies[0].text =
        "permit (principal, action, resource) when { context.nonsense };".to_owned();
    let author = crate::store::Author { by: "x".to_owned(), at: scene.clock.now() };
    scene.store.save_draft(crate::store::Edit { from: &draft, to: &wrong }, &author).await.unwrap();
    let page = scene.send(&owner, get("/console/policies")).await;
    let (problem, grant) =
        (page.text.find("nonsense").unwrap(), page.text.find("finance-read").unwrap());
    assert!(problem < grant, "what is wrong stands first");
}

#[tokio::test]
async fn check_saves_nothing_and_save_saves_what_is_sound() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let checked = send(&scene, &owner, ["check", SOUND]).await;
    assert_eq!((checked.status, waiting(&scene).await), (StatusCode::OK, 0));
    assert!(checked.text.contains("Nothing is saved yet"), "{}", checked.text);
    let laid_out = send(&scene, &owner, ["format", SOUND]).await;
    assert!(laid_out.text.contains("forbid (\n  principal,"), "{}", laid_out.text);
    let saved = send(&scene, &owner, ["save", SOUND]).await;
    assert_eq!((saved.status, waiting(&scene).await), (StatusCode::SEE_OTHER, 1), "{}", saved.text);
    assert_eq!(policy(&scene).await.text, SOUND);
}

#[tokio::test]
async fn what_is_wrong_is_placed_and_what_was_typed_stays() {
    let scene = scene().await;
    let owner = scene.owner().await;
    for order in ["check", "save"] {
        let typed = "permit (principal, action, resource)\nwhen { context.mffa };";
        let answer = send(&scene, &owner, [order, typed]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            answer.text.contains("context.mffa") && answer.text.contains(">2:"),
            "{}",
            answer.text
        );
    }
    let fields = [("revision", "stale"), ("text", "kept as typed"), ("order", "save")];
    let late = form(&scene, &owner, (POLICY, &fields)).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    for text in ["kept as typed", "Both versions", "In the draft now", "no-guests-in-admin"] {
        assert!(late.text.contains(text), "{text}: {}", late.text);
    }
    let theirs = late.text.split("In the draft now").nth(1).unwrap();
    assert!(theirs.contains("principal.guest"), "{}", late.text);
    assert_eq!(waiting(&scene).await, 0);
}

#[tokio::test]
async fn policy_is_added_under_a_free_id_and_removed_as_it_was_seen() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let add = async |id: &str| {
        let fields = [("revision", ""), ("id", id), ("text", SOUND), ("order", "save")];
        form(&scene, &owner, ("/console/new-policy", &fields)).await
    };
    for (id, status) in [
        ("No Such", StatusCode::UNPROCESSABLE_ENTITY),
        ("no-guests-in-admin", StatusCode::CONFLICT),
        ("closed", StatusCode::SEE_OTHER),
    ] {
        let answer = add(id).await;
        assert_eq!(answer.status, status, "{id}: {}", answer.text);
    }
    let page = scene.send(&owner, get("/console/policies/closed")).await;
    assert_eq!(page.status, StatusCode::OK);
    let late = form(&scene, &owner, (&format!("{POLICY}/remove"), &[("revision", "x")])).await;
    assert_eq!((late.status, waiting(&scene).await), (StatusCode::CONFLICT, 1));
    let mark = revision(&policy(&scene).await);
    let target = format!("/console/policies/{}/remove", policy(&scene).await.id);
    let gone = form(&scene, &owner, (&target, &[("revision", &mark)])).await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER, "{}", gone.text);
}

#[tokio::test]
async fn assertions_are_tried_added_and_removed() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let page = scene.send(&owner, get("/console/assertions")).await;
    assert!(page.text.contains("finance-reads") && page.text.contains("Holds"), "{}", page.text);
    let add = async |claim: &str, place: &str| {
        let fields = [
            ("id", "mine"),
            ("claim", claim),
            ("who_kind", "everyone"),
            ("who", ""),
            ("what", "read"),
            ("place", place),
            ("reason", "Kept as typed"),
        ];
        form(&scene, &owner, ("/console/assertions", &fields)).await
    };
    for (claim, place) in
        [("can", "intranet"), ("maybe", "intranet /"), ("nobody_but", "intranet /")]
    {
        let answer = add(claim, place).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{claim} {place}");
        assert!(answer.text.contains("Kept as typed"));
    }
    assert_eq!(add("can", "intranet /finance/q3").await.status, StatusCode::SEE_OTHER);
    let page = scene.send(&owner, get("/console/assertions")).await;
    let (broken, holding) = (page.text.find("Breaks").unwrap(), page.text.find("Holds").unwrap());
    assert!(broken < holding, "what breaks stands first");
    assert_eq!(add("can", "intranet /finance/q3").await.status, StatusCode::CONFLICT);
    let draft = scene.store.draft().await.unwrap();
    let mine = draft.assertions.iter().find(|one| one.id.as_str() == "mine").unwrap();
    let target = "/console/assertions/mine/remove";
    let late = form(&scene, &owner, (target, &[("revision", "x")])).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    let mark = revision(mine);
    let gone = form(&scene, &owner, (target, &[("revision", &mark)])).await;
    assert_eq!((gone.status, waiting(&scene).await), (StatusCode::SEE_OTHER, 0));
}

#[tokio::test]
async fn an_assertion_about_a_person_takes_their_name_and_no_other_before_their_id() {
    let scene = scene().await;
    let (owner, editor) = (scene.owner().await, scene.person("eddie", &["editor"]).await);
    scene.known_as(["uma", "Ann Lee"], &[]).await;
    let uma = subject("uma");
    let add = async |person: &Person, (id, who): (&str, &str)| {
        let fields = [
            ("id", id),
            ("claim", "cannot"),
            ("who_kind", "person"),
            ("who", who),
            ("what", "read"),
            ("place", "intranet /admin"),
            ("reason", "Kept as typed"),
        ];
        form(&scene, person, ("/console/assertions", &fields)).await
    };
    let refused = add(&owner, ("hers", &format!("Nora <{uma}>"))).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("is Ann Lee, not Nora."), "{}", refused.text);
    let unread = add(&editor, ("hers", "ann lee")).await;
    assert_eq!(unread.status, StatusCode::UNPROCESSABLE_ENTITY, "names are not told by trying");
    for (id, who) in [("hers", "ann lee".to_owned()), ("again", format!("Ann Lee <{uma}>"))] {
        assert_eq!(add(&owner, (id, &who)).await.status, StatusCode::SEE_OTHER, "{who}");
    }
    let of_uma = Who::Person(uma.parse().unwrap());
    let draft = scene.store.draft().await.unwrap();
    let hers =
        |one: &&Assertion| matches!(&one.claim, Claim::Cannot(access) if access.who == of_uma);
    assert_eq!(draft.assertions.iter().filter(hers).count(), 2);
}
