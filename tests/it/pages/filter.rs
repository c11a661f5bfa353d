//! The query box of the log while somebody types: nothing is lost, everything is an address, and nothing jumps.

use fantoccini::Locator;
use fantoccini::key::Key;

use super::scene::Scene;
use crate::harness::{Between, Chromium};

/// What the rows say: nothing but what was let in.
const ALL_ALLOWED: &str = "document.querySelectorAll('#rows tbody tr[id]').length \
    && [...document.querySelectorAll('#rows tbody tr[id] .badge')].every(badge => badge.textContent === 'Allow')";
/// Notes what the live regions say, one line for each time.
const LISTEN: &str = "
    window.said = [];
    for (const id of ['status', 'alert']) {
        const region = document.getElementById(id);
        new MutationObserver(() => region.textContent && said.push(region.textContent))
            .observe(region, { childList: true, characterData: true, subtree: true });
    }";

/// The owner's browser on a page of the console, behind a proxy.
async fn olive_at(test: &str, path: &str) -> Option<(Chromium, Scene, Between)> {
    let between = Between::start().await;
    let browser = Chromium::start_behind(test, &between).await?;
    let scene = Scene::start().await;
    browser.watch().await;
    let address = scene.world.gate(path);
    browser.sign_in("olive", &address, &address).await;
    Some((browser, scene, between))
}

/// Puts this into the query box in place of what is there.
async fn ask(browser: &Chromium, query: &str) {
    browser.press("//*[@id='q']").await;
    let all = format!("{}a{}", char::from(Key::Control), char::from(Key::Null));
    browser.fill("q", &format!("{all}{query}")).await;
}

async fn address(browser: &Chromium) -> String {
    browser.page.current_url().await.unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_keystroke_is_lost_while_the_gate_is_slow_and_the_filter_is_an_address() {
    let test = "no_keystroke_is_lost";
    let Some((browser, _scene, between)) = olive_at(test, "/console/decisions").await else {
        return;
    };
    browser.js(LISTEN).await;
    between.hold("/console/decisions?q=");
    browser.fill("q", "effect").await;
    between.until_asked("/console/decisions?q=effect", 1).await;
    browser.fill("q", ":allow").await;
    between.until_asked("/console/decisions?q=effect%3Aallow", 1).await;
    between.let_go();
    browser.until(ALL_ALLOWED).await;
    browser.until("said.length").await;
    let said = browser.js("return [said.length, /, as of .* UTC\\.$/.test(said[0])]").await;
    assert_eq!(
        said,
        serde_json::json!([1, true]),
        "said once: {}",
        browser.js("return said").await
    );
    let typed = browser.js("return [q.value, document.activeElement.id]").await;
    assert_eq!(typed, serde_json::json!(["effect:allow", "q"]));
    let filtered = address(&browser).await;
    assert!(filtered.contains("q=effect%3Aallow"), "{filtered}");

    browser.page.refresh().await.unwrap();
    browser.until(ALL_ALLOWED).await;
    browser.shows("//*[contains(@class, 'chip')]", "effect:allow").await;
    assert_eq!(browser.js("return q.value").await, "effect:allow");

    // The link was made before somebody typed another query, and leads to that all the same.
    ask(&browser, "effect:deny").await;
    browser.shows("//*[contains(@class, 'chip')]", "effect:deny").await;
    browser.js("window.typed = true").await;
    browser.press("//a[normalize-space()='Refresh']").await;
    browser.until("!window.typed && document.readyState === 'complete'").await;
    browser.shows("//*[contains(@class, 'chip')]", "effect:deny").await;
    assert!(address(&browser).await.contains("q=effect%3Adeny"));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_back_button_goes_through_the_filters_one_by_one() {
    let test = "the_back_button_goes_through_the_filters";
    let Some((browser, scene, _between)) = olive_at(test, "/console/decisions").await else {
        return;
    };
    ask(&browser, "effect:allow").await;
    browser.until(ALL_ALLOWED).await;
    ask(&browser, "user:nora-is-not-here").await;
    browser.shows("//*[@id='rows']", "No decision matches").await;

    browser.page.back().await.unwrap();
    browser.until(ALL_ALLOWED).await;
    browser.until("q.value === 'effect:allow'").await;
    browser.page.back().await.unwrap();
    browser.until("q.value === '' && document.querySelector('#rows .badge.deny')").await;
    assert_eq!(address(&browser).await, scene.world.gate("/console/decisions"));
    let whole = "return [document.querySelectorAll('h1').length, document.querySelectorAll('#rows').length, \
                 Boolean(document.querySelector('nav'))]";
    assert_eq!(browser.js(whole).await, serde_json::json!([1, 1, true]));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_can_not_be_read_is_said_beside_the_box_and_moves_nothing() {
    let test = "a_query_that_can_not_be_read";
    let Some((browser, _scene, _between)) = olive_at(test, "/console/decisions").await else {
        return;
    };
    ask(&browser, "effect:allow").await;
    browser.until(ALL_ALLOWED).await;
    // What the first answer says comes after its rows, and is not what is counted below.
    browser.until("document.getElementById('status').textContent").await;
    let before = address(&browser).await;
    browser.js(LISTEN).await;
    ask(&browser, "reson:no_grant").await;
    browser.shows("//*[@id='q-err']", "reason").await;
    browser.until("q.getAttribute('aria-invalid') === 'true'").await;
    browser.until("said.length").await;
    assert_eq!(address(&browser).await, before);
    assert_eq!(browser.js(&format!("return Boolean({ALL_ALLOWED})")).await, true);
    assert_eq!(
        browser.js("return [document.activeElement.id, said.length]").await,
        serde_json::json!(["q", 1])
    );

    ask(&browser, "reason:no_grant").await;
    browser.until("!document.getElementById('q-err').textContent").await;
    browser.until("!q.hasAttribute('aria-invalid')").await;
    let denied = "document.querySelector('#rows .badge.deny') && !document.querySelector('#rows .badge.allow')";
    browser.until(denied).await;
    browser.close().await;
}

/// The record beside the list is read while the list is narrowed around it.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_kept_is_closed_to_what_was_typed_since() {
    let test = "a_record_that_is_kept";
    let Some((browser, scene, _between)) = olive_at(test, "/console/decisions?range=7d").await
    else {
        return;
    };
    // Records stand beside the list where there is room.
    browser.page.set_window_size(1_280, 900).await.unwrap();
    let row = "//tr[contains(., 'Allow') and contains(., 'intranet/finance')]//a[@data-row]";
    browser.press(row).await;
    browser.shows("//*[@id='beside']", "What was asked").await;
    let chosen = "document.querySelectorAll('#rows tr[aria-selected=true]').length === 1";
    browser.until(chosen).await;
    ask(&browser, "effect:allow").await;
    browser.until(ALL_ALLOWED).await;
    let close = "document.getElementById('beside-close')?.href";
    browser.until(&format!("{close}?.includes('q=effect%3Aallow')")).await;
    browser.until(chosen).await;
    let kept = address(&browser).await;
    assert!(kept.contains("q=effect%3Aallow") && kept.contains("record="), "{kept}");
    // Another part of the list is a page of its own, beside which it stands too.
    browser.press("//*[@id='rows']//a[.='Apps']").await;
    browser.until("/door/.test(location.search) && /record=/.test(location.search)").await;
    browser.shows("//*[@id='beside']", "What was asked").await;
    browser.until(chosen).await;
    ask(&browser, "effect:allow").await;
    browser.until(&format!("{close}?.endsWith('q=effect%3Aallow&range=7d')")).await;
    browser.js("document.activeElement.blur()").await;
    browser.keys("\u{e00c}").await;
    browser.until("!document.querySelector('#beside [data-shut]')").await;
    let shut = scene.world.gate("/console/decisions?q=effect%3Aallow&range=7d");
    browser.until(&format!("location.href === '{shut}'")).await;
    assert_eq!(browser.js(&format!("return Boolean({ALL_ALLOWED})")).await, true);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_somebody_else_never_land_in_the_console() {
    let test = "pages_of_somebody_else_never_land";
    let Some((browser, _scene, between)) = olive_at(test, "/console/decisions").await else {
        return;
    };
    let rows = "return document.querySelectorAll('#rows tbody tr[id]').length";
    let before = browser.js(rows).await;
    browser.js(&format!("window.marker = 1; {LISTEN}")).await;
    between.answer("/console/decisions?q=", 502);
    ask(&browser, "effect:allow").await;
    browser.shows("//*[@id='alert']", "502").await;
    assert_eq!(browser.js(rows).await, before, "what was on the screen stays");
    assert_eq!(browser.js("return [window.marker, said.length]").await, serde_json::json!([1, 1]));

    // A whole page where a part was wanted: the page is loaded anew instead.
    between.answer("/console/decisions?q=", 200);
    ask(&browser, "effect:deny").await;
    browser.until("!window.marker && document.readyState === 'complete'").await;
    assert_eq!(browser.js("return Boolean(document.getElementById('foreign'))").await, false);
    assert_eq!(browser.js("return document.querySelectorAll('h1').length").await, 1);
    browser.page.find(Locator::Id("q")).await.unwrap();
    browser.close().await;
}
