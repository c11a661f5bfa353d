//! Signing out at Entra, as its sign-out page tells us of it: in a frame without cookies.

use super::*;

async fn call(scene: &Scene, query: &str) -> Reply {
    let url = format!("{GATE}/_gate/frontchannel-logout{query}");
    Browser::default().go(scene, &url).await
}

/// `sid` of the only session of Uma, as Entra knows it.
async fn sid(scene: &Scene) -> String {
    let uma: crate::model::id::Subject =
        format!("{TENANT}.{}", crate::sim::people::UMA).parse().unwrap();
    let sessions = scene.login.sessions.list(&uma).await.unwrap();
    sessions[0].entra_session.clone().unwrap()
}

#[tokio::test]
async fn every_session_of_the_sid_ends_on_every_host_without_a_cookie() {
    let scene = scene().await;
    let (mut browser, mut other) = (Browser::default(), Browser::default());
    browser.sign_in(&scene, "/").await;
    let begin = browser.go(&scene, &format!("{OTHER}/_gate/login?return=/")).await;
    let handoff = browser.go(&scene, begin.location()).await.location().to_owned();
    browser.go(&scene, &handoff).await;
    let sid = sid(&scene).await;
    other.sign_in(&scene, "/").await;

    let heard = call(&scene, &format!("?sid={}", sid.to_uppercase())).await;
    assert_eq!((heard.status, heard.body.as_str()), (StatusCode::OK, "Signed out.\n"));
    assert_eq!(heard.header("x-frame-options"), "");
    assert_eq!(heard.header("cache-control"), "no-store");
    let policy = heard.header("content-security-policy");
    assert!(policy.ends_with(&format!("frame-ancestors {}", scene.sim.origin())), "{policy}");
    assert_eq!(heard.headers.get("set-cookie"), None);

    assert_eq!(browser.whoami(&scene).await["signed_in"], false);
    let begin = browser.go(&scene, &format!("{GATE}/_gate/begin")).await;
    assert!(begin.location().starts_with(scene.sim.origin()));
    assert_eq!(other.whoami(&scene).await["signed_in"], true, "another session at Entra goes on");
    assert_eq!(scene.recorded().await, ["signed_in", "signed_in", "session_ended"]);
    let again = call(&scene, &format!("?sid={sid}")).await;
    assert_eq!(
        (again.status, again.body),
        (heard.status, heard.body),
        "an unknown one looks the same"
    );
}

#[tokio::test]
async fn what_entra_never_sends_is_refused_and_ends_nothing() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    let sid = sid(&scene).await;
    for query in [
        String::new(),
        "?sid=".to_owned(),
        "?sid=1".to_owned(),
        format!("?sid={sid}x"),
        format!("?sid={sid}&sid={sid}"),
        format!("?sid={sid}&iss=https%3A%2F%2Fevil.example"),
        format!("?sid={sid}&iss="),
        format!("?sid={sid}&iss=a&iss=b"),
    ] {
        let refused = call(&scene, &query).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(refused.header("x-frame-options"), "DENY", "{query}");
    }
    let url = format!("{GATE}/_gate/frontchannel-logout?sid={sid}");
    let head = browser.send(&scene, (Method::HEAD, &url), ("", &[])).await;
    assert_eq!(head.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(browser.whoami(&scene).await["signed_in"], true);
    let own = encoded(&format!("{}/{TENANT}/v2.0", scene.sim.origin()));
    assert_eq!(call(&scene, &format!("?sid={sid}&iss={own}")).await.status, StatusCode::OK);
    assert_eq!(browser.whoami(&scene).await["signed_in"], false);
}

#[tokio::test]
async fn guessing_is_held_back() {
    let scene = scene_with(Limit { per_second: 1, burst: 3 }).await;
    let guess = "?sid=00000000-0000-4000-8000-000000000000";
    for _ in 0..3 {
        assert_eq!(call(&scene, guess).await.status, StatusCode::OK);
    }
    assert_eq!(call(&scene, guess).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_flood_from_the_same_address_drowns_no_sign_out() {
    let scene = scene_with(Limit { per_second: 1, burst: 3 }).await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    let sid = sid(&scene).await;
    let guess = "?sid=00000000-0000-4000-8000-000000000000";
    while call(&scene, guess).await.status == StatusCode::OK {}
    assert_eq!(call(&scene, &format!("?sid={sid}")).await.status, StatusCode::OK);
    assert_eq!(browser.whoami(&scene).await["signed_in"], false);
}
