//! The one-time code between two hosts: whoever else shows it, it opens nothing and is gone.

use super::*;

async fn refused(scene: &Scene, browser: &mut Browser, handoff: &str) {
    let reply = browser.go(scene, handoff).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.body);
    assert!(reply.body.contains("Try again"));
    assert!(reply.headers.get("set-cookie").is_none());
}

#[tokio::test]
async fn a_code_of_another_browser_is_burned() {
    let scene = scene().await;
    let mut attacker = Browser::default();
    let handoff = attacker.reach_handoff(&scene, "/x").await;
    let mut victim = Browser::default();
    victim.go(&scene, &format!("{APP}/_gate/login")).await;
    refused(&scene, &mut victim, &handoff).await;
    refused(&scene, &mut attacker, &handoff).await;
}

#[tokio::test]
async fn a_code_without_the_cookie_is_burned() {
    let scene = scene().await;
    let mut browser = Browser::default();
    let handoff = browser.reach_handoff(&scene, "/x").await;
    refused(&scene, &mut Browser::default(), &handoff).await;
    refused(&scene, &mut browser, &handoff).await;
}

#[tokio::test]
async fn a_code_on_another_host_is_burned() {
    let scene = scene().await;
    let mut browser = Browser::default();
    let handoff = browser.reach_handoff(&scene, "/x").await;
    let login = browser.cookie("app.localhost", "gate_login").unwrap();
    browser.put("other.localhost", "gate_login", &login);
    refused(&scene, &mut browser, &handoff.replace(APP, OTHER)).await;
    refused(&scene, &mut browser, &handoff).await;
}

#[tokio::test]
async fn a_code_of_thirty_seconds_is_over() {
    let scene = scene().await;
    let mut browser = Browser::default();
    let handoff = browser.reach_handoff(&scene, "/x").await;
    scene.clock.advance(Duration::from_secs(30));
    refused(&scene, &mut browser, &handoff).await;
}

#[tokio::test]
async fn a_code_works_once_and_leads_to_the_front_page_afterwards() {
    let scene = scene().await;
    let mut browser = Browser::default();
    let handoff = browser.reach_handoff(&scene, "/x").await;
    assert_eq!(browser.go(&scene, &handoff).await.location(), format!("{APP}/x"));
    let child = browser.cookie("app.localhost", "gate_session");
    assert_eq!(browser.go(&scene, &handoff).await.location(), format!("{APP}/"));
    assert_eq!(browser.cookie("app.localhost", "gate_session"), child);
    browser.jar.get_mut("app.localhost").unwrap().remove("gate_session");
    refused(&scene, &mut browser, &handoff).await;
}

#[tokio::test]
async fn codes_that_are_missing_doubled_or_invented_are_refused() {
    let scene = scene().await;
    let mut browser = Browser::default();
    for query in ["", "?code=", "?code=a", "?code=a&code=b"] {
        refused(&scene, &mut browser, &format!("{APP}/_gate/handoff{query}")).await;
    }
}

#[tokio::test]
async fn a_handover_begins_once_and_an_unknown_one_never() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    let begin = browser.go(&scene, &format!("{APP}/_gate/login?return=/x")).await;
    let begin = begin.location().to_owned();
    browser.go(&scene, &begin).await.location();
    for url in [
        begin.clone(),
        format!("{GATE}/_gate/begin?handover=invented"),
        format!("{begin}&handover=b"),
    ] {
        let reply = browser.go(&scene, &url).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn the_address_never_tells_where_a_sign_in_leads() {
    let scene = scene().await;
    let mut browser = Browser::default();
    let begin = browser.go(&scene, &format!("{APP}/_gate/login?return=/secret-place")).await;
    let authorize = browser.go(&scene, begin.location()).await;
    for url in [begin.location(), authorize.location()] {
        assert!(!url.contains("secret-place"), "{url}");
    }
}
