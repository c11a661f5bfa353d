//! The callback under attack: states, codes, cookies and texts that somebody else chose.

use super::*;
use crate::session::Token;

/// A browser that stands before the callback, and the callback's address.
async fn before_callback(scene: &Scene) -> (Browser, String) {
    let mut browser = Browser::default();
    let begin = browser.go(scene, &format!("{APP}/_gate/login?return=/x")).await;
    let authorize = browser.go(scene, begin.location()).await;
    let callback = browser.choose(scene, authorize.location(), "uma").await;
    (browser, callback)
}

async fn refused(scene: &Scene, browser: &mut Browser, callback: &str) {
    let reply = browser.go(scene, callback).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{callback}");
    assert_eq!(reply.header("referrer-policy"), "no-referrer");
    assert_eq!(browser.cookie("localhost", "gate_session"), None, "{callback}");
}

#[tokio::test]
async fn a27_states_that_are_not_this_browsers_open_nothing() {
    let scene = scene().await;
    let (mut browser, callback) = before_callback(&scene).await;
    let base = format!("{GATE}/_gate/callback");
    for query in
        ["", "?code=x", "?code=x&state=", "?code=x&state=unknown", "?error=access_denied", "?state"]
    {
        refused(&scene, &mut browser, &format!("{base}{query}")).await;
    }
    // Another browser's state burns the sign-in: it can't be used by its own browser either.
    let mut victim = before_callback(&scene).await.0;
    refused(&scene, &mut victim, &callback).await;
    refused(&scene, &mut browser, &callback).await;
    assert_eq!(scene.recorded().await, vec!["stale"; 8]);
}

#[tokio::test]
async fn a27_a_browser_without_its_cookie_is_not_let_in() {
    let scene = scene().await;
    let (mut browser, callback) = before_callback(&scene).await;
    let login = browser.jar.remove("localhost").unwrap();
    refused(&scene, &mut browser, &callback).await;
    browser.jar.insert("localhost".to_owned(), login);
    refused(&scene, &mut browser, &callback).await;
}

#[tokio::test]
async fn a27_a_state_of_ten_minutes_is_over() {
    let scene = scene().await;
    let (mut browser, callback) = before_callback(&scene).await;
    scene.clock.advance(Duration::from_mins(10));
    refused(&scene, &mut browser, &callback).await;
}

#[tokio::test]
async fn a28_parameters_that_come_twice_are_refused() {
    let scene = scene().await;
    let (mut browser, callback) = before_callback(&scene).await;
    for extra in ["&code=B", "&state=B", "&error=a&error=b"] {
        refused(&scene, &mut browser, &format!("{callback}{extra}")).await;
    }
    // Nothing was looked up, so the honest answer still works.
    assert!(browser.go(&scene, &callback).await.location().starts_with(APP));
}

#[tokio::test]
async fn a29_a_callback_works_once_and_leads_home_afterwards() {
    let scene = scene().await;
    let (mut browser, callback) = before_callback(&scene).await;
    browser.go(&scene, &callback).await;
    let before = browser.cookie("localhost", "gate_session");
    let again = browser.go(&scene, &callback).await;
    assert_eq!(again.location(), format!("{GATE}/"));
    assert_eq!(browser.cookie("localhost", "gate_session"), before);
    let mut stranger = Browser::default();
    refused(&scene, &mut stranger, &callback).await;
}

#[tokio::test]
async fn a29_a_code_of_another_sign_in_is_refused() {
    let scene = scene().await;
    let (mut browser, callback) = before_callback(&scene).await;
    let (_, stolen) = before_callback(&scene).await;
    let code = |url: &str| {
        let url = Url::parse(url).unwrap();
        url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
    };
    let pasted = callback.replace(&code(&callback), &code(&stolen));
    refused(&scene, &mut browser, &pasted).await;
    refused(&scene, &mut browser, &callback).await;
}

#[tokio::test]
async fn a39_the_providers_text_is_never_shown() {
    let scene = scene().await;
    let mut browser = Browser::default();
    let begin = browser.go(&scene, &format!("{GATE}/_gate/begin")).await;
    let url = Url::parse(begin.location()).unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let hostile = encoded("<script>alert(1)</script> call +1 555 0100");
    let callback = format!(
        "{GATE}/_gate/callback?state={state}&error={hostile}&error_description={hostile}&error_uri={hostile}"
    );
    let reply = browser.go(&scene, &callback).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    for text in ["<script>", "alert(", "555", state.as_str()] {
        assert!(!reply.body.contains(text), "{text}");
    }
    let lines = scene.reader.recent(10, None).await.unwrap();
    assert!(lines.iter().all(|line| !line.body.contains("alert(")));
}

#[tokio::test]
async fn a42_a_presented_token_is_never_adopted() {
    let scene = scene().await;
    let mut browser = Browser::default();
    let planted = Token::generate().unwrap();
    browser.put("localhost", "gate_session", planted.expose());
    browser.put("app.localhost", "gate_session", planted.expose());
    browser.sign_in(&scene, "/").await;
    let mut attacker = Browser::default();
    attacker.put("app.localhost", "gate_session", planted.expose());
    assert_eq!(attacker.whoami(&scene).await["signed_in"], false);
    let former = browser.cookie("app.localhost", "gate_session").unwrap();
    let begin = browser.go(&scene, &format!("{GATE}/_gate/begin?account=other")).await;
    let callback = browser.choose(&scene, begin.location(), "uma").await;
    browser.go(&scene, &callback).await;
    attacker.put("app.localhost", "gate_session", &former);
    assert_eq!(attacker.whoami(&scene).await["signed_in"], false, "the former session has ended");
}

#[tokio::test]
async fn a43_doubled_cookies_count_as_none() {
    let scene = scene().await;
    let (mut browser, callback) = before_callback(&scene).await;
    let login = browser.cookie("localhost", "gate_login").unwrap();
    let doubled = [("cookie", format!("gate_login={login}; gate_login={login}"))];
    let doubled: Vec<_> = doubled.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut bare = Browser::default();
    let reply = bare.send(&scene, (Method::GET, &callback), ("", &doubled)).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    browser.sign_in(&scene, "/").await;
    let session = browser.cookie("app.localhost", "gate_session").unwrap();
    for cookies in [
        format!("gate_session={session}; gate_session={session}"),
        format!("GATE_SESSION={session}"),
        format!("__Host-gate_session={session}"),
        format!("gate_session=\"{session}\""),
        format!("gate_session={session}="),
    ] {
        let headers = [("cookie", cookies.as_str())];
        let whoami = format!("{APP}/_gate/whoami");
        let reply = bare.send(&scene, (Method::GET, &whoami), ("", &headers)).await;
        assert!(reply.body.contains("\"signed_in\":false"), "{cookies}");
    }
}

#[tokio::test]
async fn a49_a_thousand_navigations_of_one_browser_keep_twenty_rows() {
    let scene = scene().await;
    let mut browser = Browser::default();
    for _ in 0..1_000 {
        browser.go(&scene, &format!("{GATE}/_gate/begin?return=/console/")).await;
    }
    assert_eq!(scene.sign_ins_kept().await, 20);
}

#[tokio::test]
async fn a49_a_thousand_navigations_without_cookies_are_turned_away() {
    let scene = scene_with(Limit { per_second: 1, burst: 30 }).await;
    let mut turned_away = 0;
    for _ in 0..1_000 {
        let reply = Browser::default().go(&scene, &format!("{GATE}/_gate/begin")).await;
        turned_away += usize::from(reply.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(turned_away >= 960, "{turned_away}");
    assert!(scene.sign_ins_kept().await <= 40);
    assert_eq!(scene.recorded().await, Vec::<String>::new());
}
