//! What hands do: keys, double presses, second thoughts, and the same without any script.

use super::scene::Scene;
use crate::harness::{Chromium, Scripts};

const ACTIVE: &str = "return document.activeElement.id || document.activeElement.href";

/// The owner's browser on a page of the console.
async fn olive_at(test: &str, scripts: Scripts, path: &str) -> Option<(Chromium, Scene)> {
    let browser = Chromium::start_with(test, scripts).await?;
    let scene = Scene::start().await;
    let address = scene.world.gate(path);
    browser.sign_in("olive", &address, &address).await;
    Some((browser, scene))
}

#[tokio::test(flavor = "multi_thread")]
async fn single_keys_walk_the_rows_and_are_letters_in_a_field() {
    let test = "single_keys_walk_the_rows";
    let Some((browser, _scene)) = olive_at(test, Scripts::On, "/console/decisions").await else {
        return;
    };
    browser.until("document.getElementById('tail-state').dataset.state === 'live'").await;
    let rows =
        browser.js("return [...document.querySelectorAll('[data-row]')].map(a => a.href)").await;
    browser.keys("j").await;
    assert_eq!(browser.js(ACTIVE).await, rows[0]);
    browser.keys("j").await;
    assert_eq!(browser.js(ACTIVE).await, rows[1]);
    browser.keys("k").await;
    assert_eq!(browser.js(ACTIVE).await, rows[0]);
    browser.keys("/").await;
    assert_eq!(browser.js(ACTIVE).await, "q");
    browser.keys("path:/finance/j").await;
    assert_eq!(
        browser.js("return [q.value, document.activeElement.id]").await,
        serde_json::json!(["path:/finance/j", "q"])
    );
    browser.js("document.activeElement.blur()").await;
    browser.keys(".").await;
    browser.shows("//*[@id='tail-state']", "Paused").await;
    browser.keys("?").await;
    browser.until("document.getElementById('keys').open").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_presses_add_one_grant_and_the_focus_stays_with_what_was_wrong() {
    let test = "two_presses_add_one_grant";
    let path = "/console/routes/intranet/me";
    let Some((browser, _scene)) = olive_at(test, Scripts::On, path).await else { return };
    browser.fill("reason", "Twice is once").await;
    browser.press("//button[@id='add-grant']").await;
    browser.until("document.activeElement.getAttribute('aria-invalid') === 'true'").await;
    let tied = "const e = document.activeElement; \
                return e.getAttribute('aria-describedby').split(' ').every(id => document.getElementById(id)?.textContent)";
    assert_eq!(browser.js(tied).await, true, "what is wrong stands beside it");
    browser.pick("who_kind", "group").await;
    browser.fill("who", "Finance").await;
    browser.js("const b = document.getElementById('add-grant'); b.click(); b.click()").await;
    browser.shows("//*[@id='draft-bar']", "3 changes, not in force").await;
    let grants = "return [...document.querySelectorAll('li.grant')].filter(e => e.textContent.includes('Twice is once')).length";
    assert_eq!(browser.js(grants).await, 1);
    browser.until("document.activeElement.matches('li.grant')").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_filled_in_at_once_and_enter_saves_the_grant() {
    let test = "an_end_is_filled_in";
    let path = "/console/routes/intranet/finance?edit=finance-read";
    let Some((browser, scene)) = olive_at(test, Scripts::On, path).await else { return };
    browser.press("//button[.='1 week']").await;
    browser.until("document.activeElement.id === 'until' && document.activeElement.value").await;
    browser.fill("ticket", "OPS-7\u{e007}").await;
    browser.shows("//*[@id='grant-finance-read']", "is saved to the draft").await;
    browser.until("document.activeElement.id === 'grant-finance-read'").await;
    let address = scene.world.gate("/console/routes/intranet/finance");
    assert_eq!(browser.js("return location.href").await, address.as_str());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_session_is_refused_beside_what_was_typed() {
    let test = "a_form_of_another_session";
    let path = "/console/routes/intranet/me";
    let Some((browser, _scene)) = olive_at(test, Scripts::On, path).await else { return };
    browser
        .js("document.querySelector('meta[name=csrf-token]').content = 'of another session'")
        .await;
    browser.fill("who", "Finance").await;
    browser.fill("reason", "Typed and kept").await;
    browser.press("//button[@id='add-grant']").await;
    browser.shows("//*[@id='notices']", "nothing was changed").await;
    assert_eq!(
        browser.js("return document.getElementById('reason')?.value").await,
        "Typed and kept"
    );
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_thinks_twice_about_discarding_keeps_the_draft() {
    let test = "who_thinks_twice_about_discarding";
    let Some((browser, scene)) = olive_at(test, Scripts::On, "/console/routes").await else {
        return;
    };
    let discard = scene.world.gate("/console/draft/discard");
    browser.press("//*[@id='draft-bar']//a[.='Discard']").await;
    browser.shows("//dialog[@id='ask']", "reports-finance").await;
    browser.press("//dialog[@id='ask']//a[.='Keep it']").await;
    browser.until("!document.getElementById('ask').open").await;
    browser.open(&scene.world.gate("/console/draft")).await;
    browser.shows("//main", "2 changes to release 2").await;
    browser.open(&discard).await;
    browser.press_to("//a[.='Keep it']", &scene.world.gate("/console/draft")).await;
    browser.open(&discard).await;
    browser.press("//button[contains(., 'Discard the draft')]").await;
    browser.until("!document.querySelector('.draftbar')").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_searched_read_and_explained_with_scripts_off() {
    let test = "the_log_is_searched_with_scripts_off";
    let Some((browser, _scene)) = olive_at(test, Scripts::Off, "/console/decisions").await else {
        return;
    };
    browser.fill("q", "effect:deny path:/finance/**").await;
    browser.press("//form[@id='filter']//button[@type='submit']").await;
    browser.shows("//*[contains(@class, 'chip')]", "effect:deny").await;
    browser.press("//tr[contains(., 'Nora')]//a[@data-row]").await;
    browser.shows("//h1", "/finance/summary").await;
    browser.press("//a[contains(., 'Why, clause by clause')]").await;
    browser.shows("//main", "It falls the same here.").await;
    browser.close().await;
}
