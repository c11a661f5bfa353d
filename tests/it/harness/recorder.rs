//! An upstream that shows every byte it was sent, and the app in front of it.
//!
//! [`Recorder`] answers all requests alike and keeps them; [`ByHand`] lets the test itself answer.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cedargate::app::Gate;
use cedargate::app::crowd::Limits;
use cedargate::model::app::{App, Upstream};
use cedargate::model::grant::{Grant, Reach, What, Who};
use cedargate::model::id::{AppId, RouteId};
use cedargate::model::route::{Route, WebSockets};
use cedargate::model::rule_book::RuleBook;
use cedargate::model::time::Clock;
use tokio::net::TcpListener;

use super::wire::{Message, Wire};
use super::{Browser, World};

/// The host of the app in front of a raw upstream.
pub(crate) const HOST: &str = "raw.localhost";
/// The group whose members may open `/protected/`.
pub(crate) const FINANCE: &str = "9a000000-0000-4000-8000-0000000f1a2c";

/// An app role whose name looks like two; it opens `/sales`.
pub(crate) const ROLE: &str = "Sales, Admins";

/// Adds the app `raw`: everything is public and may become a WebSocket, but `/protected/` is for Finance, and `/plain/`
/// takes no WebSocket.
pub(crate) fn raw_app(book: &mut RuleBook, upstream: SocketAddr) {
    let app: AppId = "raw".parse().unwrap();
    book.apps.push(App {
        id: app.clone(),
        name: "Raw".to_owned(),
        origins: vec![format!("http://{HOST}").parse().unwrap()],
        upstream: Some(Upstream(format!("http://{upstream}").parse().unwrap())),
        cors_origins: Vec::new(),
        header_aliases: Vec::new(),
    });
    let finance = Who::Group(FINANCE.parse().unwrap());
    let sales = Who::Role(ROLE.parse().unwrap());
    for (name, pattern, websockets, who) in [
        ("all", "/{*rest}", WebSockets::Allowed, Who::Everyone),
        ("protected", "/protected/{*rest}", WebSockets::Allowed, finance),
        ("plain", "/plain/{*rest}", WebSockets::Refused, Who::Everyone),
        ("sales", "/sales", WebSockets::Refused, sales),
    ] {
        let id = RouteId::new(&app, name).unwrap();
        let pattern = pattern.parse().unwrap();
        book.routes.push(Route { websockets, ..Route::new(id.clone(), pattern) });
        let grant = Grant::new(format!("raw-{name}").parse().unwrap(), who, What::All, id);
        book.grants.push(Grant { reach: Reach::Only, ..grant });
    }
}

impl World {
    /// A world with the app `raw` in front of an upstream that records.
    pub(crate) async fn with_recorder() -> (Self, Recorder) {
        let (socket, address) = bound().await;
        let world = Self::start_with(|book| raw_app(book, address)).await;
        (world, Recorder::start(socket))
    }

    /// A world with the app `raw` in front of an upstream that the test plays.
    pub(crate) async fn with_upstream() -> (Self, ByHand) {
        let (socket, address) = bound().await;
        (Self::start_with(|book| raw_app(book, address)).await, ByHand(socket))
    }

    /// As [`Self::with_upstream`], on this clock and with a changed rule book.
    pub(crate) async fn with_upstream_at(
        clock: Clock,
        change: impl FnOnce(&mut RuleBook),
    ) -> (Self, ByHand) {
        let (socket, address) = bound().await;
        let book = |book: &mut RuleBook| {
            raw_app(book, address);
            change(book);
        };
        (Self::start_at(clock, book).await, ByHand(socket))
    }

    /// As [`Self::with_upstream`], with another limit for connections on which nothing moves.
    pub(crate) async fn with_upstream_idle(limit: Duration) -> (Self, ByHand) {
        let (socket, address) = bound().await;
        let tune = |gate: Gate| gate.with_idle_limit(limit);
        (Self::start_tuned(tune, |book| raw_app(book, address)).await, ByHand(socket))
    }

    /// As [`Self::with_upstream`], with other limits for connections.
    pub(crate) async fn with_upstream_and(limits: Limits) -> (Self, ByHand) {
        let (socket, address) = bound().await;
        (Self::start_limited(limits, |book| raw_app(book, address)).await, ByHand(socket))
    }

    /// A connection to the gate.
    pub(crate) async fn wire(&self) -> Wire {
        Wire::to(self.places.port).await
    }

    /// The session cookie, as `name=value`, of a person who signed in to the app `raw`.
    pub(crate) async fn raw_session(&self, person: &str) -> String {
        let mut browser: Browser = self.browser();
        let page = browser.sign_in(person, &format!("http://{HOST}/protected/x")).await;
        assert_eq!(page.status, 200, "{person} can open /protected/x: {}", page.text());
        format!("gate_session={}", browser.cookie(HOST, "gate_session").unwrap())
    }
}

async fn bound() -> (TcpListener, SocketAddr) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// An upstream that the test plays.
#[derive(Debug)]
pub(crate) struct ByHand(TcpListener);

impl ByHand {
    /// The next connection from the gate.
    pub(crate) async fn accept(&self) -> Wire {
        let waiting = tokio::time::timeout(std::time::Duration::from_secs(30), self.0.accept());
        Wire::over(waiting.await.expect("a connection from the gate").unwrap().0)
    }
}

/// An upstream that keeps every request and answers `200 seen`.
#[derive(Debug)]
pub(crate) struct Recorder {
    seen: Arc<Mutex<Vec<Message>>>,
}

impl Recorder {
    fn start(socket: TcpListener) -> Self {
        let seen = Arc::<Mutex<Vec<Message>>>::default();
        let kept = Arc::clone(&seen);
        #[expect(clippy::disallowed_methods, reason = "a test owns its upstream")]
        drop(tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                drop(tokio::spawn(record(Wire::over(stream), Arc::clone(&kept))));
            }
        }));
        Self { seen }
    }

    /// The requests since the last call, in the order of their arrival.
    pub(crate) fn take(&self) -> Vec<Message> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

async fn record(mut wire: Wire, seen: Arc<Mutex<Vec<Message>>>) {
    while let Some(request) = wire.message().await {
        seen.lock().unwrap().push(request);
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nseen").await;
    }
}
