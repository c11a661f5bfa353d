//! One client request, at most one upstream request: headers, framing, methods and hosts as attackers send them.

use serde_json::Value;

use crate::harness::recorder::{FINANCE, HOST, ROLE, Recorder};
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

/// Sends every row, with this cookie when there is one, and holds what came of it against the table.
async fn hold(cookie: Option<&str>, (world, upstream): (&World, &Recorder), user: &str) {
    drop(upstream.take());
    for row in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = row.split(" => ").collect();
        let (id, sent) = (columns[0], columns[1]);
        let (answer, _wire) = ask(world, &request(sent, cookie)).await;
        let seen = upstream.take();
        let known = !sent.contains("gate_session=") || sent.contains("__Host-");
        match running(id, columns[2]) {
            Expected::Status(401) if cookie.is_some() => is_passed(id, &[], (&answer, &seen), user),
            Expected::Status(status) => {
                assert_eq!((answer.head.status(), seen), (status, vec![]), "{id}");
            }
            // Two session cookies mean that somebody meddled: then none counts.
            Expected::Lines(lines) if known => is_passed(id, &lines, (&answer, &seen), user),
            Expected::Lines(lines) => is_passed(id, &lines, (&answer, &seen), ""),
        }
    }
}

fn request(lines: &str, cookie: Option<&str>) -> String {
    let mut sent = lines.replace("\\n", "\r\n");
    if !lines.contains("Host:") {
        sent = format!("{sent}\r\nHost: {HOST}");
    }
    if let Some(cookie) = cookie {
        sent = format!("{sent}\r\nCookie: {cookie}");
    }
    let body = match (lines.contains("chunked"), lines.contains("Content-Length: 5")) {
        (true, _) => "5\r\nhello\r\n0\r\n\r\n",
        (false, true) => "hello",
        (false, false) => "",
    };
    format!("GET /x HTTP/1.1\r\n{sent}\r\n\r\n{body}")
}

#[track_caller]
fn is_passed(id: &str, lines: &[String], (answer, seen): (&Message, &[Message]), user: &str) {
    let [one] = seen else { panic!("{id}: one upstream request, not {seen:?}") };
    assert_eq!((answer.head.status(), one.head.line()), (200, "GET /x HTTP/1.1"), "{id}");
    assert_eq!(foreign(&one.head), lines, "{id}");
    is_introduced(&one.head, user, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn header_of_nobody_is_never_taken_for_identity() {
    let (world, upstream) = World::with_recorder().await;
    hold(None, (&world, &upstream), "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn header_beside_a_session_changes_nothing() {
    let (world, upstream) = World::with_recorder().await;
    let cookie = world.raw_session("uma").await;
    hold(Some(&cookie), (&world, &upstream), "uma@contoso.example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_of_the_app_means_a_record_and_the_whole_set_of_headers() {
    let (world, upstream) = World::with_recorder().await;
    let (uma, long) = (world.raw_session("uma").await, "x".repeat(9_000));
    drop(upstream.take());
    let garbage =
        ["gate_session=", "gate_session=\u{1}", "gate_session=\"", "=;;=", "gate_session"];
    let doubled = format!("{uma}; {uma}");
    let long = format!("gate_session={long}");
    let cookies = garbage.into_iter().chain([doubled.as_str(), long.as_str(), ""]);
    for (cookie, user) in
        cookies.map(|cookie| (cookie, "")).chain([(uma.as_str(), "uma@contoso.example")])
    {
        let request = format!("GET /public HTTP/1.1\r\nHost: {HOST}\r\nCookie: {cookie}\r\n\r\n");
        let (answer, _wire) = ask(&world, &request).await;
        let seen = upstream.take();
        if answer.head.status() == 400 {
            assert!(cookie.contains('\u{1}') && seen.is_empty(), "{cookie:?}");
            continue;
        }
        is_introduced(&seen[0].head, user, cookie);
        let newest = world.decisions().await.swap_remove(0);
        let id = seen[0].head.header("x-gate-decision").unwrap();
        assert_eq!((&newest["id"], &newest["verdict"]), (&id.into(), &"allow".into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn name_with_line_breaks_and_commas_stays_one_value() {
    let (world, upstream) = World::with_recorder().await;
    world
        .sim
        .change("uma", |person| {
            person.name = "Zoë\r\nX-Gate-User: olive, \u{1F332}\"%".to_owned();
            person.user_name = "uma,olive@contoso.example".to_owned();
            person.roles.insert(ROLE.to_owned());
        })
        .unwrap();
    let cookie = world.raw_session("uma").await;
    let [seen] = &upstream.take()[..] else { panic!("one request") };
    is_introduced(&seen.head, "uma%2Colive@contoso.example", &cookie);
    let name = seen.head.header("x-gate-name").unwrap();
    assert_eq!(name, "Zo%C3%AB%0D%0AX-Gate-User:%20olive%2C%20%F0%9F%8C%B2%22%25");
    assert_eq!(seen.head.header("x-gate-groups").unwrap(), FINANCE);
    assert_eq!(seen.head.header("x-gate-roles").unwrap(), "Sales%2C%20Admins");
    assert_eq!(seen.head.all("cookie"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn assertion_holds_under_the_published_key_and_for_this_app_only() {
    let (world, upstream) = World::with_recorder().await;
    let _cookie = world.raw_session("uma").await;
    let token = upstream.take()[0].head.header("x-gate-assertion").unwrap();
    let keys = exchange(Request::new("GET", &world.app("/_gate/jwks.json"))).await;
    let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_slice(&keys.body).unwrap();
    let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    rules.set_issuer(&[world.places.gate()]);
    rules.set_audience(&["raw"]);
    let claims = jsonwebtoken::decode::<Value>(&token, &key, &rules).unwrap().claims;
    let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    let age = world.clock.now().as_seconds() - claims["iat"].as_i64().unwrap();
    assert_eq!((lifetime, (0..30).contains(&age)), (60, true));
    let subject = &world.decisions().await[0]["principal"]["id"];
    assert_eq!((&claims["sub"], &claims["groups"][0]), (subject, &FINANCE.into()));
    rules.set_audience(&["intranet"]);
    assert!(jsonwebtoken::decode::<Value>(&token, &key, &rules).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn identity_that_does_not_fit_is_not_cut() {
    let (world, upstream) = World::with_recorder().await;
    world.sim.change("uma", |person| person.name = "u".repeat(8_200)).unwrap();
    let url = format!("http://{HOST}/protected/x");
    let page = world.browser().sign_in("uma", &url).await;
    assert_eq!((page.status, page.url.as_str()), (502, url.as_str()));
    assert!(upstream.take().is_empty());
    assert_eq!(world.records().await[0]["kind"], "upstream_failed");
}
