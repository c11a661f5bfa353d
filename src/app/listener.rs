//! Accepting connections and speaking HTTP/1.1 on them, with every limit set by hand.
//!
//! hyper leaves its header timeout off without a timer, and its own limits are generous; so there is one constructor,
//! and every listener of ours uses it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, CONNECTION};
use http::{HeaderValue, Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;

use super::crowd::{Crowd, Limits};
use super::stream::Severable;
use crate::telemetry::Metrics;
use crate::web::lease::{Cut, Lease};

/// A client that has not sent its headers by then is cut off (slow headers hold a connection for nothing).
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const TLS_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_HEADERS: usize = 100;
/// Request line and headers together, with room for the largest access tokens (16 KiB lines). The size of the buffer
/// alone is no limit: what one read adds to it may still be parsed.
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// After a failed accept (out of file descriptors), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// What goes wrong while accepting goes wrong many times a second; it is logged at most this often.
const SAID_EVERY: Duration = Duration::from_secs(10);

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
    /// How many connections there may be.
    pub limits: Limits,
    /// Where panics are counted.
    pub metrics: Metrics,
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
        let slots = Arc::new(Semaphore::new(self.limits.total));
        let crowd = Crowd::new(&self.limits);
        let service = Arc::new(Guarded { answer, metrics: self.metrics });
        let (mut failures, mut closed) = (Seldom::default(), Seldom::default());
        loop {
            let Some(Ok(slot)) = stop.run_until_cancelled(Arc::clone(&slots).acquire_owned()).await
            else {
                return;
            };
            match stop.run_until_cancelled(self.socket.accept()).await {
                None => return,
                Some(Ok((stream, peer))) => {
                    let Some(place) = crowd.enter(peer.ip()) else {
                        if let Some(since) = closed.say(Instant::now()) {
                            tracing::warn!(client = %peer.ip(), since, "A client has too many connections; further ones are closed.");
                        }
                        continue;
                    };
                    let lease = Lease::new((slot, place), Cut::default());
                    let connection = Connection { stream, peer, lease, tls: self.tls.clone() };
                    drop(tasks.spawn(connection.serve(Arc::clone(&service), stop.clone())));
                }
                Some(Err(error)) => {
                    if let Some(since) = failures.say(Instant::now()) {
                        tracing::warn!(error = %error, since, "Connections could not be accepted.");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    lease: Lease,
    tls: Option<Arc<ServerConfig>>,
}

impl Connection {
    async fn serve<A: Answer>(self, service: Arc<Guarded<A>>, stop: CancellationToken) {
        let Self { stream, peer, lease, tls } = self;
        let client = Client { peer, lease };
        // Answers are written in one piece where they can be; waiting for more would only add delay.
        drop(stream.set_nodelay(true));
        let stream = Severable::new(stream, client.lease.cut().clone());
        match tls {
            None => speak(stream, client, service, stop).await,
            Some(config) => {
                let handshake = TlsAcceptor::from(config).accept(stream);
                match tokio::time::timeout(TLS_TIMEOUT, handshake).await {
                    Ok(Ok(stream)) => speak(stream, client, service, stop).await,
                    Ok(Err(error)) => tracing::debug!(error = %error, "A TLS handshake failed."),
                    Err(_late) => tracing::debug!("A TLS handshake took too long."),
                }
            }
        }
    }
}

/// The other side of a connection.
#[derive(Clone)]
struct Client {
    peer: SocketAddr,
    lease: Lease,
}

/// An answer that can panic without taking its connection down unanswered.
struct Guarded<A> {
    answer: Arc<A>,
    metrics: Metrics,
}

impl<A: Answer> Guarded<A> {
    async fn answer(&self, mut request: Request<Incoming>, client: Client) -> Response {
        request.extensions_mut().insert(client.lease);
        // What a panic leaves half done is shared only behind locks, which are read as they are afterwards.
        let answer = AssertUnwindSafe(async { self.answer.answer(request, client.peer).await });
        answer.catch_unwind().await.unwrap_or_else(|_panic| {
            self.metrics.panicked();
            tracing::error!("Answering a request panicked; this is a fault of Cedargate.");
            broken()
        })
    }
}

/// Nothing is known of the request any more: no page, and no further request on its connection.
fn broken() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Something that is logged at most every [`SAID_EVERY`].
#[derive(Debug, Default)]
struct Seldom {
    said: Option<Instant>,
    unsaid: u64,
}

impl Seldom {
    /// Whether to log at `now`: then how often it happened since the last time, this one included.
    fn say(&mut self, now: Instant) -> Option<u64> {
        self.unsaid = self.unsaid.saturating_add(1);
        if self.said.is_some_and(|said| now.saturating_duration_since(said) < SAID_EVERY) {
            return None;
        }
        self.said = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}

async fn speak<A: Answer, S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    client: Client,
    service: Arc<Guarded<A>>,
    stop: CancellationToken,
) {
    let cut = client.lease.cut().clone();
    let service = service_fn(move |request| {
        let (service, client) = (Arc::clone(&service), client.clone());
        async move { Ok::<_, Infallible>(service.answer(request, client).await) }
    });
    let connection = http().serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let to_the_end = async {
        tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    tokio::select! {
        ended = to_the_end => if let Err(error) = ended {
            tracing::debug!(error = %error, "A connection ended early.");
        },
        () = cut.wanted() => tracing::debug!("A connection was cut."),
    }
}

#[cfg(test)]
#[path = "tests/listener.rs"]
mod tests;
