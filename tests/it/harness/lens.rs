//! How a page is looked at: colours, width, pictures, what scripts see in it, and what axe-core finds.

use std::path::Path;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};
use url::{ParseError, Url};

use super::chromium::{Chromium, PATIENCE};

/// axe-core, as its makers publish it.
const AXE: &str = include_str!("../../data/axe/axe.min.js");

/// What is noted on every page from its first moment on: broken content policies, and what hx-csp took away.
const WATCH: &str = "
    window.noted = [];
    for (const kind of ['securitypolicyviolation', 'htmx:security:strip', 'htmx:security:violation'])
        document.addEventListener(kind, e =>
            noted.push([kind, e.violatedDirective ?? e.target?.outerHTML?.slice(0, 200)].join(' ')));
";

/// The colours that a person prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colours {
    Light,
    Dark,
}

impl Colours {
    pub(crate) const BOTH: [Self; 2] = [Self::Light, Self::Dark];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Chromium {
    /// A command of the Chrome `DevTools` protocol.
    pub(crate) async fn devtools(&self, command: &'static str, parameters: Value) -> Value {
        self.page.issue_cmd(DevTools { command, parameters }).await.unwrap()
    }

    /// From here on, pages are seen in these colours.
    pub(crate) async fn prefer(&self, colours: Colours) {
        let feature = |name: &str, value: &str| json!({ "name": name, "value": value });
        let features = [
            feature("prefers-color-scheme", colours.as_str()),
            // Nothing is caught halfway from one colour to the other.
            feature("prefers-reduced-motion", "reduce"),
        ];
        let media = json!({ "media": "screen", "features": features });
        self.devtools("Emulation.setEmulatedMedia", media).await;
    }

    /// From here on, the window is this large, in CSS pixels.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// From here on, every page holds axe-core, and [`Self::noted`] knows what happened from its first moment on.
    pub(crate) async fn watch(&self) {
        for source in [WATCH, AXE] {
            let script = json!({ "source": source });
            self.devtools("Page.addScriptToEvaluateOnNewDocument", script).await;
        }
    }

    /// What broke the content policy on this page, and what hx-csp took away.
    pub(crate) async fn noted(&self) -> Value {
        self.js("return window.noted").await
    }

    /// What axe-core finds on this page under these tags: a line for each element.
    pub(crate) async fn violations(&self, tags: &[&str]) -> Vec<String> {
        let script = "
            const [tags, done] = arguments;
            axe.run({ runOnly: tags, resultTypes: ['violations'] }).then(
                found => done(found.violations.flatMap(rule => rule.nodes.map(node =>
                    `${rule.id}: ${node.html.slice(0, 200)}: ${node.failureSummary}`))),
                error => done([String(error)]));";
        let found = self.page.execute_async(script, vec![json!(tags)]).await.unwrap();
        found.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
    }

    /// What a script of the test gives.
    pub(crate) async fn js(&self, script: &str) -> Value {
        self.page.execute(script, Vec::new()).await.unwrap()
    }

    /// Presses these keys one after the other, wherever the focus is.
    pub(crate) async fn keys(&self, keys: &str) {
        self.page.active_element().await.unwrap().send_keys(keys).await.unwrap();
    }

    /// Waits until `expression` is true on the page, which may be loaded anew meanwhile.
    pub(crate) async fn until(&self, expression: &str) {
        let begun = Instant::now();
        let script = format!("return Boolean({expression})");
        while self.page.execute(&script, Vec::new()).await.ok() != Some(Value::Bool(true)) {
            let patient = begun.elapsed() < PATIENCE;
            assert!(patient, "never true: {expression} on {}", self.text().await);
            tokio::time::sleep(PATIENCE / 400).await;
        }
    }

    /// Takes a picture of what is in the window.
    pub(crate) async fn picture(&self, file: &Path) {
        self.take(json!({ "format": "png" }), file).await;
    }

    /// The same in a format that few bytes carry.
    pub(crate) async fn small_picture(&self, file: &Path) {
        self.take(json!({ "format": "webp", "quality": 85 }), file).await;
    }

    /// From here on, bars for scrolling take no room, as on telephones.
    pub(crate) async fn hide_scroll_bars(&self) {
        self.devtools("Emulation.setScrollbarsHidden", json!({ "hidden": true })).await;
    }

    /// Forgets who is signed in anywhere.
    pub(crate) async fn forget_everybody(&self) {
        self.devtools("Network.clearBrowserCookies", json!({})).await;
    }

    async fn take(&self, how: Value, file: &Path) {
        let taken = self.devtools("Page.captureScreenshot", how).await;
        let bytes = STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
}

/// A command of the Chrome `DevTools` protocol, by the way that chromedriver has for it.
#[derive(Debug)]
struct DevTools {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        let body = json!({ "cmd": self.command, "params": self.parameters });
        (http::Method::POST, Some(body.to_string()))
    }
}
