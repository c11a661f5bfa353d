//! Who is shown what at `/`, and that it is on record.

use http::StatusCode;

use crate::groups::Groups;
use crate::model::grant::{Conditions, Mfa};
use crate::model::route::{Disclosure, Listing};
use crate::model::rule_book::RuleBook;
use crate::model::time::{Instant, Timestamp};
use crate::portal::Portal;
use crate::rule_files;
use crate::web::tests::markup::{Text, assert_same_shape, fitting, hostile, innocent, write};
use crate::web::tests::scene::{self, Person, Scene, get, post};

/// The portal over the demo's rules, every name in them changed by `text`.
async fn scene(text: Text) -> Scene {
    scene_with(text, |_| {}).await
}

/// The same with other rules.
async fn scene_with(text: Text, change: impl FnOnce(&mut RuleBook)) -> Scene {
    let mut book = rule_files::demo().unwrap();
    book.apps[0].name = fitting(&text(&book.apps[0].name));
    book.group_names.values_mut().for_each(|name| *name = fitting(&text(name)));
    change(&mut book);
    let mut scene = scene::scene(book).await;
    let portal = Portal {
        doorkeeper: scene.doorkeeper.clone(),
        rules: scene::console_rules(),
        groups: Groups::default(),
        contact: Some(text("it-help@contoso.example")),
    };
    scene.router = portal.router();
    scene
}

/// Rules that keep no route out of lists.
fn all_listed(book: &mut RuleBook) {
    book.routes.iter_mut().for_each(|route| route.listing = Listing::Listed);
}

/// The line of a route as a person reads it; none when it is not listed.
fn line(page: &str, title: &str) -> Option<String> {
    let heading = format!("<bdi>{title}</bdi>");
    let items = page.split("<li class=\"opens\">").skip(1);
    let mut items = items.filter_map(|item| item.split("</li>").next());
    let item = items.find(|item| item.contains(&heading))?;
    let item = item.split("<p class=\"how\">").nth(1)?;
    let texts = format!(">{item}");
    let text: String =
        texts.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect();
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[tokio::test]
async fn portal_shows_only_what_this_person_may_open() {
    let scene = scene(innocent).await;
    let uma = scene.person("uma", &[]).await;
    let page = scene.send(&uma, get("/")).await;
    assert_eq!(page.status, StatusCode::OK);
    for text in ["Contoso intranet", "Finance", "multi-factor", "/_gate/logout"] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    assert!(!page.text.contains("IT-Admins") && !page.text.contains("/console/"), "{}", page.text);
    let owner = scene.send(&scene.owner().await, get("/")).await;
    assert!(owner.text.contains("\"/console/\""));
    let nobody = scene.send(&Person::nobody(), get("/")).await;
    assert_eq!(nobody.header("location"), "https://gate.contoso.com/_gate/begin?return=/");
    let records = scene.requests().await;
    let said: Vec<_> =
        records.iter().map(|r| (r["action"].as_str(), r["verdict"].as_str())).collect();
    let portal = Some("portal");
    assert_eq!(said, [(portal, Some("allow")), (portal, Some("allow")), (portal, Some("deny"))]);
}

#[tokio::test]
async fn hostile_names_do_not_change_the_markup_a59() {
    let page = async |text: Text| {
        let scene = scene(text).await;
        let uma = scene.known_as(["uma", &text("Uma")], &["Reports.Read"]).await;
        scene.send(&uma, get("/")).await.text
    };
    let (plain, attacked) = (page(innocent).await, page(hostile).await);
    assert!(attacked.contains("onerror"));
    assert_same_shape("portal", &plain, &attacked);
    write("real_portal", &plain);
}

#[tokio::test]
async fn portal_answers_on_its_own_origin_only_and_never_without_a_record_a61() {
    let mut scene = scene(innocent).await;
    let uma = scene.person("uma", &[]).await;
    let mut elsewhere = get("/");
    elsewhere.origin = "http://app.localhost:8080".parse().unwrap();
    assert_eq!(scene.send(&uma, elsewhere).await.status, StatusCode::NOT_FOUND);
    scene.stop_log().await;
    assert_eq!(scene.send(&uma, get("/")).await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn each_route_says_what_may_be_done_through_what_and_what_more_it_takes() {
    let scene = scene_with(innocent, all_listed).await;
    let page = scene.send(&scene.person("uma", &[]).await, get("/")).await.text;
    let check = |title: &str, expected: Option<&str>| {
        assert_eq!(line(&page, title).as_deref(), expected, "{title}");
    };
    check(
        "Finance",
        Some("Ready Read through Finance To change: with multi-factor sign-in. Confirm it’s you"),
    );
    check("Start page", Some("Ready Read for everyone"));
    check("Uploads", Some("Ready Read and change for everyone signed in"));
    check("Administration", None);
    check("Yearly reports", None);
    assert!(page.contains("href=\"/_gate/begin?return=/&#38;step_up=mfa\""), "{page}");
    assert!(page.contains("href=\"http://app.localhost:8080/finance/\""), "{page}");
    let rob = scene.send(&scene.person("rob", &["Reports.Read"]).await, get("/")).await.text;
    let reports = line(&rob, "Yearly reports");
    assert_eq!(reports.as_deref(), Some("Ready Read through the role Reports.Read"));
    assert!(!rob.contains("/reports/\""), "it opens by its year alone: {rob}");
}

#[tokio::test]
async fn plumbing_and_patterns_are_not_among_what_people_open() {
    let scene = scene(innocent).await;
    let page = scene.send(&scene.person("uma", &[]).await, get("/")).await.text;
    for plumbing in ["Styles and scripts", "Data for the pages", "Downloads", "Uploads", "{*"] {
        assert!(!page.contains(plumbing), "{plumbing}: {page}");
    }
    assert!(page.contains("<bdi>/finance/…</bdi>"), "{page}");
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let many = |book: &mut RuleBook| {
        let home = book.routes.iter().find(|route| route.pattern.as_str() == "/").unwrap().clone();
        let grant = book.grants.iter().find(|grant| grant.route == home.id).unwrap().clone();
        for number in 0..60 {
            let mut route = home.clone();
            route.id = format!("{}/many-{number}", home.id.app()).parse().unwrap();
            route.pattern = format!("/many/{number}").parse().unwrap();
            route.title = format!("Many {number}.");
            let mut grant = grant.clone();
            grant.id = format!("many-{number}").parse().unwrap();
            grant.route = route.id.clone();
            book.routes.push(route);
            book.grants.push(grant);
        }
    };
    let scene = scene_with(innocent, many).await;
    let uma = scene.person("uma", &[]).await;
    let mut seen = Vec::new();
    for (page, words, lines) in
        [(1, "1 to 50 pages", 50), (2, "51 to 60 pages", 10), (3, "101 to 100", 0)]
    {
        let text = scene.send(&uma, get(&format!("/?q=many&page={page}"))).await.text;
        assert_eq!(text.matches("<li class=\"opens\">").count(), lines, "{text}");
        assert_eq!(text.contains(">Next pages<"), page == 1, "{text}");
        assert_eq!(text.contains(words), lines > 0, "{text}");
        seen.extend((0..60).filter(|number| text.contains(&format!("Many {number}."))));
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..60).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_page_that_is_not_there_leads_on_and_names_whom_to_ask() {
    let scene = scene(innocent).await;
    let uma = scene.person("uma", &[]).await;
    let page = scene.send(&uma, get("/sessions/s-0/end")).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    for said in ["See what I may open", "<dt>Help</dt>", "it-help@contoso.example", "not_found"] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
}

/// The demo's rules with other conditions and another disclosure for Finance's pages.
async fn finance(disclosure: Disclosure, when: Conditions) -> Option<String> {
    let change = |book: &mut RuleBook| {
        let routes = book.routes.iter_mut().filter(|route| route.id.name() == "finance");
        routes.for_each(|route| route.disclosure = disclosure);
        book.grants.retain(|grant| grant.id.as_str() != "finance-write");
        let grants = book.grants.iter_mut().filter(|grant| grant.id.as_str() == "finance-read");
        grants.for_each(|grant| grant.when = when.clone());
        book.assertions.clear();
    };
    let scene = scene_with(innocent, change).await;
    let page = scene.send(&scene.person("uma", &[]).await, get("/")).await.text;
    line(&page, "Finance")
}

#[tokio::test]
async fn conditions_are_told_as_far_as_the_route_tells_them() {
    let none = Conditions::default;
    let inside = || Conditions { networks: vec!["10.0.0.0/8".parse().unwrap()], ..none() };
    let until =
        |seconds| Conditions { until: Some(Instant(Timestamp::from_seconds(seconds))), ..none() };
    let proved = || Conditions { mfa: Mfa::Required, ..none() };
    let rows = [
        (
            Disclosure::Helpful,
            inside(),
            Some("Ready if… Read through Finance To read: only from 10.0.0.0/8."),
        ),
        (
            Disclosure::Brief,
            inside(),
            Some("Ready if… Read through Finance To read: only from certain networks."),
        ),
        (Disclosure::Silent, inside(), None),
        (Disclosure::Silent, none(), Some("Ready Read through Finance")),
        (
            Disclosure::Silent,
            proved(),
            Some(
                "Ready if… Read through Finance To read: with multi-factor sign-in. Confirm it’s you",
            ),
        ),
        (
            Disclosure::Brief,
            until(1_795_600_000),
            Some("Ready Read through Finance until 25 Nov 2026, 09:46 UTC"),
        ),
        (Disclosure::Brief, until(1_795_500_000), None),
    ];
    for (disclosure, when, expected) in rows {
        let said = finance(disclosure, when.clone()).await;
        assert_eq!(said.as_deref(), expected, "{disclosure:?} {when:?}");
    }
}

#[tokio::test]
async fn list_is_filtered_by_what_is_typed() {
    let scene = scene_with(innocent, all_listed).await;
    let uma = scene.person("uma", &[]).await;
    let page = scene.send(&uma, get("/?q=+FINance+")).await.text;
    assert!(line(&page, "Finance").is_some() && line(&page, "Uploads").is_none(), "{page}");
    let app = scene.send(&uma, get("/?q=intranet")).await.text;
    assert!(line(&app, "Uploads").is_some());
    let nothing = scene.send(&uma, get("/?q=%3Cimg+src=x%3E")).await.text;
    assert!(nothing.contains("Nothing matches") && nothing.contains("&#60;img src=x&#62;"));
    let nora = scene.send(&uma, get("/?q=administration")).await.text;
    assert!(nora.contains("Nothing matches"), "what nobody may open is not found either");
}

/// The ids of the sessions that a page can end.
fn ends(page: &str) -> Vec<String> {
    let links = page.split("href=\"/sessions/").skip(1);
    links.map(|link| link.split('/').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn person_sees_all_their_sessions_and_ends_one_or_all_others() {
    let scene = scene(innocent).await;
    let here = scene.person("uma", &[]).await;
    let (second, third) = (scene.person("uma", &[]).await, scene.person("uma", &[]).await);
    let nora = scene.person("nora", &[]).await;
    let page = scene.send(&here, get("/sessions")).await.text;
    let ids = ends(&page);
    assert_eq!((ids.len(), ids[2].as_str()), (3, "others"), "{page}");
    assert_eq!(page.matches("This browser").count(), 1);
    assert!(page.contains("127.0.0.1") && page.contains("Firefox on macOS"), "{page}");
    let form = [("_csrf", here.csrf())];
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let asked = scene.send(&here, get(&format!("/sessions/{}/end", ids[0]))).await;
    let question = "End this session?";
    assert!(asked.text.contains(question) && !asked.text.contains("This browser"));
    let all = scene.send(&here, get("/sessions/others/end")).await.text;
    assert!(all.contains("End 2 sessions?") && !all.contains("This browser"), "{all}");
    assert_eq!(ends(&scene.send(&here, get("/sessions")).await.text).len(), 3, "asking ends none");
    let ended = scene.send(&here, post(&format!("/sessions/{}/end", ids[0]), &form)).await;
    assert_eq!(
        (ended.status, ended.header("location")),
        (StatusCode::SEE_OTHER, "/sessions?done=ended")
    );
    let alive = async || {
        let mut alive = Vec::new();
        for one in [&here, &second, &third, &nora] {
            alive.push(scene.send(one, get("/")).await.status == StatusCode::OK);
        }
        alive
    };
    let left = alive().await;
    assert_eq!(left.iter().filter(|alive| **alive).count(), 3, "{left:?}");
    let again = scene.send(&here, post(&format!("/sessions/{}/end", ids[0]), &form)).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "it is gone");
    let others = scene.send(&here, post("/sessions/others/end", &form)).await;
    assert_eq!(others.header("location"), "/sessions?done=others");
    assert_eq!(alive().await, [true, false, false, true]);
    let page = scene.send(&here, get("/sessions?done=others")).await.text;
    assert!(page.contains("All other sessions were ended.") && ends(&page).is_empty(), "{page}");
}

#[tokio::test]
async fn sessions_of_others_are_not_there_a62() {
    let scene = scene(innocent).await;
    let (uma, other) = (scene.person("uma", &[]).await, scene.person("uma", &[]).await);
    let nora = scene.person("nora", &[]).await;
    let foreign = ends(&scene.send(&other, get("/sessions")).await.text);
    let csrf = nora.csrf();
    for id in [foreign[0].as_str(), "s-0000000000000000", "garbage", "s-%27%20OR%201=1"] {
        let form = post(&format!("/sessions/{id}/end"), &[("_csrf", &csrf)]);
        assert_eq!(scene.send(&nora, form).await.status, StatusCode::NOT_FOUND, "{id}");
        let asked = scene.send(&nora, get(&format!("/sessions/{id}/end"))).await;
        assert_eq!(asked.status, StatusCode::NOT_FOUND, "{id}");
    }
    for person in [&uma, &other] {
        assert_eq!(scene.send(person, get("/")).await.status, StatusCode::OK);
    }
    let mine = scene.send(&nora, get("/sessions")).await.text;
    assert!(ends(&mine).is_empty() && !mine.contains("uma"), "{mine}");
}

#[tokio::test]
async fn forged_forms_end_nothing_and_are_on_record_a60() {
    let scene = scene(innocent).await;
    let (here, there) = (scene.person("uma", &[]).await, scene.person("uma", &[]).await);
    let csrf = here.csrf();
    let form = || post("/sessions/others/end", &[("_csrf", &csrf)]);
    let rows = [
        (post("/sessions/others/end", &[]), "token missing"),
        (post("/sessions/others/end", &[("_csrf", &there.csrf())]), "token wrong"),
        (post("/sessions/others/end", &[("_csrf", &csrf), ("_csrf", &csrf)]), "token given twice"),
        (form().with("sec-fetch-site", "cross-site"), "other site"),
        (form().with("origin", "https://evil.example"), "other origin"),
        (form().without("origin").without("sec-fetch-site"), "origin missing"),
        (post("/groups/read", &[("_csrf", "guessed")]), "token wrong"),
    ];
    for (sending, expected) in rows {
        let answer = scene.send(&here, sending).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{expected}");
        let records = scene.requests().await;
        assert_eq!(records.last().unwrap()["check"], expected);
    }
    assert_eq!(scene.send(&there, get("/")).await.status, StatusCode::OK);
    let link = scene.send(&here, get("/groups/read")).await;
    assert_eq!(link.status, StatusCode::METHOD_NOT_ALLOWED);
    let nobody = scene.send(&Person::nobody(), get("/sessions")).await;
    assert_eq!(nobody.header("location"), "https://gate.contoso.com/_gate/begin?return=/sessions");
}

#[tokio::test]
async fn groups_are_read_again_where_there_is_something_to_ask_with() {
    let scene = scene(innocent).await;
    let uma = scene.person("uma", &[]).await;
    let page = scene.send(&uma, get("/")).await.text;
    assert!(
        page.contains("Read from Microsoft <time datetime=\"2026-11-24T09:15:02.000Z\""),
        "{page}"
    );
    let answer = scene.send(&uma, post("/groups/read", &[("_csrf", &uma.csrf())])).await;
    assert_eq!(answer.header("location"), "/?done=impossible");
    let said = scene.send(&uma, get("/?done=impossible")).await.text;
    assert!(said.contains("This session can&#39;t ask for your groups."), "{said}");
    let unknown = scene.send(&uma, get("/?done=%3Cb%3E")).await.text;
    assert!(!unknown.contains("&#60;b&#62;") && !unknown.contains("class=\"note"), "{unknown}");
}
