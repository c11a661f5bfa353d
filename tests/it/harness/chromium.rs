//! A real Chromium through chromedriver. Ends with the test, however that ends; refuses nothing that the machine has.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use url::{ParseError, Url};

use super::between::Between;
use super::tools::missing;

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
/// Whoever waits longer waits for something that will not come.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// How many drivers are started for one that listens.
const ATTEMPTS: usize = 10;

/// One browser with an empty profile.
pub(crate) struct Chromium {
    pub(crate) page: Client,
    _driver: Driver,
    profile: TempDir,
}

/// Whether pages may run scripts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scripts {
    On,
    Off,
}

/// Whether certificates are checked.
#[derive(Debug, Clone, Copy)]
enum Certificates {
    Checked,
    Believed,
}

/// How a browser is set up.
#[derive(Debug, Clone, Copy)]
struct SetUp {
    scripts: Scripts,
    certificates: Certificates,
    /// The port of the proxy that it goes through.
    proxy: Option<u16>,
}

/// As people have it.
const ORDINARY: SetUp =
    SetUp { scripts: Scripts::On, certificates: Certificates::Checked, proxy: None };

impl Chromium {
    /// A fresh browser, or nothing (said on standard error) where Chromium isn't installed.
    /// With `CEDARGATE_TEST_STRICT=1` a missing browser fails the test.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        Self::start_with(test, Scripts::On).await
    }

    /// As [`Self::start`], with scripts on or off.
    pub(crate) async fn start_with(test: &str, scripts: Scripts) -> Option<Self> {
        Self::start_as(test, SetUp { scripts, ..ORDINARY }).await
    }

    /// As [`Self::start`], taking the certificates of tests for granted.
    pub(crate) async fn start_believing_all(test: &str) -> Option<Self> {
        Self::start_as(test, SetUp { certificates: Certificates::Believed, ..ORDINARY }).await
    }

    /// As [`Self::start`], with everything going through this proxy.
    pub(crate) async fn start_behind(test: &str, between: &Between) -> Option<Self> {
        Self::start_as(test, SetUp { proxy: Some(between.port), ..ORDINARY }).await
    }

    async fn start_as(test: &str, set_up: SetUp) -> Option<Self> {
        let mut driver = match Driver::start() {
            Ok(driver) => driver,
            Err(error) => {
                missing(test, &format!("chromedriver can't be started: {error}"));
                return None;
            }
        };
        let profile = TempDir::new().unwrap();
        let connected =
            ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
                .capabilities(wanted(&profile, set_up))
                .connect(&format!("http://127.0.0.1:{}", driver.port))
                .await;
        let page = match connected {
            Ok(page) => page,
            Err(error) if is_missing(&error.to_string()) => {
                missing(test, &format!("chromium can't be started: {error}"));
                return None;
            }
            Err(error) => panic!("chromium doesn't start: {error}"),
        };
        driver.session = page.session_id().await.unwrap();
        Some(Self { page, _driver: driver, profile })
    }

    /// Opens an address.
    pub(crate) async fn open(&self, address: &str) {
        self.page.goto(address).await.unwrap();
    }

    /// Opens an address, signs in as this person and waits until the browser is at `address`.
    pub(crate) async fn sign_in(&self, person: &str, start: &str, address: &str) {
        self.open(start).await;
        self.press_to(&format!("//button[normalize-space()='{person}']"), address).await;
    }

    /// Presses an element; once more where the page put another in its place meanwhile.
    pub(crate) async fn press(&self, xpath: &str) {
        while let Err(error) = self.try_press(xpath).await {
            assert!(error.is_stale_element_reference(), "{xpath}: {error}");
        }
    }

    async fn try_press(&self, xpath: &str) -> Result<(), CmdError> {
        let found = self.page.wait().at_most(PATIENCE).for_element(Locator::XPath(xpath)).await;
        let Ok(element) = found else { panic!("{xpath} isn't in {}", self.text().await) };
        // chromedriver takes the foot of the window for a good place, where something may lie over it.
        let middle = "arguments[0].scrollIntoView({ block: 'center' })";
        self.page.execute(middle, vec![serde_json::to_value(&element).unwrap()]).await?;
        element.click().await
    }

    /// Presses the element and waits until the browser is at `address`.
    pub(crate) async fn press_to(&self, xpath: &str, address: &str) {
        self.press(xpath).await;
        let wanted = address.parse().unwrap();
        let arrived = self.page.wait().at_most(PATIENCE).for_url(&wanted).await;
        let at = self.page.current_url().await.unwrap();
        assert!(arrived.is_ok(), "at {at}, not at {address}: {}", self.text().await);
    }

    /// Picks the option of a list that sends this value.
    pub(crate) async fn pick(&self, list: &str, value: &str) {
        let element = self.page.wait().for_element(Locator::Id(list)).await.unwrap();
        element.select_by_value(value).await.unwrap();
    }

    /// Writes into a field.
    pub(crate) async fn fill(&self, field: &str, text: &str) {
        let element = self.page.wait().for_element(Locator::Id(field)).await.unwrap();
        element.send_keys(text).await.unwrap();
    }

    /// Writes this into a field in the place of what is there.
    pub(crate) async fn rewrite(&self, field: &str, text: &str) {
        let element = self.page.wait().for_element(Locator::Id(field)).await.unwrap();
        element.clear().await.unwrap();
        element.send_keys(text).await.unwrap();
    }

    /// What a field holds.
    pub(crate) async fn value(&self, field: &str) -> String {
        let element = self.page.wait().for_element(Locator::Id(field)).await.unwrap();
        element.prop("value").await.unwrap().unwrap_or_default()
    }

    /// Waits for a file whose name ends so, and takes it out of the folder: the next of its kind is another one.
    pub(crate) async fn downloaded(&self, ending: &str) -> String {
        let begun = Instant::now();
        loop {
            let files = std::fs::read_dir(downloads(&self.profile)).into_iter().flatten();
            let mut paths = files.map(|file| file.unwrap().path());
            let found = paths.find(|path| path.to_string_lossy().ends_with(ending));
            // Empty, it only keeps the name until what is downloaded is whole.
            let whole = found.map(|path| (std::fs::read_to_string(&path).unwrap(), path));
            if let Some((text, path)) = whole.filter(|(text, _)| !text.is_empty()) {
                std::fs::remove_file(&path).unwrap();
                return text;
            }
            assert!(begun.elapsed() < PATIENCE, "no file *{ending}: {}", self.text().await);
            tokio::time::sleep(PATIENCE / 400).await;
        }
    }

    /// Waits until the element reads as asked.
    pub(crate) async fn shows(&self, xpath: &str, text: &str) {
        let telling = format!("{xpath}[contains(., '{text}')]");
        let wait = self.page.wait().at_most(PATIENCE);
        let shown = wait.for_element(Locator::XPath(&telling)).await;
        assert!(shown.is_ok(), "{telling} isn't in {}", self.text().await);
    }

    /// What a person reads on the page; on the next one where another page comes meanwhile.
    pub(crate) async fn text(&self) -> String {
        loop {
            let body = self.page.wait().for_element(Locator::Css("body")).await.unwrap();
            match body.text().await {
                Err(error) if error.is_stale_element_reference() => {}
                text => return text.unwrap(),
            }
        }
    }

    /// What the pages complained about since the last call: broken content policies and uncaught errors, but not
    /// answers that say no.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let entries = self.page.issue_cmd(ReadConsole).await.unwrap();
        let entries = entries.as_array().expect("chromedriver keeps a console log").iter();
        let grave =
            entries.filter(|entry| entry["source"] != "network" && entry["level"] != "INFO");
        grave.map(Value::to_string).collect()
    }

    /// Closes the browser; its pages have complained about nothing.
    pub(crate) async fn close(self) {
        let complaints = self.complaints().await;
        assert!(complaints.is_empty(), "{complaints:#?}");
        drop(self);
    }
}

/// A chromedriver of our own, and the session that it runs.
struct Driver {
    process: Child,
    port: u16,
    session: Option<String>,
}

impl Driver {
    /// A driver that listens. It takes a free port of `::1` and then wants the same one of 127.0.0.1, which may be
    /// another's: then it ends, and the next one is given another port.
    fn start() -> std::io::Result<Self> {
        for _ in 0..ATTEMPTS {
            let mut process = Command::new("chromedriver")
                .arg("--port=0")
                .stdout(Stdio::piped())
                .process_group(0)
                .spawn()?;
            if let Some(port) = port_of(&mut process) {
                return Ok(Self { process, port, session: None });
            }
            process.wait()?;
        }
        panic!("chromedriver ended {ATTEMPTS} times without naming its port")
    }

    /// Asks the driver to end its browser, and waits for that.
    fn end_session(&self, session: &str) -> std::io::Result<()> {
        let mut line = TcpStream::connect(("127.0.0.1", self.port))?;
        line.set_read_timeout(Some(PATIENCE))?;
        write!(
            line,
            "DELETE /session/{session} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        )?;
        let _answered = line.read(&mut [0; 64])?;
        Ok(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            let _ended = self.end_session(&session);
        }
        let group = format!("-{}", self.process.id());
        let _killed = Command::new("kill").args(["-9", "--", &group]).status();
        let _reaped = self.process.wait();
    }
}

/// Reads, and empties, the console of the browser.
#[derive(Debug)]
struct ReadConsole;

impl WebDriverCompatibleCommand for ReadConsole {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

/// What a session is asked to be.
fn wanted(profile: &TempDir, set_up: SetUp) -> Map<String, Value> {
    let mut flags: Vec<String> = FLAGS.iter().map(ToString::to_string).collect();
    flags.push(format!("--user-data-dir={}", profile.path().display()));
    if let Some(port) = set_up.proxy {
        flags.push(format!("--proxy-server=http://127.0.0.1:{port}"));
        // Addresses of this machine too.
        flags.push("--proxy-bypass-list=<-loopback>".to_owned());
    }
    let mut prefs = json!({ "download.default_directory": downloads(profile) });
    if matches!(set_up.scripts, Scripts::Off) {
        prefs["profile.managed_default_content_settings.javascript"] = 2.into();
    }
    let options = json!({ "args": flags, "prefs": prefs });
    let wanted = json!({
        "acceptInsecureCerts": matches!(set_up.certificates, Certificates::Believed),
        "goog:chromeOptions": options,
        "goog:loggingPrefs": { "browser": "ALL" },
    });
    let Value::Object(wanted) = wanted else { unreachable!("an object was written") };
    wanted
}

/// Where files go that a browser is given.
fn downloads(profile: &TempDir) -> PathBuf {
    profile.path().join("downloads")
}

/// Whether chromedriver failed because there is no Chromium that it could start.
fn is_missing(problem: &str) -> bool {
    let problem = problem.to_lowercase();
    problem.contains("cannot find chrome binary") || problem.contains("no chrome binary at")
}

/// The port chromedriver says it was given; nothing where it ends instead.
fn port_of(driver: &mut Child) -> Option<u16> {
    let lines = BufReader::new(driver.stdout.take()?).lines();
    let mut said = lines.map_while(Result::ok);
    said.find_map(|line| {
        let rest = line.strip_prefix("ChromeDriver was started successfully on port ")?;
        rest.trim_end_matches('.').parse().ok()
    })
}
