//! Methods, hosts, target forms and limits, as they arrive on the wire (RFC 9110 sections 7.2 and 9, RFC 9112 section 3).

use std::time::{Duration, Instant};

use crate::harness::World;
use crate::harness::recorder::HOST;
use crate::harness::wire::Message;

async fn ask(world: &World, request: &str) -> Option<Message> {
    let mut wire = world.wire().await;
    wire.send(request).await;
    wire.message().await
}

/// The status; 0 for a connection that was closed without an answer.
async fn outcome(world: &World, request: &str) -> u16 {
    ask(world, request).await.map_or(0, |answer| answer.head.status())
}

#[tokio::test(flavor = "multi_thread")]
async fn method_that_is_not_on_the_list_is_answered_405() {
    let (world, upstream) = World::with_recorder().await;
    let long = "A".repeat(10 * 1024);
    for method in ["TRACE", "get", "GeT", "PROPFIND", "X", "GETX", "TRACK", "LINK", long.as_str()] {
        let request = format!("{method} /x HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
        let answer = ask(&world, &request).await.unwrap();
        let record = world.decisions().await.swap_remove(0);
        assert_eq!(answer.head.status(), 405, "{method}");
        assert!(answer.head.header("allow").unwrap().contains("GET, HEAD"));
        let kept: String = method.chars().take(32).collect();
        assert_eq!(
            (&record["refusal"], &record["method"]),
            (&"method_not_allowed".into(), &kept.as_str().into())
        );
    }
    for target in
        [format!("{HOST}:443"), HOST.to_owned(), "/x".to_owned(), format!("http://{HOST}/x")]
    {
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
        assert_eq!(outcome(&world, &request).await, 405, "{target}");
    }
    assert!(upstream.take().is_empty());
    for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] {
        let request = format!("{method} /x HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
        let mut wire = world.wire().await;
        wire.send(request).await;
        assert_eq!(wire.head().await.unwrap().status(), 200);
        let seen = upstream.take().remove(0).head;
        assert_eq!(seen.line(), format!("{method} /x HTTP/1.1"));
        // Servers that insist on a length get one (RFC 9110 section 8.6).
        let length = ["POST", "PUT", "PATCH"].contains(&method).then(|| "0".to_owned());
        assert_eq!(seen.header("content-length"), length, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn host_means_one_app_or_nothing() {
    let (world, upstream) = World::with_recorder().await;
    for (host, status) in [
        ("Host: raw.localhost", 200),
        ("Host: RAW.LocalHost", 200),
        ("Host: raw.localhost.", 200),
        ("Host: raw.localhost:1", 200),
        ("Host: raw.localhost:99999", 400),
        ("Host: raw.localhost:0", 400),
        ("Host: raw.localhost:", 400),
        ("Host: raw.localhost:8a", 400),
        ("Host: user@raw.localhost", 400),
        ("Host: raw.localhost, app.localhost", 400),
        ("Host: raw.localhost/x", 400),
        ("Host: raw.localhost..", 400),
        ("Host: ", 400),
        ("X-Host: raw.localhost", 400),
        ("Host: raw.localhost\r\nHost: raw.localhost", 400),
        ("Host: raw.localhost\r\nHost: app.localhost", 400),
        ("Host: xn--.localhost", 400),
        ("Host: other.localhost", 421),
        ("Host: 127.0.0.1", 421),
        ("Host: [::1]:8080", 421),
        ("Host: other.localhost\r\nX-Forwarded-Host: raw.localhost", 421),
        ("Host: other.localhost\r\nForwarded: host=raw.localhost", 421),
    ] {
        let found = outcome(&world, &format!("GET /x HTTP/1.1\r\n{host}\r\n\r\n")).await;
        let seen = upstream.take();
        assert_eq!((found, seen.len()), (status, usize::from(status == 200)), "{host}");
        assert!(seen.iter().all(|one| one.head.header("host").unwrap() == HOST), "{host}");
        let record = world.decisions().await.swap_remove(0);
        let kind = if status == 200 { "decision" } else { "refusal" };
        assert_eq!(record["kind"], kind, "{host}");
    }
    assert_eq!(outcome(&world, "GET /x HTTP/1.0\r\n\r\n").await, 400);
    assert_eq!(outcome(&world, &format!("GET /x HTTP/1.0\r\nHost: {HOST}\r\n\r\n")).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn absolute_target_must_name_the_same_host() {
    let (world, upstream) = World::with_recorder().await;
    for (target, status, seen) in [
        ("http://raw.localhost/x?y", 200, Some("/x?y")),
        ("HTTP://RAW.localhost./x", 200, Some("/x")),
        ("http://raw.localhost", 200, Some("/")),
        ("http://app.localhost/x", 400, None),
        ("http://app.localhost@raw.localhost/x", 400, None),
        ("http://raw.localhost@app.localhost/x", 400, None),
        ("http://raw.localhost:99999/x", 400, None),
        ("http://raw.localhost/a/../x", 400, None),
        ("http:///x", 400, None),
        ("raw.localhost:80", 400, None),
        ("*", 400, None),
    ] {
        let request = format!("OPTIONS {target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
        let found = outcome(&world, &request).await;
        let targets: Vec<String> =
            upstream.take().iter().map(|one| one.head.line().to_owned()).collect();
        let expected: Vec<String> =
            seen.iter().map(|target| format!("OPTIONS {target} HTTP/1.1")).collect();
        assert_eq!((found, targets), (status, expected), "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_or_too_large_headers_are_answered_431() {
    let (world, upstream) = World::with_recorder().await;
    let lines = |count: usize| "X-A: 1\r\n".repeat(count);
    let large = |bytes: usize| format!("X-A: {}\r\n", "a".repeat(bytes));
    for (headers, status) in
        [(lines(99), 200), (lines(100), 431), (large(30 * 1024), 200), (large(70 * 1024), 431)]
    {
        let found =
            outcome(&world, &format!("GET /x HTTP/1.1\r\nHost: {HOST}\r\n{headers}\r\n")).await;
        let expected = (status, usize::from(status == 200));
        assert_eq!((found, upstream.take().len()), expected, "{} bytes", headers.len());
    }
    let target = "a".repeat(5_000);
    let found = outcome(&world, &format!("GET /{target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
    assert_eq!((found, upstream.take().len()), (414, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn preflight_is_decided_like_any_request() {
    let (world, upstream) = World::with_recorder().await;
    let request = format!(
        "OPTIONS /protected/x HTTP/1.1\r\nHost: {HOST}\r\nOrigin: http://evil.test\r\nAccess-Control-Request-Method: GET\r\n\r\n"
    );
    let answer = ask(&world, &request).await.unwrap();
    assert_eq!(answer.head.status(), 401);
    assert_eq!(answer.head.header("access-control-allow-origin"), None);
    assert!(upstream.take().is_empty());
}

/// The one test that waits in real time: a stopped clock could not show that the server was given a timer at all.
#[tokio::test(flavor = "multi_thread")]
async fn headers_that_do_not_come_within_10_seconds_are_cut_off() {
    let (world, upstream) = World::with_recorder().await;
    let begun = Instant::now();
    let mut wire = world.wire().await;
    wire.send(format!("GET /x HTTP/1.1\r\nHost: {HOST}\r\nX-Slow:")).await;
    let end = wire.rest().await;
    let waited = begun.elapsed();
    assert!(!end.starts_with(b"HTTP/1.1 2"));
    assert!((Duration::from_secs(9)..Duration::from_secs(15)).contains(&waited), "{waited:?}");
    assert!(upstream.take().is_empty());
}
