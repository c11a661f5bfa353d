//! Proving more than a sign-in proved: Uma writes into Finance's notebook, which takes a second factor.

use std::time::Duration;

use cedargate::model::grant::{Conditions, Mfa};
use cedargate::model::rule_book::RuleBook;
use cedargate::model::time::Clock;
use serde_json::Value;

use crate::harness::{Answer, Browser, Chromium, Request, World, navigation, script};

const NOTE: &[(&str, &str)] = &[("note", "Invoices are late")];

async fn still() -> World {
    World::start_at(Clock::fixed(Clock::System.now()), |_| {}).await
}

/// The form of the page, sent as a browser sends it.
async fn write(world: &World, browser: &mut Browser) -> Answer {
    let url = world.app("/finance/summary");
    browser.send(navigation("POST", &url).form(NOTE).header("referer", &url)).await
}

/// The same by a script of the start page.
fn call(world: &World) -> Request {
    script("POST", &world.app("/finance/summary"))
        .header("referer", &world.app("/?tab=calls"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("note=by+script")
}

/// The address in a page's main button.
fn button(page: &str) -> String {
    let (_, rest) = page.split_once("class=\"btn primary\" href=\"").expect("a main button");
    rest.split('"').next().unwrap().replace("&#38;", "&")
}

/// Approves on Entra's page, up to where that leads.
async fn confirm(browser: &mut Browser, person: &str, start: &str) -> Answer {
    let page = browser.open(start).await;
    assert!(page.text().contains("Approve the sign-in"), "{}: {}", page.url, page.text());
    let form = [("person", person), ("factor", "given")];
    let approved = browser.send(navigation("POST", page.url.as_str()).form(&form)).await;
    browser.open(approved.location().as_str()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_refused_offered_confirmed_and_then_let_through() {
    let world = World::start().await;
    let mut uma = world.browser_of("uma").await;
    let refused = write(&world, &mut uma).await;
    assert_eq!(refused.status, 403);
    refused.assert_page();
    for part in ["second factor", "What you sent was not kept", "Use another account"] {
        assert!(refused.text().contains(part), "{part} in {}", refused.text());
    }
    let before = world.decisions().await;
    assert_eq!((&before[0]["verdict"], &before[0]["reason"]), (&"deny".into(), &"no_grant".into()));
    assert_eq!(before[0]["method"], "POST", "deciding again for the offer left no record");

    let old = uma.clone();
    let start = refused.url.join(&button(&refused.text())).unwrap();
    assert_eq!(start.query().unwrap(), "return=/finance/summary&step_up=mfa");
    let page = confirm(&mut uma, "uma", start.as_str()).await;
    assert_eq!((page.status, page.url.as_str()), (200, world.app("/finance/summary").as_str()));
    assert!(!page.text().contains("Invoices are late"), "nothing was sent again by itself");
    let written = write(&world, &mut uma).await;
    assert_eq!(
        (written.status, written.header("location").as_str()),
        (303, "/finance/summary#notes")
    );
    assert!(uma.open(&world.app("/finance/summary")).await.text().contains("Invoices are late"));
    assert_eq!(world.decisions().await[1]["circumstances"]["mfa"], "met");

    let event = &world.events("stepped_up").await[0];
    assert_eq!((&event["asked"], &event["auth_contexts"]), (&"c1".into(), &vec!["c1"].into()));
    assert_eq!(
        event["session"],
        world.events("signed_in").await[0]["session"],
        "it is the same session"
    );
    // The cookies of before are worth nothing, on no host.
    let mut thief = old;
    assert_eq!(thief.fetch("GET", &world.app("/me")).await.status, 401);
    assert_eq!(thief.fetch("GET", &world.gate("/console/")).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_told_where_to_confirm() {
    let world = World::start().await;
    let mut uma = world.browser_of("uma").await;
    let told = uma.send(call(&world)).await;
    let json = told.assert_data();
    assert_eq!(
        (told.status, &json["error"], &json["step_up"]),
        (401, &"step_up_required".into(), &"mfa".into())
    );
    let login_url = json["login_url"].as_str().unwrap();
    assert_eq!(login_url, world.app("/_gate/login?return=/%3Ftab%3Dcalls&step_up=mfa"));
    assert_eq!(json["decision_id"], world.decisions().await[0]["id"]);
    let challenge = told.header("www-authenticate");
    assert!(
        challenge.contains("insufficient_user_authentication\", acr_values=\"c1\""),
        "{challenge}"
    );
    assert_eq!(told.header("hx-redirect"), "");
    let htmx = uma.send(call(&world).header("hx-request", "true")).await;
    assert_eq!((htmx.status, htmx.header("hx-redirect").as_str()), (401, login_url));

    let page = confirm(&mut uma, "uma", login_url).await;
    assert_eq!((page.status, page.url.as_str()), (200, world.app("/?tab=calls").as_str()));
    assert_eq!(uma.send(call(&world)).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_offered_only_where_it_helps() {
    let world = World::start().await;
    for (person, path) in [("nora", "/finance/summary"), ("uma", "/admin/"), ("uma", "/nowhere")] {
        let mut browser = world.browser_of(person).await;
        let refused = browser.fetch("POST", &world.app(path)).await;
        assert_eq!(
            (refused.status, &refused.json()["error"]),
            (403, &"forbidden".into()),
            "{person} {path}"
        );
        let page = browser.send(navigation("POST", &world.app(path)).form(NOTE)).await;
        assert_eq!(page.status, 403);
        assert!(!page.text().contains("step_up"), "{person} {path}: {}", page.text());
    }
    let nobody = world.browser().fetch("POST", &world.app("/finance/summary")).await;
    assert_eq!(nobody.json()["error"], "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_counts_for_half_an_hour() {
    let world = still().await;
    let mut uma = world.browser_of("uma").await;
    let start = world.app("/_gate/login?return=/me&step_up=mfa");
    assert_eq!(confirm(&mut uma, "uma", &start).await.status, 200);
    world.clock.advance(Duration::from_secs(29 * 60 + 59));
    assert_eq!(uma.send(call(&world)).await.status, 303);
    world.clock.advance(Duration::from_secs(1));
    let told = uma.send(call(&world)).await;
    assert_eq!((told.status, &told.json()["error"]), (401, &"step_up_required".into()));
    assert_eq!(uma.fetch("GET", &world.app("/finance/summary")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn coming_back_without_it_is_a_page_and_no_second_round() {
    let world = World::start().await;
    let mut uma = world.browser_of("uma").await;
    let start = world.app("/_gate/login?return=/finance/summary&step_up=mfa");
    let at_entra = uma.open(&start).await.url;
    // The person takes the question out of the address.
    let mut without = at_entra.clone();
    let kept = at_entra.query_pairs().filter(|(name, _)| name != "claims");
    let kept: Vec<(String, String)> = kept.map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
    without.query_pairs_mut().clear().extend_pairs(kept);
    let callback = uma.choose("uma", &without).await.location().to_string();
    let unmet = uma.step(&callback).await;
    assert_eq!(unmet.status, 403);
    unmet.assert_page();
    assert!(unmet.text().contains("step_up=c1"), "a way to try again: {}", unmet.text());
    let event = &world.events("step_up_failed").await[0];
    assert_eq!(
        (&event["cause"], &event["detail"].as_str().unwrap().contains("context")),
        (&"step_up_unmet".into(), &true)
    );
    // Nothing was lost: the session is what it was.
    assert_eq!(uma.fetch("GET", &world.app("/finance/summary")).await.status, 200);
    let told: Value = uma.send(call(&world)).await.json();
    assert_eq!(told["error"], "step_up_required");
    assert!(world.events("sign_in_failed").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn uma_confirms_in_a_real_browser_and_her_note_is_kept() {
    let Some(browser) = Chromium::start("uma_confirms_in_a_real_browser").await else { return };
    let world = World::start().await;
    let finance = world.app("/finance/summary");
    browser.sign_in("uma", &finance, &finance).await;
    let field = "//input[@name='note']";
    browser
        .page
        .wait()
        .for_element(fantoccini::Locator::XPath(field))
        .await
        .unwrap()
        .send_keys("By hand")
        .await
        .unwrap();
    browser.press("//button[normalize-space()='Add note']").await;
    browser.shows("//main", "This needs a second factor").await;
    browser.press("//a[normalize-space()='Confirm with a second factor']").await;
    browser.press_to("//button[normalize-space()='Approve']", &finance).await;
    browser.shows("//section[h2[@id='notes']]", "No notes yet").await;
    browser
        .page
        .find(fantoccini::Locator::XPath(field))
        .await
        .unwrap()
        .send_keys("By hand")
        .await
        .unwrap();
    browser.press("//button[normalize-space()='Add note']").await;
    browser.shows("//ul[@class='notes']", "By hand").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_with_scripts_confirms_and_calls_again() {
    let Some(browser) = Chromium::start("a_page_with_scripts_confirms").await else { return };
    let world = World::start().await;
    let (home, me) = (world.app("/"), world.app("/me"));
    browser.sign_in("uma", &me, &me).await;
    browser.open(&home).await;
    let (button, called) =
        ("//button[@data-call='POST /finance/summary']", "//output[@id='call-result']");
    browser.press(button).await;
    browser.shows(called, "POST /finance/summary: 401").await;
    browser.press(&format!("{called}/a[contains(., 'second factor')]")).await;
    browser.press_to("//button[normalize-space()='Approve']", &home).await;
    browser.press(button).await;
    browser.shows(called, "POST /finance/summary: 200").await;
    browser.close().await;
}

/// The demo's rules, where reading Finance's pages takes this much.
async fn reading_takes(clock: &Clock, change: impl Fn(&mut Conditions)) -> World {
    let change = |book: &mut RuleBook| {
        let read = book.grants.iter_mut().filter(|grant| grant.id.as_str() == "finance-read");
        read.for_each(|grant| change(&mut grant.when));
    };
    World::start_at(clock.clone(), change).await
}

/// What the page of a refusal offers to prove.
fn offered(page: &Answer) -> Option<String> {
    assert_eq!(page.status, 403, "{}", page.text());
    if !page.text().contains("btn primary") {
        return None;
    }
    let link = page.url.join(&button(&page.text())).unwrap();
    link.query_pairs().find(|(name, _)| name == "step_up").map(|(_, word)| word.into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_grew_old_is_asked_for_again_and_opens() {
    let clock = Clock::fixed(Clock::System.now());
    let world = reading_takes(&clock, |when| when.fresh = Some("10m".parse().unwrap())).await;
    let mut uma = world.browser_of("uma").await;
    let url = world.app("/finance/summary");
    assert_eq!(uma.open(&url).await.status, 200);
    clock.advance(Duration::from_mins(11));
    let stale = uma.open(&url).await;
    assert_eq!(offered(&stale).as_deref(), Some("max_age=600"));
    assert!(stale.text().contains("recent sign-in"), "{}", stale.text());
    let data = uma.send(script("GET", &url)).await;
    assert_eq!(data.status, 401);
    assert!(
        data.header("www-authenticate").contains("max_age=\"600\""),
        "{}",
        data.header("www-authenticate")
    );
    // Whoever lacks more than a proof is offered nothing.
    let mut nora = world.browser_of("nora").await;
    assert_eq!(offered(&nora.open(&url).await), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_proofs_are_one_challenge_and_none_is_asked_that_is_not_needed() {
    let clock = Clock::fixed(Clock::System.now());
    let world = reading_takes(&clock, |when| {
        when.fresh = Some("10m".parse().unwrap());
        when.mfa = Mfa::Required;
    })
    .await;
    let mut uma = world.browser_of("uma").await;
    let url = world.app("/finance/summary");
    assert_eq!(offered(&uma.open(&url).await).as_deref(), Some("mfa"), "the sign-in is new enough");
    clock.advance(Duration::from_mins(11));
    assert_eq!(offered(&uma.open(&url).await).as_deref(), Some("mfa max_age=600"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authentication_context_that_a_grant_asks_for_is_offered() {
    let clock = Clock::fixed(Clock::System.now());
    let world = reading_takes(&clock, |when| when.auth_context = Some("c3".parse().unwrap())).await;
    let mut uma = world.browser_of("uma").await;
    let page = uma.open(&world.app("/finance/summary")).await;
    assert_eq!(offered(&page).as_deref(), Some("c3"));
    assert!(page.text().contains("stronger proof"), "{}", page.text());
    // From another network than the grant's there is nothing that a proof would open.
    let elsewhere = reading_takes(&clock, |when| {
        when.auth_context = Some("c3".parse().unwrap());
        when.networks = vec!["192.0.2.0/24".parse().unwrap()];
    })
    .await;
    let mut uma = elsewhere.browser_of("uma").await;
    assert_eq!(offered(&uma.open(&elsewhere.app("/finance/summary")).await), None);
}
