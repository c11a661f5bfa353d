//! The life of a session through the running gate: restarts, limits, re-checks, hosts, and cookies that are none.

use std::time::Duration;

use cedargate::model::grant::Who;
use cedargate::model::time::Clock;
use cedargate::sim::people::{Account, FINANCE, IT_ADMINS, OLIVE};
use cedargate::sim::{Tamper, TokenFault};
use serde_json::json;

use crate::harness::{Answer, Browser, Echo, World, exchange, navigation, script, with_app};

const MINUTE: Duration = Duration::from_mins(1);

/// A world whose time stands still until a test moves it.
async fn still() -> World {
    World::start_at(Clock::fixed(Clock::System.now()), |_| {}).await
}

async fn finance(world: &World, browser: &mut Browser) -> u16 {
    browser.fetch("GET", &world.app("/finance/summary")).await.status
}

/// Signs out with the form of the page that asks for it.
pub(crate) async fn sign_out(browser: &mut Browser, url: &str) -> Answer {
    let page = browser.step(url).await.text();
    let token = page.split("name=\"_csrf\" value=\"").nth(1).expect("a form with a token");
    let token = token.split('"').next().unwrap();
    let origin = url.parse::<url::Url>().unwrap().origin().ascii_serialization();
    let form = navigation("POST", url).form(&[("_csrf", token)]);
    assert_eq!(form.headers["origin"].to_str().unwrap(), origin);
    browser.send(form).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_outlives_a_restart() {
    let world = World::start().await;
    let mut uma = world.browser_of("uma").await;
    let before = world.store().await.live_number().await.unwrap();
    let world = world.restart().await;
    uma.port = world.places.port;
    // The port is a new one, and so is the release that names it: history only grows.
    assert!(world.store().await.live_number().await.unwrap() > before);
    assert_eq!(finance(&world, &mut uma).await, 200);
    let page = uma.open(&world.app("/me")).await;
    assert!(page.text().contains("Uma Umarov"), "{}", page.text());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a46_signing_out_on_one_host_ends_the_session_everywhere_at_once() {
    let echo = Echo::start().await;
    let world = World::start_with(|book| with_app(book, ("second", echo.port), Who::SignedIn));
    let world = world.await;
    let second = "http://second.localhost/";
    let mut uma = world.browser_of("uma").await;
    // The second host needs no second sign-in: the parent session hands over.
    assert_eq!(uma.open(second).await.status, 200);
    let stolen = uma.clone();
    let page = sign_out(&mut uma, &world.app("/_gate/logout")).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page.assert_page();
    assert_eq!(uma.cookie("app.localhost", "gate_session"), None);
    assert!(page.header("clear-site-data").contains("storage"));
    // Every cookie that the browser had, replayed.
    let mut thief = stolen;
    for url in [world.app("/me"), second.to_owned()] {
        assert_eq!(thief.fetch("GET", &url).await.status, 401, "{url}");
    }
    let begun = thief.step(&world.gate("/_gate/begin")).await;
    assert!(begun.location().path().ends_with("/authorize"), "{}", begun.location());
    let event = &world.events("session_ended").await[0];
    assert_eq!(event["why"], "signed_out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a47_a_link_or_a_foreign_form_signs_nobody_out() {
    let world = World::start().await;
    let mut uma = world.browser_of("uma").await;
    let url = world.app("/_gate/logout");
    assert_eq!(uma.step(&url).await.status, 200);
    let foreign = navigation("POST", &url)
        .header("origin", "http://evil.example")
        .header("sec-fetch-site", "cross-site");
    assert_eq!(uma.send(foreign).await.status, 403);
    let without_token = navigation("POST", &url).form(&[("_csrf", "guessed")]);
    assert_eq!(uma.send(without_token).await.status, 403);
    assert_eq!(finance(&world, &mut uma).await, 200);
    assert_eq!(world.decisions().await[1]["refusal"], "forged_form");
}

#[tokio::test(flavor = "multi_thread")]
async fn a43_a_cookie_of_one_host_opens_nothing_on_another() {
    let echo = Echo::start().await;
    let world = World::start_with(|book| with_app(book, ("second", echo.port), Who::SignedIn));
    let world = world.await;
    let mut uma = world.browser_of("uma").await;
    drop(uma.open("http://second.localhost/").await);
    let hosts = ["localhost", "app.localhost", "second.localhost"];
    let urls =
        [world.gate("/_gate/begin"), world.app("/me"), "http://second.localhost/".to_owned()];
    for from in hosts {
        let value = uma.cookie(from, "gate_session").expect("a session on each host").to_owned();
        for (to, url) in hosts.iter().zip(&urls).filter(|(to, _)| **to != from) {
            let mut other = world.browser();
            other.set_cookie(to, "gate_session", &value);
            assert_eq!(other.fetch("GET", url).await.status, 401, "{from} on {to}");
        }
    }
    assert_eq!(echo.hits(), 1, "only her own visit reached the second app");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_not_used_ends() {
    let world = still().await;
    let mut uma = world.browser_of("uma").await;
    world.clock.advance(59 * MINUTE);
    assert_eq!(finance(&world, &mut uma).await, 200);
    world.clock.advance(59 * MINUTE);
    assert_eq!(finance(&world, &mut uma).await, 200, "using it starts the hour anew");
    world.clock.advance(61 * MINUTE);
    let answer = uma.fetch("GET", &world.app("/finance/summary")).await;
    assert_eq!((answer.status, answer.clears_session()), (401, true));
    assert_eq!(world.events("session_ended").await[0]["why"], "expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_half_a_day_however_much_it_is_used() {
    let world = still().await;
    let mut uma = world.browser_of("uma").await;
    for half_hour in 1..24 {
        world.clock.advance(30 * MINUTE);
        assert_eq!(finance(&world, &mut uma).await, 200, "after {half_hour} half hours");
    }
    world.clock.advance(30 * MINUTE);
    assert_eq!(finance(&world, &mut uma).await, 401);
    assert_eq!(world.events("session_ended").await[0]["why"], "expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a36_a_group_added_at_entra_opens_its_pages_within_a_quarter_of_an_hour() {
    let world = still().await;
    let mut nora = world.browser_of("nora").await;
    world.sim.add_group("nora", FINANCE).unwrap();
    world.clock.advance(14 * MINUTE);
    assert_eq!(finance(&world, &mut nora).await, 403);
    world.clock.advance(2 * MINUTE);
    assert_eq!(finance(&world, &mut nora).await, 200);
    world.sim.remove_group("nora", FINANCE).unwrap();
    world.clock.advance(16 * MINUTE);
    assert_eq!(finance(&world, &mut nora).await, 403);
    let events = world.events("principal_changed").await;
    let [went, came] = events.as_slice() else { panic!("two changes: {events:?}") };
    let (finance, nothing) =
        (json!({ "groups": [FINANCE], "roles": [] }), json!({ "groups": [], "roles": [] }));
    assert_eq!((&came["added"], &came["removed"]), (&finance, &nothing));
    assert_eq!((&went["added"], &went["removed"]), (&nothing, &finance));
    assert_eq!(went["actor"], world.events("signed_in").await[0]["actor"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a40_a_person_disabled_at_entra_is_out_at_the_next_check() {
    let world = still().await;
    let mut uma = world.browser_of("uma").await;
    world.sim.set_account("uma", Account::Disabled).unwrap();
    assert_eq!(finance(&world, &mut uma).await, 200);
    world.clock.advance(16 * MINUTE);
    assert_eq!(finance(&world, &mut uma).await, 401);
    let event = &world.events("session_ended").await[0];
    assert_eq!(
        (&event["why"], &event["detail"]),
        (&"refused_by_entra".into(), &"AADSTS50057".into())
    );
    assert_eq!(event["subject"], world.events("signed_in").await[0]["actor"]);
    // The session is gone, not only closed.
    world.sim.set_account("uma", Account::Enabled).unwrap();
    assert_eq!(finance(&world, &mut uma).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a40_while_entra_is_away_old_groups_stay_and_the_record_says_so() {
    let world = still().await;
    let mut uma = world.browser_of("uma").await;
    world.sim.remove_group("uma", FINANCE).unwrap();
    world.sim.fail_next_token(TokenFault::Unavailable);
    world.clock.advance(16 * MINUTE);
    assert_eq!(finance(&world, &mut uma).await, 200);
    let event = &world.events("recheck_unavailable").await[0];
    assert!(event["session"].is_string() && event["detail"].is_string(), "{event}");
    world.clock.advance(2 * MINUTE);
    assert_eq!(finance(&world, &mut uma).await, 403, "the next try took the group away");
}

#[tokio::test(flavor = "multi_thread")]
async fn a40_a_refreshed_token_about_somebody_else_ends_the_session() {
    let world = still().await;
    let mut uma = world.browser_of("uma").await;
    world.sim.tamper_next_id_token(Tamper::Claim("oid".to_owned(), json!(OLIVE)));
    world.clock.advance(16 * MINUTE);
    assert_eq!(uma.fetch("GET", &world.app("/admin/")).await.status, 401);
    assert_eq!(world.events("session_ended").await[0]["why"], "refused_by_entra");
}

#[tokio::test(flavor = "multi_thread")]
async fn a49_the_oldest_session_of_a_person_with_too_many_ends() {
    let world = World::start().await;
    let mut first = world.browser_of("uma").await;
    for _ in 0..19 {
        drop(world.browser_of("uma").await);
    }
    assert_eq!(finance(&world, &mut first).await, 200);
    let mut newest = world.browser_of("uma").await;
    assert_eq!(finance(&world, &mut first).await, 401);
    assert_eq!(finance(&world, &mut newest).await, 200);
    assert_eq!(world.events("session_ended").await[0]["why"], "too_many");
}

#[tokio::test(flavor = "multi_thread")]
async fn max_of_450_groups_reaches_finance_through_graph() {
    let world = World::start().await;
    let mut max = world.browser_of("max").await;
    assert_eq!(finance(&world, &mut max).await, 200);
    let page = max.open(&world.app("/finance/summary")).await;
    assert!(page.text().contains("Max Mertens"), "{}", page.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn gia_is_a_guest_and_stays_out_of_administration_even_as_an_admin() {
    let world = World::start().await;
    world.sim.add_group("gia", IT_ADMINS).unwrap();
    let mut gia = world.browser_of("gia").await;
    let answer = gia.fetch("GET", &world.app("/admin/")).await;
    assert_eq!((answer.status, &answer.json()["reason"]), (403, &"forbidden".into()));
    assert_eq!(gia.fetch("GET", &world.app("/me")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn zed_is_refused_by_entra_and_gets_no_session() {
    let world = World::start().await;
    let mut zed = world.browser();
    let page = zed.sign_in("zed", &world.app("/me")).await;
    assert!(page.text().contains("50105"), "{}", page.text());
    assert_eq!(zed.fetch("GET", &world.app("/me")).await.status, 401);
    assert!(world.events("signed_in").await.is_empty());
}

/// Headers that apps trust: all there, each once, all empty for nobody.
const IDENTITY: [&str; 6] = [
    "x-gate-user-id",
    "x-gate-user",
    "x-gate-name",
    "x-gate-email",
    "x-gate-groups",
    "x-gate-roles",
];

#[tokio::test(flavor = "multi_thread")]
async fn a19_a_cookie_that_is_no_session_makes_nobody_and_is_taken_away() {
    let echo = Echo::start().await;
    let world = World::start_with(|book| with_app(book, ("open", echo.port), Who::Everyone)).await;
    let mut uma = world.browser();
    drop(uma.sign_in("uma", &world.app("/me")).await);
    let good = uma.cookie("app.localhost", "gate_session").unwrap().to_owned();
    let (cut, long) = (good.split_at(good.len() - 1).0, "x".repeat(6_000));
    let presented = [
        "gate_session=garbage".to_owned(),
        "gate_session=".to_owned(),
        format!("gate_session={}", "A".repeat(43)),
        format!("gate_session={cut}"),
        format!("gate_session={good}="),
        format!("gate_session=\"{good}\""),
        format!("gate_session={}", good.to_uppercase()),
        format!("gate_session={long}"),
        format!("gate_session={good}; gate_session={good}"),
        format!("gate_session={good}; gate_session=other"),
    ];
    let url = format!("http://open.localhost:{}/", world.places.port);
    for cookie in presented {
        let spoofed = script("GET", &url)
            .header("cookie", &cookie)
            .header("x-gate-user-id", "spoofed")
            .header("x_gate_user", "spoofed")
            .header("X-Gate-Groups", "spoofed")
            .header("remote-user", "spoofed");
        let answer = exchange(spoofed).await;
        let seen = answer.json();
        assert_eq!((answer.status, answer.clears_session()), (200, true), "{cookie}");
        assert!(!answer.text().contains("spoofed"), "{seen}");
        for name in IDENTITY {
            assert_eq!(seen[name], json!([""]), "{name} with {cookie}");
        }
        assert!(!seen["x-gate-decision"][0].as_str().unwrap().is_empty());
        assert!(!seen.as_object().unwrap().contains_key("cookie"), "{seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a43_a_cookie_of_almost_the_right_name_is_none() {
    let world = World::start().await;
    let uma = world.browser_of("uma").await;
    let good = uma.cookie("app.localhost", "gate_session").unwrap().to_owned();
    for name in ["Gate_session", "GATE_SESSION", "__Host-gate_session", "$gate_session"] {
        let request = script("GET", &world.app("/me")).header("cookie", &format!("{name}={good}"));
        let answer = exchange(request).await;
        assert_eq!((answer.status, answer.clears_session()), (401, false), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a42_a_session_known_before_the_sign_in_is_never_adopted() {
    let world = World::start().await;
    let mut attacker = world.browser_of("nora").await;
    let mut victim = world.browser();
    for host in ["localhost", "app.localhost"] {
        let known = attacker.cookie(host, "gate_session").unwrap().to_owned();
        victim.set_cookie(host, "gate_session", &known);
    }
    let place = world.app("/_gate/login?account=other&return=/me");
    assert_eq!(victim.sign_in("uma", &place).await.status, 200);
    for host in ["localhost", "app.localhost"] {
        assert_ne!(victim.cookie(host, "gate_session"), attacker.cookie(host, "gate_session"));
    }
    assert_eq!(attacker.fetch("GET", &world.app("/me")).await.status, 401, "it ended instead");
    assert_eq!(finance(&world, &mut victim).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_its_person_ends_elsewhere_is_refused_at_the_next_request() {
    let world = World::start().await;
    let (mut here, mut there) = (world.browser(), world.browser());
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0<b>";
    for browser in [&mut here, &mut there] {
        drop(browser.sign_in("uma", &world.app("/me")).await);
    }
    let mut odd = world.browser();
    let asked = odd.open(&world.app("/me")).await;
    let chosen = odd.choose("uma", &asked.url).await;
    let back = navigation("GET", chosen.location().as_str()).header("user-agent", agent);
    let arrived = odd.send(back).await;
    assert_eq!(odd.open(arrived.location().as_str()).await.status, 200);
    let page = here.open(&world.gate("/sessions")).await;
    page.assert_page();
    let text = page.text();
    assert_eq!(text.matches("This browser").count(), 1, "{text}");
    for part in ["Firefox on Linux", "127.0.0.1", "Unknown browser"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("140.0"), "nothing of the browser's own text: {text}");
    assert_eq!(finance(&world, &mut odd).await, 200);
    let firefox = text.split("<li ").find(|item| item.contains("Firefox on Linux")).unwrap();
    let end = firefox.split("danger\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let text = here.open(&world.gate(end)).await.text();
    assert!(text.contains("End this session?"), "{text}");
    let token = text.split("name=\"_csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = navigation("POST", &world.gate(end)).form(&[("_csrf", token)]);
    assert_eq!(here.send(form).await.status, 303);
    assert_eq!(finance(&world, &mut odd).await, 401, "at the next request");
    assert_eq!(finance(&world, &mut there).await, 200);
    let event = &world.events("session_ended").await[0];
    assert_eq!(event["why"], "ended_elsewhere");
    assert_eq!(
        event["actor"],
        format!("{}.{}", cedargate::sim::people::TENANT, cedargate::sim::people::UMA)
    );
    let others = world.gate("/sessions/others/end");
    let form = navigation("POST", &others).form(&[("_csrf", token)]);
    assert_eq!(here.send(form).await.status, 303);
    assert_eq!(finance(&world, &mut there).await, 401);
    assert_eq!(finance(&world, &mut here).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_added_at_entra_opens_its_pages_as_soon_as_the_person_asks_for_it() {
    let world = still().await;
    let mut nora = world.browser_of("nora").await;
    world.sim.add_group("nora", FINANCE).unwrap();
    world.clock.advance(2 * MINUTE);
    assert_eq!(finance(&world, &mut nora).await, 403);
    let page = nora.open(&world.gate("/")).await.text();
    assert!(!page.contains("/finance/"), "{page}");
    let token = page.split("name=\"_csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = navigation("POST", &world.gate("/groups/read")).form(&[("_csrf", token)]);
    assert_eq!(nora.send(form).await.header("location"), "/?done=read");
    let page = nora.open(&world.gate("/?done=read")).await.text();
    assert!(page.contains("were read again") && page.contains("/finance/"), "{page}");
    assert_eq!(finance(&world, &mut nora).await, 200);
}
