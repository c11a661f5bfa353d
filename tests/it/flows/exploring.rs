//! Who can what: before it happens, after it did, and in both directions.

use super::desk::Desk;
use crate::harness::{Scripts, World};

const ANSWER: &str = "//section[@aria-labelledby='outcome-h']";
/// A route or a person in a table of these pages.
const ROW: &str = "//main//tr";

#[tokio::test(flavor = "multi_thread")]
async fn olive_finds_out_who_can_what_with_scripts() {
    olive_finds_out_who_can_what(Scripts::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn olive_finds_out_who_can_what_without_scripts() {
    olive_finds_out_who_can_what(Scripts::Off).await;
}

async fn olive_finds_out_who_can_what(scripts: Scripts) {
    let flow = "olive_finds_out_who_can_what";
    let Some(desk) = Desk::start(flow, scripts, World::start).await else { return };
    for person in ["uma", "nora"] {
        let mut browser = desk.world.browser_of(person).await;
        browser.open(&desk.world.app("/finance/summary")).await;
    }
    desk.sit("olive", "/console/").await;
    what_would_happen_if(&desk).await;
    why_it_happened(&desk).await;
    both_directions(&desk).await;
    desk.browser.close().await;
}

async fn what_would_happen_if(desk: &Desk) {
    desk.turn_to("Simulator").await;
    desk.browser.fill("user", "nora").await;
    desk.browser.pick("app", "intranet").await;
    desk.browser.fill("path", "/finance/summary").await;
    desk.button("Decide").await;
    desk.browser.shows(ANSWER, "No grant for this person").await;
    desk.browser.shows(ANSWER, "What came near").await;
    desk.browser
        .shows(&format!("{ANSWER}//section[contains(., 'finance-read')]//li"), "Missing")
        .await;

    desk.browser.press("//summary[contains(., 'Change the question')]").await;
    desk.browser.fill("groups", "Finance").await;
    desk.button("Decide").await;
    desk.browser.shows(ANSWER, "Granted").await;
    desk.browser
        .shows(&format!("{ANSWER}//section[contains(., 'finance-read')]//li"), "Holds")
        .await;
}

async fn why_it_happened(desk: &Desk) {
    desk.turn_to("Decisions").await;
    desk.browser
        .press("//tr[contains(., 'Nora') and contains(., '/finance/summary')]//a[@data-row]")
        .await;
    desk.reads("What was missing").await;
    desk.follow("Why, clause by clause").await;
    desk.browser.shows("//h1", "Simulator").await;
    desk.reads("It falls the same here.").await;
    desk.browser.shows(ANSWER, "Nora").await;
}

async fn both_directions(desk: &Desk) {
    desk.turn_to("Who can what").await;
    desk.browser.pick("route", "intranet/finance").await;
    desk.button("Show").await;
    desk.reads("that we know can read it").await;
    desk.browser.shows("//div[@aria-label='Through grant:finance-read']//tr", "Uma").await;
    desk.lacks("Nora").await;
    desk.button("CSV").await;
    let file = desk.browser.downloaded(".csv").await;
    assert!(file.contains("Uma") && !file.contains("Nora"), "{file}");

    desk.follow("What one person can reach").await;
    desk.browser.fill("user", "uma").await;
    desk.button("Show").await;
    desk.reads("routes open to them, under the conditions that are named.").await;
    desk.browser.shows(&format!("{ROW}[contains(., '/finance/')]"), "finance-write").await;
    desk.lacks("/admin/").await;
    desk.follow("All routes").await;
    desk.browser.shows(&format!("{ROW}[contains(., '/admin/')]"), "Never").await;
    desk.button("CSV").await;
    let file = desk.browser.downloaded(".csv").await;
    assert!(file.contains("/finance/{*rest}") && file.contains("Uma"), "{file}");
}
