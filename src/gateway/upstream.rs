//! Where traffic leaves: the only place that takes a [`Permit`].

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::headers;
use super::open::Watch;
use super::patience::Watched;
use super::streaming::Streamed;
use super::tunnel::{ClientEnd, Hold, tunnel};
use super::websocket::{self, Upgrade};
use super::wires::{Wire, WireError, Wires};
use crate::audit::Permit;
use crate::model::cut::ConnectionKind;
use crate::model::host::Origin;

/// How long an upstream may stay silent before its answer begins.
const PATIENCE: Duration = Duration::from_mins(1);
/// An exchange that waits longer than this for its answer to begin is watched.
const MOMENT: Duration = Duration::from_secs(1);

/// The client that carries allowed requests. Cheap to clone; all clones share the connections.
#[derive(Debug, Clone)]
pub struct Upstream {
    wires: Wires,
    tasks: TaskTracker,
    stop: CancellationToken,
    patience: Duration,
}

/// A request ready to leave: hygiene done, identity set.
#[derive(Debug)]
pub(super) struct Carriage {
    pub(super) to: Origin,
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) upgrade: Upgrade,
    pub(super) client: Option<ClientEnd>,
    pub(super) watch: Watch,
}

/// Why an upstream gave no answer that can be passed on.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpstreamError {
    /// It could not be reached, or broke off.
    #[error("the upstream could not be reached or broke off")]
    Failed(#[from] WireError),
    /// It stayed silent for too long.
    #[error("the upstream stayed silent for {} s", .0.as_secs())]
    Silent(Duration),
    /// It switched protocols without being asked, or without completing the handshake.
    #[error("the upstream switched protocols out of turn")]
    OutOfTurn,
}

impl Upstream {
    /// A client whose tunnels run on `tasks` and end at `stop`.
    ///
    /// # Errors
    /// When TLS can't be set up, which would be a fault of this build.
    pub fn new(tasks: TaskTracker, stop: CancellationToken) -> Result<Self, rustls::Error> {
        let wires = Wires::new(tls()?);
        Ok(Self { wires, tasks, stop, patience: PATIENCE })
    }

    /// The same client with another limit for silence.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sends an allowed request on its way. The permit is spent.
    pub(super) async fn forward(
        &self,
        permit: Permit,
        carriage: Carriage,
    ) -> Result<Response, UpstreamError> {
        drop(permit);
        let Carriage { to, method, target, mut headers, body, upgrade, client, mut watch } =
            carriage;
        // `Expect` was answered by us.
        headers.remove(header::EXPECT);
        frame(&mut headers, &method, &body);
        if upgrade != Upgrade::None {
            websocket::announce(&mut headers);
        }
        let target = PathAndQuery::from_maybe_shared(target).map_err(WireError::from)?;
        let mut request = Request::new(Watched::new(body, watch.open().pulse.clone()));
        (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) =
            (method, target.into(), headers);
        let (answer, wire) = tokio::select! {
            answer = self.send(&to, request, &upgrade) => answer?,
            () = self.wait(&mut watch) => return Err(UpstreamError::Silent(self.patience)),
        };
        self.receive(answer, &upgrade, Ends { client, wire, watch })
    }

    async fn send(
        &self,
        to: &Origin,
        request: Request<Watched>,
        upgrade: &Upgrade,
    ) -> Result<(http::Response<Incoming>, Wire), WireError> {
        match upgrade {
            Upgrade::None => self.wires.send(to, request).await,
            Upgrade::WebSocket(_) => self.wires.send_upgrade(to, request).await,
        }
    }

    /// Waits for as long as something moves; after a moment under the eyes of the watcher.
    async fn wait(&self, watch: &mut Watch) {
        tokio::time::sleep(MOMENT.min(self.patience)).await;
        watch.enter(ConnectionKind::Request);
        watch.open().pulse.still_for(self.patience).await;
    }

    fn receive(
        &self,
        mut answer: http::Response<Incoming>,
        upgrade: &Upgrade,
        ends: Ends,
    ) -> Result<Response, UpstreamError> {
        let Ends { client, mut wire, watch } = ends;
        let switched = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
        let tunnel = match (upgrade, client) {
            (Upgrade::WebSocket(key), Some(client)) if switched => {
                if !websocket::completes(answer.status(), answer.headers(), key) {
                    return Err(UpstreamError::OutOfTurn);
                }
                Some((client, hyper::upgrade::on(&mut answer)))
            }
            (Upgrade::None | Upgrade::WebSocket(_), _) if switched => {
                return Err(UpstreamError::OutOfTurn);
            }
            (Upgrade::None | Upgrade::WebSocket(_), _) => None,
        };
        headers::clean_response(answer.headers_mut());
        if let Some((client, upstream)) = tunnel {
            websocket::announce(answer.headers_mut());
            self.open_tunnel(client, upstream, watch);
            return Ok(answer.map(|_no_body| Body::empty()));
        }
        Ok(answer.map(|body| {
            // A body that is complete already is nothing to watch.
            if body.is_end_stream() {
                wire.rest();
                Body::empty()
            } else {
                Body::new(Streamed::new(body, wire, watch))
            }
        }))
    }

    fn open_tunnel(&self, client: ClientEnd, upstream: OnUpgrade, mut watch: Watch) {
        watch.enter(ConnectionKind::WebSocket);
        let hold = Hold { watch, stop: self.stop.clone() };
        drop(self.tasks.spawn(tunnel(client, upstream, hold)));
    }
}

/// What an answer goes on with: the client's end, should it become a tunnel, what moves its body, and the eyes on it.
struct Ends {
    client: Option<ClientEnd>,
    wire: Wire,
    watch: Watch,
}

/// Frames a request anew from its body as it was read (RFC 9112 section 6). The client library would drop a chunked body
/// of a GET, and say nothing of an empty one where servers insist on its length.
fn frame(headers: &mut HeaderMap, method: &Method, body: &Body) {
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::TRANSFER_ENCODING);
    let has_meaning = [Method::POST, Method::PUT, Method::PATCH].contains(method);
    match body.size_hint().exact() {
        Some(0) if !has_meaning => {}
        Some(length) => drop(headers.insert(header::CONTENT_LENGTH, length.into())),
        None => {
            drop(headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked")));
        }
    }
}

/// TLS to upstreams: the system's certificate authorities. Where there are none, every https upstream fails, closed.
fn tls() -> Result<ClientConfig, rustls::Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _unusable) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        tracing::warn!(
            "This machine has no certificate authorities; https upstreams can't be reached."
        );
    }
    let builder = ClientConfig::builder_with_provider(ring::default_provider().into());
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
