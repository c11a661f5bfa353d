//! Who is shown what at `/`, and that it is on record.

use http::StatusCode;

use crate::groups::Groups;
use crate::portal::Portal;
use crate::rule_files;
use crate::web::tests::markup::{Text, assert_same_shape, fitting, hostile, innocent, write};
use crate::web::tests::scene::{self, Person, Scene, get};

/// The portal over the demo's rules, every name in them changed by `text`.
async fn scene(text: Text) -> Scene {
    let mut book = rule_files::demo().unwrap();
    book.apps[0].name = fitting(&text(&book.apps[0].name));
    book.group_names.values_mut().for_each(|name| *name = fitting(&text(name)));
    let mut scene = scene::scene(book).await;
    let portal = Portal {
        doorkeeper: scene.doorkeeper.clone(),
        rules: scene::console_rules(),
        store: scene.store.clone(),
        groups: Groups::default(),
        contact: Some(text("it-help@contoso.example")),
    };
    scene.router = portal.router();
    scene
}

#[tokio::test]
async fn portal_shows_only_what_this_person_may_open() {
    let scene = scene(innocent).await;
    let uma = scene.person("uma", &[]).await;
    let page = scene.send(&uma, get("/")).await;
    assert_eq!(page.status, StatusCode::OK);
    for text in ["Contoso intranet", "Finance", "multi-factor", "/_gate/logout"] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    assert!(!page.text.contains("IT-Admins") && !page.text.contains("/console/"), "{}", page.text);
    let owner = scene.send(&scene.owner().await, get("/")).await;
    assert!(owner.text.contains("/console/routes"));
    let nobody = scene.send(&Person::nobody(), get("/")).await;
    assert_eq!(nobody.header("location"), "https://gate.contoso.com/_gate/begin?return=/");
    let records = scene.requests().await;
    let said: Vec<_> =
        records.iter().map(|r| (r["action"].as_str(), r["verdict"].as_str())).collect();
    let portal = Some("portal");
    assert_eq!(said, [(portal, Some("allow")), (portal, Some("allow")), (portal, Some("deny"))]);
}

#[tokio::test]
async fn hostile_names_do_not_change_the_markup_a59() {
    let page = async |text: Text| {
        let scene = scene(text).await;
        let uma = scene.known_as(["uma", &text("Uma")], &["Reports.Read"]).await;
        scene.send(&uma, get("/")).await.text
    };
    let (plain, attacked) = (page(innocent).await, page(hostile).await);
    assert!(attacked.contains("onerror"));
    assert_same_shape("portal", &plain, &attacked);
    write("real_portal", &plain);
}

#[tokio::test]
async fn portal_answers_on_its_own_origin_only_and_never_without_a_record_a61() {
    let mut scene = scene(innocent).await;
    let uma = scene.person("uma", &[]).await;
    let mut elsewhere = get("/");
    elsewhere.origin = "http://app.localhost:8080".parse().unwrap();
    assert_eq!(scene.send(&uma, elsewhere).await.status, StatusCode::NOT_FOUND);
    scene.stop_log().await;
    assert_eq!(scene.send(&uma, get("/")).await.status, StatusCode::SERVICE_UNAVAILABLE);
}
