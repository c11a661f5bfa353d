//! The walk in a real browser: what a person sees, not what the bytes say.

use crate::harness::{Chromium, World};

#[tokio::test(flavor = "multi_thread")]
async fn uma_signs_in_with_one_press_and_is_greeted_by_name() {
    let Some(browser) = Chromium::start("uma_signs_in_with_one_press").await else { return };
    let world = World::start().await;
    browser.page.goto(&world.app("/")).await.unwrap();
    assert_eq!(browser.page.current_url().await.unwrap().as_str(), world.app("/"));
    let finance = world.app("/finance/summary");
    browser.page.goto(&finance).await.unwrap();
    browser.press_to("//button[normalize-space()='uma']", &finance).await;
    let text = browser.text().await;
    assert!(text.contains("Uma"), "{text}");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nora_reads_why_and_which_decision() {
    let Some(browser) = Chromium::start("nora_reads_why_and_which_decision").await else { return };
    let world = World::start().await;
    let finance = world.app("/finance/summary");
    browser.page.goto(&finance).await.unwrap();
    browser.press_to("//button[normalize-space()='nora']", &finance).await;
    let text = browser.text().await;
    let id = world.decisions().await[0]["id"].as_str().unwrap().to_owned();
    for part in ["Nora", id.as_str(), "None of your groups or roles"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    browser.close().await;
}
