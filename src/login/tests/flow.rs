//! Sign-ins that go well, those that end in plain words, and what their answers carry.

use super::super::failure::Failure;
use super::*;
use crate::idp::IdpError;
use crate::sim::{Tamper, TokenFault};

#[tokio::test]
async fn a_sign_in_ends_where_it_began_with_a_cookie_per_host() {
    let scene = scene().await;
    let mut browser = Browser::default();
    assert_eq!(
        browser.sign_in(&scene, "/finance/q?x=1&y=2").await,
        format!("{APP}/finance/q?x=1&y=2")
    );
    let parent = browser.cookie("localhost", "gate_session").unwrap();
    let child = browser.cookie("app.localhost", "gate_session").unwrap();
    assert_ne!(parent, child);
    let me = browser.whoami(&scene).await;
    assert_eq!(
        (me["signed_in"].as_bool(), me["user_name"].as_str()),
        (Some(true), Some("uma@contoso.example"))
    );
    assert_eq!(me["groups"], serde_json::json!([]), "the app's rules mention none");
    assert_eq!(scene.recorded().await, ["signed_in"]);
    assert_eq!(scene.sign_ins_kept().await, 0);
}

#[tokio::test]
async fn a_live_session_is_handed_over_without_asking_entra() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    let begin = browser.go(&scene, &format!("{OTHER}/_gate/login?return=/there")).await;
    let handoff = browser.go(&scene, begin.location()).await;
    assert!(handoff.location().starts_with(&format!("{OTHER}/_gate/handoff?code=")));
    let end = browser.go(&scene, handoff.location()).await;
    assert_eq!(end.location(), format!("{OTHER}/there"));
    assert_eq!(scene.recorded().await, ["signed_in"]);
}

#[tokio::test]
async fn another_account_can_be_chosen_while_signed_in() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    let begin = browser.go(&scene, &format!("{APP}/_gate/login?account=other&return=/x")).await;
    let authorize = browser.go(&scene, begin.location()).await;
    assert!(authorize.location().contains("prompt=select_account"));
    let callback = browser.choose(&scene, authorize.location(), "rob").await;
    let handoff = browser.go(&scene, &callback).await;
    let end = browser.go(&scene, handoff.location()).await;
    assert_eq!(end.location(), format!("{APP}/x"));
    assert_eq!(browser.whoami(&scene).await["user_name"], "rob@contoso.example");
    assert_eq!(scene.recorded().await, ["signed_in", "signed_in", "session_ended"]);
}

#[tokio::test]
async fn twenty_tabs_sign_in_at_once() {
    let scene = scene().await;
    let mut browser = Browser::default();
    let mut pages = Vec::new();
    for tab in 0..20 {
        let begin = browser.go(&scene, &format!("{APP}/_gate/login?return=/tab/{tab}")).await;
        pages.push(browser.go(&scene, begin.location()).await.location().to_owned());
    }
    for (tab, authorize) in pages.iter().enumerate() {
        let callback = browser.choose(&scene, authorize, "uma").await;
        let handoff = browser.go(&scene, &callback).await;
        let end = browser.go(&scene, handoff.location()).await;
        assert_eq!(end.location(), format!("{APP}/tab/{tab}"));
    }
}

#[tokio::test]
async fn only_navigations_begin_a_sign_in() {
    let scene = scene().await;
    let mut browser = Browser::default();
    let start = format!("{APP}/_gate/login?return=/x");
    for start in [start.clone(), format!("{GATE}/_gate/begin?return=/x")] {
        let script = [("sec-fetch-mode", "cors")];
        let reply = browser.send(&scene, (Method::GET, &start), ("", &script)).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        assert!(
            reply.body.contains("login_url") && reply.body.contains("return=/x"),
            "{}",
            reply.body
        );
        let htmx = [("hx-request", "true")];
        let reply = browser.send(&scene, (Method::GET, &start), ("", &htmx)).await;
        assert!(reply.header("hx-redirect").contains("return=/x"));
        let reply = browser.send(&scene, (Method::HEAD, &start), ("", &[])).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert!(browser.jar.values().all(BTreeMap::is_empty));
}

#[tokio::test]
async fn a_way_that_may_have_begun_with_a_form_goes_on_by_pages_and_no_redirect() {
    let scene = scene().await;
    let mut browser = Browser::default();
    let by_form = [
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-dest", "document"),
    ];
    let mut next = format!("{APP}/_gate/login?return=/x");
    for _ in 0..2 {
        let page = browser.send(&scene, (Method::GET, &next), ("", &by_form)).await;
        assert_eq!((page.status, page.header("location")), (StatusCode::OK, ""));
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        next = page.header("refresh").strip_prefix("0; url=").unwrap().to_owned();
        let link = next.replace('&', "&#38;");
        assert!(page.body.contains(&format!("href=\"{link}\"")), "{link}: {}", page.body);
    }
    let callback = browser.choose(&scene, &next, "uma").await;
    let handoff = browser.go(&scene, &callback).await;
    assert_eq!(browser.go(&scene, handoff.location()).await.location(), format!("{APP}/x"));
    // Nothing of a frame: no page of ours shows in one.
    let framed = [by_form[0], by_form[1], ("sec-fetch-dest", "iframe")];
    let start = format!("{APP}/_gate/login?return=/x");
    browser.send(&scene, (Method::GET, &start), ("", &framed)).await.location();
}

#[tokio::test]
async fn a48_answers_are_not_kept_and_leak_no_address() {
    let scene = scene().await;
    let mut browser = Browser::default();
    let begin = browser.go(&scene, &format!("{APP}/_gate/login?return=/")).await;
    let authorize = browser.go(&scene, begin.location()).await;
    let callback = browser.choose(&scene, authorize.location(), "uma").await;
    let handoff = browser.go(&scene, &callback).await;
    let end = browser.go(&scene, handoff.location()).await;
    let stale = browser.go(&scene, &format!("{APP}/_gate/handoff")).await;
    for reply in [&begin, &authorize, &handoff, &end, &stale] {
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        assert_eq!(reply.header("x-frame-options"), "DENY");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
    for line in
        handoff.headers.get_all("set-cookie").iter().chain(end.headers.get_all("set-cookie"))
    {
        let line = line.to_str().unwrap();
        assert!(
            line.contains("HttpOnly") && line.contains("SameSite=Lax") && line.contains("Path=/")
        );
        assert!(!line.contains("Domain"));
    }
}

async fn failed(scene: &Scene, person: &str) -> Reply {
    let mut browser = Browser::default();
    let begin = browser.go(scene, &format!("{APP}/_gate/login?return=/x")).await;
    let authorize = browser.go(scene, begin.location()).await;
    let callback = browser.choose(scene, authorize.location(), person).await;
    let reply = browser.go(scene, &callback).await;
    assert_eq!(browser.cookie("localhost", "gate_session"), None);
    reply
}

#[tokio::test]
async fn failures_are_said_in_plain_words_and_recorded() {
    let scene = scene().await;
    let cancelled = failed(&scene, "uma&cancel=1").await;
    assert_eq!(cancelled.status, StatusCode::OK);
    assert!(cancelled.body.contains("Sign-in cancelled") && cancelled.body.contains("Try again"));
    assert!(cancelled.body.contains(&format!("{APP}/_gate/login?return=/x")), "{}", cancelled.body);
    scene.sim.fail_next_token(TokenFault::Unavailable);
    let away = failed(&scene, "uma").await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
    scene.sim.fail_next_token(TokenFault::InvalidGrant(70008));
    let spent = failed(&scene, "uma").await;
    assert!(spent.status == StatusCode::BAD_REQUEST && spent.body.contains("AADSTS70008"));
    scene.sim.tamper_next_id_token(Tamper::Claim("nonce".to_owned(), "other".into()));
    let bad = failed(&scene, "uma").await;
    assert!(bad.status == StatusCode::FORBIDDEN && bad.body.contains("could not be verified"));
    let main = bad.body.split("<main").nth(1).unwrap();
    assert!(!main.contains("nonce"));
    assert_eq!(scene.recorded().await, ["cancelled", "unavailable", "code_refused", "bad_token"]);
}

#[tokio::test]
async fn going_round_in_circles_ends_on_a_page() {
    let scene = scene().await;
    let mut browser = Browser::default();
    for _ in 0..3 {
        browser.sign_in(&scene, "/x").await;
        browser.jar.get_mut("app.localhost").unwrap().remove("gate_session");
    }
    let stopped = browser.go(&scene, &format!("{APP}/_gate/login?return=/x")).await;
    assert_eq!(stopped.status, StatusCode::BAD_REQUEST);
    assert!(stopped.body.contains("round in circles"));
    let elsewhere = browser.go(&scene, &format!("{APP}/_gate/login?return=/y")).await;
    assert_eq!(elsewhere.status, StatusCode::SEE_OTHER);
    scene.clock.advance(Duration::from_mins(1));
    assert_eq!(browser.sign_in(&scene, "/x").await, format!("{APP}/x"));
}

#[tokio::test]
async fn whoami_tells_strangers_where_to_sign_in_and_nobody_a_token() {
    let scene = scene().await;
    let mut browser = Browser::default();
    let nobody = browser.whoami(&scene).await;
    let login_url = format!("{APP}/_gate/login?return=/");
    assert_eq!(nobody, serde_json::json!({ "signed_in": false, "login_url": login_url }));
    browser.sign_in(&scene, "/").await;
    let reply = browser.go(&scene, &format!("{APP}/_gate/whoami")).await;
    let keys: serde_json::Map<_, _> = serde_json::from_str(&reply.body).unwrap();
    let keys: Vec<_> = keys.keys().map(String::as_str).collect();
    let mut expected = ["email", "groups", "name", "roles", "signed_in", "user_id", "user_name"];
    expected.sort_unstable();
    let mut keys = keys;
    keys.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!(reply.header("cache-control"), "no-store");
    assert!(!reply.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn keys_files_and_reports_are_answered() {
    let scene = scene().await;
    let mut browser = Browser::default();
    for origin in [GATE, APP] {
        let keys = browser.go(&scene, &format!("{origin}/_gate/jwks.json")).await;
        assert_eq!((keys.status, keys.body.as_str()), (StatusCode::OK, r#"{"keys":[]}"#));
        let sheet = crate::web::assets::File::Sheet.url();
        assert_eq!(browser.go(&scene, &format!("{origin}{sheet}")).await.status, StatusCode::OK);
    }
    for body in ["{}".to_owned(), "x".repeat(100_000)] {
        let report = browser.post(&scene, &format!("{GATE}/_gate/csp-report"), &body).await;
        assert_eq!(report.status, StatusCode::NO_CONTENT);
    }
}

#[tokio::test]
async fn secrets_of_a_sign_in_open_only_in_their_place() {
    let scene = scene().await;
    let sessions = &scene.login.sessions;
    let sealed = sessions.seal_text(&"verifier".to_owned().into(), "here").unwrap();
    let text = |place| {
        let opened = sessions.open_text(&sealed, place);
        opened.map(|text| secrecy::ExposeSecret::expose_secret(&text).to_owned())
    };
    assert_eq!(text("here").as_deref(), Some("verifier"));
    assert_eq!(text("there"), None);
}

#[tokio::test]
async fn a_sign_in_that_can_not_be_recorded_lets_nobody_in() {
    let scene = scene().await;
    let mut browser = Browser::default();
    let begin = browser.go(&scene, &format!("{APP}/_gate/login?return=/x")).await;
    let authorize = browser.go(&scene, begin.location()).await;
    let callback = browser.choose(&scene, authorize.location(), "uma").await;
    scene.log_stop.cancel();
    let reply = browser.go(&scene, &callback).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(browser.cookie("localhost", "gate_session"), None);
    let uma = format!("{TENANT}.{}", crate::sim::people::UMA).parse().unwrap();
    assert!(scene.login.sessions.list(&uma).await.unwrap().is_empty());
}

#[tokio::test]
async fn people_are_asked_for_again_at_entra() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    scene.clock.advance(Duration::from_mins(16));
    assert_eq!(browser.whoami(&scene).await["signed_in"], true);
    scene.sim.revoke("uma").unwrap();
    scene.clock.advance(Duration::from_mins(16));
    assert_eq!(browser.whoami(&scene).await["signed_in"], false);
    assert_eq!(scene.recorded().await, ["signed_in", "session_ended"]);
}

#[test]
fn each_failure_has_its_own_words() {
    let check = |error: IdpError, status: u16, title: &str| {
        let failure = Failure::of(&error);
        assert_eq!((failure.status.as_u16(), failure.words.title), (status, title), "{error}");
    };
    let callback = |error: &str| IdpError::from_callback(error, None);
    check(callback("access_denied"), 200, "Sign-in cancelled");
    check(callback("interaction_required"), 403, "Microsoft wants you to do something first");
    check(callback("server_error"), 503, "Microsoft sign-in can't be reached");
    check(callback("invalid_scope"), 503, "Sign-in is not set up correctly");
    check(IdpError::GroupNames, 503, "Sign-in is not set up correctly");
    let reason = "status 503".to_owned();
    check(IdpError::GroupsUnavailable { reason }, 503, "Your groups can't be read right now");
    let tenant = TENANT.parse().unwrap();
    let title = "This account belongs to another organization";
    check(IdpError::ForeignTenant { tenant }, 403, title);
}
