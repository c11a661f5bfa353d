//! Bodies that pass as they come, in both directions, and connections that end when they must.

use crate::harness::World;
use crate::harness::recorder::HOST;

const MIB: usize = 1024 * 1024;

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n")
}

/// Memory of this process that is in use, in bytes: gate, upstream and test together.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn upload_reaches_the_app_before_it_is_complete() {
    let (world, upstream) = World::with_upstream().await;
    let mut client = world.wire().await;
    client
        .send(format!("POST /x HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n"))
        .await;
    client.send_chunk(b"first").await;
    let mut server = upstream.accept().await;
    let head = server.head().await.unwrap();
    assert_eq!(head.header("transfer-encoding").as_deref(), Some("chunked"));
    assert_eq!(head.header("content-length"), None);
    assert_eq!(server.chunk().await.unwrap(), b"first");
    client.send_chunk(b"second").await;
    assert_eq!(server.chunk().await.unwrap(), b"second");
    client.send_chunk(b"").await;
    assert_eq!(server.chunk().await.unwrap(), b"");
    server.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(client.message().await.unwrap().head.status(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn body_arrives_as_it_was_sent() {
    let (world, upstream) = World::with_recorder().await;
    for size in [1, 70_000, 20 * MIB] {
        let body: Vec<u8> = (0..size).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect();
        let mut client = world.wire().await;
        client
            .send(format!("PUT /x HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {size}\r\n\r\n"))
            .await;
        client.send(&body).await;
        assert_eq!(client.message().await.unwrap().head.status(), 200);
        let seen = upstream.take().remove(0);
        assert_eq!(seen.head.header("content-length"), Some(size.to_string()));
        assert!(seen.body == body, "{size} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_pass_without_being_held() {
    const SIZE: usize = 200 * MIB;
    let world = World::start().await;
    let uma = world.browser_of("uma").await;
    let session = uma.cookie("app.localhost", "gate_session").unwrap();
    let headers = format!("Host: app.localhost\r\nCookie: gate_session={session}\r\n");
    let before = resident();
    let mut most = before;
    let mut client = world.wire().await;
    client.send(format!("POST /upload HTTP/1.1\r\n{headers}Content-Length: {SIZE}\r\n\r\n")).await;
    let piece = vec![b'u'; MIB];
    for _ in 0..SIZE / MIB {
        client.send(&piece).await;
        most = most.max(resident());
    }
    let answer = client.message().await.unwrap();
    assert_eq!((answer.head.status(), answer.text()), (200, format!("{{\"bytes\":{SIZE}}}")));
    client.send(format!("GET /download/{SIZE} HTTP/1.1\r\n{headers}\r\n")).await;
    let head = client.head().await.unwrap();
    assert_eq!(head.header("content-length"), Some(SIZE.to_string()));
    client.count(SIZE, || most = most.max(resident())).await;
    let grown = most.saturating_sub(before) / MIB;
    // Other tests of this process grow beside it, with 20 MiB bodies at most.
    assert!(grown < 130, "400 MiB passed, and memory grew by {grown} MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_passes_chunk_by_chunk() {
    let (world, upstream) = World::with_upstream().await;
    let mut client = world.wire().await;
    client.send(get("/events")).await;
    let mut server = upstream.accept().await;
    server.head().await.unwrap();
    server
        .send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n")
        .await;
    let head = client.head().await.unwrap();
    assert_eq!(head.header("transfer-encoding").as_deref(), Some("chunked"));
    assert_eq!(head.header("trailer"), None);
    for event in ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"] {
        server.send_chunk(event.as_bytes()).await;
        assert_eq!(client.chunk().await.unwrap(), event.as_bytes());
    }
    server.send("0\r\nX-End: 1\r\n\r\n").await;
    assert_eq!(client.chunk().await.unwrap(), b"", "the end, and no trailers");
    client.send(get("/again")).await;
    assert_eq!(server.head().await.unwrap().line(), "GET /again HTTP/1.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_the_sample_app_arrive_while_it_goes_on() {
    let world = World::start().await;
    let uma = world.browser_of("uma").await;
    let session = uma.cookie("app.localhost", "gate_session").unwrap();
    let mut client = world.wire().await;
    client
        .send(format!(
            "GET /events HTTP/1.1\r\nHost: app.localhost\r\nCookie: gate_session={session}\r\n\r\n"
        ))
        .await;
    assert_eq!(client.head().await.unwrap().status(), 200);
    assert!(client.chunk().await.unwrap().starts_with(b"event: tick\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn client_that_leaves_ends_the_request_at_the_app() {
    let (world, upstream) = World::with_upstream().await;
    let mut client = world.wire().await;
    client.send(get("/slow")).await;
    let mut server = upstream.accept().await;
    server.head().await.unwrap();
    drop(client);
    assert_eq!(server.rest().await, b"", "closed before the answer");

    let mut client = world.wire().await;
    client.send(get("/long")).await;
    let mut server = upstream.accept().await;
    server.head().await.unwrap();
    server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    client.head().await.unwrap();
    drop(client);
    while server.offer(b"5\r\nhello\r\n").await.is_ok() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_that_breaks_off_is_not_made_to_look_whole() {
    let (world, upstream) = World::with_upstream().await;
    for (framing, sent) in [
        ("Transfer-Encoding: chunked", "5\r\nhello\r\n"),
        ("Transfer-Encoding: chunked", "5\r\nhel"),
        ("Content-Length: 10", "hello"),
    ] {
        let mut client = world.wire().await;
        client.send(get("/x")).await;
        let mut server = upstream.accept().await;
        server.head().await.unwrap();
        server.send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n{sent}")).await;
        client.head().await.unwrap();
        drop(server);
        let rest = String::from_utf8(client.rest().await).unwrap();
        assert!(!rest.contains("0\r\n") && rest.len() <= 10, "{framing}: {rest:?}");
    }
    let mut client = world.wire().await;
    client.send(get("/x")).await;
    drop(upstream.accept().await);
    assert_eq!(client.message().await.unwrap().head.status(), 502);
    let event = world.records().await.swap_remove(0);
    assert_eq!(event["kind"], "upstream_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_a_body_have_none() {
    let (world, upstream) = World::with_upstream().await;
    let mut client = world.wire().await;
    client.send(format!("HEAD /x HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
    let mut server = upstream.accept().await;
    for (answer, status, length) in [
        ("200 OK\r\nContent-Length: 1234", 200, Some("1234")),
        ("204 No Content", 204, None),
        ("304 Not Modified\r\nETag: \"a\"", 304, None),
        ("200 OK\r\nContent-Length: 0", 200, Some("0")),
    ] {
        server.head().await.unwrap();
        server.send(format!("HTTP/1.1 {answer}\r\n\r\n")).await;
        let head = client.head().await.unwrap();
        assert_eq!((head.status(), head.header("content-length").as_deref()), (status, length));
        assert_eq!(head.header("transfer-encoding"), None, "{answer}");
        client.send(get("/x")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn client_that_waits_for_100_is_told_to_go_on_only_when_allowed() {
    let (world, upstream) = World::with_upstream().await;
    let ask = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
    };
    let mut client = world.wire().await;
    client.send(ask("/protected/x")).await;
    assert_eq!(client.head().await.unwrap().status(), 401);

    let mut client = world.wire().await;
    client.send(ask("/x")).await;
    let mut server = upstream.accept().await;
    assert_eq!(client.head().await.unwrap().status(), 100);
    client.send("hello").await;
    let seen = server.message().await.unwrap();
    assert_eq!((seen.head.header("expect"), seen.text().as_str()), (None, "hello"));
    server.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(client.head().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn app_can_speak_neither_for_the_connection_nor_for_us() {
    let (world, upstream) = World::with_upstream().await;
    let mut client = world.wire().await;
    client.send(get("/x")).await;
    let mut server = upstream.accept().await;
    server.head().await.unwrap();
    server
        .send("HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\nX-Gate-User: olive\r\nX_Gate_User: olive\r\nSet-Cookie: gate_session=x\r\nSet-Cookie: __Host-gate_session=x\r\nSet-Cookie: GATE_login=x\r\nSet-Cookie: own=1\r\nX-Own: 1\r\nContent-Length: 0\r\n\r\n")
        .await;
    let head = client.head().await.unwrap();
    for gone in [
        "connection",
        "x-hop",
        "keep-alive",
        "proxy-authenticate",
        "upgrade",
        "x-gate-user",
        "x_gate_user",
    ] {
        assert_eq!(head.header(gone), None, "{gone}");
    }
    assert_eq!(head.header("x-own").as_deref(), Some("1"));
    assert_eq!(head.all("set-cookie"), ["own=1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_to_the_app_is_used_again_unless_it_is_in_doubt() {
    let (world, upstream) = World::with_upstream().await;
    let mut client = world.wire().await;
    client.send(get("/1")).await;
    let mut server = upstream.accept().await;
    for path in ["/2", "/3"] {
        server.head().await.unwrap();
        server.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        client.head().await.unwrap();
        client.send(get(path)).await;
    }
    // Bytes that nobody asked for: what follows on this connection could be an answer to somebody else's request.
    server.head().await.unwrap();
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil").await;
    assert_eq!(client.message().await.unwrap().text(), "ok");
    client.send(get("/4")).await;
    let mut server = upstream.accept().await;
    server.head().await.unwrap();
    for broken in [
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX A: 1\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n",
        "nonsense\r\n\r\n",
    ] {
        server.send(broken).await;
        assert_eq!(client.message().await.unwrap().head.status(), 502, "{broken:?}");
        client.send(get("/5")).await;
        server = upstream.accept().await;
        server.head().await.unwrap();
    }
    // An answer without a length ends with its connection; one before the upload is read leaves it in doubt.
    server.send("HTTP/1.1 200 OK\r\n\r\nto the end").await;
    drop(server);
    assert_eq!(client.message().await.unwrap().text(), "to the end");
    client
        .send(format!("POST /6 HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000000\r\n\r\nabc"))
        .await;
    let mut server = upstream.accept().await;
    server.head().await.unwrap();
    server.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(client.head().await.unwrap().status(), 413);
    let mut other = world.wire().await;
    other.send(get("/7")).await;
    assert_eq!(upstream.accept().await.head().await.unwrap().line(), "GET /7 HTTP/1.1");
}
