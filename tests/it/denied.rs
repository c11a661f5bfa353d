//! What a refused person reads, for each kind of reason, as the gate answers it.

use cedargate::model::grant::{Conditions, Effect, Grant, What, Who};
use cedargate::model::id::RouteId;
use cedargate::model::policy::Policy;
use cedargate::model::route::{Disclosure, LetterCase, Route};
use cedargate::model::rule_book::RuleBook;
use cedargate::model::time::{Clock, Instant, Timestamp};
use cedargate::sim::people::{TENANT, UMA};

use crate::harness::{Answer, Browser, World, navigation, script};

/// A page of the intranet with the title "The page", at `/<name>`, as `change` has it.
fn page(book: &mut RuleBook, name: &str, change: impl FnOnce(&mut Route)) -> RouteId {
    let id: RouteId = format!("intranet/{name}").parse().unwrap();
    let mut route = Route::new(id.clone(), format!("/{name}").parse().unwrap());
    route.title = "The page".into();
    change(&mut route);
    book.routes.push(route);
    id
}

/// The same twice, `brief-<name>` and `helpful-<name>`, open to everybody signed in under these conditions.
fn conditional(book: &mut RuleBook, name: &str, when: &Conditions) {
    for (word, disclosure) in [("brief", Disclosure::Brief), ("helpful", Disclosure::Helpful)] {
        let name = format!("{word}-{name}");
        let id = page(book, &name, |route| route.disclosure = disclosure);
        let grant = Grant::new(name.parse().unwrap(), Who::SignedIn, What::All, id);
        book.grants.push(Grant { when: when.clone(), ..grant });
    }
}

fn policy(book: &mut RuleBook, name: &str, text: &str) {
    let id = page(book, name, |_| ());
    let text = text.replace("PAGE", &format!("resource in Route::\"{id}\""));
    book.policies.push(Policy { id: name.parse().unwrap(), text });
}

fn with(change: impl FnOnce(&mut Conditions)) -> Conditions {
    let mut when = Conditions::default();
    change(&mut when);
    when
}

/// Every kind of reason, each on a page of its own.
fn kinds(book: &mut RuleBook, now: Timestamp) {
    let networks = with(|when| when.networks = vec!["10.0.0.0/8".parse().unwrap()]);
    conditional(book, "network", &networks);
    conditional(book, "hours", &with(|when| when.hours = vec![other_days(now)]));
    let yesterday = Timestamp::from_seconds(1_790_000_000);
    conditional(book, "ended", &with(|when| when.until = Some(Instant(yesterday))));
    conditional(book, "none", &Conditions::default());
    let nobody = |grant: &mut Grant| grant.who = Who::Role("Nobody.Has".parse().unwrap());
    book.grants.iter_mut().filter(|grant| grant.id.as_str().ends_with("-none")).for_each(nobody);
    let id = page(book, "suspended", |_| ());
    let uma = Who::Person(format!("{TENANT}.{UMA}").parse().unwrap());
    let open = Grant::new("suspended-open".parse().unwrap(), Who::SignedIn, What::All, id.clone());
    let close = Grant::new("suspended".parse().unwrap(), uma, What::All, id);
    book.grants.extend([open, Grant { effect: Effect::Forbid, ..close }]);
    policy(book, "forbidden", "forbid (principal is User, action, PAGE);");
    policy(
        book,
        "later",
        "permit (principal is User, action, PAGE) when { context.mfa && context.ip.isInRange(ip(\"10.0.0.0/8\")) };",
    );
    let overflow = "context.now.toTime().toMilliseconds() + 9223372036854775807 > 0";
    policy(book, "broken", &format!("permit (principal, action, PAGE) when {{ {overflow} }};"));
    let reports = book.grants.iter_mut().find(|grant| grant.id.as_str() == "reports").unwrap();
    reports.who = Who::SignedIn;
    reports.when.own = Some("year".parse().unwrap());
}

/// All hours of every day but the one that it is.
fn other_days(now: Timestamp) -> cedargate::model::civil::Hours {
    use cedargate::model::civil::{Hours, Weekday, Zone};
    let zone: Zone = "UTC".parse().unwrap();
    let today = zone.local(now).weekday;
    let days = Weekday::ALL.into_iter().filter(|day| *day != today).collect();
    Hours::new(zone, days, "00:00".parse().unwrap(), "24:00".parse().unwrap()).unwrap()
}

/// What stands in a page, without tags.
fn text(answer: &Answer) -> String {
    let html = answer.text();
    let main = html.split("<main").nth(1).unwrap().split("</main").next().unwrap();
    let plain: String =
        main.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Uma opens a path: the page says all of these and none of those, and a script gets the word.
async fn check(world: &World, uma: &mut Browser, row: (&str, &[&str], &[&str], &str)) {
    let (path, said, unsaid, obstacle) = row;
    let answer = uma.open(&world.app(&format!("{path}?q=1"))).await;
    answer.assert_page();
    let (page, html) = (text(&answer), answer.text());
    assert_eq!(answer.status, 403, "{path}: {page}");
    for part in said {
        assert!(page.contains(part), "{path}: {part} in {page}");
    }
    for part in unsaid {
        assert!(!page.contains(part), "{path}: {part} in {page}");
    }
    let again = format!("class=\"btn primary\" href=\"{path}?q=1\"");
    assert_eq!(html.contains(&again), page.contains("Try again "), "{path}: {html}");
    let record = &world.decisions().await[0];
    for part in [
        record["id"].as_str().unwrap(),
        "Uma Umarov uma@contoso.example",
        "it-help@contoso.example",
    ] {
        assert!(page.contains(part), "{path}: {part} in {page}");
    }
    assert!(html.contains("account=other") && html.contains(&world.gate("/")), "{path}");
    let data = uma.send(script("GET", &world.app(path))).await.json();
    assert_eq!(data["obstacle"].as_str().unwrap_or_default(), obstacle, "{path}: {data}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_reason_has_its_words_and_its_way_on() {
    let now = Clock::System.now();
    let world = World::start_at(Clock::fixed(now), |book| kinds(book, now)).await;
    let mut uma = world.browser_of("uma").await;
    let rows: [(&str, &[&str], &[&str], &str); 13] = [
        ("/brief-network", &["The page from here", "VPN", "Try again "], &["10.0.0.0"], "network"),
        ("/helpful-network", &["only from 10.0.0.0/8", "Try again "], &[], "network"),
        (
            "/brief-hours",
            &["at this hour", "certain hours", "Come back at another time."],
            &["00:00"],
            "hours",
        ),
        ("/helpful-hours", &["at this hour", "It opens again ", " 00:00 (UTC)."], &[], "hours"),
        ("/brief-ended", &["has ended", "extended"], &["21 Sep 2026"], "ended"),
        ("/helpful-ended", &["ended 21 Sep 2026, 14:13 UTC", "extended"], &[], "ended"),
        ("/brief-none", &["None of your groups or roles", "Ask for access"], &["Nobody.Has"], ""),
        ("/helpful-none", &["membership of Nobody.Has"], &[], ""),
        (
            "/suspended",
            &["This account is kept out", "help desk"],
            &["Ask for access"],
            "suspended",
        ),
        ("/forbidden", &["A rule closes this page to you"], &["Ask for access"], ""),
        ("/later", &["as things stand", "stronger sign-in"], &["10.0.0.0"], "circumstances"),
        (
            "/broken",
            &["Something failed on our side", "nothing that you did", "Try again "],
            &[],
            "",
        ),
        ("/reports/2026", &["this one is somebody else"], &["Reports.Read"], "own"),
    ];
    for row in rows {
        check(&world, &mut uma, row).await;
    }
    check(&world, &mut uma, ("/nowhere", &["not among the pages", "typing mistake"], &[], ""))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_not_offered_to_be_sent_again() {
    let now = Clock::System.now();
    let world = World::start_at(Clock::fixed(now), |book| kinds(book, now)).await;
    let mut uma = world.browser_of("uma").await;
    let form = navigation("POST", &world.app("/brief-network")).form(&[("a", "b")]);
    let answer = uma.send(form).await;
    assert_eq!(answer.status, 403);
    assert!(text(&answer).contains("from here"), "{}", text(&answer));
    assert!(!answer.text().contains("btn primary"), "{}", answer.text());
}

/// A refusal without what differs from one to the next: ids, times, nonces and the path that was asked for.
fn bare(answer: &Answer, path: &str) -> (u16, Vec<String>, String) {
    let html = answer.text();
    let nonce = html.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
    let id = html.split("data-what=\"the decision\">").nth(1).unwrap().split('<').next().unwrap();
    let time = html.split("<time ").nth(1).unwrap().split("</time>").next().unwrap();
    let strip = |text: &str| {
        let text = text.replace(nonce, "NONCE").replace(id, "ID").replace(time, "TIME");
        text.replace(path, "PATH")
    };
    let headers =
        answer.headers.iter().filter(|(name, _)| *name != "date" && *name != "content-length");
    let headers =
        headers.map(|(name, value)| strip(&format!("{name}: {}", value.to_str().unwrap())));
    (answer.status, headers.collect(), strip(&html))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_page_is_answered_byte_for_byte_like_none() {
    let now = Clock::System.now();
    let silent = |book: &mut RuleBook| {
        kinds(book, now);
        for route in &mut book.routes {
            route.disclosure = Disclosure::Silent;
            route.letter_case = LetterCase::Folded;
            route.owner = "The desk of secrets".to_owned();
        }
    };
    let world = World::start_at(Clock::fixed(now), silent).await;
    let mut uma = world.browser_of("uma").await;
    let nowhere = uma.open(&world.app("/Nowhere?q=1")).await;
    let expected = bare(&nowhere, "/Nowhere");
    let names = ["Brief-Network", "Helpful-Hours", "Brief-Ended", "Brief-None", "Suspended"];
    for name in names.into_iter().chain(["Forbidden", "Later", "Broken", "Admin", "reports"]) {
        let path = if name == "reports" { "/Reports/2026".to_owned() } else { format!("/{name}") };
        let answer = uma.open(&world.app(&format!("{path}?q=1"))).await;
        assert_eq!(bare(&answer, &path), expected, "{path}");
        let record = &world.decisions().await[0];
        assert!(record["route"].is_string(), "the record has the true reason: {record}");
    }
    let data = async |uma: &mut Browser, path: &str| {
        let mut json = uma.send(script("GET", &world.app(path))).await.json();
        json.as_object_mut().unwrap().remove("decision_id");
        json
    };
    let nothing = data(&mut uma, "/Nowhere").await;
    for path in ["/Brief-Network", "/Suspended", "/Broken", "/Admin/x"] {
        assert_eq!(data(&mut uma, path).await, nothing, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_after_a_page_is_asked_before_everybody_else() {
    let owned = |book: &mut RuleBook| {
        let finance = book.routes.iter_mut().find(|route| route.id.name() == "finance").unwrap();
        finance.owner = "Finance desk, finance@contoso.example".to_owned();
    };
    let world = World::start_with(owned).await;
    let mut nora = world.browser_of("nora").await;
    let page = nora.open(&world.app("/finance/summary")).await.text();
    let id = world.decisions().await[0]["id"].as_str().unwrap().to_owned();
    let letter = format!("mailto:finance@contoso.example?subject=Access%2C%20decision%20{id}");
    assert!(page.contains(&letter), "{letter} in {page}");
    assert!(!page.contains("it-help@"), "{page}");
    let elsewhere = nora.open(&world.app("/reports/2026")).await.text();
    assert!(elsewhere.contains("mailto:it-help@contoso.example"), "{elsewhere}");
}
