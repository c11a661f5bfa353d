//! A real Chromium through chromedriver. Ends with the test; refuses nothing that the machine has.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use tempfile::TempDir;

const FLAGS: [&str; 8] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// One browser with an empty profile.
pub(crate) struct Chromium {
    pub(crate) page: Client,
    driver: Child,
    _profile: TempDir,
}

impl Chromium {
    /// A fresh browser, or nothing (said on standard error) where Chromium isn't installed.
    /// With `CEDARGATE_TEST_STRICT=1` a missing browser fails the test.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        let started = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).spawn();
        let mut driver = match started {
            Ok(driver) => driver,
            Err(error) => {
                let strict = std::env::var("CEDARGATE_TEST_STRICT").is_ok_and(|set| set == "1");
                assert!(!strict, "chromedriver can't be started: {error}");
                eprintln!("SKIPPED {test}: chromedriver can't be started: {error}");
                return None;
            }
        };
        let port = port_of(&mut driver);
        let profile = TempDir::new().unwrap();
        let mut flags: Vec<String> = FLAGS.iter().map(ToString::to_string).collect();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        let wanted = json!({ "goog:chromeOptions": { "args": flags } });
        let Value::Object(wanted) = wanted else { unreachable!("an object was written") };
        let connected =
            ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
                .capabilities(wanted)
                .connect(&format!("http://127.0.0.1:{port}"))
                .await;
        let page = connected.expect("chromium starts");
        Some(Self { page, driver, _profile: profile })
    }

    /// Presses the element and waits until the browser is at `address`.
    pub(crate) async fn press_to(&self, xpath: &str, address: &str) {
        let element = self.page.wait().for_element(Locator::XPath(xpath)).await.unwrap();
        element.click().await.unwrap();
        let address = address.parse().unwrap();
        let arrived = self.page.wait().at_most(Duration::from_secs(20)).for_url(&address).await;
        arrived.unwrap();
    }

    /// What a person reads on the page.
    pub(crate) async fn text(&self) -> String {
        let body = self.page.wait().for_element(Locator::Css("body")).await.unwrap();
        body.text().await.unwrap()
    }

    /// Closes the browser, then its driver.
    pub(crate) async fn close(self) {
        self.page.clone().close().await.unwrap();
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ended = self.driver.kill();
        let _reaped = self.driver.wait();
    }
}

/// The port chromedriver says it was given.
fn port_of(driver: &mut Child) -> u16 {
    let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let said = lines.map_while(Result::ok).find_map(|line| {
        let rest = line.strip_prefix("ChromeDriver was started successfully on port ")?;
        rest.trim_end_matches('.').parse().ok()
    });
    said.expect("chromedriver names its port")
}
