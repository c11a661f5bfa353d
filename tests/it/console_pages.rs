//! The console in a real browser, where its script adds to what pages do anyway: the first page as it changes, the editor,
//! single keys, and pages that ask first.

use fantoccini::key::Key;
use serde_json::Value;

use crate::harness::{Chromium, World};

/// Olive at this page of the console.
async fn olive_at(test: &str, path: &str) -> Option<(Chromium, World)> {
    let olive = Chromium::start(test).await?;
    // As wide as a desk: the navigation is not folded away.
    olive.page.set_window_size(1_280, 900).await.unwrap();
    let world = World::start().await;
    let page = world.gate(path);
    olive.sign_in("olive", &page, &page).await;
    Some((olive, world))
}

async fn told(olive: &Chromium, script: &str) -> Value {
    olive.page.execute(script, Vec::new()).await.unwrap()
}

/// Presses keys where the focus is.
async fn type_keys(olive: &Chromium, keys: &str) {
    olive.page.active_element().await.unwrap().send_keys(keys).await.unwrap();
}

/// What has the focus.
async fn focused(olive: &Chromium) -> String {
    let script = "const e = document.activeElement; return e.id || e.className || e.tagName";
    told(olive, script).await.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn first_page_counts_what_happens_while_it_is_open() {
    let Some((olive, world)) = olive_at("first_page_counts", "/console/").await else { return };
    olive.shows("//*[@id='health']", "Everything was decided normally").await;
    olive.shows("//*[@id='numbers-state']", "Live").await;
    let mut nora = world.browser_of("nora").await;
    assert_eq!(nora.open(&world.app("/finance/summary")).await.status, 403);
    let share = "//*[@id='now']//li[contains(., 'Denied though signed in')]";
    olive.shows(share, ".").await;
    let text = olive.text().await;
    assert!(!text.contains("0 %\n0 %"), "{text}");
    olive.press("//button[contains(., 'Pause')]").await;
    olive.shows("//*[@id='numbers-state']", "Paused").await;
    olive.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_is_edited_with_its_problems_at_their_places() {
    let path = "/console/policies/no-guests-in-admin";
    let Some((olive, world)) = olive_at("policy_is_edited", path).await else { return };
    olive.press("//*[contains(@class, 'cm-content')]").await;
    type_keys(&olive, &format!("{}{}", Key::Control + "a", Key::Null)).await;
    let typed = "// é😀\npermit (principal, action, resource)\nwhen { context.mffa };";
    type_keys(&olive, typed).await;
    let sent = told(&olive, "return document.getElementById('text').value").await;
    assert_eq!(sent, typed, "the field that is sent has what was typed");
    olive.press("//button[@id='check']").await;
    olive.shows("//*[@id='problems']//a", "mffa").await;
    let mark = "return document.querySelector('.cm-lintRange-error')?.textContent ?? ''";
    let marked = told(&olive, mark).await;
    assert!(marked.as_str().unwrap().contains("context"), "{marked}");
    olive.press("//*[@id='problems']//a").await;
    assert!(focused(&olive).await.contains("cm-content"), "the link leads into the text");
    type_keys(&olive, &Key::Tab).await;
    assert!(!focused(&olive).await.contains("cm-"), "Tab leaves the editor");
    olive.press("//button[contains(., 'Save to draft')]").await;
    olive.shows("//main", "Nothing was saved.").await;
    assert!(world.gate(path) == olive.page.current_url().await.unwrap().as_str());
    olive.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_keys_lead_and_can_be_switched_off() {
    let Some((olive, world)) = olive_at("single_keys", "/console/routes").await else { return };
    type_keys(&olive, "j").await;
    let row = "return document.activeElement.matches('a[data-row]')";
    assert_eq!(told(&olive, row).await, true);
    type_keys(&olive, "?").await;
    let open = "return document.getElementById('keys').open";
    assert_eq!(told(&olive, open).await, true);
    type_keys(&olive, &Key::Escape).await;
    assert_eq!(told(&olive, open).await, false);
    olive.open(&world.gate("/console/decisions")).await;
    type_keys(&olive, "/").await;
    type_keys(&olive, "/?j").await;
    let query = "return [document.activeElement.id, document.activeElement.value].join()";
    assert_eq!(told(&olive, query).await, "q,/?j");
    olive.open(&world.gate("/console/routes")).await;
    olive.press("//button[contains(., 'Keys')]").await;
    olive.press("//input[@id='keys-on']").await;
    olive.open(&world.gate("/console/routes")).await;
    type_keys(&olive, "j").await;
    assert_eq!(told(&olive, row).await, false);
    olive.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_undone_is_asked_first_with_the_focus_on_the_safe_choice() {
    let path = "/console/sessions?q=olive";
    let Some((olive, _world)) = olive_at("asked_first", path).await else { return };
    olive.press("//a[@data-ask and starts-with(., 'End')]").await;
    olive.shows("//dialog[@id='ask']", "End sessions of").await;
    let safe = "return document.activeElement.textContent";
    assert_eq!(told(&olive, safe).await, "Cancel");
    type_keys(&olive, &Key::Enter).await;
    let open = "return document.getElementById('ask').open";
    assert_eq!(told(&olive, open).await, false);
    olive.page.refresh().await.unwrap();
    olive.shows("//main", "Olive").await;
    olive.close().await;
}
