//! A flood of sign-ins from one address, while somebody at another address signs in.

use super::*;

/// Begins a sign-in in a fresh browser at `ip` and gives that browser before the sign-in page, with the page's address.
async fn before_entra(scene: &Scene, ip: &str) -> (Browser, String) {
    scene.clock.advance(Duration::from_millis(1));
    let client = Some(ClientAddress::Known(ip.parse().unwrap()));
    let mut browser = Browser { client, ..Browser::default() };
    let begin = browser.go(scene, &format!("{APP}/_gate/login?return=/x")).await;
    let authorize = browser.go(scene, begin.location()).await.location().to_owned();
    (browser, authorize)
}

/// Comes back from the sign-in page; gives the status of the callback, and where the browser ended if it got there.
async fn finish(
    scene: &Scene,
    browser: &mut Browser,
    authorize: &str,
) -> Result<String, StatusCode> {
    let callback = browser.choose(scene, authorize, "uma").await;
    let handoff = browser.go(scene, &callback).await;
    if handoff.status != StatusCode::SEE_OTHER {
        return Err(handoff.status);
    }
    Ok(browser.go(scene, handoff.location()).await.location().to_owned())
}

#[tokio::test]
async fn a49_flood_from_one_address_pushes_out_its_own_sign_ins_only() {
    let scene = scene().await;
    let (mut fresh, page) = before_entra(&scene, "192.0.2.7").await;
    let (mut first, pushed_out) = before_entra(&scene, "2001:db8::1").await;
    for n in 0..200 {
        before_entra(&scene, &format!("2001:db8::{n:x}:2")).await;
    }
    let home = format!("{APP}/x");
    assert_eq!(finish(&scene, &mut fresh, &page).await, Ok(home.clone()));
    let (mut late, page) = before_entra(&scene, "192.0.2.8").await;
    assert_eq!(finish(&scene, &mut late, &page).await, Ok(home));
    let refused = finish(&scene, &mut first, &pushed_out).await;
    assert_eq!(refused, Err(StatusCode::BAD_REQUEST));
}

#[tokio::test]
async fn flood_from_one_address_pushes_out_its_own_handovers_only() {
    let scene = scene().await;
    let start = format!("{APP}/_gate/login?return=/x");
    let at = |ip: &str| Browser {
        client: Some(ClientAddress::Known(ip.parse().unwrap())),
        ..Browser::default()
    };
    let (mut fresh, mut first) = (at("192.0.2.7"), at("198.51.100.66"));
    let begin = fresh.go(&scene, &start).await.location().to_owned();
    let pushed_out = first.go(&scene, &start).await.location().to_owned();
    for _ in 0..200 {
        scene.clock.advance(Duration::from_millis(1));
        at("198.51.100.66").go(&scene, &start).await;
    }
    assert!(fresh.go(&scene, &begin).await.location().contains("/authorize"));
    assert_eq!(first.go(&scene, &pushed_out).await.status, StatusCode::BAD_REQUEST);
}
