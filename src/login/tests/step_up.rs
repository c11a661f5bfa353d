//! Proving more than a sign-in proved: asked on an app's host, met at Entra, kept in the session, or not.

use super::*;
use crate::model::record::{Actor, MfaState, SessionEnd};
use crate::session::Token;
use crate::sim::Tamper;

/// From `start` to Entra's page.
async fn to_entra(scene: &Scene, browser: &mut Browser, start: &str) -> String {
    let mut next = browser.go(scene, start).await.location().to_owned();
    if !next.starts_with(scene.sim.origin()) {
        next = browser.go(scene, &next).await.location().to_owned();
    }
    assert!(next.starts_with(scene.sim.origin()), "{next}");
    next
}

fn asked(path: &str, step_up: &str) -> String {
    format!("{APP}/_gate/login?return={}&step_up={}", encoded(path), encoded(step_up))
}

/// The parameter of an address.
fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

async fn session(scene: &Scene, browser: &Browser) -> crate::model::session::Session {
    let token = Token::parse(&browser.cookie("localhost", "gate_session").unwrap()).unwrap();
    let host = "localhost".parse().unwrap();
    (*scene.login.sessions.load(&token, &host).await.unwrap().unwrap()).clone()
}

#[tokio::test]
async fn a_second_factor_is_asked_for_met_and_kept() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    let (before, old) = (session(&scene, &browser).await, browser.clone());
    let page = to_entra(&scene, &mut browser, &asked("/finance/q?x=1", "mfa")).await;
    let claims = parameter(&page, "claims").unwrap();
    assert_eq!(claims, r#"{"id_token":{"acrs":{"essential":true,"value":"c1"}}}"#);
    assert!(parameter(&page, "login_hint").is_some(), "it is asked of the same person");
    let callback = browser.choose(&scene, &page, "uma").await;
    let handoff = browser.go(&scene, &callback).await.location().to_owned();
    assert_eq!(browser.go(&scene, &handoff).await.location(), format!("{APP}/finance/q?x=1"));
    let after = session(&scene, &browser).await;
    assert_eq!((&after.id, after.mfa), (&before.id, MfaState::Met));
    assert_eq!(browser.whoami(&scene).await["signed_in"], true);
    // Whoever had a cookie from before has nothing now.
    let mut thief = old;
    assert_eq!(thief.whoami(&scene).await["signed_in"], false);
    let begin = thief.go(&scene, &format!("{GATE}/_gate/begin")).await;
    assert!(begin.location().starts_with(scene.sim.origin()));
    assert_eq!(scene.recorded().await, ["signed_in", "stepped_up"]);
    // Met already: nobody is asked twice.
    let begin = browser.go(&scene, &asked("/y", "mfa")).await.location().to_owned();
    let handoff = browser.go(&scene, &begin).await.location().to_owned();
    assert!(handoff.starts_with(&format!("{APP}/_gate/handoff")), "{handoff}");
}

#[tokio::test]
async fn a_page_of_the_gate_asks_for_it_too() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    let start = format!("{GATE}/_gate/begin?return=%2Fconsole%2F&step_up=c1");
    let page = to_entra(&scene, &mut browser, &start).await;
    let callback = browser.choose(&scene, &page, "uma").await;
    assert_eq!(browser.go(&scene, &callback).await.location(), format!("{GATE}/console/"));
    assert_eq!(session(&scene, &browser).await.mfa, MfaState::Met);
}

#[tokio::test]
async fn whoever_is_not_signed_in_signs_in_with_the_proof() {
    let scene = scene().await;
    let mut browser = Browser::default();
    let page = to_entra(&scene, &mut browser, &asked("/", "mfa")).await;
    assert!(parameter(&page, "claims").is_some() && parameter(&page, "login_hint").is_none());
    let callback = browser.choose(&scene, &page, "uma").await;
    browser.go(&scene, &callback).await;
    assert_eq!(session(&scene, &browser).await.mfa, MfaState::Met);
    assert_eq!(scene.recorded().await, ["signed_in"]);
}

#[tokio::test]
async fn whoever_strips_the_question_from_the_address_has_not_met_it() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    let before = session(&scene, &browser).await;
    let page = to_entra(&scene, &mut browser, &asked("/x", "mfa")).await;
    let mut stripped = Url::parse(&page).unwrap();
    let kept: Vec<_> = stripped
        .query_pairs()
        .filter(|(name, _)| name != "claims")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    stripped.query_pairs_mut().clear().extend_pairs(kept);
    let callback = browser.choose(&scene, stripped.as_str(), "uma").await;
    let unmet = browser.go(&scene, &callback).await;
    assert_eq!(unmet.status, StatusCode::FORBIDDEN);
    assert!(unmet.body.contains("The confirmation is missing"), "{}", unmet.body);
    assert!(unmet.body.contains("/_gate/login?return=/x&#38;step_up=c1"), "{}", unmet.body);
    assert_eq!(session(&scene, &browser).await, before);
    assert_eq!(scene.recorded().await, ["signed_in", "step_up_unmet"]);
    // The transaction is spent: its answer does not work a second time, and nothing begins by itself.
    let again = browser.go(&scene, &callback).await;
    assert_eq!(again.location(), format!("{GATE}/"));
}

#[tokio::test]
async fn another_account_is_refused_and_the_session_stays() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    let before = session(&scene, &browser).await;
    let page = to_entra(&scene, &mut browser, &asked("/x", "mfa")).await;
    let callback = browser.choose(&scene, &page, "rob").await;
    let refused = browser.go(&scene, &callback).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("Somebody else confirmed"), "{}", refused.body);
    assert_eq!(refused.headers.get("set-cookie"), None);
    assert_eq!(session(&scene, &browser).await, before);
    assert_eq!(scene.recorded().await, ["signed_in", "other_person"]);
}

#[tokio::test]
async fn who_stops_half_way_is_where_they_were() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    let page = to_entra(&scene, &mut browser, &asked("/x", "mfa")).await;
    let callback = browser.choose(&scene, &page, "uma&cancel=1").await;
    let cancelled = browser.go(&scene, &callback).await;
    assert_eq!(cancelled.status, StatusCode::OK);
    assert_eq!(session(&scene, &browser).await.mfa, MfaState::NotMet);
    assert_eq!(scene.recorded().await, ["signed_in", "cancelled"]);
}

#[tokio::test]
async fn a_session_that_ended_meanwhile_takes_no_proof() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    let id = session(&scene, &browser).await.id;
    let page = to_entra(&scene, &mut browser, &asked("/x", "mfa")).await;
    let callback = browser.choose(&scene, &page, "uma").await;
    scene.login.sessions.end(&id, SessionEnd::SignedOut, Actor::Gate).await.unwrap();
    let ended = browser.go(&scene, &callback).await;
    assert_eq!(ended.status, StatusCode::BAD_REQUEST);
    assert!(ended.body.contains("Your session ended meanwhile"), "{}", ended.body);
    assert_eq!(ended.headers.get("set-cookie"), None);
}

#[tokio::test]
async fn what_nothing_here_knows_is_not_asked() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    for unknown in ["", "c2", "c0", "MFA", "mfa mfa", "mfa c1", "p1", "max_age=-1", "max_age=x"] {
        for start in [
            asked("/x", unknown),
            format!("{GATE}/_gate/begin?step_up={}", encoded(unknown)),
            format!("{GATE}/_gate/begin?step_up=c1&step_up={}", encoded(unknown)),
        ] {
            let refused = browser.go(&scene, &start).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{start}");
            assert!(refused.body.contains("not known here"), "{}", refused.body);
        }
    }
    assert_eq!(scene.sign_ins_kept().await, 0);
}

#[tokio::test]
async fn what_was_asked_on_the_app_host_is_not_up_to_the_address_afterwards() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    let begin = browser.go(&scene, &asked("/x", "mfa")).await.location().to_owned();
    assert!(!begin.contains("step_up"), "{begin}");
    let page = browser.go(&scene, &format!("{begin}&step_up=max_age%3D0")).await;
    assert_eq!(parameter(page.location(), "max_age"), None);
    assert!(parameter(page.location(), "claims").is_some());
}

#[tokio::test]
async fn an_age_is_asked_for_every_time_and_judged_by_the_token_alone() {
    let scene = scene().await;
    let mut browser = Browser::default();
    browser.sign_in(&scene, "/").await;
    scene.clock.advance(Duration::from_mins(10));
    let page = to_entra(&scene, &mut browser, &asked("/x", "max_age=300")).await;
    assert_eq!(parameter(&page, "max_age").as_deref(), Some("300"));
    let old = scene.clock.now().minus(Duration::from_mins(7)).as_seconds();
    scene.sim.tamper_next_id_token(Tamper::Claim("auth_time".to_owned(), old.into()));
    let callback = browser.choose(&scene, &page, "uma").await;
    assert_eq!(browser.go(&scene, &callback).await.status, StatusCode::FORBIDDEN);
    let page = to_entra(&scene, &mut browser, &asked("/x", "max_age=300")).await;
    let fresh = scene.clock.now().minus(Duration::from_mins(2)).as_seconds();
    scene.sim.tamper_next_id_token(Tamper::Claim("auth_time".to_owned(), fresh.into()));
    let callback = browser.choose(&scene, &page, "uma").await;
    assert_eq!(browser.go(&scene, &callback).await.status, StatusCode::SEE_OTHER);
    assert_eq!(session(&scene, &browser).await.proved_at.as_seconds(), fresh);
    assert_eq!(scene.recorded().await, ["signed_in", "step_up_unmet", "stepped_up"]);
}
