//! Whoever signed in long ago signs in anew before anything is changed, and finds what they had typed.

use std::time::Duration;

use cedargate::model::time::Clock;

use super::desk::Desk;
use crate::harness::{Scripts, World};

const REPORTS: &str = "/console/routes/intranet/reports";

#[tokio::test(flavor = "multi_thread")]
async fn olive_signs_in_anew_and_sends_what_she_typed_with_scripts() {
    olive_signs_in_anew_and_sends_what_she_typed(Scripts::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn olive_signs_in_anew_and_sends_what_she_typed_without_scripts() {
    olive_signs_in_anew_and_sends_what_she_typed(Scripts::Off).await;
}

async fn olive_signs_in_anew_and_sends_what_she_typed(scripts: Scripts) {
    let clock = Clock::fixed(Clock::System.now());
    let flow = "olive_signs_in_anew_and_sends_what_she_typed";
    let world = || World::start_at(clock.clone(), |_| {});
    let Some(desk) = Desk::start(flow, scripts, world).await else { return };
    desk.sit("olive", REPORTS).await;
    for _ in 0..3 {
        clock.advance(Duration::from_mins(20));
        desk.open(REPORTS).await;
    }
    desk.browser.pick("who_kind", "group").await;
    desk.browser.fill("who", "Finance").await;
    desk.browser.fill("reason", "Typed over a long coffee").await;
    desk.button("Add to draft").await;
    desk.browser.shows("//h1", "Who signs in?").await;
    desk.button("olive").await;
    desk.browser.shows("//h1", "Send it now?").await;
    desk.reads("Your sign-in was older than an hour, so nothing was changed.").await;
    for part in ["Finance", "Typed over a long coffee"] {
        desk.browser.shows("//form[@aria-label='What you typed']", part).await;
    }
    desk.lacks("not in force").await;
    desk.button("Send it now").await;
    let grant = "//li[@id='grant-g-finance-read-3']";
    desk.browser.shows(grant, "Typed over a long coffee").await;
    desk.browser.shows("//*[@id='draft-bar']", "1 change, not in force").await;
    desk.publish(3, "After a long coffee").await;
    let report = desk.world.app("/reports/2026");
    desk.visit("uma", &report).await;
    desk.browser.shows("//h1", "Report 2026").await;
    desk.browser.close().await;
}
