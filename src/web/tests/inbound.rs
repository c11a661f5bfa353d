//! Facts about what is read of a request.

use http::{HeaderMap, HeaderValue, header};

use super::super::cookie::{Carried, Cookie};

fn carried(lines: &[&[u8]]) -> Carried {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
    }
    Cookie::Session.read(&"https://app.example.com".parse().unwrap(), &headers)
}

#[test]
fn foreign_cookies_that_are_not_ascii_do_not_hide_ours() {
    let one = Carried::One("x".to_owned());
    assert_eq!(carried(&["theme=bl\u{e9}; __Host-gate_session=x".as_bytes()]), one);
    assert_eq!(carried(&[b"__Host-gate_session=x; a=\xff"]), one);
    assert_eq!(carried(&[b"\xff=1", b"__Host-gate_session=x"]), one);
}

#[test]
fn cookies_of_our_name_count_whatever_they_hold() {
    assert_eq!(carried(&[b"__Host-gate_session=x; __Host-gate_session=\xff"]), Carried::Several);
    assert_eq!(carried(&[b"__Host-gate_session=x", b"__Host-gate_session=y"]), Carried::Several);
    for other in [&b"__host-gate_session=x"[..], b"__Host-gate_session2=x", b"gate_session=x"] {
        assert_eq!(carried(&[other]), Carried::Nothing);
    }
}
