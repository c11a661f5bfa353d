//! From the draft to a release and back, with four eyes: what would change, for whom, what must stay true, and who approved.

use cedargate::config::SecondPerson;

use super::desk::Desk;
use super::faster::Faster;
use crate::harness::{Scripts, World};

const REPORTS: &str = "/console/routes/intranet/reports";

#[tokio::test(flavor = "multi_thread")]
async fn reports_change_hands_and_come_back_with_scripts() {
    reports_change_hands_and_come_back(Scripts::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_change_hands_and_come_back_without_scripts() {
    reports_change_hands_and_come_back(Scripts::Off).await;
}

async fn reports_change_hands_and_come_back(scripts: Scripts) {
    let world = || World::start_set(|config| config.console.second_person = SecondPerson::Required);
    let flow = "reports_change_hands_and_come_back";
    let Some(desk) = Desk::start(flow, scripts, world).await else { return };
    let report = desk.world.app("/reports/2026");
    for (person, status) in [("rob", 200), ("uma", 403)] {
        let mut browser = desk.world.browser_of(person).await;
        assert_eq!(browser.open(&report).await.status, status, "{person}");
    }
    desk.sit("olive", REPORTS).await;
    drafts(&desk).await;
    reviews(&desk).await;
    sees_who_gains_and_who_loses(&desk).await;
    needs_somebody_else(&desk, "Finance takes reports over").await;
    desk.visit("uma", &report).await;
    desk.browser.shows("//h1", "Report 2026").await;
    desk.visit("rob", &report).await;
    desk.browser.shows("//h1", "open Yearly reports").await;

    desk.sit("olive", "/console/").await;
    compares_and_brings_back(&desk).await;
    approves(&desk).await;
    desk.sit("olive", "/console/draft").await;
    desk.browser.fill("note", "Rob reads reports too").await;
    desk.button("Publish release 4").await;
    desk.reads("Release 4 is in force.").await;
    for person in ["rob", "uma"] {
        let mut browser = desk.world.browser_of(person).await;
        assert_eq!(browser.open(&report).await.status, 200, "{person}");
    }
    desk.browser.close().await;
}

/// Finance may read reports, whoever could may not, and one step too many.
async fn drafts(desk: &Desk) {
    desk.browser.pick("who_kind", "group").await;
    desk.browser.fill("who", "Finance").await;
    desk.browser.fill("reason", "Reports are theirs now").await;
    desk.button("Add to draft").await;
    desk.browser.shows("//li[@id='grant-g-finance-read-3']", "is saved to the draft").await;
    desk.button("Remove reports").await;
    desk.browser.shows("//li[@id='grant-reports']", "is removed from the draft").await;
    desk.open("/console/routes/intranet/finance").await;
    desk.button("Remove finance-read").await;
    desk.browser.shows("//li[@id='grant-finance-read']", "is removed from the draft").await;
}

async fn reviews(desk: &Desk) {
    desk.follow("Review").await;
    desk.reads("3 changes to release 2, not in force yet.").await;
    desk.reads("It breaks what was asserted, and can").await;
    desk.browser.shows("//main//li[contains(., 'finance-reads')]", "The quarter").await;
    desk.lacks("Publish release").await;
    desk.button("Undo Grant finance-read").await;
    desk.reads("2 changes to release 2, not in force yet.").await;
    desk.reads("3 of 3 assertions hold.").await;
    let changes = "//ul[@class='changes']";
    desk.browser.shows(changes, "Finance may read intranet/reports (here and below)").await;
    desk.browser.shows(changes, "Reports.Read may read intranet/reports").await;
    desk.browser.press("//summary[.='As Cedar']").await;
    desk.browser.shows("//details[@open]//pre", "@id(\"grant:g-finance-read-3\")").await;
}

async fn sees_who_gains_and_who_loses(desk: &Desk) {
    desk.follow("Who gains, who loses").await;
    desk.browser.shows("//h1", "Who gains, who loses").await;
    desk.until_reads("1 would be refused (1 person), 1 would be let in (1 person)", "Refresh")
        .await;
    desk.follow("By person").await;
    let row = |list: &str| format!("//div[@aria-label='{list}']//tr");
    desk.browser.shows(&row("Would gain access"), "Uma").await;
    desk.browser.shows(&row("Would lose access"), "Rob").await;
}

/// Olive may not publish alone, nor what Eddie made of it after Pat had approved.
async fn needs_somebody_else(desk: &Desk, note: &str) {
    desk.open("/console/draft").await;
    desk.reads("Publishing takes two").await;
    desk.lacks("Publish release").await;
    approves(desk).await;
    desk.sit("olive", "/console/draft").await;
    desk.browser.fill("note", note).await;
    Faster::as_eddie(&desk.world).await.ends("intranet/me", "me").await;
    desk.button("Publish release 3").await;
    desk.reads("Nothing was published").await;
    desk.reads("Publishing takes two").await;
    desk.reads(&format!("The note that you typed: {note}")).await;

    desk.button("Undo Grant me").await;
    // It is again what Pat approved of.
    desk.reads("Approved by Pat").await;
    desk.browser.fill("note", note).await;
    desk.button("Publish release 3").await;
    desk.reads("Release 3 is in force.").await;
}

async fn approves(desk: &Desk) {
    desk.sit("pat", "/console/draft").await;
    desk.button("Approve of this draft").await;
    desk.reads("Approved by Pat").await;
    desk.lacks("Publish release").await;
}

async fn compares_and_brings_back(desk: &Desk) {
    desk.turn_to("Releases").await;
    desk.browser.fill("from", "2").await;
    desk.browser.fill("to", "3").await;
    desk.button("Compare").await;
    desk.browser.shows("//h1", "release 3").await;
    desk.browser.shows("//section[h2='In words']", "Finance may read intranet/reports").await;
    desk.browser.shows("//section[h2='As Cedar']", "@id(\"grant:g-finance-read-3\")").await;
    desk.turn_to("Releases").await;
    desk.button("Bring back release 2 into the draft").await;
    desk.reads("Release 2 was brought back into the draft.").await;
    desk.reads("2 changes to release 3, not in force yet.").await;
    desk.button("Undo Grant g-finance-read-3").await;
    desk.reads("1 change to release 3, not in force yet.").await;
}
