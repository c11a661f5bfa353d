//! Releases: listed, compared, brought back; and whom a draft would affect.

use http::StatusCode;

use super::adding::content;
use super::drafting::{form, publish, remove, waiting};
use super::scene::{get, post, scene};
use crate::model::id::ReleaseNumber;

#[tokio::test]
async fn releases_are_listed_with_what_each_changed_and_any_two_are_compared() {
    let scene = scene().await;
    let owner = scene.owner().await;
    remove(&scene, &owner).await;
    let hash = content(&scene, &owner).await;
    publish(&scene, &owner, [&hash, "1", "No bookings"]).await;
    let list = scene.send(&owner, get("/console/releases")).await;
    for text in ["Release 2", "In force", "No bookings", "0 added, 0 changed, 1 removed", ">olive<"]
    {
        assert!(list.text.contains(text), "{text}: {}", list.text);
    }
    let older = scene.send(&owner, get("/console/releases?before=2")).await;
    assert!(!older.text.contains("No bookings") && older.text.contains("Release 1"));
    let chosen = scene.send(&owner, get("/console/compare?from=1&to=2")).await;
    assert_eq!(chosen.header("location"), "/console/releases/1...2");
    let page = scene.send(&owner, get("/console/releases/1...2")).await;
    for text in ["1 change from release 1 to release 2.", "finance-write", "removed: "] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    let same = scene.send(&owner, get("/console/releases/2...2")).await;
    assert!(same.text.contains("They are the same."));
    for target in ["1...9", "2", "1..2", "-1...2", "+1...2", "1...2...3"] {
        let answer = scene.send(&owner, get(&format!("/console/releases/{target}"))).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{target}");
    }
}

#[tokio::test]
async fn an_old_release_comes_back_as_a_draft_beside_what_others_edit() {
    let scene = scene().await;
    let owner = scene.owner().await;
    remove(&scene, &owner).await;
    let hash = content(&scene, &owner).await;
    publish(&scene, &owner, [&hash, "1", "No bookings"]).await;
    let csrf = owner.csrf();
    let fields = super::adding::fields(&csrf);
    scene.send(&owner, post("/console/routes/intranet/reports/grants", &fields)).await;
    let target = "/console/releases/1/restore";
    for fields in [&[][..], &[("others", "keep"), ("content", "as it was")]] {
        let asking = form(&scene, &owner, (target, fields)).await;
        assert_eq!((asking.status, waiting(&scene).await), (StatusCode::CONFLICT, 1));
    }
    let asking = scene.send(&owner, get(target)).await;
    for text in ["The draft is not empty", "g-finance-read-3", "Bring back, discard these"] {
        assert!(asking.text.contains(text), "{text}: {}", asking.text);
    }
    let fields = [("others", "keep"), ("content", &*content(&scene, &owner).await)];
    let answer = form(&scene, &owner, (target, &fields)).await;
    assert_eq!(answer.header("location"), "/console/draft?restored=1", "{}", answer.text);
    let page = scene.send(&owner, get(answer.header("location"))).await;
    assert!(page.text.contains("Release 1 was brought back into the draft."), "{}", page.text);
    assert_eq!(waiting(&scene).await, 2, "what comes back, and what was drafted");
    assert_eq!(
        scene.store.live_number().await.unwrap(),
        ReleaseNumber(2),
        "nothing is in force yet"
    );
    let unknown = form(&scene, &owner, ("/console/releases/9/restore", &[])).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_old_release_comes_back_in_the_place_of_what_waited() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let alone = form(&scene, &owner, ("/console/releases/1/restore", &[])).await;
    assert_eq!((alone.status, waiting(&scene).await), (StatusCode::SEE_OTHER, 0));
    let list = scene.send(&owner, get("/console/releases")).await;
    assert!(!list.text.contains("data-ask>"), "nothing waits, so nothing is asked");
    remove(&scene, &owner).await;
    let fields = [("others", "discard"), ("content", &*content(&scene, &owner).await)];
    let answer = form(&scene, &owner, ("/console/releases/1/restore", &fields)).await;
    assert_eq!((answer.status, waiting(&scene).await), (StatusCode::SEE_OTHER, 0));
}

#[tokio::test]
async fn a_publication_says_that_it_is_in_force_and_leads_back() {
    let scene = scene().await;
    let owner = scene.owner().await;
    remove(&scene, &owner).await;
    let hash = content(&scene, &owner).await;
    let done = publish(&scene, &owner, [&hash, "1", "No bookings"]).await;
    assert_eq!(done.header("location"), "/console/draft?published=2");
    let page = scene.send(&owner, get("/console/draft?published=2")).await;
    for text in ["Release 2 is in force.", "/console/releases/1...2", "Bring back release 1"] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    let untrue = scene.send(&owner, get("/console/draft?published=3")).await;
    assert!(!untrue.text.contains("is in force.</strong>"), "{}", untrue.text);
    let viewer = scene.person("viewer", &["viewer"]).await;
    let page = scene.send(&viewer, get("/console/draft?published=2")).await;
    assert!(page.text.contains("Release 2 is in force.") && !page.text.contains("Bring back"));
}

#[tokio::test]
async fn impact_names_people_to_those_only_who_read_the_log() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let nothing = scene.send(&owner, get("/console/draft/impact")).await;
    assert!(nothing.text.contains("The draft changes nothing"), "{}", nothing.text);
    remove(&scene, &owner).await;
    let found = scene.send(&owner, get("/console/draft/impact?by=person&window=24h")).await;
    assert!(found.text.contains("Of 0 decisions, none would change."), "{}", found.text);
    assert!(found.text.contains("about Cedargate&#39;s own pages"), "{}", found.text);
    let eddie = scene.person("eddie", &["editor"]).await;
    let people = scene.send(&eddie, get("/console/draft/impact?by=person")).await;
    assert_eq!(people.status, StatusCode::BAD_REQUEST);
    let routes = scene.send(&eddie, get("/console/draft/impact?extent=whole")).await;
    assert_eq!(routes.status, StatusCode::OK);
    assert!(!routes.text.contains("by=person"));
    for query in ["window=2h", "extent=half", "by=group", "page=2"] {
        let answer = scene.send(&owner, get(&format!("/console/draft/impact?{query}"))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
}
