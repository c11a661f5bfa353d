//! The front door: reads host and path in the only way they can be read, and shows each request to its door.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{Method, Request, header};
use hyper::body::Incoming;
use ipnet::IpNet;
use tower_service::Service;

use crate::authz::path::{CanonicalPath, PathRefusal, read_target_where};
use crate::authz::snapshot::Snapshot;
use crate::gateway::Gateway;
use crate::live::Live;
use crate::model::app::App;
use crate::model::host::{Host, Origin};
use crate::model::id::{OriginId, RequestId};
use crate::model::record::{Door, Refusal, RequestFacts};
use crate::model::time::Clock;
use crate::web::client::client_address;
use crate::web::exchange::Exchange;
use crate::web::house::Ground;
use crate::web::hurry::hurried;
use crate::web::refuser::{Refused, Refuser};
use crate::web::wants::Wants;

/// Everything that a request can be shown to.
#[derive(Debug)]
pub struct Front {
    /// The apps.
    pub live: Live,
    /// The door to them.
    pub gateway: Gateway,
    /// Pages on Cedargate's own host.
    pub own: Router,
    /// Pages under `/_gate/` on app hosts.
    pub on_apps: Router,
    /// For requests that no door is shown.
    pub refuser: Refuser,
    /// Cedargate's own origin.
    pub public: Origin,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted: Vec<IpNet>,
    /// The time.
    pub clock: Clock,
    /// Names for exchanges.
    pub names: Names,
}

/// Names for exchanges: a random part per process and a counter.
#[derive(Debug)]
pub struct Names {
    process: OriginId,
    next: AtomicU64,
}

impl Names {
    /// Names that no other process gives.
    pub fn new(random: [u8; 5]) -> Self {
        Self { process: OriginId::from_bytes(random), next: AtomicU64::new(1) }
    }

    fn next(&self) -> RequestId {
        RequestId::new(self.process, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// Where a host leads.
enum Place {
    Own,
    App(Arc<App>, Origin),
}

impl Front {
    /// Answers one request of a connection from `peer`.
    pub async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response {
        let request = request.map(Body::new);
        let arrival = self.arrival(&request, peer);
        let snapshot = self.live.current();
        match self.admit(&snapshot, arrival, &request) {
            Ok((exchange, place)) => self.show(&snapshot, (exchange, place), request).await,
            Err((arrival, refusal)) => self.refuser.refuse(*arrival, refusal).await,
        }
    }

    fn arrival(&self, request: &Request<Body>, peer: SocketAddr) -> Refused {
        let facts = RequestFacts {
            request: self.names.next(),
            door: Door::Proxy,
            client: client_address(peer.ip(), request.headers(), &self.trusted),
            method: request.method().as_str().chars().take(32).collect(),
            host: None,
            path: String::new(),
            unfolded: None,
        };
        let wants = Wants::of(request.method(), request.headers());
        Refused { facts, ground: Ground::Unknown, wants, at: self.clock.now() }
    }

    /// Places a request, or refuses it with what is known so far.
    fn admit(
        &self,
        snapshot: &Snapshot,
        mut arrival: Refused,
        request: &Request<Body>,
    ) -> Result<(Exchange, Place), (Box<Refused>, Refusal)> {
        let raw = raw_target(request);
        let refused = |mut arrival: Refused, refusal| {
            arrival.facts.path = path_as_sent(raw);
            Err((Box::new(arrival), refusal))
        };
        // A tunnel has no path that could be decided on (RFC 9110 section 9.3.6).
        if *request.method() == Method::CONNECT {
            return refused(arrival, Refusal::MethodNotAllowed);
        }
        let host = match host_of(request) {
            Ok(host) => host,
            Err(refusal) => return refused(arrival, refusal),
        };
        let place = self.place(snapshot, &host);
        arrival.facts.host = Some(host);
        let Some(place) = place else { return refused(arrival, Refusal::UnknownHost) };
        let (ground, app_id) = match &place {
            Place::Own => (Ground::Own, None),
            Place::App(app, _) => (Ground::App, Some(&app.id)),
        };
        arrival.ground = ground;
        let (path, query) = match read(raw, |path| snapshot.keeps_slashes(app_id, path)) {
            Ok(read) => read,
            Err(refusal) => return refused(arrival, refusal),
        };
        let folded = snapshot.folded(app_id, &path).filter(|folded| *folded != path);
        folded.as_ref().unwrap_or(&path).as_str().clone_into(&mut arrival.facts.path);
        arrival.facts.unfolded = folded.map(|_| path.into());
        let (origin, app) = match &place {
            Place::Own => (self.public.clone(), None),
            Place::App(app, origin) => (origin.clone(), Some(Arc::clone(app))),
        };
        let Refused { facts, wants, at, .. } = arrival;
        Ok((Exchange { facts, origin, app, query, wants, at }, place))
    }

    fn place(&self, snapshot: &Snapshot, host: &Host) -> Option<Place> {
        if host == self.public.host() {
            return Some(Place::Own);
        }
        let app = snapshot.app(host)?;
        let origin = app.origin_of(host)?.clone();
        Some(Place::App(Arc::clone(app), origin))
    }

    async fn show(
        &self,
        snapshot: &Snapshot,
        placed: (Exchange, Place),
        request: Request<Body>,
    ) -> Response {
        let (mut exchange, place) = placed;
        let reserved =
            exchange.facts.path == "/_gate" || exchange.facts.path.starts_with("/_gate/");
        match place {
            Place::App(_, _) if !reserved => {
                self.gateway.serve(snapshot, &Arc::new(exchange), request).await
            }
            Place::App(_, _) => {
                exchange.facts.door = Door::Own;
                route(&self.on_apps, exchange, request).await
            }
            Place::Own => {
                exchange.facts.door = Door::Own;
                route(&self.own, exchange, request).await
            }
        }
    }
}

/// Lets a router of ours answer; its handlers find the exchange among the extensions.
async fn route(router: &Router, exchange: Exchange, mut request: Request<Body>) -> Response {
    request.extensions_mut().insert(Arc::new(exchange));
    match router.clone().call(request.map(hurried)).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The target after scheme and authority, as it came.
fn raw_target(request: &Request<Body>) -> &str {
    request.uri().path_and_query().map_or("", http::uri::PathAndQuery::as_str)
}

/// What a record keeps of a target that may never be read: its path, cut and escaped. The query can hold secrets, so it
/// stays out here as everywhere.
fn path_as_sent(raw: &str) -> String {
    let path = raw.split('?').next().unwrap_or("");
    path.chars().take(200).flat_map(char::escape_default).collect()
}

fn read(
    raw: &str,
    keeps_slashes: impl FnOnce(&CanonicalPath) -> bool,
) -> Result<(CanonicalPath, Option<String>), Refusal> {
    match read_target_where(raw.as_bytes(), keeps_slashes) {
        Ok(target) => Ok((target.path, target.query.map(ToOwned::to_owned))),
        Err(PathRefusal::TooLong) => Err(Refusal::TooLong),
        Err(refusal) => Err(Refusal::AmbiguousPath { rule: refusal.rule() }),
    }
}

/// The one host of a request: the `Host` header, once, and equal to the target's authority where that has one (RFC 9112
/// section 3.2).
fn host_of(request: &Request<Body>) -> Result<Host, Refusal> {
    let mut lines = request.headers().get_all(header::HOST).into_iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Err(Refusal::AmbiguousHost);
    };
    let host = line.to_str().map_err(|_| Refusal::AmbiguousHost)?;
    let host = Host::from_authority(host).map_err(|_| Refusal::AmbiguousHost)?;
    match request.uri().authority().map(|authority| Host::from_authority(authority.as_str())) {
        None => Ok(host),
        Some(Ok(named)) if named == host => Ok(host),
        Some(Ok(_) | Err(_)) => Err(Refusal::AmbiguousHost),
    }
}

/// Refuses an address of ours where nothing is, on record like any other refusal: somebody may be looking for a way in.
pub async fn nothing_here(
    refuser: Refuser,
    axum::Extension(exchange): axum::Extension<Arc<Exchange>>,
) -> Response {
    refuser.refuse((&*exchange).into(), Refusal::NotFound).await
}

/// Refuses a method that a page of ours does not have, on record like any other refusal. The router names the methods
/// that it has in `Allow`.
pub async fn wrong_method(
    refuser: Refuser,
    axum::Extension(exchange): axum::Extension<Arc<Exchange>>,
) -> Response {
    let mut response = refuser.refuse((&*exchange).into(), Refusal::MethodNotAllowed).await;
    response.headers_mut().remove(header::ALLOW);
    response
}

#[cfg(test)]
#[path = "tests/front.rs"]
mod tests;
