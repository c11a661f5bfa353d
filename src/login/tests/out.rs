//! A47: nobody is signed out but by the form of our own page, and then everywhere.

use super::*;

fn csrf_of(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"_csrf\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a47_asking_changes_nothing() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    for origin in [APP, GATE] {
        let page = browser.go(&scene, &format!("{origin}/_gate/logout")).await;
        assert!(page.body.contains("Sign out in this browser?"));
        assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    }
    browser.go(&scene, &format!("{GATE}/_gate/signed-out")).await;
    assert_eq!(browser.whoami(&scene).await["signed_in"], true);
}

#[tokio::test]
async fn a47_a_forged_form_is_refused_and_recorded() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    let url = format!("{APP}/_gate/logout");
    let page = browser.go(&scene, &url).await;
    let good = format!("_csrf={}", csrf_of(&page.body));
    let own = [("origin", APP), ("sec-fetch-site", "same-origin")];
    let evil = [("origin", "https://evil.com"), ("sec-fetch-site", "cross-site")];
    let sibling = [("origin", OTHER), ("sec-fetch-site", "same-site")];
    let none: [(&str, &str); 0] = [];
    let twice = format!("{good}&{good}");
    let long = format!("{good}&x={}", "x".repeat(5_000));
    let tries: [(&str, &[(&str, &str)]); 8] = [
        ("", &own),
        ("_csrf=", &own),
        ("_csrf=guess", &own),
        (&twice, &own),
        (&long, &own),
        (&good, &evil),
        (&good, &sibling),
        (&good, &none),
    ];
    for (form, headers) in tries {
        let reply = browser.send(&scene, (Method::POST, &url), (form, headers)).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{headers:?}");
        assert_eq!(browser.whoami(&scene).await["signed_in"], true);
    }
    let mut recorded = scene.recorded().await;
    assert_eq!(recorded.split_off(1), vec!["forged_form"; 8]);
}

#[tokio::test]
async fn signing_out_ends_the_session_on_every_host() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    let before = browser.clone();
    let url = format!("{APP}/_gate/logout");
    let page = browser.go(&scene, &url).await;
    let form = format!("_csrf={}", csrf_of(&page.body));
    let out = browser.post(&scene, &url, &form).await;
    assert_eq!(out.status, StatusCode::OK);
    assert!(out.body.contains("You are signed out"));
    let provider = format!("{}/", scene.sim.origin());
    assert!(out.body.contains(&provider) && out.body.contains("logout_hint"), "{}", out.body);
    assert_eq!(out.header("clear-site-data"), "\"cache\", \"storage\"");
    assert_eq!(out.header("cache-control"), "no-store");
    assert_eq!(browser.cookie("app.localhost", "gate_session"), None);
    // The old cookies open nothing, neither here nor at the gate.
    let mut thief = before;
    assert_eq!(thief.whoami(&scene).await["signed_in"], false);
    let begin = thief.go(&scene, &format!("{GATE}/_gate/begin")).await;
    assert!(begin.location().starts_with(scene.sim.origin()));
    assert_eq!(scene.recorded().await, ["signed_in", "session_ended"]);
}

#[tokio::test]
async fn signing_out_without_a_session_just_says_so() {
    let scene = scene().await;
    let mut browser = Browser::default();
    for origin in [APP, GATE] {
        let out = browser.post(&scene, &format!("{origin}/_gate/logout"), "").await;
        assert_eq!(out.status, StatusCode::OK);
        assert!(out.body.contains("You are signed out"));
        assert!(!out.body.contains("has ended"), "nothing ended");
        assert_eq!(out.body.contains(&format!("{GATE}/_gate/logout")), origin == APP);
    }
    assert_eq!(scene.recorded().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_app_without_a_session_leads_to_where_all_of_them_are_seen() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    // Signed in, but never at this app.
    let out = browser.go(&scene, &format!("{OTHER}/_gate/logout")).await;
    assert_eq!(out.status, StatusCode::SEE_OTHER);
    assert_eq!(out.location(), format!("{GATE}/_gate/logout"));
    let page = browser.go(&scene, out.location()).await;
    assert!(page.body.contains("Sign out in this browser?"), "{}", page.body);
    let form = format!("_csrf={}", csrf_of(&page.body));
    let out = browser.post(&scene, &format!("{GATE}/_gate/logout"), &form).await;
    assert!(out.body.contains("has ended, for every app"), "{}", out.body);
    assert_eq!(browser.whoami(&scene).await["signed_in"], false);
}

#[tokio::test]
async fn an_entra_that_does_not_answer_keeps_nobody_signed_in() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    // What is known of Entra grows too old before groups are due to be read again.
    scene.clock.advance(Duration::from_mins(48));
    let url = format!("{APP}/_gate/logout");
    let page = browser.go(&scene, &url).await;
    let form = format!("_csrf={}", csrf_of(&page.body));
    scene.clock.advance(Duration::from_mins(14));
    scene.sim.set_condition(crate::sim::Endpoint::Metadata, crate::sim::Condition::Hanging);
    let out = browser.post(&scene, &url, &form).await;
    assert!(out.body.contains("has ended, for every app"), "{}", out.body);
    assert!(out.body.contains("still signed in at Microsoft"), "{}", out.body);
    assert!(!out.body.contains("Sign out at Microsoft</a>"), "{}", out.body);
    assert_eq!(scene.recorded().await, ["signed_in", "session_ended"]);
}

#[tokio::test]
async fn without_a_login_hint_the_id_token_spares_the_question_which_account() {
    let scene = scene().await;
    let mut browser = Browser::default();
    let begin = browser.go(&scene, &format!("{APP}/_gate/login?return=/")).await;
    let authorize = browser.go(&scene, begin.location()).await;
    let callback = browser.choose(&scene, authorize.location(), "uma").await;
    scene.sim.tamper_next_id_token(crate::sim::Tamper::Without("login_hint".to_owned()));
    let handoff = browser.go(&scene, &callback).await;
    browser.go(&scene, handoff.location()).await;
    let url = format!("{APP}/_gate/logout");
    let page = browser.go(&scene, &url).await;
    let out = browser.post(&scene, &url, &format!("_csrf={}", csrf_of(&page.body))).await;
    let (_, hint) = out.body.split_once("id_token_hint=").expect("the token");
    let token = hint.split('"').next().unwrap();
    assert_eq!(token.split('.').count(), 3, "{token}");
    assert!(!out.body.contains("logout_hint"));
}

#[tokio::test]
async fn the_page_after_entras_sign_out_says_what_is_true_whatever_the_address_says() {
    let scene = scene().await;
    let mut browser = Browser::default();
    for query in ["", "?state=", "?state=unknown", "?state=a&state=b", "?error=%3Cscript%3E"] {
        let page = browser.go(&scene, &format!("{GATE}/_gate/signed-out{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert!(page.body.contains("You are signed out"), "{query}");
        assert!(page.body.contains("AADSTS50105") && !page.body.contains("script"), "{query}");
    }
    browser.sign_in(&scene, "/").await;
    let page = browser.go(&scene, &format!("{GATE}/_gate/signed-out?state=x")).await;
    assert!(page.body.contains("Sign out in this browser?"), "{}", page.body);
}
