//! Connections to upstreams, kept open between requests.
//!
//! A wire is moved by whoever uses it, in the same task, and by nobody while it rests: a task per connection would cost
//! each request three turns of handing over. Two kinds of exchange have such a task all the same: a WebSocket, and an
//! answer that overtakes its request, whose rest must go on while nobody takes the answer.
//!
//! A request that an upstream had closed its connection on before anything was sent goes out on another. One of which
//! a byte may have left is never sent again.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::uri::InvalidUri;
use http::{Request, Response, Uri};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper::rt::Executor as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tower_service::Service as _;

use super::patience::Watched;
use crate::model::host::Origin;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Shorter than the idle limits of common servers, so that we close first.
const REST: Duration = Duration::from_secs(30);

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("the address can't be read")]
    Address(#[from] InvalidUri),
    #[error(transparent)]
    Connect(Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Exchange(#[from] hyper::Error),
}

/// The way to upstreams, with the connections that rest. Cheap to clone; all clones share them.
#[derive(Clone)]
pub(super) struct Wires(Arc<Shared>);

struct Shared {
    connector: HttpsConnector<HttpConnector>,
    resting: Mutex<Resting>,
    rest: Duration,
}

#[derive(Default)]
struct Resting {
    /// Of each upstream, the one that was used last at the end.
    lines: HashMap<Origin, Vec<(Instant, Line)>>,
    sweeper: Sweeper,
}

/// Who closes what has rested for too long.
#[derive(Default)]
enum Sweeper {
    /// Nobody, since nothing rests.
    #[default]
    Away,
    AtWork,
}

impl fmt::Debug for Wires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wires").finish_non_exhaustive()
    }
}

impl Wires {
    pub(super) fn new(tls: ClientConfig) -> Self {
        Self::resting(tls, REST)
    }

    fn resting(tls: ClientConfig, rest: Duration) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        http.set_nodelay(true);
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        let connector = https.enable_http1().wrap_connector(http);
        Self(Arc::new(Shared { connector, resting: Mutex::default(), rest }))
    }

    /// Sends a request whose target is a path, and waits for the head of the answer. The wire moves its body.
    ///
    /// # Errors
    /// When there is no connection, or no whole head came back on it.
    pub(super) async fn send(
        &self,
        to: &Origin,
        mut request: Request<Watched>,
    ) -> Result<(Response<Incoming>, Wire), WireError> {
        while let Some(line) = self.0.take(to) {
            match self.exchange(to, line, request).await {
                Ok(answer) => return Ok(answer),
                Err(mut error) => match error.take_message() {
                    // Nothing of it was sent.
                    Some(unsent) => request = unsent,
                    None => return Err(error.into_error().into()),
                },
            }
        }
        let line = self.0.connect(to).await?;
        self.exchange(to, line, request).await.map_err(|error| error.into_error().into())
    }

    /// Sends a request that may turn its connection into a tunnel.
    ///
    /// # Errors
    /// As for [`Self::send`].
    pub(super) async fn send_upgrade(
        &self,
        to: &Origin,
        request: Request<Watched>,
    ) -> Result<(Response<Incoming>, Wire), WireError> {
        let Line { mut sender, connection } = self.0.connect(to).await?;
        if let Some(connection) = connection {
            let tunnel = connection.with_upgrades();
            // How it ends shows in the answer and its body.
            TokioExecutor::new().execute(async { drop(tunnel.await) });
        }
        let answer = sender.send_request(request).await?;
        Ok((answer, Wire(Hold::Elsewhere)))
    }

    async fn exchange(
        &self,
        to: &Origin,
        mut line: Line,
        request: Request<Watched>,
    ) -> Result<(Response<Incoming>, Wire), TrySendError<Request<Watched>>> {
        let sent = request.body().end();
        let mut answer = pin!(line.sender.try_send_request(request));
        let answer = poll_fn(|context| {
            line.advance(context);
            // Only moving the connection brings the answer, so nothing else has to wake anybody.
            answer.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        });
        let answer = answer.await?;
        if !sent.is_reached() {
            if let Some(connection) = line.connection.take() {
                TokioExecutor::new().execute(async { drop(connection.await) });
            }
            return Ok((answer, Wire(Hold::Elsewhere)));
        }
        let home = Home { shared: Arc::clone(&self.0), to: to.clone() };
        Ok((answer, Wire(Hold::Here(Box::new((line, home))))))
    }
}

impl Shared {
    async fn connect(&self, to: &Origin) -> Result<Line, WireError> {
        let uri: Uri = to.url("/").parse()?;
        let mut connector = self.connector.clone();
        poll_fn(|context| connector.poll_ready(context)).await.map_err(WireError::Connect)?;
        let stream = connector.call(uri).await.map_err(WireError::Connect)?;
        let (sender, connection) = http1::handshake(stream).await?;
        Ok(Line { sender, connection: Some(Box::new(connection)) })
    }

    /// The connection that rested the shortest, if it did not rest for too long.
    fn take(&self, to: &Origin) -> Option<Line> {
        let (since, line) = self.lock().lines.get_mut(to)?.pop()?;
        (since.elapsed() < self.rest).then_some(line)
    }

    fn put(self: &Arc<Self>, to: Origin, line: Line) {
        let mut resting = self.lock();
        resting.lines.entry(to).or_default().push((Instant::now(), line));
        if matches!(resting.sweeper, Sweeper::Away) {
            resting.sweeper = Sweeper::AtWork;
            TokioExecutor::new().execute(sweep(Arc::downgrade(self), self.rest));
        }
    }

    /// Closes what has rested for too long.
    fn sweep(&self) -> Sweeper {
        let mut resting = self.lock();
        for lines in resting.lines.values_mut() {
            lines.retain(|(since, _)| since.elapsed() < self.rest);
        }
        resting.lines.retain(|_, lines| !lines.is_empty());
        if resting.lines.is_empty() {
            resting.sweeper = Sweeper::Away;
            return Sweeper::Away;
        }
        Sweeper::AtWork
    }

    fn lock(&self) -> MutexGuard<'_, Resting> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn sweep(shared: Weak<Shared>, rest: Duration) {
    loop {
        tokio::time::sleep(rest / 2).await;
        match shared.upgrade().map(|shared| shared.sweep()) {
            Some(Sweeper::AtWork) => {}
            Some(Sweeper::Away) | None => return,
        }
    }
}

/// A connection, and how requests get on it.
struct Line {
    sender: SendRequest<Watched>,
    /// None once it has ended.
    connection: Option<Box<Connection<Stream, Watched>>>,
}

impl Line {
    /// Moves the connection as far as it goes. Why it ends shows in the answer or its body.
    fn advance(&mut self, context: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && Pin::new(connection).poll(context).is_ready()
        {
            self.connection = None;
        }
    }
}

/// Where a connection rests.
struct Home {
    shared: Arc<Shared>,
    to: Origin,
}

/// What moves the body of an answer.
pub(super) struct Wire(Hold);

enum Hold {
    /// Whoever reads the body.
    Here(Box<(Line, Home)>),
    /// A task, or nothing any more.
    Elsewhere,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl Wire {
    /// The next piece of the body.
    pub(super) fn poll_frame(
        &mut self,
        body: &mut Incoming,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Hold::Here(held) = &mut self.0 else { return Pin::new(body).poll_frame(context) };
        let mut asleep = Context::from_waker(Waker::noop());
        let polled = Pin::new(&mut *body).poll_frame(&mut asleep);
        if polled.is_ready() {
            return polled;
        }
        held.0.advance(context);
        Pin::new(body).poll_frame(&mut asleep)
    }

    /// Nothing more is wanted of the body. Only a connection that waits for another request is kept, which it does once
    /// the answer is complete and both sides want to go on.
    pub(super) fn rest(&mut self) {
        let Hold::Here(held) = std::mem::replace(&mut self.0, Hold::Elsewhere) else { return };
        if Handle::try_current().is_err() {
            // Everything is coming down.
            return;
        }
        let (mut line, Home { shared, to }) = *held;
        // Nobody is to be woken by what happens to it while it rests.
        line.advance(&mut Context::from_waker(Waker::noop()));
        if line.connection.is_some() && line.sender.is_ready() {
            shared.put(to, line);
        }
    }
}

#[cfg(test)]
#[path = "tests/wires.rs"]
mod tests;
