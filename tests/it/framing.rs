//! Where one request ends and the next begins (RFC 9112 sections 2.2, 6 and 7).

use crate::harness::World;
use crate::harness::recorder::{HOST, Recorder};

const FRAMING: &str = include_str!("../data/framing.txt");
const CHUNKS: &str = include_str!("../data/chunks.txt");

fn bytes(text: &str) -> Vec<u8> {
    let text = text.replace("\\r", "\r").replace("\\n", "\n");
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).unwrap());
        bytes.extend(rest.as_bytes());
    }
    bytes
}

/// The requests that reached the upstream. One more is sent after them, so that a smuggled one would show as well.
async fn taken(world: &World, upstream: &Recorder) -> String {
    let mut wire = world.wire().await;
    wire.send(format!("GET /fence HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
    let answer = wire.message().await.expect("an answer to the request after them");
    assert_eq!(answer.head.status(), 200);
    let shown = |request: &crate::harness::wire::Message| {
        assert_eq!(request.head.all("trailer"), Vec::<String>::new());
        let asked = request.head.line().strip_suffix(" HTTP/1.1").unwrap();
        format!("{asked} {}", request.text()).trim_end().to_owned()
    };
    let mut seen: Vec<String> = upstream.take().iter().map(shown).collect();
    assert_eq!(seen.pop().as_deref(), Some("GET /fence"));
    seen.join(", ")
}

#[tokio::test(flavor = "multi_thread")]
async fn contradictory_framing_never_makes_a_second_request() {
    let (world, upstream) = World::with_recorder().await;
    for row in FRAMING.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = row.split(" => ");
        let (name, sent) = (columns.next().unwrap(), bytes(columns.next().unwrap()));
        let (statuses, requests) =
            (columns.next().unwrap_or_default(), columns.next().unwrap_or_default());
        let mut wire = world.wire().await;
        wire.send(sent).await;
        let mut found = Vec::new();
        for _expected in statuses.split_whitespace() {
            let answer = wire.message().await.unwrap_or_else(|| panic!("{name}: only {found:?}"));
            found.push(answer.head.status().to_string());
        }
        // Whoever still listens to the gate gets no further answer.
        wire.finish().await;
        assert_eq!(String::from_utf8_lossy(&wire.rest().await), "", "{name}");
        assert_eq!(found.join(" "), statuses, "{name}");
        assert_eq!(taken(&world, &upstream).await, requests, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_chunks_never_make_a_whole_request() {
    let (world, upstream) = World::with_recorder().await;
    for row in CHUNKS.lines().filter(|line| !line.starts_with('#')) {
        let (name, body) = row.split_once(" => ").unwrap();
        let head =
            format!("POST /x HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n");
        let next = format!("GET /next HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
        let mut wire = world.wire().await;
        wire.send([head.as_bytes(), &bytes(body), next.as_bytes()].concat()).await;
        let answer = wire.rest().await;
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{name}: {}", String::from_utf8_lossy(&answer));
        assert_eq!(taken(&world, &upstream).await, "", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn body_that_comes_after_its_refusal_is_no_request() {
    let (world, upstream) = World::with_recorder().await;
    let smuggled = format!("GET /smuggled HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    for (path, status) in [("/protected/x", 401), ("/a//b", 400)] {
        let mut wire = world.wire().await;
        let length = smuggled.len();
        wire.send(format!(
            "POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n"
        ))
        .await;
        assert_eq!(wire.message().await.unwrap().head.status(), status);
        drop(wire.offer(&smuggled).await);
        assert_eq!(wire.rest().await, b"", "{path}");
        assert_eq!(taken(&world, &upstream).await, "");
    }
}
