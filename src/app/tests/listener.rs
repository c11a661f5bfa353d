//! Connections beyond a limit, and answers that panic, over real sockets.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::crowd::Limits;
use super::{Answer, Listener, Seldom};
use crate::telemetry::Metrics;
use crate::web::lease::Lease;

const PATIENCE: Duration = Duration::from_secs(10);

/// Answers every path, keeps the lease of `/keep`, and panics at `/panic`.
#[derive(Default)]
struct Desk {
    kept: Mutex<Option<Lease>>,
}

impl Answer for Desk {
    async fn answer(&self, mut request: Request<Incoming>, _peer: SocketAddr) -> Response {
        match request.uri().path() {
            "/panic" => panic!("as asked"),
            "/keep" => *self.kept.lock().unwrap() = request.extensions_mut().remove(),
            _ => {}
        }
        Response::new(Body::from("here"))
    }
}

struct Server {
    address: SocketAddr,
    desk: Arc<Desk>,
    metrics: Metrics,
    _stop: tokio_util::sync::DropGuard,
}

async fn server(total: usize, per_client: usize) -> Server {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (socket.local_addr().unwrap(), CancellationToken::new());
    let (desk, metrics, tasks) = (Arc::<Desk>::default(), Metrics::new(), TaskTracker::new());
    let limits = Limits { total, per_client, uncounted: Vec::new() };
    let listener = Listener { socket, tls: None, limits, metrics: metrics.clone() };
    drop(tasks.spawn(listener.run(Arc::clone(&desk), tasks.clone(), stop.clone())));
    Server { address, desk, metrics, _stop: stop.drop_guard() }
}

impl Server {
    /// A connection on which one request was answered, or what came instead of an answer.
    async fn visit(&self, path: &str) -> Result<TcpStream, String> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        let mut text = String::new();
        // A connection that is closed at once may fail at any of these.
        if stream.write_all(request.as_bytes()).await.is_err() {
            return Err(text);
        }
        let mut buffer = [0; 1_024];
        while !text.ends_with("here") {
            match timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap() {
                Ok(0) | Err(_) => return Err(text),
                Ok(count) => text.push_str(std::str::from_utf8(&buffer[..count]).unwrap()),
            }
        }
        Ok(stream)
    }

    /// Comes again until it is let in: the server learns of a close only some time after it.
    async fn come_again(&self) -> TcpStream {
        let visits = async {
            loop {
                if let Ok(stream) = self.visit("/").await {
                    return stream;
                }
            }
        };
        timeout(PATIENCE, visits).await.unwrap()
    }
}

#[tokio::test]
async fn connections_of_one_client_beyond_its_share_are_closed_at_once() {
    let server = server(8, 2).await;
    let first = server.visit("/").await.unwrap();
    let _second = server.visit("/").await.unwrap();
    assert_eq!(server.visit("/").await.unwrap_err(), "");
    drop(first);
    let _third = server.come_again().await;
}

#[tokio::test]
async fn connections_beyond_the_total_wait_for_one_to_end() {
    let server = server(1, 8).await;
    let first = server.visit("/").await.unwrap();
    let mut waiting = std::pin::pin!(server.visit("/"));
    assert!(timeout(Duration::from_millis(100), waiting.as_mut()).await.is_err());
    drop(first);
    assert!(waiting.await.is_ok());
}

#[tokio::test]
async fn what_keeps_the_lease_of_a_connection_counts_as_one() {
    let server = server(8, 1).await;
    let mut stream = server.visit("/keep").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0, "the server has ended the connection");
    assert_eq!(server.visit("/").await.unwrap_err(), "");
    drop(server.desk.kept.lock().unwrap().take());
    let _next = server.come_again().await;
}

#[tokio::test]
async fn an_answer_that_panics_is_a_bare_500_and_counted() {
    let server = server(8, 8).await;
    let answer = server.visit("/panic").await.unwrap_err();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 500 "), "{head}");
    assert!(head.contains("\r\nconnection: close"), "{head}");
    assert!(head.contains("\r\ncache-control: no-store"), "{head}");
    assert_eq!(body, "");
    assert!(server.metrics.encode().unwrap().contains("cedargate_panics_total 1\n"));
    assert!(server.visit("/").await.is_ok());
}

#[test]
fn what_goes_wrong_many_times_is_said_once_in_a_while() {
    let (mut seldom, start) = (Seldom::default(), Instant::now());
    for (after, said) in
        [(0, Some(1)), (50, None), (9_999, None), (10_000, Some(3)), (10_001, None)]
    {
        assert_eq!(seldom.say(start + Duration::from_millis(after)), said, "{after} ms");
    }
}
