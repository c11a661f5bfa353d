//! Facts about headers and frames that cross the gate.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

use super::assertion::Assertions;
use super::frames::{Frames, close_to_client, close_to_server};
use super::headers::{
    Identity, IdentityHeaders, TooLarge, check_inbound, clean_response, strip_inbound,
};
use super::identity::{Introductions, Whom};
use crate::authz::decision::Mentions;
use crate::keys::Keys;
use crate::model::app::{App, HeaderAlias};
use crate::model::id::GroupId;
use crate::model::principal::{GuestStatus, Principal, PrincipalSnapshot, User};
use crate::model::time::Timestamp;

const TABLE: &str = include_str!("../../tests/data/header_smuggling.txt");

fn headers(lines: &str) -> HeaderMap {
    let mut map = HeaderMap::new();
    for line in lines.split("\\n") {
        let (name, value) = line.split_once(':').unwrap();
        let name: HeaderName = name.parse().unwrap();
        map.append(name, HeaderValue::from_str(value.trim()).unwrap());
    }
    map
}

fn check(lines: &str, expected: &str) {
    let mut sent = headers(lines);
    sent.entry("host").or_insert(HeaderValue::from_static("app.example.com"));
    let found = if check_inbound(&sent).is_err() {
        "refused".to_owned()
    } else {
        strip_inbound(&mut sent);
        sent.remove("host");
        let left: Vec<String> =
            sent.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect();
        if left.is_empty() { "absent".to_owned() } else { left.join("\\n") }
    };
    assert_eq!(found, expected, "{lines}");
}

#[test]
fn every_row_of_the_table_holds() {
    for row in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = row.split(" => ").collect();
        check(columns[1], columns[2]);
    }
}

#[test]
fn request_without_host_is_refused() {
    assert!(check_inbound(&HeaderMap::new()).is_err());
}

#[test]
fn separators_of_any_kind_do_not_hide_a_reserved_name() {
    for separator in "!#$%&'*+^`|~_.-".chars() {
        check(&format!("X{separator}Gate{separator}User: olive"), "absent");
        check(&format!("Remote{separator}User: olive"), "absent");
    }
}

fn identity(identity: &Identity) -> Result<HeaderMap, TooLarge> {
    let mut map = HeaderMap::new();
    IdentityHeaders::new(identity)?.set(&mut map, String::new())?;
    Ok(map)
}

#[test]
fn identity_is_complete_and_empty_when_unset() {
    let map = identity(&Identity::default()).unwrap();
    assert_eq!(map.len(), 8);
    assert!(map.values().all(HeaderValue::is_empty));
}

#[test]
fn values_can_neither_split_lists_nor_lines() {
    let zoe = Identity {
        user: "zoë".to_owned(),
        name: "a\r\nX: 1%".to_owned(),
        roles: vec!["Sales, Admins".to_owned(), "b".to_owned()],
        aliases: vec![HeaderAlias::RemoteUser],
        ..Identity::default()
    };
    let map = identity(&zoe).unwrap();
    assert_eq!(map["x-gate-name"], "a%0D%0AX:%201%25");
    assert_eq!(map["x-gate-roles"], "Sales%2C%20Admins,b");
    assert_eq!(map["remote-user"], "zo%C3%AB");
}

#[test]
fn identity_over_8_kib_is_refused_whole() {
    let large = Identity { name: "a".repeat(8191), ..Identity::default() };
    let made = IdentityHeaders::new(&large).unwrap();
    let mut map = HeaderMap::new();
    assert_eq!(made.set(&mut map, "12".to_owned()), Err(TooLarge));
    assert!(map.is_empty());
    assert_eq!(made.set(&mut map, "1".to_owned()), Ok(()));
    assert_eq!(map["x-gate-decision"], "1");
}

#[test]
fn upstream_sets_neither_our_cookies_nor_our_headers() {
    let mut map = headers(
        "Set-Cookie: a=1\\nSet-Cookie: __Host-gate_session=x\\nX_Gate_User: x\\nKeep-Alive: 1\\nConnection: X-Y\\nX-Y: 1\\nServer: s",
    );
    clean_response(&mut map);
    assert_eq!(map.len(), 2);
    assert_eq!(map["set-cookie"], "a=1");
}

/// Olive, in groups of which an app's rules mention one, and how that app is told of her.
struct Introduced {
    keys: Keys,
    introductions: Introductions,
    olive: Arc<PrincipalSnapshot>,
    app: Arc<App>,
    mentions: Arc<Mentions>,
}

impl Introduced {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let keys = Keys::open(&home.path().join("keys")).unwrap();
        let assertions = Assertions::new("https://gate.example".to_owned(), &keys.assertion);
        let group = |digit: char| -> GroupId {
            format!("00000000-0000-0000-0000-00000000000{digit}").parse().unwrap()
        };
        let olive = User {
            subject: "11111111-2222-3333-4444-555555555555.00000000-0000-0000-0000-0000000000aa"
                .parse()
                .unwrap(),
            user_name: "olive@example.com".to_owned(),
            name: "Olive".to_owned(),
            email: None,
            guest: GuestStatus::Member,
            groups: [group('1'), group('2')].into(),
            roles: BTreeSet::new(),
            directory_roles: BTreeSet::new(),
        };
        let app = json!({ "id": "wiki", "name": "Wiki", "origins": ["https://wiki.example"] });
        Self {
            introductions: Introductions::new(assertions.unwrap()),
            keys,
            olive: PrincipalSnapshot::new(Principal::User(olive)),
            app: Arc::new(serde_json::from_value(app).unwrap()),
            mentions: Arc::new(Mentions { groups: [group('2')].into(), roles: BTreeSet::new() }),
        }
    }

    /// The headers at this second.
    fn at(&self, second: i64) -> HeaderMap {
        let whom = Whom { principal: &self.olive, app: &self.app, mentions: &self.mentions };
        let made = self.introductions.of(whom, Timestamp::from_seconds(second)).unwrap();
        let mut map = HeaderMap::new();
        made.headers().set(&mut map, "AA-1".to_owned()).unwrap();
        map
    }
}

#[test]
fn assertion_verifies_under_the_published_key_and_is_reused_for_30_seconds() {
    let introduced = Introduced::new();
    let first = introduced.at(1_000_000);
    assert_eq!(first, introduced.at(1_000_029));
    assert_ne!(first, introduced.at(1_000_030));
    assert_ne!(first, introduced.at(999_999), "a clock that goes back makes no assertion last");
    let jwks = Assertions::new("https://gate.example".to_owned(), &introduced.keys.assertion);
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_str(jwks.unwrap().jwks()).unwrap();
    let key = set.find(introduced.keys.assertion.kid()).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    rules.validate_exp = false;
    rules.set_audience(&["wiki"]);
    let assertion = first["x-gate-assertion"].to_str().unwrap();
    let read = jsonwebtoken::decode::<serde_json::Value>(assertion, &key, &rules).unwrap();
    assert_eq!(read.claims["exp"], 1_000_060);
    assert_eq!(read.claims["name"], "Olive");
    assert_eq!(read.claims["groups"], json!(["00000000-0000-0000-0000-000000000002"]));
}

/// For the same app, under the same rules and in the same second.
#[test]
fn one_person_is_never_introduced_as_another() {
    let mut introduced = Introduced::new();
    let olive = introduced.at(1_000_000);
    let Principal::User(mut other) = Principal::clone(&introduced.olive) else { unreachable!() };
    other.user_name = "oscar@example.com".to_owned();
    introduced.olive = PrincipalSnapshot::new(Principal::User(other));
    let oscar = introduced.at(1_000_000);
    assert_eq!(olive["x-gate-user"], "olive@example.com");
    assert_eq!(oscar["x-gate-user"], "oscar@example.com");
}

#[test]
fn new_rules_introduce_people_anew() {
    let mut introduced = Introduced::new();
    let before = introduced.at(1_000_000);
    assert_eq!(before["x-gate-groups"], "00000000-0000-0000-0000-000000000002");
    introduced.mentions = Arc::default();
    let after = introduced.at(1_000_000);
    assert_eq!(after["x-gate-groups"], "");
    let mut app = App::clone(&introduced.app);
    app.header_aliases.push(HeaderAlias::RemoteUser);
    introduced.app = Arc::new(app);
    assert_eq!(introduced.at(1_000_000)["remote-user"], "olive@example.com");
}

/// Where a frame of ours has room, byte by byte: `.` after a byte that leaves room, `-` after one that does not.
fn rooms(bytes: &[u8]) -> String {
    let mut frames = Frames::default();
    let mut after = |byte: &u8| {
        frames.pass(&[*byte]);
        if frames.has_room() { '.' } else { '-' }
    };
    bytes.iter().map(&mut after).collect()
}

#[test]
fn frame_of_ours_has_room_only_between_frames() {
    let long = [&[0x82, 126, 0, 3][..], b"abc", &[0x89, 0]].concat();
    let longer = [&[0x82, 127, 0, 0, 0, 0, 0, 0, 0, 2][..], b"ab"].concat();
    let masked = [&[0x81, 0x82, 1, 2, 3, 4][..], b"ab"].concat();
    for (bytes, expected) in [
        (&b"\x81\x02hi\x81\x00"[..], "---.-."),
        (&long, "------.-."),
        (&longer, "-----------."),
        (&masked, "-------."),
        (b"\x01\x01a\x80\x01b", "--.--."),
        // Nothing may follow a close frame.
        (b"\x88\x02\x03\xe8\x81\x00", "------"),
    ] {
        assert_eq!(rooms(bytes), expected, "{bytes:x?}");
        let mut at_once = Frames::default();
        at_once.pass(bytes);
        assert_eq!(at_once.has_room(), expected.ends_with('.'), "{bytes:x?}");
    }
    assert!(Frames::default().has_room());
}

#[test]
fn close_frames_are_masked_towards_servers_only() {
    assert_eq!(close_to_client(1008), [0x88, 2, 0x03, 0xf0]);
    let [head, length, a, b, c, d, high, low] = close_to_server(1001, [1, 2, 3, 4]);
    assert_eq!((head, length, [a, b, c, d]), (0x88, 0x82, [1, 2, 3, 4]));
    assert_eq!(u16::from_be_bytes([high ^ a, low ^ b]), 1001);
}
