//! Where one request ends and the next begins, and what is no request at all (RFC 9112, RFC 9110 sections 7.2 and 9).

use std::time::{Duration, Instant};

use crate::harness::World;
use crate::harness::upstream::{HOST, Recorder};
use crate::harness::wire::Wire;

/// What came of the bytes of one connection: the statuses, and the requests that reached the upstream.
async fn send(
    world: &World,
    upstream: &Recorder,
    bytes: impl AsRef<[u8]>,
) -> (Vec<u16>, Vec<String>) {
    let mut wire = world.wire().await;
    wire.send(bytes).await;
    wire.finish().await;
    let mut statuses = Vec::new();
    while let Some(answer) = wire.message().await {
        statuses.push(answer.head.status());
    }
    (statuses, taken(world, upstream).await)
}

/// The requests that reached the upstream. One more is sent after them, so that a smuggled one would show as well.
async fn taken(world: &World, upstream: &Recorder) -> Vec<String> {
    let mut wire = world.wire().await;
    wire.send(format!("GET /fence HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
    assert_eq!(wire.message().await.unwrap().head.status(), 200);
    let mut seen: Vec<String> = upstream
        .take()
        .iter()
        .map(|request| {
            let method_and_path = request.head.line().strip_suffix(" HTTP/1.1").unwrap();
            format!("{method_and_path} {}", request.text()).trim_end().to_owned()
        })
        .collect();
    assert_eq!(seen.pop().as_deref(), Some("GET /fence"));
    seen
}

const POST: &str = "POST /x HTTP/1.1\r\nHost: raw.localhost\r\n";
const CHUNKS: &str = "5\r\nhello\r\n0\r\n\r\n";
const NEXT: &str = "GET /next HTTP/1.1\r\nHost: raw.localhost\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn contradictory_framing_never_makes_a_second_request() {
    let (world, upstream) = World::with_recorder().await;
    let rows: &[(&str, String, &[u16], &[&str])] = &[
        ("xx", format!("{POST}\r\n"), &[], &[]),
        ("CL and TE", format!("{POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKS}{NEXT}"), &[200], &["POST /x hello"]),
        ("TE and CL", format!("{POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{CHUNKS}{NEXT}"), &[200], &["POST /x hello"]),
        ("TE xchunked", format!("{POST}Transfer-Encoding: xchunked\r\n\r\n{CHUNKS}{NEXT}"), &[400], &[]),
        ("TE with space before colon", format!("{POST}Transfer-Encoding : chunked\r\n\r\n{CHUNKS}"), &[400], &[]),
        ("TE twice", format!("{POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKS}"), &[400], &[]),
        ("TE gzip, chunked", format!("{POST}Transfer-Encoding: gzip, chunked\r\n\r\n{CHUNKS}"), &[400], &[]),
        ("TE quoted", format!("{POST}Transfer-Encoding: \"chunked\"\r\n\r\n{CHUNKS}"), &[400], &[]),
        ("TE on 1.0", "POST /x HTTP/1.0\r\nHost: raw.localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".to_owned(), &[400], &[]),
        ("two lengths", format!("{POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"), &[400], &[]),
        ("signed length", format!("{POST}Content-Length: +5\r\n\r\nhello"), &[400], &[]),
        ("negative length", format!("{POST}Content-Length: -1\r\n\r\nhello"), &[400], &[]),
        ("hex length", format!("{POST}Content-Length: 0x5\r\n\r\nhello"), &[400], &[]),
        ("empty length", format!("{POST}Content-Length: \r\n\r\nhello"), &[400], &[]),
        ("huge length", format!("{POST}Content-Length: 99999999999999999999\r\n\r\nhello"), &[400], &[]),
        ("obs-fold", format!("{POST}X-A: 1\r\n Transfer-Encoding: chunked\r\n\r\n"), &[400], &[]),
        ("bare CR", format!("{POST}X-A: 1\rX-B: 2\r\n\r\n"), &[400], &[]),
        ("NUL", format!("{POST}X-A: 1\0\r\n\r\n"), &[400], &[]),
        ("space before the first header", "GET /x HTTP/1.1\r\n Host: raw.localhost\r\n\r\n".to_owned(), &[400], &[]),
        ("bare LF", "GET /x HTTP/1.1\nHost: raw.localhost\n\n".to_owned(), &[200], &["GET /x"]),
        ("GET with body", format!("GET /x HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\n\r\nhello{NEXT}"), &[200, 200], &["GET /x hello", "GET /next"]),
        ("GET with chunks", format!("GET /x HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKS}{NEXT}"), &[200, 200], &["GET /x hello", "GET /next"]),
        ("no length is no body", format!("{POST}\r\n{NEXT}"), &[200, 200], &["POST /x", "GET /next"]),
        ("pipelined", NEXT.repeat(3), &[200, 200, 200], &["GET /next", "GET /next", "GET /next"]),
        ("HTTP/0.9", "GET /x\r\n\r\n".to_owned(), &[400], &[]),
        ("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), &[400], &[]),
        ("HTTP/1.2", "GET /x HTTP/1.2\r\nHost: raw.localhost\r\n\r\n".to_owned(), &[400], &[]),
        ("1.0 ends", "GET /x HTTP/1.0\r\nHost: raw.localhost\r\n\r\nGET /next HTTP/1.0\r\nHost: raw.localhost\r\n\r\n".to_owned(), &[200], &["GET /x"]),
    ];
    for (name, bytes, statuses, requests) in rows {
        let found = send(&world, &upstream, bytes).await;
        let expected =
            (statuses.to_vec(), requests.iter().map(|r| (*r).to_owned()).collect::<Vec<_>>());
        if found != expected {
            println!("ROW {name}: {found:?} not {expected:?}");
        }
    }
}
