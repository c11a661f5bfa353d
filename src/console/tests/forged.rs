//! Forms that our own page did not send change nothing (A60).

use http::StatusCode;

use super::adding::{fields, with};
use super::scene::{Scene, Sending, get, post, scene};

const GRANTS: &str = "/console/routes/intranet/finance/grants";

async fn check(scene: &Scene, sending: Sending, expected: &str) {
    let owner = scene.owner().await;
    let before = scene.requests().await.len();
    let csrf = owner.csrf();
    let sending = Sending { body: sending.body.replace("TOKEN", &csrf), ..sending };
    let answer = scene.send(&owner, sending).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{expected}: {}", answer.text);
    let records = scene.requests().await;
    assert_eq!(records.len(), before + 1, "{expected}: not exactly one record");
    let last = records.last().unwrap();
    assert_eq!((&last["refusal"], &last["check"]), (&"forged_form".into(), &expected.into()));
    assert_eq!(last["door"], "console");
    let draft = scene.store.pending().await.unwrap();
    assert!(draft.pending.is_empty(), "{expected}: something was changed");
}

#[tokio::test]
async fn forged_forms_are_refused_on_record_and_change_nothing_a60() {
    let scene = scene().await;
    let form = || post(GRANTS, &fields("TOKEN"));
    check(&scene, post(GRANTS, &with(&fields("TOKEN"), "_csrf", None)), "token missing").await;
    check(&scene, post(GRANTS, &fields("guessed")), "token wrong").await;
    check(&scene, form().with("x-csrf-token", "guessed"), "token wrong").await;
    check(&scene, form().with("sec-fetch-site", "cross-site"), "other site").await;
    check(&scene, form().with("sec-fetch-site", "same-site"), "other site").await;
    check(&scene, form().with("sec-fetch-site", "none"), "other site").await;
    check(&scene, form().with("origin", "null"), "other origin").await;
    check(&scene, form().with("origin", "https://evil.example"), "other origin").await;
    check(&scene, form().with("origin", "http://gate.contoso.com"), "other origin").await;
    check(&scene, form().without("origin").without("sec-fetch-site"), "origin missing").await;
    check(&scene, form().with("content-type", "text/plain"), "not sent as a form").await;
    check(&scene, form().with("content-type", "application/json"), "not sent as a form").await;
    check(&scene, form().without("content-type"), "not sent as a form").await;
}

#[tokio::test]
async fn token_of_another_session_is_wrong_a60() {
    let scene = scene().await;
    let other = scene.person("eddie", &["owner"]).await;
    check(&scene, post(GRANTS, &fields(&other.csrf())), "token wrong").await;
}

#[tokio::test]
async fn get_changes_nothing_a60() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let query = post(GRANTS, &fields(&owner.csrf())).body;
    let answer = scene.send(&owner, get(&format!("{GRANTS}?{query}"))).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(scene.store.live_number().await.unwrap().0, 1);
}

#[tokio::test]
async fn token_in_the_header_is_enough_where_the_script_sends_it() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let csrf = owner.csrf();
    let sending = post(GRANTS, &with(&fields(""), "_csrf", None)).with("x-csrf-token", &csrf);
    assert_eq!(scene.send(&owner, sending).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn form_that_is_too_long_is_not_read() {
    let scene = scene().await;
    let owner = scene.owner().await;
    let long = "x".repeat(70 * 1024);
    let csrf = owner.csrf();
    let form = with(&fields(&csrf), "reason", Some(&long));
    let answer = scene.send(&owner, post(GRANTS, &form)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(scene.requests().await.len(), 1);
    assert_eq!(scene.store.live_number().await.unwrap().0, 1);
}
