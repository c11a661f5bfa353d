//! Facts about headers and frames that cross the gate.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::assertion::{About, Assertions};
use super::frames::{Frames, close_to_client, close_to_server};
use super::headers::{
    IdentityHeaders, TooLarge, check_inbound, clean_response, set_identity, strip_inbound,
};
use crate::keys::Keys;
use crate::model::app::HeaderAlias;
use crate::model::principal::PrincipalHash;
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

#[test]
fn identity_is_complete_and_empty_when_unset() {
    let mut map = HeaderMap::new();
    set_identity(&mut map, &IdentityHeaders::default()).unwrap();
    assert_eq!(map.len(), 8);
    assert!(map.values().all(HeaderValue::is_empty));
}

#[test]
fn values_can_neither_split_lists_nor_lines() {
    let mut map = HeaderMap::new();
    let identity = IdentityHeaders {
        user: "zoë".to_owned(),
        name: "a\r\nX: 1%".to_owned(),
        roles: vec!["Sales, Admins".to_owned(), "b".to_owned()],
        aliases: vec![HeaderAlias::RemoteUser],
        ..IdentityHeaders::default()
    };
    set_identity(&mut map, &identity).unwrap();
    assert_eq!(map["x-gate-name"], "a%0D%0AX:%201%25");
    assert_eq!(map["x-gate-roles"], "Sales%2C%20Admins,b");
    assert_eq!(map["remote-user"], "zo%C3%AB");
}

#[test]
fn identity_over_8_kib_is_refused_whole() {
    let mut map = HeaderMap::new();
    let mut identity = IdentityHeaders { name: "a".repeat(8192), ..IdentityHeaders::default() };
    assert_eq!(set_identity(&mut map, &identity), Ok(()));
    identity.user.push('a');
    let mut map = HeaderMap::new();
    assert_eq!(set_identity(&mut map, &identity), Err(TooLarge));
    assert!(map.is_empty());
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

#[test]
fn assertion_verifies_under_the_published_key_and_is_reused_for_30_seconds() {
    let home = tempfile::tempdir().unwrap();
    let keys = Keys::open(&home.path().join("keys")).unwrap();
    let made = Assertions::new("https://gate.example".to_owned(), &keys.assertion).unwrap();
    let about = About {
        sub: "t.o".to_owned(),
        name: "Olive".to_owned(),
        preferred_username: "olive".to_owned(),
        email: None,
        groups: Vec::new(),
        roles: vec!["a".to_owned()],
    };
    let app = "wiki".parse().unwrap();
    let at = |s| {
        made.assertion((PrincipalHash([0; 32]), &app), &about, Timestamp::from_seconds(s)).unwrap()
    };
    let first = at(1_000_000);
    assert_eq!(first, at(1_000_029));
    assert_ne!(first, at(1_000_030));
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_str(made.jwks()).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(set.find(keys.assertion.kid()).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    rules.validate_exp = false;
    rules.set_audience(&["wiki"]);
    let read = jsonwebtoken::decode::<serde_json::Value>(&*first, &key, &rules).unwrap();
    assert_eq!(read.claims["exp"], 1_000_060);
    assert_eq!(read.claims["sub"], "t.o");
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
