//! A browser in a world, at which one person sits after the other.

use std::time::{Duration, Instant};

use fantoccini::Locator;
use fantoccini::key::Key;

use crate::harness::{Chromium, Scripts, World};

/// For how long a page is loaded anew for what it is to say.
const PATIENCE: Duration = Duration::from_secs(20);

/// One browser in a world, with scripts on or off.
pub(super) struct Desk {
    pub(super) browser: Chromium,
    pub(super) world: World,
    scripts: Scripts,
}

impl Desk {
    /// A browser in this world; nothing where Chromium isn't installed.
    pub(super) async fn start(
        flow: &str,
        scripts: Scripts,
        world: impl AsyncFnOnce() -> World,
    ) -> Option<Self> {
        let test = format!("{flow} (scripts: {scripts:?})");
        let browser = Chromium::start_with(&test, scripts).await?;
        // As wide as a desk: the navigation is not folded away.
        browser.page.set_window_size(1_280, 900).await.unwrap();
        Some(Self { browser, world: Box::pin(world()).await, scripts })
    }

    /// Somebody signs in at an address; whoever sat here before is forgotten.
    pub(super) async fn visit(&self, person: &str, address: &str) {
        self.browser.forget_everybody().await;
        self.browser.sign_in(person, address, address).await;
    }

    /// Somebody signs in at a page of the console.
    pub(super) async fn sit(&self, person: &str, path: &str) {
        self.visit(person, &self.world.gate(path)).await;
        match self.scripts {
            Scripts::On => self.browser.until("window.htmx").await,
            Scripts::Off => assert_eq!(self.browser.js("return typeof htmx").await, "undefined"),
        }
    }

    /// Opens a page of Cedargate's own host.
    pub(super) async fn open(&self, path: &str) {
        self.browser.open(&self.world.gate(path)).await;
    }

    /// Presses the button that says so.
    pub(super) async fn button(&self, says: &str) {
        self.browser.press(&format!("//button[contains(normalize-space(.), '{says}')]")).await;
    }

    /// Presses the button that says so, and waits for the page that it leads to: the one before it may read alike.
    pub(super) async fn send(&self, says: &str) {
        self.leave().await;
        self.button(says).await;
        self.arrive().await;
    }

    /// Marks the page that is about to be left.
    async fn leave(&self) {
        self.browser.js("window.left = true").await;
    }

    /// Waits for another page than the one that was marked.
    async fn arrive(&self) {
        self.browser.until("!window.left && document.readyState === 'complete'").await;
    }

    /// Follows the link that says so, on the page or in the question over it.
    pub(super) async fn follow(&self, says: &str) {
        let link = format!("a[contains(normalize-space(.), '{says}')]");
        self.browser.press(&format!("//main//{link} | //dialog//{link}")).await;
    }

    /// Goes where the navigation of the console leads.
    pub(super) async fn turn_to(&self, section: &str) {
        self.leave().await;
        self.browser
            .press(&format!("//nav[@aria-label='Console']//a[normalize-space(.)='{section}']"))
            .await;
        self.arrive().await;
        self.browser.shows("//nav//a[@aria-current='page']", section).await;
    }

    /// Waits until the page says so.
    pub(super) async fn reads(&self, text: &str) {
        self.browser.shows("//main", text).await;
    }

    /// Waits until the page says so: by itself where there is script, by the link that loads it anew where there is none.
    pub(super) async fn until_reads(&self, text: &str, again: &str) {
        if matches!(self.scripts, Scripts::Off) {
            let begun = Instant::now();
            while !self.shows_already(text).await && begun.elapsed() < PATIENCE {
                self.follow(again).await;
            }
        }
        self.reads(text).await;
    }

    async fn shows_already(&self, text: &str) -> bool {
        let told = format!("//main[contains(., '{text}')]");
        self.browser.page.find(Locator::XPath(&told)).await.is_ok()
    }

    /// Fails if the page says so.
    pub(super) async fn lacks(&self, text: &str) {
        let page = self.browser.text().await;
        assert!(!page.contains(text), "{text} in {page}");
    }

    /// Writes a policy in the place of the one that is there: into the editor where there is one.
    pub(super) async fn write_policy(&self, text: &str) {
        match self.scripts {
            Scripts::On => {
                self.browser.press("//*[contains(@class, 'cm-content')]").await;
                self.browser.keys(&format!("{}{}", Key::Control + "a", Key::Null)).await;
                self.browser.keys(text).await;
            }
            Scripts::Off => self.browser.rewrite("text", text).await,
        }
    }

    /// Publishes what waits in the draft.
    pub(super) async fn publish(&self, release: i64, note: &str) {
        self.browser.press("//*[@id='draft-bar']//a[.='Review']").await;
        self.browser.fill("note", note).await;
        self.button(&format!("Publish release {release}")).await;
        self.reads(&format!("Release {release} is in force.")).await;
    }
}
