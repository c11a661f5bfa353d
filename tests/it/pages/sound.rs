//! Every page: nothing that axe-core finds, nothing that a browser complains of, one heading, and room at 320 px.

use super::scene::Scene;
use crate::harness::{Chromium, Colours};

/// WCAG 2.2 AA with all before it, and what axe-core holds for good practice.
const RULES: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/// What can differ between light and dark.
const COLOUR_RULES: [&str; 2] = ["color-contrast", "link-in-text-block"];

/// What is wrong with a page, in words; what isn't wrong is no line.
const STRUCTURE: &str = r"
    const wrong = [], all = [...document.querySelectorAll('*')];
    const say = (what, found) => { if (found.length) wrong.push(`${what}: ${found.join(', ')}`) };
    const ids = all.map(e => e.id).filter(Boolean);
    say('id twice', ids.filter((id, n) => ids.indexOf(id) < n));
    const headings = document.querySelectorAll('h1').length;
    if (headings !== 1) wrong.push(`${headings} h1`);
    const targets = [...document.querySelectorAll('[hx-target], [hx-indicator]')];
    say('target that is not there', targets.flatMap(e => ['hx-target', 'hx-indicator']
        .map(name => e.getAttribute(name))).filter(to => to?.startsWith('#') && !document.querySelector(to)));
    say('title', /^.{1,120} · (Cedargate|Entra simulator)$/.test(document.title) ? [] : [document.title]);
    say('broken picture', [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src));
    return wrong;
";

/// What sticks out at the right of a narrow window.
const WIDE: &str = "
    const room = document.documentElement;
    if (room.scrollWidth <= innerWidth) return [];
    const out = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1);
    return [`${room.scrollWidth} px wide at ${innerWidth}: ` + out.slice(0, 3).map(e => e.outerHTML.slice(0, 120))];
";

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_owner_are_sound_in_light_and_dark_and_at_320_px() {
    let Some(browser) = Chromium::start("pages_of_the_owner_are_sound").await else { return };
    let scene = Scene::start().await;
    browser.watch().await;
    let routes = scene.world.gate("/console/routes");
    browser.sign_in("olive", &routes, &routes).await;
    let mut wrong = Vec::new();
    for path in scene.console().await {
        wrong.extend(faults(&browser, &scene.world.gate(&path)).await);
    }
    for path in Scene::DOORS {
        wrong.extend(faults(&browser, &scene.world.gate(path)).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_somebody_without_rights_are_sound_in_light_and_dark_and_at_320_px() {
    let Some(browser) = Chromium::start("pages_of_somebody_without_rights").await else { return };
    let scene = Scene::start().await;
    let world = &scene.world;
    browser.watch().await;
    let mut wrong = faults(&browser, &world.gate("/")).await;
    browser.sign_in("nora", &world.gate("/"), &world.gate("/")).await;
    let gate = ["/", "/sessions", "/console/routes"].map(|path| world.gate(path));
    for address in gate.into_iter().chain(Scene::REFUSALS.map(|path| world.app(path))) {
        wrong.extend(faults(&browser, &address).await);
    }
    let sim = world.places.simulator();
    wrong.extend(faults(&browser, &format!("{sim}/_sim/")).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    browser.close().await;
}

/// Everything that is wrong with a page.
async fn faults(browser: &Chromium, address: &str) -> Vec<String> {
    browser.resize(1280, 900).await;
    browser.prefer(Colours::Light).await;
    browser.open(address).await;
    let mut faults = browser.violations(&RULES).await;
    faults.extend(lines(&browser.js(STRUCTURE).await));
    browser.prefer(Colours::Dark).await;
    let dark = browser.violations(&COLOUR_RULES).await;
    faults.extend(dark.into_iter().map(|fault| format!("in the dark, {fault}")));
    browser.resize(320, 640).await;
    faults.extend(lines(&browser.js(WIDE).await));
    faults.extend(lines(&browser.noted().await));
    faults.extend(browser.complaints().await);
    faults.into_iter().map(|fault| format!("{address}: {fault}")).collect()
}

fn lines(found: &serde_json::Value) -> Vec<String> {
    found.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}
