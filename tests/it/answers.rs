//! What the gate says when it lets nobody through: every row of the table of answers, as each kind of client sees it.

use std::time::{Duration, Instant};

use cedargate::model::grant::Who;
use cedargate::model::time::Clock;
use serde_json::Value;
use sqlx::Executor as _;
use tokio::net::TcpListener;

use crate::harness::{
    Answer, Browser, Echo, Request, World, exchange, navigation, script, unused_port, with_app,
};

/// Who asks: somebody who navigates, or a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asker {
    Page,
    Data,
    Htmx,
}

type Headers = &'static [(&'static str, &'static str)];
type Change<'a> = &'a dyn Fn(Request) -> Request;

/// Every kind of client, by the headers it sends, and what it counts as.
const CLIENTS: [(&str, Headers, Asker); 9] = [
    ("GET", &[("sec-fetch-mode", "navigate"), ("accept", "text/html")], Asker::Page),
    ("POST", &[("sec-fetch-mode", "navigate"), ("accept", "text/html")], Asker::Page),
    ("GET", &[("accept", "text/html,*/*;q=0.8")], Asker::Page),
    ("GET", &[("sec-fetch-mode", "cors"), ("accept", "*/*")], Asker::Data),
    ("GET", &[("sec-fetch-mode", "no-cors"), ("accept", "image/avif,*/*")], Asker::Data),
    ("POST", &[("accept", "text/html")], Asker::Data),
    ("GET", &[("x-requested-with", "XMLHttpRequest"), ("accept", "text/html")], Asker::Data),
    ("GET", &[], Asker::Data),
    ("GET", &[("hx-request", "true"), ("sec-fetch-mode", "cors")], Asker::Htmx),
];

fn request(url: &str, (method, headers): (&str, Headers)) -> Request {
    headers.iter().fold(Request::new(method, url), |r, (name, value)| r.header(name, value))
}

/// The decision that an answer quotes, from the log.
async fn quoted(world: &World, answer: &Answer) -> Value {
    let json = answer.json();
    let id = json["decision_id"].as_str().unwrap_or_else(|| panic!("a decision in {json}"));
    let line = world.log().await.record(id.parse().unwrap()).await.unwrap();
    serde_json::from_str(&line.expect("the quoted decision is on record").body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_signed_in_is_shown_the_way_to_sign_in() {
    let world = World::start().await;
    let url = world.app("/finance/summary?year=2026&x=a%26b");
    for (method, headers, asker) in CLIENTS {
        let answer = exchange(request(&url, (method, headers))).await;
        answer.assert_sealed();
        if asker == Asker::Page {
            let back = answer.location();
            let lead = back.query_pairs().find(|(name, _)| name == "return").unwrap().1;
            assert_eq!(answer.status, 303, "{headers:?}");
            assert_eq!(lead, "/finance/summary?year=2026&x=a%26b");
            assert!(answer.header("location").starts_with(&world.app("/_gate/login?")));
            continue;
        }
        let json = answer.assert_data();
        assert_eq!(
            (answer.status, &json["error"]),
            (401, &"unauthenticated".into()),
            "{headers:?}"
        );
        assert_eq!(json["login_url"], world.app("/_gate/login"), "{headers:?}");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"cedargate\"");
        assert_eq!(answer.header("hx-redirect").is_empty(), asker != Asker::Htmx);
        let record = quoted(&world, &answer).await;
        assert_eq!(
            (&record["verdict"], &record["reason"]),
            (&"deny".into(), &"not_signed_in".into())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_refused_is_told_why_and_where_that_is_on_record() {
    let world = World::start().await;
    let nora = world.browser_of("nora").await;
    for (method, headers, asker) in CLIENTS {
        let request = request(&world.app("/finance/summary"), (method, headers));
        let answer = exchange(nora.dressed(request)).await;
        assert_eq!(answer.status, 403, "{headers:?}");
        if asker == Asker::Page {
            answer.assert_page();
            let newest = world.decisions().await[0]["id"].as_str().unwrap().to_owned();
            assert!(answer.text().contains(&newest), "{}", answer.text());
            continue;
        }
        let json = answer.assert_data();
        assert_eq!((&json["error"], &json["reason"]), (&"forbidden".into(), &"no_grant".into()));
        assert_eq!(answer.header("hx-redirect"), "");
        assert_eq!(quoted(&world, &answer).await["reason"], "no_grant");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_told_the_sign_in_that_leads_back_to_its_page() {
    let world = World::start().await;
    let from = |referer: &str| script("GET", &world.app("/api/hello")).header("referer", referer);
    let led = |answer: &Answer| answer.json()["login_url"].as_str().unwrap().to_owned();
    let own = exchange(from(&world.app("/reports/2026?tab=1"))).await;
    assert!(led(&own).contains("/_gate/login?return=/reports/2026%3Ftab"), "{}", led(&own));
    let foreign = exchange(from("http://evil.example/reports/2026")).await;
    assert_eq!(led(&foreign), world.app("/_gate/login"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_program_is_sent_through_a_sign_in() {
    let world = World::start().await;
    for url in [world.app("/_gate/login?return=/me"), world.gate("/_gate/begin?return=/")] {
        for (_, headers, asker) in CLIENTS.into_iter().filter(|client| client.2 != Asker::Page) {
            let posted = exchange(request(&url, ("POST", headers))).await;
            assert_eq!((posted.status, posted.header("allow").as_str()), (405, "GET,HEAD"));
            assert_eq!(posted.assert_data()["error"], "method_not_allowed");
            if headers.contains(&("accept", "text/html")) {
                continue; // Only as a POST is it a program.
            }
            let answer = exchange(request(&url, ("GET", headers))).await;
            let json = answer.assert_data();
            assert_eq!((answer.status, &json["login_url"]), (401, &url.clone().into()));
            assert_eq!(answer.header("hx-redirect").is_empty(), asker != Asker::Htmx);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_ours_where_nothing_is_never_reach_the_app() {
    let echo = Echo::start().await;
    let world = World::start_with(|book| with_app(book, ("open", echo.port), Who::Everyone)).await;
    for path in ["/_gate/none", "/_gate/", "/_gate"] {
        let mut browser = world.browser();
        let page = browser.step(&format!("http://open.localhost{path}")).await;
        assert_eq!(page.status, 404, "{path}");
        page.assert_page();
        let data = browser.fetch("POST", &format!("http://open.localhost{path}")).await;
        assert_eq!((data.status, &data.assert_data()["error"]), (404, &"not_found".into()));
    }
    assert_eq!(echo.hits(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a48_what_an_app_answers_to_somebody_is_kept_for_nobody_else() {
    let echo = Echo::start().await;
    let world = World::start_with(|book| with_app(book, ("open", echo.port), Who::Everyone)).await;
    let (mut uma, url) = (world.browser_of("uma").await, "http://open.localhost/");
    let hers = uma.open("http://open.localhost/_gate/login").await;
    assert_eq!((hers.header("cache-control").as_str(), hers.status), ("private, no-store", 200));
    let nobodys = world.browser().step(url).await;
    assert_eq!((nobodys.header("cache-control").as_str(), nobodys.status), ("", 200));
    for answer in [hers, nobodys] {
        assert!(answer.header("vary").contains("Cookie"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_scripts_of_the_apps_friends_may_read_refusals() {
    let friend = "https://friend.example";
    let world = World::start_with(|book| book.apps[0].cors_origins = vec![friend.parse().unwrap()]);
    let world = world.await;
    let nora = world.browser_of("nora").await;
    let own = world.app("");
    for (origin, readable) in [
        (friend, true),
        (own.as_str(), true),
        ("https://friend.example.evil.example", false),
        ("http://friend.example", false),
        ("https://friend.example:8443", false),
        ("null", false),
        ("*", false),
    ] {
        for browser in [&world.browser(), &nora] {
            let request = script("GET", &world.app("/finance/summary")).header("origin", origin);
            let answer = exchange(browser.dressed(request)).await;
            let allowed = if readable { origin } else { "" };
            assert!([401, 403].contains(&answer.status));
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{origin}");
            let with = if readable { "true" } else { "" };
            assert_eq!(answer.header("access-control-allow-credentials"), with, "{origin}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_can_not_be_decided_are_refused_in_both_forms_and_recorded() {
    let world = World::start().await;
    let (app, long) = (world.app("/"), world.app(&format!("/{}", "a".repeat(9_000))));
    let double = world.app("/finance//summary");
    let other_host = |request: Request| request.header("host", "unknown.example");
    let same = |request: Request| request;
    let rows: [(u16, &str, (&str, &str), Change<'_>); 5] = [
        (400, "ambiguous_path", ("GET", &double), &same),
        (405, "method_not_allowed", ("TRACE", &app), &same),
        (405, "method_not_allowed", ("PURGE", &app), &same),
        (414, "target_too_long", ("GET", &long), &same),
        (421, "unknown_host", ("GET", &app), &other_host),
    ];
    for (status, code, (method, url), change) in rows {
        let page = exchange(change(navigation(method, url))).await;
        assert_eq!(page.status, status, "{code}");
        page.assert_page();
        let data = exchange(change(script(method, url))).await;
        assert_eq!((data.status, &data.assert_data()["error"]), (status, &code.into()));
        assert_eq!(data.header("allow").is_empty(), status != 405);
        assert_eq!(quoted(&world, &data).await["refusal"].as_str().unwrap(), word(code));
        let newest = world.decisions().await[1]["id"].as_str().unwrap().to_owned();
        assert!(page.text().contains(&newest), "the page of {code} quotes its record");
        // A way on is known only where the host is ours.
        assert_eq!(page.text().contains("Go to the start page"), status != 421, "{code}");
        assert_eq!(page.text().contains("See what I may open"), status != 421, "{code}");
    }
}

/// The word of a refusal in the log.
fn word(code: &str) -> &str {
    if code == "target_too_long" { "too_long" } else { code }
}

/// On a clock that stands still no token comes back, so the burst is exact.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_turned_away_without_troubling_those_who_are_let_in() {
    let world = World::start_at(Clock::fixed(Clock::System.now()), |_| {}).await;
    let uma = world.browser_of("uma").await;
    let url = world.app("/finance/summary");
    let mut refused = 0;
    let last = loop {
        let answer = exchange(script("GET", &url)).await;
        if answer.status != 401 {
            break answer;
        }
        refused += 1;
    };
    let before = world.decisions().await.len();
    // A sign-in costs too: it makes us keep something for somebody unknown.
    assert!((295..=300).contains(&refused), "{refused} refusals before {}", last.status);
    assert_eq!((last.status, &last.assert_data()["error"]), (429, &"too_many_requests".into()));
    let page = exchange(navigation("GET", &url)).await;
    page.assert_page();
    for answer in [&last, &page] {
        assert_eq!((answer.status, answer.header("retry-after").as_str()), (429, "10"));
    }
    assert_eq!(exchange(uma.dressed(script("GET", &url))).await.status, 200);
    assert_eq!(world.decisions().await.len(), before + 1, "what is turned away is not recorded");
    // Two were turned away. When the summing-up falls between them, there are two records of one each.
    let summed_up =
        |events: &[Value]| events.iter().filter_map(|e| e["count"].as_u64()).sum::<u64>();
    let begun = Instant::now();
    while summed_up(&world.events("turned_away").await) < 2 {
        assert!(begun.elapsed() < Duration::from_secs(20), "all are summed up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let events = world.events("turned_away").await;
    assert_eq!((summed_up(&events), &events[0]["client"]), (2, &"127.0.0.1".into()));
}

/// Both forms of one failure, which was allowed, recorded and told.
async fn upstream_fails(world: &World, name: &str, (status, code): (u16, &str)) {
    let mut browser = world.browser();
    let url = format!("http://{name}.localhost/");
    let page = browser.step(&url).await;
    assert_eq!(page.status, status, "{name}");
    page.assert_page();
    let data = browser.fetch("GET", &url).await;
    assert_eq!((data.status, &data.assert_data()["error"]), (status, &code.into()));
    assert_eq!(quoted(world, &data).await["verdict"], "allow");
    let event = &world.events("upstream_failed").await[0];
    assert_eq!(
        (&event["decision"], &event["status"]),
        (&data.json()["decision_id"], &status.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_down_or_silent_is_said_to_be() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, unused) = (silent.local_addr().unwrap().port(), unused_port().await);
    let world = World::start_impatient(Duration::from_millis(200), |book| {
        with_app(book, ("down", unused), Who::Everyone);
        with_app(book, ("silent", port), Who::Everyone);
    });
    let world = world.await;
    upstream_fails(&world, "down", (502, "upstream_failed")).await;
    upstream_fails(&world, "silent", (504, "upstream_timeout")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_passes_that_can_not_be_recorded() {
    let echo = Echo::start().await;
    let world = World::start_with(|book| with_app(book, ("open", echo.port), Who::Everyone)).await;
    let url = "http://open.localhost/";
    assert_eq!((world.browser().fetch("GET", url).await.status, echo.hits()), (200, 1));

    let mut file = world.log_file().await;
    file.execute("BEGIN EXCLUSIVE").await.unwrap();
    let begun = Instant::now();
    let (mut one, mut other) = (world.browser(), world.browser());
    let (page, data) = tokio::join!(one.step(url), other.fetch("POST", url));
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert_eq!((page.status, data.status), (503, 503));
    page.assert_page();
    assert_eq!(data.assert_data()["error"], "not_recorded");
    assert!(data.json()["request_id"].is_string());
    assert_eq!(echo.hits(), 1, "nothing reached the app");

    file.execute("ROLLBACK").await.unwrap();
    assert_eq!(recovered(&mut world.browser(), url).await.status, 200);
    assert_eq!(echo.hits(), 2, "what was answered 503 is not sent later");
    let event = world.event_to_come("abandoned").await;
    assert!(event["entry"].is_string(), "{event}");
}

/// The first answer that is no 503; the log's writer is back within its busy timeout.
async fn recovered(browser: &mut Browser, url: &str) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = browser.fetch("GET", url).await;
        if answer.status != 503 || begun.elapsed() > Duration::from_secs(15) {
            return answer;
        }
    }
}
