//! The console through the running gate: what it says of people is what the gate did, and what an owner does holds.

use std::time::Duration;

use cedargate::model::time::Clock;

use crate::harness::{Browser, World, navigation};

/// Olive in the console, on this page of it.
async fn olive_at(world: &World, path: &str) -> (Browser, String) {
    let mut olive = world.browser();
    let page = olive.sign_in("olive", &world.gate(path)).await;
    assert_eq!(page.status, 200, "{path}: {}", page.text());
    let text = page.text().clone();
    (olive, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_refusal_is_explained_by_the_rules_and_the_person_of_its_record() {
    let world = World::start().await;
    let mut nora = world.browser_of("nora").await;
    assert_eq!(nora.open(&world.app("/finance/summary")).await.status, 403);
    let id = world.decisions().await[0]["id"].as_str().unwrap().to_owned();
    let (mut olive, text) = olive_at(&world, &format!("/console/simulate?from={id}")).await;
    for part in ["Nora", "It falls the same here.", "What came near", "grant:finance-read", &id] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let page = olive.open(&world.gate(&format!("/console/decisions/{id}"))).await;
    assert!(page.text().contains(&format!("/console/simulate?from={id}")), "{}", page.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn explorer_names_whoever_got_in_and_when_they_did() {
    let world = World::start().await;
    let mut uma = world.browser_of("uma").await;
    assert_eq!(uma.fetch("GET", &world.app("/finance/summary")).await.status, 200);
    world.browser_of("nora").await;
    let (_, text) = olive_at(&world, "/console/explore/who?route=intranet/finance").await;
    assert!(text.contains("Uma Umarov") && !text.contains("Nora"), "{text}");
    assert!(text.contains("Last used ") && !text.contains("Not in the log"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ended_session_is_refused_at_its_next_request() {
    let world = World::start().await;
    let mut uma = world.browser_of("uma").await;
    let finance = world.app("/finance/summary");
    assert_eq!(uma.fetch("GET", &finance).await.status, 200);
    let (mut olive, list) = olive_at(&world, "/console/sessions?q=uma").await;
    let id = list.split("/console/sessions/end?session=").nth(1).unwrap();
    let id = id.split(['"', '&']).next().unwrap();
    let end = world.gate("/console/sessions/end");
    let page = olive.step(&format!("{end}?session={id}")).await.text().clone();
    let token = page.split("name=\"_csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = [("_csrf", token), ("session", id), ("user", "")];
    assert_eq!(olive.send(navigation("POST", &end).form(&form)).await.status, 303);
    assert_eq!(uma.fetch("GET", &finance).await.status, 401);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_after_an_hour_leads_to_entra_and_back_to_what_was_typed() {
    let clock = Clock::fixed(Clock::System.now());
    let world = World::start_at(clock.clone(), |_| {}).await;
    let (mut olive, page) = olive_at(&world, "/console/new-policy").await;
    for _ in 0..3 {
        clock.advance(Duration::from_mins(20));
        assert_eq!(olive.open(&world.gate("/console/draft")).await.status, 200);
    }
    let form = [
        ("_csrf", carried(&page, "_csrf")),
        ("revision", ""),
        ("id", "closed-at-night"),
        ("text", "forbid (principal, action, resource in Route::\"intranet/admin\");"),
        ("order", "save"),
    ];
    let new = world.gate("/console/new-policy");
    let refused = olive.send(navigation("POST", &new).form(&form)).await;
    assert_eq!(refused.status, 303);
    let entra = olive.open(refused.location().as_str()).await;
    assert!(entra.url.path().ends_with("/authorize"), "asked anew, not {}", entra.url);
    let chosen = olive.choose("olive", &entra.url).await;
    let back = olive.open(chosen.location().as_str()).await;
    assert!(back.url.path().starts_with("/console/again/"), "{}", back.url);
    assert!(back.text().contains("closed-at-night"), "{}", back.text());
    let again = form.map(|(name, value)| match name {
        "_csrf" => (name, carried(&back.text(), "_csrf").to_owned()),
        _ => (name, value.to_owned()),
    });
    let again: Vec<_> = again.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let saved = olive.send(navigation("POST", &new).form(&again)).await;
    assert_eq!((saved.status, saved.location().path()), (303, "/console/policies/closed-at-night"));
    world.stop().await;
}

/// What a form of the page carries in a field.
fn carried<'a>(page: &'a str, name: &str) -> &'a str {
    let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1).expect(name);
    rest.split('"').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn finance_gets_in_on_a_route_that_was_added_and_published_here_and_not_before() {
    let world = World::start().await;
    let report = world.app("/reports/2026");
    let mut uma = world.browser_of("uma").await;
    assert_eq!(uma.open(&report).await.status, 403);
    let (mut olive, page) = olive_at(&world, "/console/apps/intranet/new-route").await;
    let csrf = carried(&page, "_csrf").to_owned();
    let route = [
        ("_csrf", csrf.as_str()),
        ("revision", ""),
        ("name", "this-year"),
        ("pattern", "/reports/2026"),
        ("title", "This year"),
        ("owner", ""),
        ("labels", ""),
        ("websockets", "refused"),
        ("letter_case", "kept"),
        ("encoded_slashes", "refused"),
        ("listing", "listed"),
        ("disclosure", "brief"),
    ];
    let added = world.gate("/console/apps/intranet/new-route");
    assert_eq!(olive.send(navigation("POST", &added).form(&route)).await.status, 303);
    let end = world.clock.now().plus(Duration::from_hours(30 * 24)).to_jiff();
    let end = end.strftime("%Y-%m-%dT%H:%M").to_string();
    let grant = [
        ("_csrf", csrf.as_str()),
        ("revision", ""),
        ("effect", "permit"),
        ("who_kind", "group"),
        ("who", "Finance"),
        ("what", "read"),
        ("methods", ""),
        ("reach", "below"),
        ("networks", ""),
        ("until", &end),
        ("mfa", "optional"),
        ("reason", "The yearly report"),
        ("ticket", ""),
    ];
    let grants = world.gate("/console/routes/intranet/this-year/grants");
    assert_eq!(olive.send(navigation("POST", &grants).form(&grant)).await.status, 303);
    assert_eq!(uma.open(&report).await.status, 403, "nothing is published yet");
    let review = olive.open(&world.gate("/console/draft")).await.text().clone();
    let (content, based_on) = (carried(&review, "content"), carried(&review, "based_on"));
    let publication = [
        ("_csrf", csrf.as_str()),
        ("content", content),
        ("based_on", based_on),
        ("note", "Finance reads this year's report"),
    ];
    let publish = world.gate("/console/draft/publish");
    assert_eq!(olive.send(navigation("POST", &publish).form(&publication)).await.status, 303);
    assert_eq!(uma.open(&report).await.status, 200);
    world.stop().await;
}
