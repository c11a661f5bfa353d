//! A world to act in: the real gate, the simulated Entra and the sample app in this process, on ports of the system.

mod between;
mod browser;
mod chromium;
mod http;
mod lens;
pub(crate) mod look;
mod own_gate;
pub(crate) mod recorder;
pub(crate) mod tools;
mod trust;
mod upstream;
pub(crate) mod wire;

use std::time::Duration;

use cedargate::app::Gate;
use cedargate::app::crowd::Limits;
use cedargate::config::Config;
use cedargate::demo::{Demo, Options, Places};
use cedargate::model::id::ReleaseNumber;
use cedargate::model::rule_book::RuleBook;
use cedargate::model::time::Clock;
use cedargate::rule_files;
use cedargate::sim::{Sim, people};
use cedargate::store::audit::AuditReader;
use cedargate::store::{Publication, Store};
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) use self::between::Between;
pub(crate) use self::browser::{Browser, navigation, script};
pub(crate) use self::chromium::{Chromium, Scripts};
pub(crate) use self::http::{Answer, Request, exchange, head};
pub(crate) use self::lens::Colours;
pub(crate) use self::own_gate::{OwnGate, Seat};
pub(crate) use self::trust::Trust;
pub(crate) use self::upstream::{Echo, unused_port, with_app};

/// A running gate with everything around it. Ends with the test.
pub(crate) struct World {
    pub(crate) places: Places,
    pub(crate) sim: Sim,
    pub(crate) clock: Clock,
    /// Where operators' machines ask.
    ops: u16,
    stop: CancellationToken,
    running: Option<JoinHandle<anyhow::Result<()>>>,
    data: TempDir,
}

impl World {
    /// The demo as `cedargate demo` brings it up, on the machine's clock.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// The demo with a changed rule book. Hosts match without their port, so origins need none.
    pub(crate) async fn start_with(change: impl FnOnce(&mut RuleBook)) -> Self {
        Self::start_at(Clock::System, change).await
    }

    /// As [`Self::start_with`], on this clock.
    pub(crate) async fn start_at(clock: Clock, change: impl FnOnce(&mut RuleBook)) -> Self {
        let data = TempDir::new().unwrap();
        let mut book = rule_files::demo().unwrap();
        change(&mut book);
        publish(&data, book, &clock).await;
        Self::launch(data, clock, (|_| {}, |gate| gate)).await
    }

    /// As [`Self::start`], with changed settings.
    pub(crate) async fn start_set(set: impl FnOnce(&mut Config)) -> Self {
        let data = TempDir::new().unwrap();
        publish(&data, rule_files::demo().unwrap(), &Clock::System).await;
        Self::launch(data, Clock::System, (set, |gate| gate)).await
    }

    /// As [`Self::start_with`], with less patience for upstreams that stay silent.
    pub(crate) async fn start_impatient(
        patience: Duration,
        change: impl FnOnce(&mut RuleBook),
    ) -> Self {
        Self::start_tuned(|gate| gate.with_upstream_patience(patience), change).await
    }

    /// As [`Self::start_with`], with other limits for connections.
    pub(crate) async fn start_limited(limits: Limits, change: impl FnOnce(&mut RuleBook)) -> Self {
        Self::start_tuned(|gate| gate.with_connection_limits(limits), change).await
    }

    /// As [`Self::start_with`], with a gate that was changed before it runs.
    pub(crate) async fn start_tuned(
        tune: impl FnOnce(Gate) -> Gate,
        change: impl FnOnce(&mut RuleBook),
    ) -> Self {
        let data = TempDir::new().unwrap();
        let mut book = rule_files::demo().unwrap();
        change(&mut book);
        publish(&data, book, &Clock::System).await;
        Self::launch(data, Clock::System, (|_| {}, tune)).await
    }

    /// Stops the gate in order and starts it again on the same data; ports and Entra's memory are new.
    pub(crate) async fn restart(self) -> Self {
        let clock = self.clock.clone();
        Self::launch(self.stop().await, clock, (|_| {}, |gate| gate)).await
    }

    async fn launch(
        data: TempDir,
        clock: Clock,
        (set, tune): (impl FnOnce(&mut Config), impl FnOnce(Gate) -> Gate),
    ) -> Self {
        let options = Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            data: Some(data.path().to_owned()),
            sim_only: false,
            sim_tls: false,
            redirect_uri: Vec::new(),
        };
        let mut demo = Demo::open_set(&options, clock.clone(), set).await.unwrap();
        demo.gate = tune(demo.gate);
        let (places, sim, stop) = (demo.places.clone(), demo.sim.clone(), CancellationToken::new());
        let ops = demo.gate.ops_address().unwrap().port();
        #[expect(clippy::disallowed_methods, reason = "a test owns its world")]
        let running = Some(tokio::spawn(demo.run(stop.clone())));
        Self { places, sim, clock, ops, stop, running, data }
    }

    /// A command of the program on this world's data, as an operator runs it beside the gate.
    pub(crate) fn command(&self, arguments: &[&str]) -> std::process::Output {
        command_on(self.data.path(), &self.places.gate(), arguments)
    }

    /// A browser with nothing in it.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.places.port)
    }

    /// A browser in which this person is signed in to the app.
    pub(crate) async fn browser_of(&self, person: &str) -> Browser {
        let mut browser = self.browser();
        let page = browser.sign_in(person, &self.app("/me")).await;
        assert_eq!(page.status, 200, "{person} can open /me: {}", page.text());
        browser
    }

    /// The service `nightly-job`, which asks with an access token of its own.
    pub(crate) async fn nightly_job(&self) -> Browser {
        self.browser().bearing(&self.job_token().await)
    }

    /// A new access token of `nightly-job` for the gate, as Entra gives it to whoever has the secret.
    pub(crate) async fn job_token(&self) -> String {
        let url = format!("{}/{}/oauth2/v2.0/token", self.places.simulator(), people::TENANT);
        let scope = format!("api://{}/.default", people::CLIENT);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", people::NIGHTLY_JOB),
            ("client_secret", people::NIGHTLY_JOB_SECRET),
            ("scope", &scope),
        ];
        // Not as a browser: a program has no `Origin`.
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::new("POST", &url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let answer = exchange(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// An address of the sample app.
    pub(crate) fn app(&self, path: &str) -> String {
        format!("{}{path}", self.places.app())
    }

    /// An address on Cedargate's own host.
    pub(crate) fn gate(&self, path: &str) -> String {
        format!("{}{path}", self.places.gate())
    }

    /// The rule book's and sessions' database.
    pub(crate) async fn store(&self) -> Store {
        Store::open(&self.url("cedargate.db")).await.unwrap()
    }

    /// Publishes the live rule book with a change, as another program would, and gives the new release's number.
    pub(crate) async fn release(&self, change: impl FnOnce(&mut RuleBook)) -> ReleaseNumber {
        let store = self.store().await;
        let live = store.live().await.unwrap().unwrap();
        let mut book = live.rule_book;
        change(&mut book);
        let published = store.publish(publication(live.number, book, &self.clock)).await.unwrap();
        store.close().await;
        published.number
    }

    /// The value of a metric, named with its labels as in the text; 0 while there is no such line.
    pub(crate) async fn number(&self, metric: &str) -> i64 {
        let text = self.ops("/metrics").await.text();
        let found = text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
        found.map_or(0, |value| value.parse().unwrap())
    }

    /// What the listener of operators answers.
    pub(crate) async fn ops(&self, path: &str) -> wire::Message {
        let mut wire = wire::Wire::to(self.ops).await;
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
            .await;
        wire.message().await.unwrap()
    }

    /// The newest records, newest first, as JSON bodies.
    pub(crate) async fn records(&self) -> Vec<Value> {
        self.outbox_is_taken().await;
        records(&self.data).await
    }

    /// The newest decisions and refusals, newest first.
    pub(crate) async fn decisions(&self) -> Vec<Value> {
        let requests = |record: &Value| record["kind"] == "decision" || record["kind"] == "refusal";
        self.records().await.into_iter().filter(requests).collect()
    }

    fn url(&self, file: &str) -> String {
        url(&self.data, file)
    }

    /// Stops the gate in order, and fails when that fails.
    pub(crate) async fn stop(mut self) -> TempDir {
        self.stop.cancel();
        let running = self.running.take().unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(30), running).await;
        ended.expect("the gate stops in time").unwrap().unwrap();
        std::mem::replace(&mut self.data, TempDir::new().unwrap())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
        let failed = self.running.as_ref().is_some_and(JoinHandle::is_finished);
        assert!(!failed || std::thread::panicking(), "the gate ended before its test did");
    }
}

fn url(data: &TempDir, file: &str) -> String {
    format!("sqlite://{}/{file}", data.path().display())
}

/// The newest records in this folder, newest first, as JSON bodies.
async fn records(data: &TempDir) -> Vec<Value> {
    let reader = AuditReader::open(&url(data, "audit.db")).await.unwrap();
    let lines = reader.recent(1_000, None).await.unwrap();
    lines.iter().map(|line| body(&line.body)).collect()
}

async fn publish(data: &TempDir, rule_book: RuleBook, clock: &Clock) {
    let store = Store::open(&url(data, "cedargate.db")).await.unwrap();
    store.publish(publication(ReleaseNumber::default(), rule_book, clock)).await.unwrap();
    store.close().await;
}

fn publication(based_on: ReleaseNumber, rule_book: RuleBook, clock: &Clock) -> Publication {
    Publication {
        based_on,
        rule_book,
        cedar: String::new(),
        schema: String::new(),
        note: String::new(),
        by: "operator:test".to_owned(),
        at: clock.now(),
        draft: None,
    }
}

/// A command of the program on the data in this folder.
pub(crate) fn command_on(
    data: &std::path::Path,
    gate: &str,
    arguments: &[&str],
) -> std::process::Output {
    program_on(data, gate).args(arguments).output().unwrap()
}

/// The program with the settings that fit the data in this folder.
pub(crate) fn program_on(data: &std::path::Path, gate: &str) -> std::process::Command {
    let path = |name: &str| data.join(name).display().to_string();
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_cedargate"));
    program
        .current_dir(data)
        .env_clear()
        .env("CEDARGATE_PUBLIC_URL", gate)
        .env("CEDARGATE_DATABASE_URL", format!("sqlite://{}", path("cedargate.db")))
        .env("CEDARGATE_AUDIT__DATABASE_URL", format!("sqlite://{}", path("audit.db")))
        .env("CEDARGATE_KEYS__DIRECTORY", path("keys"))
        .env("CEDARGATE_ENTRA__TENANT", people::TENANT)
        .env("CEDARGATE_ENTRA__MFA_CONTEXT", "c1")
        .env("CEDARGATE_ENTRA__CLIENT_ID", people::CLIENT)
        .env("CEDARGATE_ENTRA__CLIENT_SECRET", "unused");
    program
}

/// A record's body; null where it was erased.
fn body(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { serde_json::from_str(text).unwrap() }
}
