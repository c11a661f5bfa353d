//! Attacks on signing in, from outside, against the running gate and a simulated Entra that lies when told to.

use cedargate::model::grant::Who;
use cedargate::sim::{Overlap, Tamper, TokenFault};
use serde_json::{Value, json};

use crate::harness::{Answer, Browser, Echo, World, navigation, with_app};

/// The way through Entra up to its answer: the callback's address, not yet opened.
async fn up_to_callback(browser: &mut Browser, person: &str, url: &str) -> String {
    let page = browser.open(url).await;
    let chosen = browser.choose(person, &page.url).await;
    assert!(chosen.status < 400 && chosen.location().path() == "/_gate/callback");
    chosen.location().to_string()
}

/// The way up to the hand-over: the address with the one-time code, not yet opened.
async fn up_to_handoff(browser: &mut Browser, person: &str, url: &str) -> String {
    let callback = up_to_callback(browser, person, url).await;
    let answer = browser.step(&callback).await;
    assert_eq!((answer.status, answer.location().path()), (303, "/_gate/handoff"));
    answer.location().to_string()
}

/// A page that says that nobody was signed in, for a browser that is not.
async fn nobody(world: &World, browser: &mut Browser, answer: &Answer) {
    assert!(answer.status >= 400, "{} {}", answer.status, answer.text());
    answer.assert_page();
    assert_eq!(answer.session_cookie(), None);
    assert_eq!(browser.fetch("GET", &world.app("/me")).await.status, 401);
}

fn claim(name: &str, value: Value) -> Tamper {
    Tamper::Claim(name.to_owned(), value)
}

fn header(name: &str, value: Value) -> Tamper {
    Tamper::Header(name.to_owned(), value)
}

/// Every way to get a token wrong that Entra never would, and what the record says of it.
fn lies() -> Vec<(Tamper, &'static str)> {
    let foreign = "fab00000-7e4a-4000-8000-00000000fab0";
    let mut lies = vec![
        (Tamper::AlgNone, "bad_token"),
        (Tamper::HmacWithPublicKey, "bad_token"),
        (Tamper::HmacWithClientSecret, "bad_token"),
        (Tamper::OtherKey, "bad_token"),
        (Tamper::Payload, "bad_token"),
        (Tamper::NoSignature, "bad_token"),
        (header("alg", json!("ES256")), "bad_token"),
        (header("kid", json!("../../dev/null")), "bad_token"),
        (header("crit", json!(["exp"])), "bad_token"),
        (header("jku", json!("http://127.0.0.1:1/keys")), "bad_token"),
        (header("jwk", json!({ "kty": "RSA" })), "bad_token"),
        (header("b64", json!(false)), "bad_token"),
        (claim("aud", json!("00000003-0000-0000-c000-000000000000")), "bad_token"),
        (claim("aud", json!([cedargate::sim::people::CLIENT, "other"])), "bad_token"),
        (claim("iss", json!("https://login.microsoftonline.com/common/v2.0")), "bad_token"),
        (claim("iss", json!("https://sts.windows.net/x/")), "bad_token"),
        (claim("nonce", json!("of-another-sign-in")), "bad_token"),
        (claim("exp", json!(1)), "clock"),
        (claim("exp", json!(1e300)), "clock"),
        (claim("nbf", json!(4_000_000_000_i64)), "clock"),
        (claim("oid", json!("olive")), "bad_token"),
        (claim("ver", json!("1.0")), "bad_token"),
        (claim("groups", json!("all")), "bad_token"),
        (claim("tid", json!(foreign)), "foreign_tenant"),
    ];
    let needed = ["aud", "iss", "nonce", "sub", "tid", "oid", "ver"];
    lies.extend(needed.map(|name| (Tamper::Without(name.to_owned()), "bad_token")));
    lies.extend(["exp", "iat", "nbf"].map(|name| (Tamper::Without(name.to_owned()), "clock")));
    lies
}

#[tokio::test(flavor = "multi_thread")]
async fn a33_a34_a31_a_token_that_fails_a_check_signs_nobody_in() {
    let world = World::start().await;
    for (tamper, cause) in lies() {
        let mut browser = world.browser();
        world.sim.tamper_next_id_token(tamper.clone());
        let page = browser.sign_in("uma", &world.app("/me")).await;
        let status = if cause == "clock" { 503 } else { 403 };
        assert_eq!((page.status, page.url.path()), (status, "/_gate/callback"), "{tamper:?}");
        nobody(&world, &mut browser, &page).await;
        let event = &world.events("sign_in_failed").await[0];
        assert_eq!(event["cause"], cause, "{tamper:?}: {event}");
        assert_eq!(browser.cookie("localhost", "gate_session"), None, "{tamper:?}");
    }
    assert_eq!(world.events("sign_in_failed").await.len(), lies().len());
    assert!(world.events("signed_in").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn entra_in_trouble_is_a_page_with_a_way_on_and_a_record() {
    let world = World::start().await;
    for (fault, status, cause) in [
        (TokenFault::Unavailable, 503, "unavailable"),
        (TokenFault::NotJson, 503, "unavailable"),
        (TokenFault::NoIdToken, 403, "bad_token"),
        (TokenFault::InvalidGrant(70_008), 400, "code_refused"),
    ] {
        let mut browser = world.browser();
        let callback = up_to_callback(&mut browser, "uma", &world.app("/me")).await;
        // Not sooner: the gate asks the same endpoint for itself after its start.
        world.sim.fail_next_token(fault.clone());
        let page = browser.step(callback.as_str()).await;
        assert_eq!(page.status, status, "{fault:?}: {}", page.text());
        nobody(&world, &mut browser, &page).await;
        assert_eq!(world.events("sign_in_failed").await[0]["cause"], cause, "{fault:?}");
        assert!(page.text().contains("/_gate/login"), "a way to try again: {}", page.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a27_a28_a_callback_that_nobody_asked_for_signs_nobody_in() {
    let world = World::start().await;
    let rows = [
        "",
        "?code=c",
        "?state=",
        "?code=c&state=",
        "?code=c&state=unknown",
        "?code=a&code=b&state=s",
        "?code=a&state=s&state=s",
        "?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E&state=s",
    ];
    for query in rows {
        let mut browser = world.browser();
        let page = browser.step(&world.gate(&format!("/_gate/callback{query}"))).await;
        assert_eq!(page.status, 400, "{query}");
        assert!(!page.text().contains("alert(1)"), "{}", page.text());
        nobody(&world, &mut browser, &page).await;
    }
    assert_eq!(world.events("sign_in_failed").await.len(), rows.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a27_an_answer_of_entra_works_once_and_in_its_own_browser_only() {
    let world = World::start().await;
    let mut attacker = world.browser();
    let callback = up_to_callback(&mut attacker, "nora", &world.app("/me")).await;
    let mut victim = world.browser();
    drop(up_to_callback(&mut victim, "uma", &world.app("/me")).await);
    let page = victim.step(&callback).await;
    nobody(&world, &mut victim, &page).await;

    let mut uma = world.browser();
    let callback = up_to_callback(&mut uma, "uma", &world.app("/me")).await;
    assert_eq!(uma.open(&callback).await.status, 200);
    let mut thief = world.browser();
    let again = thief.step(&callback).await;
    nobody(&world, &mut thief, &again).await;
    // Her own step back in the history leads on, and starts nothing.
    let sessions = world.events("signed_in").await.len();
    assert_eq!(uma.step(&callback).await.status, 303);
    assert_eq!(world.events("signed_in").await.len(), sessions);
}

#[tokio::test(flavor = "multi_thread")]
async fn a29_a_code_of_another_sign_in_is_refused() {
    let world = World::start().await;
    let (mut uma, mut nora) = (world.browser(), world.browser());
    let hers: url::Url = up_to_callback(&mut uma, "uma", &world.app("/me")).await.parse().unwrap();
    let own: url::Url = up_to_callback(&mut nora, "nora", &world.app("/me")).await.parse().unwrap();
    let of = |url: &url::Url, wanted: &str| {
        let found = url.query_pairs().find(|(name, _)| name == wanted);
        found.unwrap().1.into_owned()
    };
    let mut mixed = own.clone();
    let pairs = [("code", of(&hers, "code")), ("state", of(&own, "state"))];
    mixed.query_pairs_mut().clear().extend_pairs(pairs);
    let page = nora.step(mixed.as_str()).await;
    nobody(&world, &mut nora, &page).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_works_once_on_its_own_host_and_in_its_own_browser() {
    let echo = Echo::start().await;
    let world = World::start_with(|book| with_app(book, ("second", echo.port), Who::SignedIn));
    let world = world.await;
    let me = world.app("/me");

    // In another browser, which has begun a hand-over of its own: refused, and burned for its owner too.
    let mut attacker = world.browser();
    let handoff = up_to_handoff(&mut attacker, "nora", &me).await;
    let mut victim = world.browser();
    drop(victim.open(&me).await);
    let page = victim.step(&handoff).await;
    nobody(&world, &mut victim, &page).await;
    assert_eq!(attacker.step(&handoff).await.status, 400, "the code is burned");

    // On another host.
    let mut uma = world.browser();
    let handoff = up_to_handoff(&mut uma, "uma", &me).await;
    let query = handoff.split_once('?').unwrap().1;
    let elsewhere = uma.step(&format!("http://second.localhost/_gate/handoff?{query}")).await;
    assert_eq!((elsewhere.status, elsewhere.session_cookie()), (400, None));
    assert_eq!(uma.step(&handoff).await.status, 400, "the code is burned");

    // Twice.
    let mut again = world.browser();
    let handoff = up_to_handoff(&mut again, "uma", &me).await;
    assert_eq!(again.step(&handoff).await.status, 303);
    again.forget("app.localhost");
    let page = again.step(&handoff).await;
    assert_eq!((page.status, page.session_cookie()), (400, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_of_a_link_checker_spends_no_code() {
    let world = World::start().await;
    let mut uma = world.browser();
    let handoff = up_to_handoff(&mut uma, "uma", &world.app("/me")).await;
    assert_eq!(uma.send(navigation("HEAD", &handoff)).await.status, 405);
    assert_eq!(uma.open(&handoff).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_of_one_browser_sign_in_at_once() {
    let world = World::start().await;
    let mut uma = world.browser();
    let (me, finance) = (world.app("/me"), world.app("/finance/summary"));
    let (first, second) = (uma.open(&me).await, uma.open(&finance).await);
    let one = uma.choose("uma", &first.url).await.location().to_string();
    let other = uma.choose("uma", &second.url).await.location().to_string();
    for (callback, place) in [(one, me), (other, finance)] {
        let page = uma.open(&callback).await;
        assert_eq!((page.status, page.url.as_str()), (200, place.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_keeps_no_session_is_told_so_instead_of_going_round() {
    let world = World::start().await;
    let mut uma = world.browser_of("uma").await;
    let mut last = uma.open(&world.app("/me")).await;
    for _ in 0..4 {
        uma.set_cookie("app.localhost", "gate_session", "dropped");
        last = uma.open(&world.app("/me")).await;
    }
    assert_eq!((last.status, last.url.path()), (400, "/_gate/login"));
    last.assert_page();
    assert!(last.text().contains("cookies"), "{}", last.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_signing_key_of_entra_is_found_when_it_is_first_used() {
    let world = World::start().await;
    drop(world.browser_of("uma").await);
    world.sim.rotate_keys(Overlap::Drop).unwrap();
    drop(world.browser_of("nora").await);
}

/// Spellings that some reader takes for another host.
const FOREIGN: [&str; 46] = [
    "//evil.com",
    "/\\evil.com",
    "\\\\evil.com",
    "\\/evil.com",
    "/\t/evil.com",
    "/\n/evil.com",
    "/\r/evil.com",
    " //evil.com",
    "\u{1}//evil.com",
    "///evil.com",
    "////evil.com",
    "https:///evil.com",
    "https://evil.com",
    "HTTPS://evil.com",
    "http:evil.com",
    "http:/evil.com",
    "https:evil.com",
    "//google\u{3002}com",
    "evil.com",
    "/..//evil.com",
    "/.//evil.com",
    "/./\\evil.com",
    "/a/..//evil.com",
    "/a/../\\evil.com",
    "https://app.localhost@evil.com",
    "//evil.com@app.localhost",
    "https://app.localhost\\@evil.com",
    "https://app.localhost.evil.com/",
    "https://app.localhost:444/",
    "https://\u{ff41}pp.localhost/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "/%09/evil.com",
    "/%2f/evil.com",
    "/%2Fevil.com",
    "/%5cevil.com",
    "/%5C%5Cevil.com",
    "/\u{3031}evil.com",
    "//;@evil.com",
    "/;//evil.com",
    "http://3627734734",
    "//[::ffff:1.2.3.4]/",
    "http://a.com#@evil.com",
    "/x:1/:///%01javascript:alert(1)",
];

#[tokio::test(flavor = "multi_thread")]
async fn a01_wherever_a_sign_in_is_told_to_lead_it_stays_on_the_app() {
    let world = World::start().await;
    let uma = world.browser_of("uma").await;
    for text in FOREIGN {
        let once: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let twice: String = url::form_urlencoded::byte_serialize(once.as_bytes()).collect();
        for value in [once, twice] {
            let mut browser = uma.clone();
            browser.forget("app.localhost");
            let place =
                landing(&mut browser, &world.app(&format!("/_gate/login?return={value}"))).await;
            let path =
                place.strip_prefix(&world.app("")).unwrap_or_else(|| panic!("{text:?}: {place}"));
            assert!(path.starts_with('/') && !path.starts_with("//"), "{text:?}: {place}");
            assert!(!path.contains(['\\', '\t']) && !path.contains("/_gate/"), "{text:?}: {place}");
        }
    }
}

/// Where the last redirect of ours leads, byte for byte.
async fn landing(browser: &mut Browser, url: &str) -> String {
    let begin = browser.step(url).await;
    let handoff = browser.step(begin.location().as_str()).await;
    let last = browser.step(handoff.location().as_str()).await;
    assert_eq!((last.status, last.url.path()), (303, "/_gate/handoff"), "{url}");
    last.header("location")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_path_of_the_app_is_kept_byte_for_byte() {
    let world = World::start().await;
    let uma = world.browser_of("uma").await;
    for path in
        ["/reports/2026", "/reports/2026?a=1&b=%2F%2Fevil.com", "/me?next=https://evil.com/"]
    {
        let value: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
        let mut browser = uma.clone();
        browser.forget("app.localhost");
        let place =
            landing(&mut browser, &world.app(&format!("/_gate/login?return={value}"))).await;
        assert_eq!(place, world.app(path));
    }
}
