//! A policy is written by hand: with a mistake first, which is shown where it is and costs nothing that was typed.

use super::desk::Desk;
use crate::harness::{Scripts, World};

const WRONG: &str = "permit (principal in Group::\"9a000000-0000-4000-8000-0000000f1a2c\",\naction in [Action::\"read\"],\nresource in Route::\"intranet/reports\")\nwhen { context.mffa };";
const RIGHT: &str = "permit (principal in Group::\"9a000000-0000-4000-8000-0000000f1a2c\",\naction in [Action::\"read\"],\nresource in Route::\"intranet/reports\")\nunless { context.mfa };";
const PLACE: &str = "//*[@id='problems']//a[starts-with(., '4:')]";

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_mended_saved_and_published_with_scripts() {
    a_policy_is_mended_saved_and_published(Scripts::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_mended_saved_and_published_without_scripts() {
    a_policy_is_mended_saved_and_published(Scripts::Off).await;
}

async fn a_policy_is_mended_saved_and_published(scripts: Scripts) {
    let flow = "a_policy_is_mended_saved_and_published";
    let Some(desk) = Desk::start(flow, scripts, World::start).await else { return };
    desk.sit("eddie", "/console/policies").await;
    desk.follow("New policy").await;
    desk.browser.fill("id", "finance-reads-reports").await;
    desk.write_policy(WRONG).await;
    desk.button("Check").await;
    desk.browser.shows(PLACE, "mffa").await;
    desk.button("Save to draft").await;
    desk.reads("Nothing was saved. What is wrong stands below the text.").await;
    desk.browser.shows(PLACE, "mffa").await;
    let kept = [desk.browser.value("id").await, desk.browser.value("text").await];
    assert_eq!(kept, ["finance-reads-reports", WRONG], "what was typed is still there");

    desk.write_policy(RIGHT).await;
    desk.button("Check").await;
    desk.reads("It compiles and validates. Nothing is saved yet.").await;
    desk.button("Save to draft").await;
    desk.browser.shows("//h1", "finance-reads-reports").await;
    desk.browser.shows("//*[@id='draft-bar']", "1 change, not in force").await;

    // One that is there already is mended in the same way.
    desk.write_policy(WRONG).await;
    desk.button("Save to draft").await;
    desk.browser.shows(PLACE, "mffa").await;
    assert_eq!(desk.browser.value("text").await, WRONG);
    desk.write_policy(&RIGHT.replace("unless", "when")).await;
    desk.send("Save to draft").await;
    desk.reads("No problem found.").await;
    desk.write_policy(RIGHT).await;
    desk.send("Save to draft").await;
    desk.reads("No problem found.").await;
    assert_eq!(desk.browser.value("text").await, RIGHT);

    desk.sit("pat", "/console/policies").await;
    desk.reads("finance-reads-reports").await;
    desk.publish(3, "Finance reads reports").await;
    let report = desk.world.app("/reports/2026");
    desk.visit("uma", &report).await;
    desk.browser.shows("//h1", "Report 2026").await;
    desk.browser.close().await;
}
