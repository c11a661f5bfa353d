//! Facts about what is read of a request.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use http_body::Frame;

use super::super::cookie::{Carried, Cookie};
use super::super::hurry::within;

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

/// A body of which nothing ever comes.
struct Never;

impl http_body::Body for Never {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn body_that_never_comes_is_given_up() {
    let waits = to_bytes(within(Duration::from_millis(20), Body::new(Never)), 1024);
    let read = tokio::time::timeout(Duration::from_secs(10), waits).await;
    assert!(read.expect("it must not wait for ever").is_err());
    let whole = to_bytes(within(Duration::ZERO, Body::from("whole")), 1024).await;
    assert_eq!(whole.unwrap(), "whole");
}
