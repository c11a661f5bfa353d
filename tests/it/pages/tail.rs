//! The list of decisions while it lives: rows come, wait and catch up, whatever the network does, and end with the session.

use super::scene::Scene;
use crate::harness::{Between, Browser, Chromium, navigation};

/// A list that only Rob's visits are on: the console's own pages are decisions too.
const LIST: &str = "/console/decisions?q=path:/reports/**";
const LIVE: &str = "document.getElementById('tail-state')?.dataset.state === 'live'";

struct Watched {
    browser: Chromium,
    scene: Scene,
    between: Between,
    rob: Browser,
    /// Years that Rob asked for, oldest first.
    asked: Vec<u32>,
}

impl Watched {
    /// The owner watches the list.
    async fn start(test: &str) -> Option<Self> {
        let between = Between::start().await;
        let browser = Chromium::start_behind(test, &between).await?;
        let scene = Scene::start().await;
        let list = scene.world.gate(LIST);
        browser.sign_in("olive", &list, &list).await;
        browser.until(LIVE).await;
        let rob = scene.world.browser_of("rob").await;
        Some(Self { browser, scene, between, rob, asked: Vec::new() })
    }

    /// Rob opens so many reports, each another one.
    async fn visits(&mut self, count: u32) {
        for _ in 0..count {
            let year = 3000 + u32::try_from(self.asked.len()).unwrap();
            self.rob.step(&self.scene.world.app(&format!("/reports/{year}"))).await;
            self.asked.push(year);
        }
    }

    /// Waits until Rob's visits stand there as they happened, newest first, each once.
    async fn shows_all(&self) {
        let newest_first: Vec<String> =
            self.asked.iter().rev().map(|year| format!("/reports/{year}")).collect();
        let paths = "[...document.querySelectorAll('#rows tbody tr[id] .path bdi')].map(e => e.textContent)\
                     .filter(path => path.startsWith('/reports/3'))";
        self.browser.until(&format!("{paths}.join() === '{}'", newest_first.join(","))).await;
        let twice = "const ids = [...document.querySelectorAll('[id]')].map(e => e.id); \
                     return ids.filter((id, n) => ids.indexOf(id) < n)";
        assert_eq!(self.browser.js(twice).await, serde_json::json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_as_decisions_are_made_wait_while_paused_and_catch_up() {
    let Some(mut watched) = Watched::start("rows_come_as_decisions_are_made").await else { return };
    watched.visits(8).await;
    watched.shows_all().await;

    watched.browser.press("//*[@id='tail-pause']").await;
    watched.visits(3).await;
    watched.browser.shows("//*[@id='tail-state']", "Paused, 3 new").await;
    let rows = "return document.querySelectorAll('#rows tbody tr[id]').length";
    let paused = watched.browser.js(rows).await;
    watched.browser.press("//*[@id='tail-pause']").await;
    watched.shows_all().await;
    assert_eq!(
        watched.browser.js(rows).await.as_u64().unwrap(),
        paused.as_u64().unwrap() + 3,
        "nothing came while it was paused"
    );
    watched.browser.until(LIVE).await;
    watched.visits(1).await;
    watched.shows_all().await;
    watched.browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_wait_while_one_of_them_is_read() {
    let Some(mut watched) = Watched::start("rows_wait_while_one_is_read").await else { return };
    watched.browser.js("document.querySelector('[data-row]').focus()").await;
    let focused = "return document.activeElement.href";
    let before = watched.browser.js(focused).await;
    watched.visits(2).await;
    watched.browser.shows("//*[@id='tail-state']", "2 new").await;
    assert_eq!(watched.browser.js(focused).await, before);
    watched.browser.js("document.getElementById('tail-pause').focus()").await;
    watched.visits(1).await;
    watched.shows_all().await;
    watched.browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_off_says_so_comes_back_and_misses_nothing() {
    let Some(mut watched) = Watched::start("a_stream_that_breaks_off").await else { return };
    watched.visits(2).await;
    watched.shows_all().await;
    watched.between.answer("/console/decisions/live", 503);
    watched.between.cut();
    watched.browser.until("document.getElementById('tail-state').dataset.state === 'off'").await;
    watched.visits(3).await;
    let tried = watched.between.asked("/console/decisions/live").len();
    watched.between.until_asked("/console/decisions/live", tried + 1).await;
    let foreign = "return Boolean(document.getElementById('foreign'))";
    assert_eq!(watched.browser.js(foreign).await, false, "the proxy's page is nowhere");

    watched.between.let_go();
    watched.browser.until(LIVE).await;
    watched.shows_all().await;
    watched.visits(1).await;
    watched.shows_all().await;
    let complaints = watched.browser.complaints().await;
    assert!(complaints.iter().all(|one| one.contains("htmx:sse:error")), "{complaints:#?}");
    watched.browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_is_said_and_signing_in_leads_back() {
    let Some(mut watched) = Watched::start("a_session_that_ends_is_said").await else { return };
    end_sessions_of_olive(&mut watched.scene).await;
    watched.browser.shows("//*[@id='tail-state']", "Signed out").await;
    watched.browser.shows("//*[@id='alert']", "Sign in again").await;
    watched.browser.press("//*[@id='filter']//button[@type='submit']").await;
    let back = format!("{}&range=24h", watched.scene.world.gate(LIST));
    let back = back.replace(":/reports/**", "%3A%2Freports%2F**");
    // Entra knows her still, and lets her through without asking.
    watched.browser.until(&format!("location.href === '{back}' && {LIVE}")).await;
    watched.browser.close().await;
}

/// As another owner would do it.
async fn end_sessions_of_olive(scene: &mut Scene) {
    let olive = format!("{}.{}", cedargate::sim::people::TENANT, cedargate::sim::people::OLIVE);
    let end = scene.world.gate("/console/sessions/end");
    let page = scene.olive.open(&format!("{end}?user={olive}")).await.text();
    let token = super::scene::values(&page, "name=\"_csrf\" value=\"").remove(0);
    let form = [("_csrf", token.as_str()), ("session", ""), ("user", &olive)];
    let answer = scene.olive.send(navigation("POST", &end).form(&form)).await;
    assert!((200..400).contains(&answer.status), "{}", answer.text());
}
