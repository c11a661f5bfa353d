//! Connections to upstreams: used again, given up, and never used twice for one request.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{FutureExt as _, stream};
use http::{Method, Request};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::super::patience::{Pulse, Watched};
use super::{Wire, Wires};
use crate::model::host::Origin;

const EMPTY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

fn wires(rest: Duration) -> Wires {
    let tls = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Wires::resting(tls, rest)
}

async fn upstream() -> (TcpListener, Origin) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    (listener, origin)
}

fn request(method: Method, path: &str, body: Body) -> Request<Watched> {
    let mut request = Request::new(Watched::new(body, Pulse::new()));
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().unwrap();
    request
}

fn post(path: &str) -> Request<Watched> {
    request(Method::POST, path, Body::from("x"))
}

/// Reads until all of this has come, and gives what came.
async fn read_until(server: &mut TcpStream, end: &str) -> String {
    let mut seen = Vec::new();
    while !seen.ends_with(end.as_bytes()) {
        assert_ne!(server.read_buf(&mut seen).await.unwrap(), 0, "closed early");
    }
    String::from_utf8(seen).unwrap()
}

/// Answers one request on a new connection, and gives that.
async fn answered(wires: &Wires, (listener, origin): (&TcpListener, &Origin)) -> TcpStream {
    let serve = async {
        let (mut server, _) = listener.accept().await.unwrap();
        read_until(&mut server, "x").await;
        server.write_all(EMPTY.as_bytes()).await.unwrap();
        server
    };
    let ask = async {
        let (_, mut wire) = wires.send(origin, post("/first")).await.unwrap();
        wire.rest();
    };
    tokio::join!(serve, ask).0
}

#[tokio::test]
async fn request_that_could_not_begin_goes_out_on_another_connection() {
    let (wires, (listener, origin)) = (wires(Duration::from_secs(30)), upstream().await);
    drop(answered(&wires, (&listener, &origin)).await);
    // The end of the first connection has arrived once that of a later one has.
    let mut later = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    drop(listener.accept().await.unwrap());
    assert_eq!(later.read(&mut [0]).await.unwrap(), 0);
    let serve = async {
        let (mut server, _) = listener.accept().await.unwrap();
        let seen = read_until(&mut server, "x").await;
        server.write_all(EMPTY.as_bytes()).await.unwrap();
        seen
    };
    let (seen, answer) = tokio::join!(serve, wires.send(&origin, post("/second")));
    assert!(seen.starts_with("POST /second HTTP/1.1\r\n"), "{seen}");
    assert_eq!(answer.unwrap().0.status(), 200);
}

#[tokio::test]
async fn request_that_was_sent_is_not_sent_again() {
    let (wires, (listener, origin)) = (wires(Duration::from_secs(30)), upstream().await);
    let mut server = answered(&wires, (&listener, &origin)).await;
    let break_off = async {
        read_until(&mut server, "x").await;
        drop(server);
    };
    let ((), answer) = tokio::join!(break_off, wires.send(&origin, post("/second")));
    assert!(answer.is_err());
    assert!(listener.accept().now_or_never().is_none(), "sent again");
}

#[tokio::test]
async fn connection_that_rests_for_too_long_is_closed() {
    let (wires, (listener, origin)) = (wires(Duration::from_millis(1)), upstream().await);
    let mut server = answered(&wires, (&listener, &origin)).await;
    assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn answer_that_overtakes_its_request_does_not_hold_it_up() {
    const CHUNKS: usize = 256;
    let (wires, (listener, origin)) = (wires(Duration::from_secs(30)), upstream().await);
    let (chunks, body) = mpsc::channel::<Bytes>(1);
    let body = stream::unfold(body, async |mut body| {
        let chunk = body.recv().await?;
        Some((Ok::<_, std::io::Error>(chunk), body))
    });
    let sending = wires.send(&origin, request(Method::POST, "/", Body::from_stream(body)));
    let begin = async {
        let (mut server, _) = listener.accept().await.unwrap();
        read_until(&mut server, "\r\n\r\n").await;
        server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n").await.unwrap();
        server
    };
    let (answer, mut server) = tokio::join!(sending, begin);
    let (answer, wire) = answer.unwrap();
    // Nobody reads the answer; all of the request gets through.
    let upload = async {
        for _ in 0..CHUNKS {
            chunks.send(Bytes::from(vec![b'x'; 64 * 1024])).await.unwrap();
        }
        drop(chunks);
    };
    let take = async {
        read_until(&mut server, "\r\n0\r\n\r\n").await;
        server.write_all(b"ok").await.unwrap();
    };
    tokio::join!(upload, take);
    assert_eq!(whole(answer.into_body(), wire).await, "ok");
}

async fn whole(body: hyper::body::Incoming, wire: Wire) -> Bytes {
    let mut held = (body, wire);
    let mut all = Vec::new();
    while let Some(frame) =
        std::future::poll_fn(|context| held.1.poll_frame(&mut held.0, context)).await
    {
        all.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    all.into()
}
