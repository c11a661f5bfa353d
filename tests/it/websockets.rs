//! WebSocket upgrades (RFC 6455 section 4): who may ask for one, when bytes begin to flow, and when they end.

use cedargate::app::crowd::Limits;

use crate::harness::World;
use crate::harness::recorder::HOST;
use crate::harness::wire::Wire;

const ORIGIN: &str = "Origin: http://raw.localhost\r\n";
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";
/// The example of RFC 6455 section 1.3, with the answer that fits it.
const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const ACCEPT: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

fn handshake(path: &str, headers: &[&str]) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{}\r\n", headers.concat())
}

fn good(path: &str) -> String {
    handshake(path, &[ORIGIN, UPGRADE, VERSION, KEY])
}

fn switched() -> String {
    format!("HTTP/1.1 101 Switching Protocols\r\n{UPGRADE}{ACCEPT}\r\n")
}

/// Two ends of an open tunnel: the client's and the app's.
async fn tunnel(world: &World, upstream: &crate::harness::recorder::ByHand) -> (Wire, Wire) {
    let mut client = world.wire().await;
    client.send(good("/ws")).await;
    let mut server = upstream.accept().await;
    server.head().await.unwrap();
    server.send(switched()).await;
    assert_eq!(client.head().await.unwrap().status(), 101);
    (client, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn sample_app_echoes_over_a_websocket() {
    let world = World::start().await;
    let uma = world.browser_of("uma").await;
    let session = uma.cookie("app.localhost", "gate_session").unwrap();
    let origin = world.places.app();
    let mut client = world.wire().await;
    client
        .send(format!(
            "GET /ws HTTP/1.1\r\nHost: app.localhost\r\nOrigin: {origin}\r\nCookie: gate_session={session}\r\n{UPGRADE}{VERSION}{KEY}\r\n"
        ))
        .await;
    let head = client.head().await.unwrap();
    assert_eq!(head.status(), 101);
    assert_eq!(
        format!("Sec-WebSocket-Accept: {}\r\n", head.header("sec-websocket-accept").unwrap()),
        ACCEPT
    );
    // A text frame under a mask of zeros, and the same without a mask.
    client.send(b"\x81\x85\0\0\0\0hello").await;
    assert_eq!(client.exactly(7).await, b"\x81\x05hello");
    assert_eq!(world.decisions().await[0]["route"], "intranet/ws");
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrade_that_is_no_clean_handshake_of_the_app_is_refused_and_recorded() {
    let (world, upstream) = World::with_recorder().await;
    let foreign = "Origin: http://evil.test\r\n";
    let longer = "Origin: http://raw.localhost.evil.test\r\n";
    let bare = "Upgrade: websocket\r\n";
    let rows: [(&str, &str, &[&str]); 19] = [
        ("route without WebSockets", "/plain/ws", &[ORIGIN, UPGRADE, VERSION, KEY]),
        ("foreign page", "/ws", &[foreign, UPGRADE, VERSION, KEY]),
        ("page of a longer name", "/ws", &[longer, UPGRADE, VERSION, KEY]),
        ("other scheme", "/ws", &["Origin: https://raw.localhost\r\n", UPGRADE, VERSION, KEY]),
        ("other port", "/ws", &["Origin: http://raw.localhost:81\r\n", UPGRADE, VERSION, KEY]),
        ("null origin", "/ws", &["Origin: null\r\n", UPGRADE, VERSION, KEY]),
        ("no origin", "/ws", &[UPGRADE, VERSION, KEY]),
        ("two origins", "/ws", &[ORIGIN, foreign, UPGRADE, VERSION, KEY]),
        ("no key", "/ws", &[ORIGIN, UPGRADE, VERSION]),
        ("two keys", "/ws", &[ORIGIN, UPGRADE, VERSION, KEY, KEY]),
        ("no version", "/ws", &[ORIGIN, UPGRADE, KEY]),
        ("old version", "/ws", &[ORIGIN, UPGRADE, "Sec-WebSocket-Version: 8\r\n", KEY]),
        ("not in Connection", "/ws", &[ORIGIN, bare, VERSION, KEY]),
        ("with a body", "/ws", &[ORIGIN, UPGRADE, VERSION, KEY, "Content-Length: 5\r\n"]),
        ("with chunks", "/ws", &[ORIGIN, UPGRADE, VERSION, KEY, "Transfer-Encoding: chunked\r\n"]),
        (
            "h2c",
            "/ws",
            &[
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
            ],
        ),
        ("unknown", "/ws", &["Connection: Upgrade\r\nUpgrade: foo\r\n"]),
        (
            "list",
            "/ws",
            &[ORIGIN, "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n", VERSION, KEY],
        ),
        ("two upgrades", "/ws", &[ORIGIN, UPGRADE, "Upgrade: h2c\r\n", VERSION, KEY]),
    ];
    for (name, path, headers) in rows {
        let mut client = world.wire().await;
        client.send(handshake(path, headers)).await;
        assert_eq!(client.message().await.unwrap().head.status(), 400, "{name}");
        let record = world.decisions().await.swap_remove(0);
        assert_eq!(
            (&record["kind"], &record["refusal"]),
            (&"refusal".into(), &"bad_headers".into()),
            "{name}"
        );
    }
    let post = good("/ws").replacen("GET", "POST", 1);
    let mut client = world.wire().await;
    client.send(post).await;
    assert_eq!(client.message().await.unwrap().head.status(), 400);
    assert!(upstream.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn handshake_is_decided_like_any_get() {
    let (world, upstream) = World::with_recorder().await;
    let mut client = world.wire().await;
    // What follows a refused handshake is a request of its own, and no frame.
    client.send(good("/protected/ws") + &good("/protected/ws")).await;
    for _ in 0..2 {
        assert_eq!(client.message().await.unwrap().head.status(), 401);
    }
    let records = world.decisions().await;
    assert!(
        records.iter().take(2).all(|record| record["reason"] == "not_signed_in"),
        "{records:?}"
    );
    assert!(upstream.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_flows_before_the_app_has_switched() {
    let (world, upstream) = World::with_upstream().await;
    let mut client = world.wire().await;
    let early = "GET /protected/x HTTP/1.1\r\nHost: raw.localhost\r\n\r\n";
    client.send(good("/ws") + early).await;
    let mut server = upstream.accept().await;
    let head = server.head().await.unwrap();
    assert_eq!(head.header("upgrade").as_deref(), Some("websocket"));
    assert_eq!(head.header("connection").as_deref(), Some("Upgrade"));
    assert_eq!(head.header("sec-websocket-key").as_deref(), Some("dGhlIHNhbXBsZSBub25jZQ=="));
    // The answer to a request of its own on another connection: by then early bytes would have arrived.
    let mut other = world.wire().await;
    other.send(format!("GET /other HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
    let mut second = upstream.accept().await;
    second.head().await.unwrap();
    second.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(other.message().await.unwrap().head.status(), 200);
    assert!(server.is_quiet().await, "only the handshake arrived");
    server.send(switched() + "from the app").await;
    assert_eq!(client.head().await.unwrap().status(), 101);
    assert_eq!(client.exactly(12).await, b"from the app");
    // After the switch they are bytes of the tunnel, which the app reads as it likes.
    assert_eq!(server.exactly(early.len()).await, early.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn early_bytes_are_a_request_of_their_own_when_the_app_does_not_switch() {
    let (world, upstream) = World::with_upstream().await;
    let mut client = world.wire().await;
    client.send(good("/ws") + "GET /protected/x HTTP/1.1\r\nHost: raw.localhost\r\n\r\n").await;
    let mut server = upstream.accept().await;
    server.head().await.unwrap();
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno").await;
    assert_eq!(client.message().await.unwrap().text(), "no");
    assert_eq!(client.message().await.unwrap().head.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_that_does_not_fit_the_handshake_is_answered_502() {
    let (world, upstream) = World::with_upstream().await;
    let other = "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n";
    for headers in [
        [UPGRADE, other].concat(),
        UPGRADE.to_owned(),
        ["Connection: Upgrade\r\n", ACCEPT].concat(),
        ["Connection: Upgrade\r\nUpgrade: h2c\r\n", ACCEPT].concat(),
    ] {
        let mut client = world.wire().await;
        client.send(good("/ws") + "early").await;
        let mut server = upstream.accept().await;
        server.head().await.unwrap();
        server.send(format!("HTTP/1.1 101 Switching Protocols\r\n{headers}\r\n")).await;
        assert_eq!(client.message().await.unwrap().head.status(), 502, "{headers}");
        assert_eq!(server.rest().await, b"", "{headers}");
        assert_eq!(world.records().await[0]["kind"], "upstream_failed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tunnel_ends_at_both_ends_and_is_never_used_for_a_request() {
    let (world, upstream) = World::with_upstream().await;
    let (mut client, mut server) = tunnel(&world, &upstream).await;
    client.send("a").await;
    assert_eq!(server.exactly(1).await, b"a");
    drop(client);
    assert_eq!(server.rest().await, b"");

    let (mut client, server) = tunnel(&world, &upstream).await;
    drop(server);
    assert_eq!(client.rest().await, b"");

    let (_client, _server) = tunnel(&world, &upstream).await;
    let mut other = world.wire().await;
    other.send(format!("GET /other HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
    assert_eq!(upstream.accept().await.head().await.unwrap().line(), "GET /other HTTP/1.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_gate_ends_its_tunnels() {
    let (world, upstream) = World::with_upstream().await;
    let (mut client, mut server) = tunnel(&world, &upstream).await;
    server.send(b"\x81\x01a").await;
    assert_eq!(client.exactly(3).await, b"\x81\x01a");
    world.stop().await;
    assert_eq!(client.rest().await, b"\x88\x02\x03\xe9", "1001, going away");
    assert_eq!(server.rest().await[..2], [0x88, 0x82], "the same, masked");
}

#[tokio::test(flavor = "multi_thread")]
async fn tunnel_counts_as_a_connection_of_its_client_until_it_ends() {
    let limits = Limits { total: 8, per_client: 1, uncounted: Vec::new() };
    let (world, upstream) = World::with_upstream_and(limits).await;
    let (client, server) = tunnel(&world, &upstream).await;
    assert!(!is_served(&world).await, "the tunnel is this client's one connection");
    drop((client, server));
    let comes_again = async { while !is_served(&world).await {} };
    tokio::time::timeout(std::time::Duration::from_secs(10), comes_again).await.unwrap();
}

/// Whether a new connection gets any answer.
async fn is_served(world: &World) -> bool {
    let mut wire = world.wire().await;
    let sent = wire.offer("GET / HTTP/1.1\r\nHost: nowhere.test\r\n\r\n").await;
    sent.is_ok() && wire.head().await.is_some()
}
