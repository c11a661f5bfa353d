//! Accepting connections and speaking HTTP/1.1 on them, with every limit set by hand.
//!
//! hyper leaves its header timeout off without a timer, and its own limits are generous; so there is one constructor,
//! and every listener of ours uses it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;

/// A client that has not sent its headers by then is cut off (slow headers hold a connection for nothing).
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const TLS_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_HEADERS: usize = 100;
/// Request line and headers together, with room for the largest access tokens (16 KiB lines). The size of the buffer
/// alone is no limit: what one read adds to it may still be parsed.
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// Connections at once; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 8_192;
/// After a failed accept (out of file descriptors), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Something that answers requests.
pub trait Answer: Send + Sync + 'static {
    /// Answers one request of a connection from `peer`.
    fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> impl Future<Output = Response> + Send;
}

impl Answer for super::front::Front {
    fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> impl Future<Output = Response> + Send {
        self.answer(request, peer)
    }
}

/// A router of ours that needs no front door: operators' pages, and the demo's other servers.
#[derive(Debug, Clone)]
pub struct Pages(pub Router);

impl Answer for Pages {
    async fn answer(&self, request: Request<Incoming>, _peer: SocketAddr) -> Response {
        match self.0.clone().call(request.map(Body::new)).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// A bound address and how to speak there.
#[derive(Debug)]
pub struct Listener {
    /// Where connections arrive.
    pub socket: TcpListener,
    /// TLS, when we end it ourselves.
    pub tls: Option<Arc<ServerConfig>>,
}

/// The HTTP/1.1 server with our limits.
pub fn http() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEADER_BYTES)
        .max_buf_size(MAX_HEADER_BYTES)
        .half_close(false);
    builder
}

impl Listener {
    /// Accepts until `stop`; each connection runs on `tasks` and drains when `stop` comes.
    pub async fn run<A: Answer>(self, answer: Arc<A>, tasks: TaskTracker, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let Some(Ok(slot)) = stop.run_until_cancelled(Arc::clone(&slots).acquire_owned()).await
            else {
                return;
            };
            match stop.run_until_cancelled(self.socket.accept()).await {
                None => return,
                Some(Ok((stream, peer))) => {
                    let connection = Connection { stream, peer, slot, tls: self.tls.clone() };
                    drop(tasks.spawn(connection.serve(Arc::clone(&answer), stop.clone())));
                }
                Some(Err(error)) => {
                    tracing::warn!(error = %error, "A connection could not be accepted.");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    slot: OwnedSemaphorePermit,
    tls: Option<Arc<ServerConfig>>,
}

impl Connection {
    async fn serve<A: Answer>(self, answer: Arc<A>, stop: CancellationToken) {
        let Self { stream, peer, slot, tls } = self;
        // Answers are written in one piece where they can be; waiting for more would only add delay.
        drop(stream.set_nodelay(true));
        match tls {
            None => speak(stream, peer, answer, stop).await,
            Some(config) => {
                let handshake = TlsAcceptor::from(config).accept(stream);
                match tokio::time::timeout(TLS_TIMEOUT, handshake).await {
                    Ok(Ok(stream)) => speak(stream, peer, answer, stop).await,
                    Ok(Err(error)) => tracing::debug!(error = %error, "A TLS handshake failed."),
                    Err(_late) => tracing::debug!("A TLS handshake took too long."),
                }
            }
        }
        drop(slot);
    }
}

async fn speak<A: Answer, S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: SocketAddr,
    answer: Arc<A>,
    stop: CancellationToken,
) {
    let service = service_fn(move |request| {
        let answer = Arc::clone(&answer);
        async move { Ok::<_, Infallible>(answer.answer(request, peer).await) }
    });
    let connection = http().serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = %error, "A connection ended early.");
    }
}
