//! Aude, who reads what happened, takes it away, and makes sure that it is whole.

use super::desk::Desk;
use crate::harness::{Scripts, World};

/// What she looks for, as the box takes it.
const DENIED: &str = "effect:deny path:/finance/**";

#[tokio::test(flavor = "multi_thread")]
async fn aude_reads_takes_away_and_verifies_with_scripts() {
    aude_reads_takes_away_and_verifies(Scripts::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn aude_reads_takes_away_and_verifies_without_scripts() {
    aude_reads_takes_away_and_verifies(Scripts::Off).await;
}

async fn aude_reads_takes_away_and_verifies(scripts: Scripts) {
    let flow = "aude_reads_takes_away_and_verifies";
    let Some(desk) = Desk::start(flow, scripts, World::start).await else { return };
    for (person, path) in
        [("uma", "/finance/summary"), ("nora", "/finance/summary"), ("rob", "/admin/users")]
    {
        let mut browser = desk.world.browser_of(person).await;
        browser.open(&desk.world.app(path)).await;
    }
    desk.sit("olive", "/console/routes/intranet/finance?edit=finance-read").await;
    desk.browser.rewrite("reason", "Written down by Olive").await;
    desk.button("Save to draft").await;
    desk.browser.shows("//li[@id='grant-finance-read']", "is saved to the draft").await;

    desk.sit("aude", "/console/").await;
    finds_and_takes_away(&desk).await;
    opens_one_and_takes_its_proof(&desk).await;
    reads_a_change(&desk).await;
    verifies(&desk).await;
    reports(&desk).await;
    desk.browser.close().await;
}

async fn finds_and_takes_away(desk: &Desk) {
    desk.turn_to("Decisions").await;
    desk.browser.fill("q", DENIED).await;
    desk.button("Search").await;
    desk.browser.shows("//ul[@aria-label='Conditions']/li[2]", "path:/finance/**").await;
    desk.browser.shows("//table//tbody/tr[1]", "Nora").await;
    desk.button("CSV").await;
    let csv = desk.browser.downloaded(".csv").await;
    desk.button("JSON Lines, with proof").await;
    let lines = desk.browser.downloaded(".jsonl").await;
    for file in [&csv, &lines] {
        assert!(file.contains("/finance/summary"), "{file}");
        assert!(!file.contains("/admin/users"), "only what was found: {file}");
    }
    // Without the first condition there is more to see.
    desk.browser.press("//ul[@aria-label='Conditions']//a[contains(., 'effect:deny')]").await;
    desk.browser.shows("//table//tbody", "Uma").await;
    assert_eq!(desk.browser.value("q").await, "path:/finance/**");
}

async fn opens_one_and_takes_its_proof(desk: &Desk) {
    desk.browser.press("//tr[contains(., 'Nora')]//a[@data-row]").await;
    desk.reads("What was missing").await;
    desk.reads("Nobody has checked the log yet.").await;
    desk.follow("Proof").await;
    let proof = desk.browser.downloaded("proof").await;
    assert!(proof.contains("c2sp.org/tlog-proof@v1"), "{proof}");
}

async fn reads_a_change(desk: &Desk) {
    desk.turn_to("Changes").await;
    desk.browser.fill("q", "kind:change").await;
    desk.button("Search").await;
    desk.browser.press("//tr[contains(., 'finance-read')]//a[@data-row]").await;
    desk.browser.shows("//section[@aria-labelledby='before']", "Finance reads its own pages").await;
    desk.browser.shows("//section[@aria-labelledby='after']", "Written down by Olive").await;
}

async fn verifies(desk: &Desk) {
    desk.turn_to("Integrity").await;
    desk.browser.shows("//div[contains(@class, 'verdict')]//h2", "Not verified yet.").await;
    desk.button("Verify now").await;
    desk.until_reads("by Aude", "Refresh").await;
    desk.browser.shows("//div[contains(@class, 'verdict')]//h2", "Verified to record").await;
    desk.follow("Certificate").await;
    desk.browser.shows("//h1", "Integrity of the audit log").await;
    desk.reads("Verified. Nothing was changed, removed or added.").await;
    desk.reads("cedargate audit verify --database audit.db").await;
}

async fn reports(desk: &Desk) {
    desk.turn_to("Reports").await;
    desk.browser.pick("route", "intranet/finance").await;
    desk.browser.press("//section[@aria-labelledby='access-h']//button").await;
    desk.browser.shows("//h1", "Who can reach what, and why").await;
    desk.browser.shows("//div[@aria-label='intranet/finance']//tr", "Uma").await;
    takes_csv(desk, "Uma").await;

    desk.turn_to("Reports").await;
    desk.browser.press("//section[@aria-labelledby='refusals-h']//button").await;
    desk.browser.shows("//h1", "What was refused").await;
    desk.browser.shows("//div[@aria-label='How often']//tr[contains(., 'Rob')]", "No grant").await;
    takes_csv(desk, "/admin/users").await;

    desk.turn_to("Reports").await;
    desk.browser.press("//section[@aria-labelledby='changes-h']//button").await;
    desk.browser.shows("//h1", "Who changed and published what").await;
    desk.browser
        .shows("//div[@aria-label='Changes']//tr[contains(., 'finance-read')]", "Olive")
        .await;
    takes_csv(desk, "finance-read").await;
}

async fn takes_csv(desk: &Desk, with: &str) {
    desk.button("CSV").await;
    let file = desk.browser.downloaded(".csv").await;
    assert!(file.contains(with), "{with} in {file}");
}
