//! Open connections end when nobody would be let in on them any more, and only then.

use std::time::{Duration, Instant};

use cedargate::model::grant::Conditions;
use cedargate::model::id::DecisionId;
use cedargate::model::route::WebSockets;
use cedargate::model::rule_book::RuleBook;
use cedargate::model::time::{self, Clock};
use cedargate::sim::people::Account;
use serde_json::Value;
use sqlx::Executor as _;

use crate::harness::recorder::{ByHand, FINANCE, HOST};
use crate::harness::wire::Wire;
use crate::harness::{Browser, World};
use crate::sessions::sign_out;

/// What is promised, from the cause to the end.
const PROMISE: Duration = Duration::from_secs(5);
const MINUTE: Duration = Duration::from_mins(1);

/// Everything that can be open at once, each on a connection of its own.
const KINDS: [Kind; 6] =
    [Kind::WebSocket, Kind::Events, Kind::Download, Kind::Stalled, Kind::Upload, Kind::Wait];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    WebSocket,
    /// A stream of events: chunks without an end.
    Events,
    /// A body of a known length.
    Download,
    /// A client of HTTP/1.0, to whom the end of the connection is the end of the body.
    Old,
    /// A download that the client does not read.
    Stalled,
    /// A request whose body is not complete.
    Upload,
    /// A request that waits for its answer to begin.
    Wait,
}

/// Both ends of something open.
struct Line {
    kind: Kind,
    decision: DecisionId,
    client: Wire,
    server: Wire,
}

impl Kind {
    /// Opens it at `path` with this cookie line (or none), as far as it gets by itself.
    async fn open(self, world: &World, upstream: &ByHand, (path, cookie): (&str, &str)) -> Line {
        let mut client = world.wire().await;
        client.send(self.request(path, cookie)).await;
        let mut server = upstream.accept().await;
        let head = server.head().await.unwrap();
        let decision = head.header("x-gate-decision").unwrap().parse().unwrap();
        self.answer(&mut client, &mut server).await;
        Line { kind: self, decision, client, server }
    }

    fn request(self, path: &str, cookie: &str) -> String {
        let (method, version, more) = match self {
            Self::WebSocket => (
                "GET",
                "1.1",
                "Origin: http://raw.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            ),
            Self::Upload => ("POST", "1.1", "Content-Length: 1000000\r\n"),
            Self::Old => ("GET", "1.0", ""),
            Self::Events | Self::Download | Self::Stalled | Self::Wait => ("GET", "1.1", ""),
        };
        let tail = if self == Self::Upload { "the first bytes" } else { "" };
        format!("{method} {path} HTTP/{version}\r\nHost: {HOST}\r\n{cookie}{more}\r\n{tail}")
    }

    async fn answer(self, client: &mut Wire, server: &mut Wire) {
        match self {
            Self::WebSocket => {
                server.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n").await;
                assert_eq!(client.head().await.unwrap().status(), 101);
                server.send(b"\x81\x02hi").await;
                assert_eq!(client.exactly(4).await, b"\x81\x02hi");
            }
            Self::Events => {
                server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
                server.send_chunk(b"data: 1\n\n").await;
                client.head().await.unwrap();
                assert_eq!(client.chunk().await.unwrap(), b"data: 1\n\n");
            }
            Self::Download | Self::Old => {
                let length = if self == Self::Old { "" } else { "Content-Length: 10\r\n" };
                server.send(format!("HTTP/1.1 200 OK\r\n{length}\r\nhello")).await;
                client.head().await.unwrap();
                assert_eq!(client.exactly(5).await, b"hello");
            }
            Self::Stalled => {
                // More than all buffers on the way can hold, so that the gate itself stands still.
                server.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await;
                client.head().await.unwrap();
                server.fill_up().await;
            }
            Self::Upload => assert_eq!(server.exactly(15).await, b"the first bytes"),
            Self::Wait => {}
        }
    }

    fn word(self) -> &'static str {
        if self == Self::WebSocket { "websocket" } else { "request" }
    }
}

impl Line {
    /// Waits until both ends are closed, and looks at what the client was told.
    async fn ends(mut self) {
        if self.kind == Kind::Stalled {
            // It has plenty to read before it gets to the end.
            self.client.discard().await;
        }
        let (told, heard) = (self.client.rest().await, self.server.rest().await);
        if self.kind == Kind::WebSocket {
            assert_eq!(told, b"\x88\x02\x03\xf0", "a close frame: 1008");
            assert_eq!(heard[..2], [0x88, 0x82], "a masked close frame");
        } else {
            assert_eq!(told, b"", "{:?}: nothing that looks like an end", self.kind);
            assert_eq!(heard, b"", "{:?}", self.kind);
        }
    }

    /// Whether bytes still come through.
    async fn still_flows(&mut self) {
        match self.kind {
            Kind::WebSocket => {
                self.server.send(b"\x81\x01!").await;
                assert_eq!(self.client.exactly(3).await, b"\x81\x01!");
            }
            Kind::Events => {
                self.server.send_chunk(b"data: more\n\n").await;
                assert_eq!(self.client.chunk().await.unwrap(), b"data: more\n\n");
            }
            Kind::Download | Kind::Old => {
                self.server.send("!").await;
                assert_eq!(self.client.exactly(1).await, b"!");
            }
            Kind::Upload => {
                self.client.send("more").await;
                assert_eq!(self.server.exactly(4).await, b"more");
            }
            Kind::Stalled | Kind::Wait => {
                assert!(self.client.is_quiet().await || self.kind == Kind::Stalled);
            }
        }
    }
}

/// A world whose time stands still, the raw app in it, and Uma signed in there: her browser and her cookie line.
struct Scene {
    world: World,
    upstream: ByHand,
    uma: Browser,
    cookie: String,
}

async fn scene() -> Scene {
    scene_with(|_| {}).await
}

async fn scene_with(change: impl FnOnce(&mut RuleBook)) -> Scene {
    let clock = Clock::fixed(Clock::System.now());
    let (world, upstream) = World::with_upstream_at(clock, change).await;
    let mut uma = world.browser_of("uma").await;
    let cookie = uma.enter(HOST).await;
    Scene { world, upstream, uma, cookie: format!("Cookie: gate_session={cookie}\r\n") }
}

impl Scene {
    /// One of each kind, on the route that is Finance's.
    async fn open_all(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for kind in KINDS {
            let place = ("/protected/x", self.cookie.as_str());
            lines.push(kind.open(&self.world, &self.upstream, place).await);
        }
        lines
    }

    /// Waits until all of these are cut as promised, and gives the records of it, which must be one for each.
    async fn assert_cut(&self, lines: Vec<Line>) -> Vec<Value> {
        let begun = Instant::now();
        let expected: Vec<_> =
            lines.iter().map(|line| (line.decision.to_string(), line.kind.word())).collect();
        for line in lines {
            line.ends().await;
        }
        assert!(begun.elapsed() < PROMISE, "{:?}", begun.elapsed());
        let events = self.world.cuts(&expected).await;
        for (decision, kind) in expected {
            let found = events.iter().find(|event| event["decision"] == *decision).unwrap();
            assert_eq!(found["connection"], kind);
        }
        events
    }
}

impl World {
    /// The records of these cuts, one for each, once they are there.
    async fn cuts(&self, expected: &[(String, &str)]) -> Vec<Value> {
        let of =
            |event: &Value| expected.iter().any(|(decision, _)| event["decision"] == *decision);
        let all = async {
            loop {
                let mut events = self.events("connection_cut").await;
                events.retain(of);
                if events.len() >= expected.len() {
                    return events;
                }
            }
        };
        let events = tokio::time::timeout(Duration::from_secs(10), all).await.unwrap();
        assert_eq!(events.len(), expected.len(), "one record for each: {events:?}");
        events
    }

    /// Waits until the watcher has gone over everything that is open now.
    async fn rounds(&self) {
        let begun = self.number("cedargate_watch_rounds_total").await;
        // The one under way may have passed already.
        while self.number("cedargate_watch_rounds_total").await < begun + 2 {}
    }
}

fn all(events: &[Value], key: &str, expected: &str) {
    assert!(events.iter().all(|event| event[key] == expected), "{key} {expected}: {events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a46_everything_open_ends_with_its_session() {
    let mut scene = scene().await;
    let lines = scene.open_all().await;
    let page = sign_out(&mut scene.uma, &scene.world.gate("/_gate/logout")).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let events = scene.assert_cut(lines).await;
    all(&events, "why", "session_ended");
    all(&events, "app", "raw");
    let ended = &scene.world.events("session_ended").await[0];
    all(&events, "session", ended["session"].as_str().unwrap());
    all(&events, "actor", ended["actor"].as_str().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn open_page_keeps_nothing_open_past_the_idle_limit() {
    let scene = scene().await;
    let lines = scene.open_all().await;
    scene.world.clock.advance(61 * MINUTE);
    all(&scene.assert_cut(lines).await, "why", "session_ended");
    assert_eq!(scene.world.events("session_ended").await[0]["why"], "expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn person_who_is_removed_at_entra_is_cut_off_at_the_re_check() {
    let scene = scene().await;
    let lines = scene.open_all().await;
    scene.world.sim.set_account("uma", Account::Disabled).unwrap();
    scene.world.clock.advance(15 * MINUTE);
    all(&scene.assert_cut(lines).await, "why", "session_ended");
    assert_eq!(scene.world.events("session_ended").await[0]["why"], "refused_by_entra");
}

#[tokio::test(flavor = "multi_thread")]
async fn person_who_leaves_a_group_is_cut_off_at_the_re_check() {
    let scene = scene().await;
    let lines = scene.open_all().await;
    scene.world.sim.remove_group("uma", FINANCE).unwrap();
    scene.world.clock.advance(15 * MINUTE);
    let events = scene.assert_cut(lines).await;
    all(&events, "why", "denied");
    all(&events, "reason", "no_grant");
    assert_eq!(scene.world.events("principal_changed").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_can_not_be_read_keeps_nothing_open() {
    let scene = scene().await;
    let mut lines = Vec::new();
    for kind in [Kind::WebSocket, Kind::Events] {
        let place = ("/protected/x", scene.cookie.as_str());
        lines.push(kind.open(&scene.world, &scene.upstream, place).await);
    }
    scene.world.rounds().await;
    let mut file = scene.world.main_file().await;
    file.execute("ALTER TABLE session RENAME TO elsewhere").await.unwrap();
    // Due to be looked at.
    scene.world.clock.set(scene.world.clock.now().minus(Duration::from_secs(1)));
    all(&scene.assert_cut(lines).await, "why", "session_unreadable");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_open_ends_with_the_grant_that_opened_it() {
    let until = Clock::System.now().plus(10 * MINUTE);
    let change = |book: &mut RuleBook| {
        let grant = book.grants.iter_mut().find(|grant| grant.id.as_str() == "raw-protected");
        grant.unwrap().when =
            Conditions { until: Some(time::Instant(until)), ..Conditions::default() };
    };
    let scene = scene_with(change).await;
    let mut lines = scene.open_all().await;
    // Not a moment too early.
    scene.world.clock.advance(9 * MINUTE);
    scene.world.rounds().await;
    for line in &mut lines {
        line.still_flows().await;
    }
    scene.world.clock.advance(2 * MINUTE);
    let events = scene.assert_cut(lines).await;
    all(&events, "why", "denied");
    all(&events, "reason", "no_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn release_cuts_what_it_denies_and_nothing_else() {
    let scene = scene().await;
    let lines = scene.open_all().await;
    let mut stay = Vec::new();
    for kind in [Kind::WebSocket, Kind::Events, Kind::Upload, Kind::Wait] {
        stay.push(kind.open(&scene.world, &scene.upstream, ("/else", "")).await);
        let place = ("/else", scene.cookie.as_str());
        stay.push(kind.open(&scene.world, &scene.upstream, place).await);
    }
    let number = scene.world.release(|book| {
        book.grants.retain(|grant| grant.id.as_str() != "raw-protected");
    });
    let number = number.await;
    let events = scene.assert_cut(lines).await;
    all(&events, "why", "denied");
    all(&events, "reason", "no_grant");
    assert!(events.iter().all(|event| event["release"] == number.0), "{events:?}");
    for line in &mut stay {
        line.still_flows().await;
    }
    // A forbid names the rule.
    scene
        .world
        .release(|book| {
            let mut forbid =
                book.grants.iter().find(|grant| grant.id.as_str() == "raw-all").unwrap().clone();
            forbid.id = "closed".parse().unwrap();
            forbid.effect = cedargate::model::grant::Effect::Forbid;
            book.grants.push(forbid);
        })
        .await;
    let events = scene.assert_cut(stay).await;
    all(&events, "reason", "forbidden");
    assert!(events.iter().all(|event| event["rules"][0] == "grant:closed"), "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn release_without_the_app_or_without_its_websockets_cuts_them() {
    let scene = scene().await;
    let socket = Kind::WebSocket.open(&scene.world, &scene.upstream, ("/ws", "")).await;
    let mut events = Kind::Events.open(&scene.world, &scene.upstream, ("/ws", "")).await;
    scene
        .world
        .release(|book| {
            let route = book.routes.iter_mut().find(|route| route.id.as_str() == "raw/all");
            route.unwrap().websockets = WebSockets::Refused;
        })
        .await;
    all(&scene.assert_cut(vec![socket]).await, "why", "no_websockets");
    events.still_flows().await;
    scene
        .world
        .release(|book| {
            book.apps.retain(|app| app.id.as_str() != "raw");
            book.routes.retain(|route| route.id.app().as_str() != "raw");
            book.grants.retain(|grant| grant.route.app().as_str() != "raw");
        })
        .await;
    let cut = scene.assert_cut(vec![events]).await;
    all(&cut, "reason", "no_route");
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_to_an_old_client_that_is_cut_is_not_taken_for_the_whole() {
    let scene = scene().await;
    let mut line = Kind::Old.open(&scene.world, &scene.upstream, ("/else", "")).await;
    scene.world.rounds().await;
    line.still_flows().await;
    scene
        .world
        .release(|book| {
            book.grants.retain(|grant| grant.id.as_str() != "raw-all");
        })
        .await;
    let error = line.client.broken().await.expect("a reset and no orderly end");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test(flavor = "multi_thread")]
async fn close_frame_is_never_put_into_the_middle_of_another() {
    let scene = scene().await;
    let mut line = Kind::WebSocket.open(&scene.world, &scene.upstream, ("/ws", "")).await;
    // The head of a frame of five bytes, and two of them.
    line.server.send(b"\x81\x05ab").await;
    assert_eq!(line.client.exactly(4).await, b"\x81\x05ab");
    scene
        .world
        .release(|book| {
            book.grants.retain(|grant| grant.id.as_str() != "raw-all");
        })
        .await;
    assert_eq!(line.client.rest().await, b"");
    scene.world.cuts(&[(line.decision.to_string(), "websocket")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a73_connections_on_which_nothing_moves_are_cut() {
    let limit = Duration::from_secs(2);
    let (world, upstream) = World::with_upstream_idle(limit).await;
    let mut lines = Vec::new();
    for kind in [Kind::WebSocket, Kind::Events, Kind::Stalled] {
        lines.push(kind.open(&world, &upstream, ("/else", "")).await);
    }
    let cut: Vec<_> =
        lines.iter().map(|line| (line.decision.to_string(), line.kind.word())).collect();
    // One that keeps moving for as long as the others take to end.
    let mut busy = Kind::WebSocket.open(&world, &upstream, ("/else", "")).await;
    let mut over = Box::pin(async {
        for line in lines {
            line.ends().await;
        }
    });
    while tokio::time::timeout(limit / 20, &mut over).await.is_err() {
        busy.still_flows().await;
    }
    let events = world.cuts(&cut).await;
    all(&events, "why", "idle");
    assert!(events.iter().all(|event| event["seconds"] == 2), "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn next_request_of_a_connection_is_not_cut_for_the_one_before() {
    let scene = scene().await;
    let mut line = Kind::Events.open(&scene.world, &scene.upstream, ("/else", "")).await;
    scene.world.rounds().await;
    line.server.send_chunk(b"").await;
    assert_eq!(line.client.chunk().await.unwrap(), b"");
    line.client.send(Kind::Events.request("/protected/x", &scene.cookie)).await;
    line.server.head().await.unwrap();
    Kind::Events.answer(&mut line.client, &mut line.server).await;
    scene.world.release(|book| book.grants.retain(|grant| grant.id.as_str() != "raw-all")).await;
    // The first exchange would be denied now, but it is over; the second is open to Finance still.
    scene.world.rounds().await;
    line.still_flows().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_what_is_open_and_what_was_cut() {
    let mut scene = scene().await;
    let lines = scene.open_all().await;
    scene.world.rounds().await;
    let sockets = "cedargate_connections_open{kind=\"websocket\"}";
    let requests = "cedargate_connections_open{kind=\"request\"}";
    assert_eq!(scene.world.number(sockets).await, 1);
    assert_eq!(scene.world.number(requests).await, 5);
    sign_out(&mut scene.uma, &scene.world.gate("/_gate/logout")).await;
    scene.assert_cut(lines).await;
    let cut = "cedargate_connections_cut_total{kind=\"request\",why=\"session_ended\"}";
    assert_eq!(scene.world.number(cut).await, 5);
    scene.world.rounds().await;
    assert_eq!(scene.world.number(sockets).await, 0);
    assert_eq!(scene.world.number(requests).await, 0);
}
