//! What guards every page: its content policy, nonces that are never used twice, and the gate of hx-csp.

use super::scene::{Scene, values};
use crate::harness::{Answer, Between, Chromium, navigation, script};

/// The policy of the console, as it must be for each page and each part of one.
const CONSOLE: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'; script-src 'nonce-NONCE' 'strict-dynamic'; connect-src 'self'; \
    require-trusted-types-for 'script'; trusted-types htmx";
/// Of a page with something to quote.
const QUOTING: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'; script-src 'nonce-NONCE'; require-trusted-types-for 'script'; trusted-types 'none'";
/// Of a page without any script.
const STILL: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The nonce that a policy names, and the policy without it.
fn taken_apart(answer: &Answer) -> (Option<String>, String) {
    let policy = answer.header("content-security-policy");
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next());
    let nonce = nonce.map(str::to_owned);
    let bare = nonce.as_ref().map_or(policy.clone(), |nonce| policy.replace(nonce, "NONCE"));
    (nonce, bare)
}

/// What a policy like ours would refuse to run.
#[track_caller]
fn holds_nothing_inline(answer: &Answer) {
    let html = answer.text();
    for word in ["<style", " style=", "javascript:", "hx-on", "\"js:", "='js:"] {
        assert!(!html.contains(word), "{word} in {}", answer.url);
    }
    for tag in html.split('<').filter_map(|rest| rest.split('>').next()) {
        let handler = tag
            .split_whitespace()
            .skip(1)
            .find(|word| word.starts_with("on") && word.contains('='));
        assert_eq!(handler, None, "{tag} in {}", answer.url);
    }
    for trigger in values(&html, "hx-trigger=\"") {
        assert!(!trigger.contains('['), "a filter would be evaluated: {trigger} in {}", answer.url);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_and_every_part_has_its_exact_policy_and_a_nonce_of_its_own() {
    let mut scene = Scene::start().await;
    let (world, mut seen) = (&scene.world, std::collections::BTreeSet::new());
    let mut pages = scene.console().await;
    pages.extend(Scene::DOORS.map(str::to_owned));
    for path in pages {
        for part in ["page", "part"] {
            let url = world.gate(&path);
            let asked = match part {
                "page" => navigation("GET", &url),
                _ => script("GET", &url)
                    .header("hx-request", "true")
                    .header("hx-request-type", "partial"),
            };
            let answer = scene.olive.send(asked).await;
            if answer.status == 303 || !answer.header("content-type").starts_with("text/html") {
                continue;
            }
            answer.assert_sealed();
            let (nonce, policy) = taken_apart(&answer);
            let known = [CONSOLE, QUOTING, STILL].contains(&policy.as_str());
            assert!(known, "{part} {path}: {policy}");
            // What is not kept any more has a page of the console that says so.
            let told = [200, 422].contains(&answer.status) || path.starts_with("/console/again/");
            let of_console = path.starts_with("/console") && told;
            assert_eq!(policy == CONSOLE, of_console, "{part} {path}: {policy}");
            holds_nothing_inline(&answer);
            let Some(nonce) = nonce else { continue };
            for named in values(&answer.text(), "nonce=\"") {
                assert_eq!(named, nonce, "{part} {path}");
            }
            assert!(seen.insert(nonce), "{part} {path}: a nonce that was used before");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_smuggled_into_a_page_asks_for_nothing() {
    let test = "what_was_smuggled_into_a_page";
    let between = Between::start().await;
    let Some(browser) = Chromium::start_behind(test, &between).await else { return };
    let scene = Scene::start().await;
    browser.watch().await;
    let routes = scene.world.gate("/console/routes");
    browser.sign_in("olive", &routes, &routes).await;
    // What markup without the page's nonce, or with a guess, would ask for; the last one is ours and does ask.
    let smuggle = "
        const nonce = document.querySelector('script[nonce]').nonce;
        for (const [name, blessing] of [['bare', null], ['guessed', 'AAAAAAAAAAAAAAAAAAAAAA'], ['ours', nonce]]) {
            const button = document.createElement('button');
            button.setAttribute('hx-get', `/console/routes?${name}`);
            button.setAttribute('hx-trigger', 'load');
            button.setAttribute('hx-swap', 'none');
            if (blessing) button.setAttribute('hx-nonce', blessing);
            document.body.append(button);
            htmx.process(button);
        }";
    browser.js(smuggle).await;
    between.until_asked("/console/routes?ours", 1).await;
    let smuggled = between.asked("/console/routes?");
    assert_eq!(smuggled, ["GET /console/routes?ours"], "{smuggled:#?}");
    let noted = browser.noted().await;
    assert_eq!(noted.as_array().unwrap().len(), 2, "each was noted: {noted}");
    drop(browser.complaints().await);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_comes_late_still_guards_the_page_and_brings_it_to_life() {
    let test = "a_script_that_comes_late";
    let between = Between::start().await;
    let Some(browser) = Chromium::start_behind(test, &between).await else { return };
    let scene = Scene::start().await;
    let decisions = scene.world.gate("/console/decisions");
    between.hold("/_gate/static/console-");
    let wait = async {
        between.until_asked(".js", 1).await;
        between.let_go();
    };
    tokio::join!(browser.sign_in("olive", &decisions, &decisions), wait);
    browser.until("document.getElementById('tail-state').dataset.state === 'live'").await;
    let nonces = "return [...document.querySelectorAll('[hx-get], [hx-sse\\\\:connect]')].every(e => e.hasAttribute('hx-nonce'))";
    assert_eq!(browser.js(nonces).await, true);
    browser.close().await;
}
