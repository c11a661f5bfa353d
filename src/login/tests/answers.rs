//! What Entra's refusals become on the page, in the record, and in the status.

use super::*;

/// Entra's answer to a sign-in of a new browser, as that brings it back.
async fn refused(scene: &Scene, error: &str, description: &str) -> Reply {
    refused_in(scene, &mut Browser::default(), (error, description)).await
}

async fn refused_in(
    scene: &Scene,
    browser: &mut Browser,
    (error, description): (&str, &str),
) -> Reply {
    let begin = browser.go(scene, &format!("{APP}/_gate/login?return=/x")).await;
    let authorize = browser.go(scene, begin.location()).await.location().to_owned();
    let authorize = Url::parse(&authorize).unwrap();
    let state = authorize.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    back(scene, browser, (&state, error, description)).await
}

async fn back(
    scene: &Scene,
    browser: &mut Browser,
    (state, error, description): (&str, &str, &str),
) -> Reply {
    let mut callback = Url::parse(&format!("{GATE}/_gate/callback")).unwrap();
    let pairs = [("state", state), ("error", error), ("error_description", description)];
    callback.query_pairs_mut().extend_pairs(pairs);
    browser.go(scene, callback.as_str()).await
}

const CORRELATION: &str = "11111111-2222-3333-4444-555555555555";

fn described(code: u32, text: &str) -> String {
    format!(
        "AADSTS{code}: {text} Trace ID: 00000000-0000-4000-8000-000000000001 Correlation ID: {CORRELATION} Timestamp: x"
    )
}

#[tokio::test]
async fn a39_each_code_gets_its_own_words_and_none_of_the_providers() {
    let scene = scene().await;
    let phish = "<script>alert(1)</script> Call +1 555 0100 now";
    let rows = [
        ("invalid_request", 50_034, StatusCode::FORBIDDEN, "not known here"),
        ("invalid_request", 900_144, StatusCode::SERVICE_UNAVAILABLE, "read what this site asks"),
        (
            "unauthorized_client",
            700_016,
            StatusCode::SERVICE_UNAVAILABLE,
            "does not know this site",
        ),
        ("server_error", 90_033, StatusCode::SERVICE_UNAVAILABLE, "has trouble right now"),
        ("access_denied", 53_003, StatusCode::FORBIDDEN, "does not allow this sign-in"),
        ("invalid_request", 123_456, StatusCode::SERVICE_UNAVAILABLE, "refused this sign-in"),
    ];
    for (error, code, status, title) in rows {
        let page = refused(&scene, error, &described(code, phish)).await;
        assert_eq!(page.status, status, "{code}");
        for part in [title, &format!("AADSTS{code}"), CORRELATION, "Who can mend it"] {
            assert!(page.body.contains(part), "{part} in {}", page.body);
        }
        for part in ["script>alert", "555 0100", "Trace ID"] {
            assert!(!page.body.contains(part), "{part} in {}", page.body);
        }
    }
}

#[tokio::test]
async fn whoever_needs_another_account_is_offered_one_and_nothing_else() {
    let scene = scene().await;
    let page = refused(&scene, "invalid_request", &described(50_020, "")).await;
    assert!(page.body.contains("account=other"), "{}", page.body);
    assert!(!page.body.contains("Try again</a>"), "{}", page.body);
}

#[tokio::test]
async fn entra_that_wants_the_person_to_act_is_asked_once_more_and_never_again() {
    let scene = scene().await;
    for (error, prompt) in [
        ("login_required", "login"),
        ("interaction_required", "login"),
        ("consent_required", "consent"),
    ] {
        let mut browser = Browser::default();
        let again = refused_in(&scene, &mut browser, (error, &described(50_076, ""))).await;
        let again = Url::parse(again.location()).unwrap();
        assert!(again.as_str().starts_with(scene.sim.origin()));
        let of = |name: &str| again.query_pairs().find(|(found, _)| found == name);
        assert_eq!(of("prompt").unwrap().1, prompt);
        let state = of("state").unwrap().1.into_owned();
        let page = back(&scene, &mut browser, (&state, error, &described(50_076, ""))).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{error}");
        assert!(page.body.contains("A second factor is needed"), "{}", page.body);
    }
    assert_eq!(scene.recorded().await, vec!["interaction_needed"; 3]);
}

#[tokio::test]
async fn asked_once_more_the_person_signs_in_and_ends_where_they_wanted_to() {
    let scene = scene().await;
    let mut browser = Browser::default();
    let again = refused_in(&scene, &mut browser, ("interaction_required", "")).await;
    let callback = browser.choose(&scene, again.location(), "uma").await;
    let handoff = browser.go(&scene, &callback).await;
    assert_eq!(browser.go(&scene, handoff.location()).await.location(), format!("{APP}/x"));
    assert_eq!(scene.recorded().await, ["signed_in"]);
}

#[tokio::test]
async fn not_wanting_to_is_no_failure() {
    let scene = scene().await;
    for description in ["", &described(65_004, "User declined.")] {
        let page = refused(&scene, "access_denied", description).await;
        assert_eq!(page.status, StatusCode::OK);
        for part in ["Sign-in cancelled", "Try again</a>", "AADSTS50105"] {
            assert!(page.body.contains(part), "{part} in {}", page.body);
        }
        for part in ["did not finish", "Who can mend it", "eyebrow deny"] {
            assert!(!page.body.contains(part), "{part} in {}", page.body);
        }
    }
    assert_eq!(scene.recorded().await, ["cancelled", "cancelled"]);
}
