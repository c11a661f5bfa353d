//! R12: the gate's clock and Entra's are apart.

use super::*;

/// What becomes of a sign-in when the gate's clock is `ahead` of Entra's by so many seconds.
async fn signed_in_with(ahead: i64) -> Result<(), Reply> {
    let gates = Timestamp::from_seconds(NOW.as_seconds() + ahead);
    let clocks = (Clock::fixed(gates), Clock::fixed(NOW));
    let scene = scene_between(PLENTY, clocks).await;
    let mut browser = Browser::default();
    let begin = browser.go(&scene, &format!("{APP}/_gate/login?return=/x")).await;
    let authorize = browser.go(&scene, begin.location()).await;
    let callback = browser.choose(&scene, authorize.location(), "uma").await;
    let answer = browser.go(&scene, &callback).await;
    if answer.status == StatusCode::SEE_OTHER {
        assert_eq!(scene.recorded().await, ["signed_in"]);
        return Ok(());
    }
    assert_eq!(scene.recorded().await, ["clock"]);
    assert_eq!(browser.cookie("localhost", "gate_session"), None);
    Err(answer)
}

/// Entra dates its tokens back by five minutes and lets them live for an hour, which helps beyond our own minute.
#[tokio::test]
async fn r12_clocks_that_are_a_little_apart_keep_nobody_out() {
    for ahead in [-350, -90, -30, 0, 30, 90, 600, 3_600] {
        assert!(signed_in_with(ahead).await.is_ok(), "{ahead} s ahead");
    }
}

#[tokio::test]
async fn r12_clocks_that_are_far_apart_are_named_as_the_reason() {
    for ahead in [-86_400, -3_600, -600, 3_700, 86_400] {
        let page = signed_in_with(ahead).await.expect_err("the clocks are too far apart");
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{ahead}");
        for part in ["clocks", "The people who run this service"] {
            assert!(page.body.contains(part), "{part} in {}", page.body);
        }
    }
}
