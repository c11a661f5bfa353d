//! Signing out at Entra, with the frames of its sign-out page in a real browser, and what open pages see of it.

use cedargate::model::grant::Who;

use crate::harness::{Chromium, Echo, World, exchange, navigation, with_app};

fn sign_out_at_entra(world: &World) -> String {
    let tenant = cedargate::sim::people::TENANT;
    format!("{}/{tenant}/oauth2/v2.0/logout", world.places.simulator())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_entra_without_cookies_ends_the_session_on_every_host() {
    let echo = Echo::start().await;
    let world = World::start_with(|book| with_app(book, ("second", echo.port), Who::SignedIn));
    let world = world.await;
    let mut uma = world.browser_of("uma").await;
    let second = "http://second.localhost/";
    assert_eq!(uma.open(second).await.status, 200);
    let store = world.store().await;
    let subject = format!("{}.{}", cedargate::sim::people::TENANT, cedargate::sim::people::UMA);
    let session = store.sessions_of(&subject.parse().unwrap()).await.unwrap().remove(0);
    let sid = session.entra_session.expect("Entra named its session");
    let url = world.gate(&format!("/_gate/frontchannel-logout?sid={sid}"));
    let frame = navigation("GET", &url)
        .header("sec-fetch-dest", "iframe")
        .header("sec-fetch-site", "cross-site");
    let heard = exchange(frame).await;
    assert_eq!((heard.status, heard.header("x-frame-options").as_str()), (200, ""));
    let policy = heard.header("content-security-policy");
    assert!(policy.ends_with(&format!("frame-ancestors {}", world.places.simulator())), "{policy}");
    for url in [world.app("/me"), second.to_owned()] {
        assert_eq!(uma.fetch("GET", &url).await.status, 401, "{url}");
    }
    let event = &world.events("session_ended").await[0];
    assert_eq!((&event["why"], &event["actor"]), (&"signed_out_at_entra".into(), &"gate".into()));
    assert_eq!(
        (&event["subject"], &event["session"]),
        (&subject.into(), &session.id.as_str().into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_at_entra_in_a_real_browser_signs_the_open_page_out() {
    let test = "signing_out_at_entra_in_a_real_browser";
    let Some(browser) = Chromium::start(test).await else { return };
    let world = World::start().await;
    let me = world.app("/me");
    browser.sign_in("uma", &me, &me).await;
    browser.open(&world.app("/")).await;
    let (call, called) = ("//button[@data-call='GET /api/hello']", "//output[@id='call-result']");
    browser.press(call).await;
    browser.shows(called, "GET /api/hello: 200").await;

    let first = browser.page.window().await.unwrap();
    let second = browser.page.new_window(true).await.unwrap();
    browser.page.switch_to_window(second.handle).await.unwrap();
    browser.open(&sign_out_at_entra(&world)).await;
    browser.press("//form//button").await;
    let event = world.event_to_come("session_ended").await;
    assert_eq!(event["why"], "signed_out_at_entra");

    browser.page.switch_to_window(first).await.unwrap();
    browser.press(call).await;
    browser.shows(called, "GET /api/hello: 401").await;
    browser.close().await;
}
