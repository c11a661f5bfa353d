//! The real gate before an Entra of the test's choosing, with one app behind it that repeats what it was sent.

use std::collections::BTreeMap;
use std::time::Duration;

use cedargate::app::{Gate, Sockets};
use cedargate::config::Config;
use cedargate::model::grant::Who;
use cedargate::model::rule_book::RuleBook;
use cedargate::model::time::Clock;
use cedargate::sim::people::TENANT;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Browser, Echo, publish, records, with_app};

/// Where a gate will be, before it is: providers want to know its addresses first.
pub(crate) struct Seat {
    socket: TcpListener,
    pub(crate) port: u16,
}

/// A running gate for the app `echo`, which is open to whoever is signed in. Ends with the test.
pub(crate) struct OwnGate {
    pub(crate) port: u16,
    pub(crate) app: Echo,
    stop: CancellationToken,
    running: Option<JoinHandle<anyhow::Result<()>>>,
    data: TempDir,
}

impl Seat {
    pub(crate) async fn take() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { port: socket.local_addr().unwrap().port(), socket }
    }

    /// An address of the gate's own host.
    pub(crate) fn gate(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    /// Opens the gate with these settings (`ENTRA__CLIENT_ID`) over those of the tenant Contoso, and runs it.
    pub(crate) async fn open(
        self,
        clock: Clock,
        settings: &[(&str, String)],
    ) -> anyhow::Result<OwnGate> {
        let (data, app) = (TempDir::new().unwrap(), Echo::start().await);
        let mut book = RuleBook::default();
        with_app(&mut book, ("echo", app.port), Who::SignedIn);
        book.apps[0].origins =
            vec![format!("http://echo.localhost:{}", self.port).parse().unwrap()];
        publish(&data, book, &clock).await;
        let config = Config::load(None, &all(&self, &data, settings)).unwrap();
        let ops = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sockets = Sockets { public: self.socket, ops };
        let (gate, stop) = (Gate::open(&config, clock, sockets).await?, CancellationToken::new());
        #[expect(clippy::disallowed_methods, reason = "a test owns its gate")]
        let running = Some(tokio::spawn(gate.run(stop.clone())));
        Ok(OwnGate { port: self.port, app, stop, running, data })
    }
}

/// The variables that hold `settings` and what every gate needs besides.
fn all(seat: &Seat, data: &TempDir, settings: &[(&str, String)]) -> BTreeMap<String, String> {
    let folder = data.path().display();
    let mut all = BTreeMap::from([
        ("PUBLIC_URL".to_owned(), seat.gate("")),
        ("LISTEN".to_owned(), format!("127.0.0.1:{}", seat.port)),
        ("OPS_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
        ("DATABASE_URL".to_owned(), format!("sqlite://{folder}/cedargate.db")),
        ("KEYS__DIRECTORY".to_owned(), format!("{folder}/keys")),
        ("ENTRA__TENANT".to_owned(), TENANT.to_owned()),
    ]);
    all.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    all.into_iter().map(|(key, value)| (format!("CEDARGATE_{key}"), value)).collect()
}

impl OwnGate {
    /// An address of the app.
    pub(crate) fn app(&self, path: &str) -> String {
        format!("http://echo.localhost:{}{path}", self.port)
    }

    /// An address of the gate's own host.
    pub(crate) fn gate(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    /// A browser with nothing in it.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.port)
    }

    /// The newest records, newest first, as JSON bodies.
    pub(crate) async fn records(&self) -> Vec<serde_json::Value> {
        records(&self.data).await
    }

    /// Stops the gate in order, and fails when that fails.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(30), self.running.take().unwrap());
        ended.await.expect("the gate stops in time").unwrap().unwrap();
    }
}

impl Drop for OwnGate {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
