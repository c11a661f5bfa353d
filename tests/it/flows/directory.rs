//! Groups, people, sessions and settings; and somebody's sessions are ended.

use super::desk::Desk;
use crate::harness::{Browser, Scripts, World};

#[tokio::test(flavor = "multi_thread")]
async fn olive_looks_people_up_and_signs_uma_out_with_scripts() {
    olive_looks_people_up_and_signs_uma_out(Scripts::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn olive_looks_people_up_and_signs_uma_out_without_scripts() {
    olive_looks_people_up_and_signs_uma_out(Scripts::Off).await;
}

async fn olive_looks_people_up_and_signs_uma_out(scripts: Scripts) {
    let flow = "olive_looks_people_up_and_signs_uma_out";
    let Some(desk) = Desk::start(flow, scripts, World::start).await else { return };
    let me = desk.world.app("/me");
    let mut browsers = Vec::new();
    for _ in 0..3 {
        browsers.push(desk.world.browser_of("uma").await);
    }
    desk.sit("olive", "/console/").await;
    desk.turn_to("Groups and roles").await;
    desk.browser.fill("q", "Finance").await;
    desk.button("Search").await;
    desk.lacks("IT-Admins").await;
    desk.browser.press("//tr//a[@data-row and contains(., 'Finance')]").await;
    desk.browser.shows("//section[@aria-labelledby='used']", "finance-read").await;
    desk.browser.press("//section[@aria-labelledby='people-h']//a[contains(., 'Uma')]").await;
    desk.browser.shows("//h1", "Uma").await;
    desk.browser.shows("//section[@aria-labelledby='in']", "Finance").await;

    desk.follow("In the list of all").await;
    desk.browser.shows("//h1", "Sessions").await;
    desk.browser.press("//tbody/tr[1]//a[starts-with(., 'End')]").await;
    desk.browser.shows("//*[@id='ask-h']", "End sessions of Uma").await;
    desk.button("End this session").await;
    desk.reads("A session of Uma Umarov has ended.").await;
    assert_eq!(signed_in(&mut browsers, &me).await, 2, "one of them is out");

    desk.turn_to("People").await;
    desk.browser.fill("q", "uma").await;
    desk.button("Search").await;
    desk.follow("Uma Umarov").await;
    desk.follow("End all of theirs").await;
    desk.browser.shows("//*[@id='ask-h']", "End sessions of Uma").await;
    desk.button("End 2 sessions").await;
    desk.reads("Every session of Uma Umarov has ended.").await;
    assert_eq!(signed_in(&mut browsers, &me).await, 0);

    desk.turn_to("Settings").await;
    desk.browser.fill("q", "session.idle").await;
    desk.button("Search").await;
    desk.browser.shows("//tr[contains(., 'session.idle')]", "1h").await;
    desk.lacks("session.absolute").await;
    desk.browser.close().await;
}

/// In how many of these browsers somebody is signed in.
async fn signed_in(browsers: &mut [Browser], me: &str) -> usize {
    let mut count = 0;
    for browser in browsers {
        match browser.fetch("GET", me).await.status {
            200 => count += 1,
            status => assert_eq!(status, 401),
        }
    }
    count
}
