//! Sign-ins and hand-overs under way.

use super::*;

const CLIENT: ClientAddress = ClientAddress::Known(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)));

fn sign_in(state: &str, browser: &str) -> SignIn {
    SignIn {
        state: SecretHash::of(state),
        browser: SecretHash::of(browser),
        nonce: "nonce".to_owned().into(),
        verifier: "verifier".to_owned().into(),
        destination: Destination::Page("/console/".to_owned()),
        step_up: "c1 max_age=300".parse().unwrap(),
        session: "s-1".parse().ok(),
        round: Round::Again,
    }
}

async fn take(scene: &Scene, (state, browser): (&str, &str), seconds: i64) -> SignInTaken {
    let (state, browser) = (SecretHash::of(state), SecretHash::of(browser));
    scene.store.take_sign_in(&state, &browser, at(seconds)).await.unwrap()
}

fn handover(id: &str) -> Handover {
    Handover {
        id: SecretHash::of(id),
        browser: SecretHash::of("browser"),
        host: host("payroll.contoso.com"),
        return_path: "/reports/2026?q=1".to_owned(),
        step_up: "c7".parse().unwrap(),
    }
}

fn host(name: &str) -> Host {
    name.parse().unwrap()
}

/// A hand-over that waits under the code `code` for the session `s-1`.
async fn granted() -> Scene {
    let scene = scene().await;
    sessions::start(&scene, "s-1", 0).await;
    scene.store.begin_handover(&handover("t"), CLIENT, at(0)).await.unwrap();
    assert!(grant(&scene, ("t", "code"), 5).await);
    scene
}

async fn grant(scene: &Scene, (id, code): (&str, &str), seconds: i64) -> bool {
    let session: SessionId = "s-1".parse().unwrap();
    let (id, code) = (SecretHash::of(id), SecretHash::of(code));
    scene.store.grant_handover(&id, (&code, &session), at(seconds)).await.unwrap()
}

async fn redeem(scene: &Scene, (browser, on): (&str, &str), seconds: i64) -> HandoverTaken {
    let (code, browser) = (SecretHash::of("code"), SecretHash::of(browser));
    scene.store.take_handover(&code, (&browser, &host(on)), at(seconds)).await.unwrap()
}

#[tokio::test]
async fn sign_in_comes_back_whole_and_once() {
    let scene = scene().await;
    let mut begun = sign_in("state", "browser");
    begun.destination = Destination::Handover(SecretHash::of("t"));
    scene.store.begin_sign_in(&begun, CLIENT, at(0)).await.unwrap();
    let SignInTaken::Taken(taken) = take(&scene, ("state", "browser"), 599).await else {
        panic!("not taken")
    };
    assert_eq!(taken.nonce.expose_secret(), "nonce");
    assert_eq!(taken.verifier.expose_secret(), "verifier");
    assert_eq!(taken.destination, begun.destination);
    assert_eq!((&taken.step_up, &taken.session), (&begun.step_up, &begun.session));
    assert_eq!(taken.round, Round::Again);
    assert!(matches!(take(&scene, ("state", "browser"), 599).await, SignInTaken::Unknown));
}

#[tokio::test]
async fn one_of_many_takers_gets_the_sign_in() {
    let scene = scene().await;
    scene.store.begin_sign_in(&sign_in("state", "browser"), CLIENT, at(0)).await.unwrap();
    let taken = tokio::join!(
        take(&scene, ("state", "browser"), 1),
        take(&scene, ("state", "browser"), 1),
        take(&scene, ("state", "browser"), 1),
    );
    let won = [&taken.0, &taken.1, &taken.2];
    let won = won.iter().filter(|taken| matches!(taken, SignInTaken::Taken(_))).count();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn sign_in_is_over_after_ten_minutes() {
    let scene = scene().await;
    scene.store.begin_sign_in(&sign_in("state", "browser"), CLIENT, at(0)).await.unwrap();
    assert!(matches!(take(&scene, ("state", "browser"), 600).await, SignInTaken::Expired));
    scene.store.begin_sign_in(&sign_in("state", "browser"), CLIENT, at(0)).await.unwrap();
    assert_eq!(scene.store.sweep_sign_ins(at(599)).await.unwrap(), 0);
    assert_eq!(scene.store.sweep_sign_ins(at(600)).await.unwrap(), 1);
}

#[tokio::test]
async fn another_browser_burns_the_sign_in() {
    let scene = scene().await;
    scene.store.begin_sign_in(&sign_in("state", "browser"), CLIENT, at(0)).await.unwrap();
    assert!(matches!(take(&scene, ("state", "thief"), 1).await, SignInTaken::OtherBrowser));
    assert!(matches!(take(&scene, ("state", "browser"), 1).await, SignInTaken::Unknown));
}

#[tokio::test]
async fn twenty_first_sign_in_of_a_browser_pushes_out_its_oldest() {
    let scene = scene().await;
    for n in 0..21 {
        let begun = sign_in(&format!("state-{n}"), "browser");
        scene.store.begin_sign_in(&begun, CLIENT, at(n)).await.unwrap();
    }
    assert!(matches!(take(&scene, ("state-0", "browser"), 30).await, SignInTaken::Unknown));
    assert!(matches!(take(&scene, ("state-1", "browser"), 30).await, SignInTaken::Taken(_)));
    assert!(matches!(take(&scene, ("state-20", "browser"), 30).await, SignInTaken::Taken(_)));
}

#[tokio::test]
async fn handover_carries_a_session_to_its_host_once() {
    let scene = granted().await;
    assert!(!grant(&scene, ("t", "second"), 6).await, "one code per transaction");
    let taken = redeem(&scene, ("browser", "payroll.contoso.com"), 34).await;
    let (session, return_path) = ("s-1".parse().unwrap(), "/reports/2026?q=1".to_owned());
    assert_eq!(taken, HandoverTaken::Taken { session, return_path });
    let again = redeem(&scene, ("browser", "payroll.contoso.com"), 34).await;
    assert_eq!(again, HandoverTaken::Unknown);
}

#[tokio::test]
async fn handover_is_burned_by_whoever_has_no_right_to_it() {
    let check = async |browser: &str, on: &str, seconds: i64, expected: HandoverTaken| {
        let scene = granted().await;
        assert_eq!(redeem(&scene, (browser, on), seconds).await, expected);
        let owner = redeem(&scene, ("browser", "payroll.contoso.com"), 6).await;
        assert_eq!(owner, HandoverTaken::Unknown);
    };
    check("thief", "payroll.contoso.com", 6, HandoverTaken::OtherBrowser).await;
    check("browser", "other.contoso.com", 6, HandoverTaken::OtherHost).await;
    check("browser", "payroll.contoso.com", 35, HandoverTaken::Expired).await;
}

#[tokio::test]
async fn one_of_two_takers_gets_the_handover() {
    let scene = granted().await;
    let (a, b) = tokio::join!(
        redeem(&scene, ("browser", "payroll.contoso.com"), 6),
        redeem(&scene, ("browser", "payroll.contoso.com"), 6),
    );
    assert!((a == HandoverTaken::Unknown) != (b == HandoverTaken::Unknown), "{a:?} {b:?}");
}

#[tokio::test]
async fn code_of_an_ended_session_opens_nothing() {
    let scene = granted().await;
    let session = "s-1".parse().unwrap();
    let end = End {
        why: crate::model::record::SessionEnd::SignedOut,
        detail: String::new(),
        by: crate::model::record::Actor::Gate,
        at: at(6),
    };
    assert!(scene.store.end_session(&session, &end).await.unwrap());
    let taken = redeem(&scene, ("browser", "payroll.contoso.com"), 6).await;
    assert_eq!(taken, HandoverTaken::Unknown);
}

#[tokio::test]
async fn handover_is_found_only_while_it_waits() {
    let scene = scene().await;
    sessions::start(&scene, "s-1", 0).await;
    scene.store.begin_handover(&handover("t"), CLIENT, at(0)).await.unwrap();
    let id = SecretHash::of("t");
    assert_eq!(scene.store.handover(&id, at(1)).await.unwrap(), Some(handover("t")));
    assert_eq!(scene.store.handover(&id, at(600)).await.unwrap(), None);
    assert!(!grant(&scene, ("t", "code"), 600).await);
    assert!(grant(&scene, ("t", "code"), 599).await);
    assert_eq!(scene.store.handover(&id, at(599)).await.unwrap(), None);
    assert_eq!(scene.store.sweep_handovers(at(1000)).await.unwrap(), 1);
}

#[tokio::test]
async fn twenty_first_handover_of_a_browser_pushes_out_its_oldest() {
    let scene = scene().await;
    for n in 0..21 {
        scene.store.begin_handover(&handover(&format!("t-{n}")), CLIENT, at(n)).await.unwrap();
    }
    let first = scene.store.handover(&SecretHash::of("t-0"), at(30)).await.unwrap();
    let second = scene.store.handover(&SecretHash::of("t-1"), at(30)).await.unwrap();
    assert_eq!((first, second), (None, Some(handover("t-1"))));
}
