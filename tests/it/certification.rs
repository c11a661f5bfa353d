//! The tests of the OpenID Foundation for relying parties, each line as a test of its name against the simulator.
//!
//! The lines are those of the conformance suite's plans for basic, configuration, refresh token, RP-initiated and
//! front-channel logout. These have no test here, and why:
//!
//! | line | why |
//! |---|---|
//! | `userinfo-bearer-header`, `userinfo-bearer-body`, `userinfo-invalid-sub`, `scope-userinfo-claims`, `userinfo-signed` | userinfo is never asked: the ID token says everything, and Entra's userinfo knows neither groups nor roles |
//! | `client-secret-basic` | credentials go in the body, which Entra and RFC 6749 section 2.3.1 allow; the simulator takes both |
//! | `kid-absent-single-jwks`, `kid-absent-multiple-jwks`, `discovery-issuer-mismatch`, `invalid-athash` | the simulator never does these; a scripted provider does, in `src/idp/tests/certification.rs` |
//! | `invalid-chash`, `missing-athash`, `missing-chash` | of flows that bring tokens through the browser, which are not used |
//! | `rp-backchannel-…`, seven lines of bad logout tokens | Entra has no back-channel logout, and there is no address for it (a test says so) |
//! | `rp-frontchannel-…` | tested with sign-out |
//! | claims from elsewhere, webfinger, dynamic registration, `request_uri`, mTLS aliases, session management | not used |
//!
//! `sub` differs for each client at Entra, so people are known by `tid` and `oid` here: a refreshed token about somebody
//! else is one with another of these.

use std::time::Duration;

use cedargate::model::time::Clock;
use cedargate::sim::people::{GUEST_HOME, OLIVE};
use cedargate::sim::{Overlap, Tamper};
use serde_json::{Value, json};

use crate::harness::{Browser, World, navigation};

async fn still() -> World {
    World::start_at(Clock::fixed(Clock::System.now()), |_| {}).await
}

fn claim(name: &str, value: Value) -> Tamper {
    Tamper::Claim(name.to_owned(), value)
}

/// Each of these ID tokens signs nobody in, with a page that says so and a record of it.
async fn nobody_by(tampers: Vec<Tamper>) {
    let world = World::start().await;
    for (number, tamper) in tampers.into_iter().enumerate() {
        world.sim.tamper_next_id_token(tamper.clone());
        let mut nora = world.browser();
        let page = nora.sign_in("nora", &world.app("/me")).await;
        assert!(page.status >= 400, "{tamper:?}: {} {}", page.status, page.text());
        page.assert_page();
        assert_eq!(nora.cookie("localhost", "gate_session"), None, "{tamper:?}");
        assert_eq!(nora.fetch("GET", &world.app("/me")).await.status, 401, "{tamper:?}");
        assert_eq!(world.events("sign_in_failed").await.len(), number + 1, "{tamper:?}");
    }
    assert_eq!(world.events("signed_in").await.len(), 0);
}

/// Up to the page at Entra, and the parameters that it was asked with.
async fn asked(world: &World, browser: &mut Browser) -> url::Url {
    let page = browser.open(&world.app("/me")).await;
    assert!(page.url.path().ends_with("/authorize"), "{}", page.url);
    page.url
}

fn parameter(url: &url::Url, wanted: &str) -> Option<String> {
    url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test() {
    let world = World::start().await;
    let mut uma = world.browser();
    let page = uma.sign_in("uma", &world.app("/me")).await;
    assert_eq!((page.status, page.url.as_str()), (200, world.app("/me").as_str()));
    assert!(page.text().contains("Uma Umarov"), "{}", page.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_invalid_iss() {
    nobody_by(vec![
        claim("iss", json!("https://evil.example/v2.0")),
        claim("iss", json!("https://login.microsoftonline.com/common/v2.0")),
        Tamper::Without("iss".to_owned()),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_missing_sub() {
    nobody_by(vec![Tamper::Without("sub".to_owned())]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_invalid_aud() {
    nobody_by(vec![claim("aud", json!("another-client")), claim("aud", json!([]))]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_missing_aud() {
    nobody_by(vec![Tamper::Without("aud".to_owned())]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_missing_iat() {
    nobody_by(vec![Tamper::Without("iat".to_owned())]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_idtoken_sig_none() {
    nobody_by(vec![Tamper::AlgNone, Tamper::NoSignature]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_idtoken_sig_rs256_and_invalid_sig_rs256() {
    nobody_by(vec![Tamper::OtherKey, Tamper::Payload, Tamper::PersonalAccountKey]).await;
    let world = World::start().await;
    drop(world.browser_of("nora").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_invalid_sig_es256() {
    nobody_by(vec![Tamper::Header("alg".to_owned(), json!("ES256"))]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_invalid_sig_hs256() {
    nobody_by(vec![Tamper::HmacWithPublicKey, Tamper::HmacWithClientSecret]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_nonce_invalid() {
    nobody_by(vec![claim("nonce", json!("another")), Tamper::Without("nonce".to_owned())]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_nonce_unless_code_flow() {
    let world = World::start().await;
    let first = asked(&world, &mut world.browser()).await;
    let second = asked(&world, &mut world.browser()).await;
    for name in ["nonce", "state", "code_challenge"] {
        let (one, other) = (parameter(&first, name).unwrap(), parameter(&second, name).unwrap());
        assert!(one.len() >= 43 && one != other, "{name}: {one} {other}");
    }
    assert_eq!(parameter(&first, "response_type").as_deref(), Some("code"));
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_discovery_openid_config() {
    let world = World::start().await;
    let url = asked(&world, &mut world.browser()).await;
    let metadata = format!(
        "{}/{}/v2.0/.well-known/openid-configuration",
        world.places.simulator(),
        cedargate::sim::people::TENANT
    );
    let metadata = world.browser().step(&metadata).await.json();
    let mut bare = url.clone();
    bare.set_query(None);
    assert_eq!(metadata["authorization_endpoint"], bare.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_discovery_jwks_uri_keys_and_signing_key_rotation() {
    let world = World::start().await;
    drop(world.browser_of("uma").await);
    world.sim.rotate_keys(Overlap::Keep).unwrap();
    drop(world.browser_of("nora").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_signing_key_rotation_just_before_signing() {
    let world = World::start().await;
    drop(world.browser_of("uma").await);
    let mut nora = world.browser();
    let page = asked(&world, &mut nora).await;
    let callback = nora.choose("nora", &page).await.location();
    world.sim.rotate_keys(Overlap::Drop).unwrap();
    assert_eq!(nora.open(callback.as_str()).await.status, 200);
}

/// A session whose next re-check gets this ID token; the status that its next request is answered with.
async fn rechecked(tamper: Option<Tamper>) -> (World, u16) {
    let world = still().await;
    let mut uma = world.browser_of("uma").await;
    if let Some(tamper) = tamper {
        world.sim.tamper_next_id_token(tamper);
    }
    world.clock.advance(Duration::from_mins(16));
    let status = uma.fetch("GET", &world.app("/finance/summary")).await.status;
    (world, status)
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_refresh_token() {
    let (world, status) = rechecked(None).await;
    assert_eq!(status, 200);
    assert_eq!(world.events("recheck_unavailable").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_refresh_token_invalid_issuer() {
    for tamper in
        [claim("iss", json!("https://evil.example/v2.0")), claim("tid", json!(GUEST_HOME))]
    {
        let (world, status) = rechecked(Some(tamper)).await;
        assert_eq!(status, 401);
        assert_eq!(world.events("session_ended").await[0]["why"], "refused_by_entra");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_refresh_token_invalid_sub() {
    let (world, status) = rechecked(Some(claim("oid", json!(OLIVE)))).await;
    assert_eq!(status, 401);
    assert_eq!(world.events("session_ended").await[0]["why"], "refused_by_entra");
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_rp_init_logout_and_no_state_and_other_state() {
    let world = World::start().await;
    let mut uma = world.browser_of("uma").await;
    let url = world.app("/_gate/logout");
    let page = uma.step(&url).await.text();
    let token = page.split("name=\"_csrf\" value=\"").nth(1).expect("a form with a token");
    let token = token.split('"').next().unwrap();
    let out = uma.send(navigation("POST", &url).form(&[("_csrf", token)])).await;
    assert_eq!(out.status, 200);
    assert!(out.text().contains("post_logout_redirect_uri"), "{}", out.text());
    // What Entra, or anybody, says on the way back changes nothing.
    for query in ["", "?state=another", "?state=a&state=b", "?sid=x&iss=https://evil.example"] {
        let back = uma.step(&world.gate(&format!("/_gate/signed-out{query}"))).await;
        assert_eq!(back.status, 200, "{query}");
        assert!(!back.text().contains("evil.example"), "{query}");
        assert_eq!(back.session_cookie(), None);
    }
    assert_eq!(uma.fetch("GET", &world.app("/me")).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_has_no_address() {
    let world = World::start().await;
    let mut uma = world.browser_of("uma").await;
    for place in ["/_gate/backchannel-logout", "/_gate/backchannel_logout", "/backchannel-logout"] {
        let request = navigation("POST", &world.gate(place)).form(&[("logout_token", "a.b.c")]);
        assert_eq!(world.browser().send(request).await.status, 404, "{place}");
    }
    assert_eq!(uma.fetch("GET", &world.app("/me")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_form_post_error() {
    let world = World::start().await;
    let mut nora = world.browser();
    let page = asked(&world, &mut nora).await;
    let state = parameter(&page, "state").unwrap();
    let posted = navigation("POST", &world.gate("/_gate/callback"))
        .form(&[("error", "access_denied"), ("state", &state)]);
    assert_eq!(nora.send(posted).await.status, 405, "answers come by query alone");
    assert_eq!(nora.fetch("GET", &world.app("/me")).await.status, 401);
    assert_eq!(parameter(&page, "response_mode").as_deref(), Some("query"));
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_client_test_3rd_party_init_login_does_not_exist() {
    let world = World::start().await;
    let query = "iss=https%3A%2F%2Fevil.example&login_hint=olive&target_link_uri=https%3A%2F%2Fevil.example";
    for start in [world.app("/_gate/login"), world.gate("/_gate/begin")] {
        let page = world.browser().open(&format!("{start}?{query}")).await;
        // Either nothing begins at all, or an ordinary sign-in at our own Entra that knows nothing of these.
        if page.url.path().ends_with("/authorize") {
            assert_eq!(page.url.origin().ascii_serialization(), world.places.simulator());
            assert_eq!(parameter(&page.url, "login_hint"), None);
        } else {
            assert!(page.status >= 400, "{} {}", page.url, page.status);
        }
        assert!(!page.url.as_str().contains("evil.example"), "{}", page.url);
    }
}
