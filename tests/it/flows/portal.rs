//! Uma, who only wants to work: what she may open and why, where she is signed in, and how she leaves.

use cedargate::model::rule_book::RuleBook;
use cedargate::model::time::Instant;

use super::desk::Desk;
use crate::harness::{Chromium, Scripts, World};

#[tokio::test(flavor = "multi_thread")]
async fn uma_works_and_leaves_with_scripts() {
    uma_works_and_leaves(Scripts::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uma_works_and_leaves_without_scripts() {
    uma_works_and_leaves(Scripts::Off).await;
}

async fn uma_works_and_leaves(scripts: Scripts) {
    let world = || World::start_with(finance_ends);
    let Some(desk) = Desk::start("uma_works_and_leaves", scripts, world).await else { return };
    let finance = desk.world.app("/finance/summary");
    desk.visit("uma", &finance).await;
    desk.browser.shows("//h1", "Finance summary").await;
    reads_what_she_may_open(&desk).await;
    is_refused_and_proves_more(&desk, &finance).await;
    ends_a_session_elsewhere(&desk, scripts).await;
    leaves(&desk).await;
    desk.browser.close().await;
}

/// What Finance may read ends some day.
fn finance_ends(book: &mut RuleBook) {
    let end: Instant = "2099-12-31T18:00:00Z".parse().unwrap();
    let mut grants = book.grants.iter_mut();
    let read = grants.find(|grant| grant.id.as_str() == "finance-read").unwrap();
    read.when.until = Some(end);
}

async fn reads_what_she_may_open(desk: &Desk) {
    desk.open("/").await;
    desk.browser.shows("//h1", "My access").await;
    let line = "//li[contains(@class, 'opens') and .//h3[.='Finance']]";
    for part in ["Read", "through Finance", "until 31 Dec 2099", "To change", "multi-factor"] {
        desk.browser.shows(line, part).await;
    }
    desk.browser.fill("q", "yearly").await;
    desk.button("Find").await;
    desk.reads("Nothing that you can open is called").await;
    desk.follow("Show everything").await;
    desk.browser.shows(line, "through Finance").await;
}

async fn is_refused_and_proves_more(desk: &Desk, finance: &str) {
    desk.browser.open(&desk.world.app("/admin/users")).await;
    desk.browser.shows("//h1", "open Administration").await;
    desk.reads("None of your groups or roles opens this page").await;
    desk.reads("Use another account").await;
    desk.follow("See what I may open").await;
    desk.browser.shows("//h1", "My access").await;

    desk.browser.open(finance).await;
    write_note(&desk.browser).await;
    desk.reads("This needs a second factor").await;
    desk.follow("Confirm with a second factor").await;
    desk.browser.press_to("//button[normalize-space()='Approve']", finance).await;
    desk.browser.shows("//section[h2[@id='notes']]", "No notes yet").await;
    write_note(&desk.browser).await;
    desk.browser.shows("//ul[@class='notes']", "Invoices are late").await;
}

async fn write_note(browser: &Chromium) {
    let field = fantoccini::Locator::XPath("//input[@name='note']");
    let field = browser.page.wait().for_element(field).await.unwrap();
    field.send_keys("Invoices are late").await.unwrap();
    browser.press("//button[.='Add note']").await;
}

async fn ends_a_session_elsewhere(desk: &Desk, scripts: Scripts) {
    let test = "uma_works_and_leaves, elsewhere";
    let Some(elsewhere) = Chromium::start_with(test, scripts).await else { return };
    let finance = desk.world.app("/finance/summary");
    elsewhere.sign_in("uma", &finance, &finance).await;
    // Entra forgets her there, or it would let her in again without a word.
    elsewhere.open(&format!("{}/_sim/", desk.world.places.simulator())).await;
    elsewhere.page.delete_all_cookies().await.unwrap();
    elsewhere.open(&finance).await;
    elsewhere.shows("//h1", "Finance summary").await;

    desk.open("/").await;
    desk.follow("My sessions").await;
    desk.browser.shows("//li[contains(@class, 'session')]//h2", "This browser").await;
    desk.follow("End this session").await;
    desk.browser.shows("//h1", "End this session?").await;
    desk.button("End this session").await;
    desk.reads("The session was ended. Whoever uses it has to sign in again.").await;
    desk.reads("You are signed in nowhere else.").await;

    write_note(&elsewhere).await;
    elsewhere.press_to("//button[normalize-space()='uma']", &finance).await;
    elsewhere.shows("//h1", "Finance summary").await;
    elsewhere.close().await;
}

async fn leaves(desk: &Desk) {
    desk.open("/").await;
    desk.follow("Sign out").await;
    desk.browser.shows("//h1", "Sign out in this browser?").await;
    desk.button("Sign out").await;
    desk.browser.shows("//h1", "You are signed out").await;
    desk.follow("Sign out at Microsoft").await;
    desk.browser.shows("//main", "You have no session here, for any app behind Cedargate.").await;
    desk.browser.open(&desk.world.app("/me")).await;
    desk.browser.shows("//h1", "Who signs in?").await;
}
