//! Signing in and out as browsers do it: the real routers, sessions, log and database, and the simulator of Entra.

mod answers;
mod attacks;
mod clock;
mod crowding;
mod flow;
mod front_channel;
mod handover;
mod hostile_returns;
mod out;
mod step_up;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Method, Request, StatusCode, header};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::*;
use crate::audit::tests::ward;
use crate::audit::{self, AuditSettings};
use crate::authz::compile::{MfaSetting, Terms};
use crate::idp::EntraSettings;
use crate::keys::Keys;
use crate::model::app::App;
use crate::model::entra::{Cloud, Credential, GroupSource};
use crate::model::host::Host;
use crate::model::id::ReleaseNumber;
use crate::model::record::{ClientAddress, Door, RequestFacts};
use crate::model::rule_book::RuleBook;
use crate::model::time::Timestamp;
use crate::session::{Parts, SessionLimits};
use crate::sim::people::{CLIENT, TENANT, contoso};
use crate::sim::{Panel, Registration, Sim, SimSettings};
use crate::store::audit::AuditReader;
use crate::web::exchange::Exchange;
use crate::web::flood::{Flood, Limit};
use crate::web::house::House;
use crate::web::wants::Wants;

const GATE: &str = "http://localhost:8080";
const APP: &str = "http://app.localhost:8080";
const OTHER: &str = "http://other.localhost:8080";
const HERE: ClientAddress = ClientAddress::Known(IpAddr::V4(Ipv4Addr::LOCALHOST));
const PLENTY: Limit = Limit { per_second: 1_000, burst: 100_000 };

const NOW: Timestamp = Timestamp::from_seconds(1_795_480_000);

/// Made once: every tenant of these tests signs with the same keys.
static KEYS: OnceLock<Sim> = OnceLock::new();

struct Scene {
    login: Arc<Login>,
    sim: Sim,
    clock: Clock,
    reader: AuditReader,
    log_stop: CancellationToken,
    _directory: TempDir,
    _tasks: JoinSet<()>,
}

/// What came back.
#[derive(Debug)]
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.header("location")
    }
}

async fn scene() -> Scene {
    scene_with(PLENTY).await
}

async fn scene_with(limit: Limit) -> Scene {
    let clock = Clock::fixed(NOW);
    scene_between(limit, (clock.clone(), clock)).await
}

/// The gate's clock and Entra's.
async fn scene_between(limit: Limit, (clock, entras): (Clock, Clock)) -> Scene {
    let directory = TempDir::new().unwrap();
    let mut tasks = JoinSet::new();
    let sim = simulator(&entras, &mut tasks).await;
    let url = |file: &str| format!("sqlite://{}/{file}", directory.path().display());
    let store = Store::open(&url("cedargate.db")).await.unwrap();
    let log = audit::open(
        &url("audit.db"),
        AuditSettings::default(),
        clock.clone(),
        ward(directory.path()),
    )
    .await
    .unwrap();
    let writer = log.writer.draining("main", Box::new(store.clone())).await.unwrap();
    let log_stop = CancellationToken::new();
    tasks.spawn(writer.run(log_stop.clone()));
    let idp = Idp::new(settings(&sim), clock.clone()).unwrap();
    let keys = Keys::open(&directory.path().join("keys")).unwrap();
    let metrics = Metrics::new();
    let sessions = Sessions::new(Parts {
        store: store.clone(),
        directory: Some(Arc::new(idp.clone())),
        ledger: Arc::new(log.audit.clone()),
        clock: clock.clone(),
        limits: limits(),
        token_key: keys.token,
        mfa_context: Some("c1".to_owned()),
        tasks: tokio_util::task::TaskTracker::new(),
    });
    let house = House { public: GATE.parse().unwrap(), contact: None };
    let flood = Arc::new(Flood::new(limit));
    let refuser = Refuser::new(log.audit.clone(), flood, metrics.clone(), house);
    let login = Arc::new(Login {
        idp,
        sessions,
        live: live(&store).await,
        store,
        audit: log.audit,
        refuser,
        public: GATE.parse().unwrap(),
        jwks: r#"{"keys":[]}"#.to_owned(),
        metrics,
        clock: clock.clone(),
        rounds: Rounds::default(),
        contact: Some("it-help@contoso.example".to_owned()),
        mfa: "c1".parse().ok(),
    });
    Scene { login, sim, clock, reader: log.reader, log_stop, _directory: directory, _tasks: tasks }
}

async fn simulator(clock: &Clock, tasks: &mut JoinSet<()>) -> Sim {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = SimSettings {
        origin: format!("http://{}", listener.local_addr().unwrap()),
        tenant: TENANT.to_owned(),
        clients: vec![
            Registration::new(CLIENT, "Cedargate")
                .with_secret("canary-client-secret")
                .with_redirect(format!("{GATE}/_gate/callback"))
                .with_logout(format!("{GATE}/_gate/signed-out")),
        ],
        people: contoso(),
        bound_contexts: std::collections::BTreeSet::new(),
        panel: Panel::Hidden,
    };
    let keys = KEYS.get_or_init(|| Sim::new(settings.clone(), clock.clone()).unwrap());
    let sim = keys.sharing_keys(settings, clock.clone()).unwrap();
    let router = sim.router();
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    sim
}

fn settings(sim: &Sim) -> EntraSettings {
    EntraSettings {
        cloud: Cloud::Public,
        groups: GroupSource::default(),
        authority: sim.origin().parse().unwrap(),
        tenant: TENANT.to_owned(),
        client_id: CLIENT.to_owned(),
        credential: Credential::Secret {
            value: "canary-client-secret".to_owned().into(),
            expires_at: None,
        },
        second: None,
        redirect_uri: format!("{GATE}/_gate/callback"),
        post_logout_uri: format!("{GATE}/_gate/signed-out"),
        allowed_tenants: std::collections::BTreeSet::new(),
        graph_origin: sim.origin().parse().ok(),
        api: None,
        authorities: Vec::new(),
    }
}

fn limits() -> SessionLimits {
    SessionLimits {
        idle: Duration::from_hours(1),
        absolute: Duration::from_hours(12),
        recheck: Duration::from_mins(15),
        step_up: Duration::from_mins(30),
        per_person: 20,
    }
}

async fn live(store: &Store) -> Live {
    let public_host = "localhost".parse().unwrap();
    let terms = Terms { public_host, mfa: MfaSetting::Empty };
    let live = Live::load(store, terms).await.unwrap();
    let app = |id: &str, origin: &str| App {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        origins: vec![origin.parse().unwrap()],
        upstream: None,
        cors_origins: Vec::new(),
        header_aliases: Vec::new(),
    };
    let book =
        RuleBook { apps: vec![app("demo", APP), app("other", OTHER)], ..RuleBook::default() };
    live.install(live.compile(&book, ReleaseNumber(1)).unwrap());
    live
}

impl Scene {
    /// Rows of sign-ins that are under way, found by letting them all run out.
    async fn sign_ins_kept(&self) -> u64 {
        let later = self.clock.now().plus(Duration::from_mins(11));
        self.login.store.sweep_sign_ins(later).await.unwrap()
    }

    /// Causes of failed sign-ins and words of other entries on record, oldest first.
    async fn recorded(&self) -> Vec<String> {
        self.outbox_is_taken().await;
        let lines = self.reader.recent(100, None).await.unwrap();
        let word = |line: &crate::model::record::RecordLine| {
            let body: serde_json::Value = serde_json::from_str(&line.body).unwrap();
            let cause = body["cause"].as_str().or(body["refusal"].as_str());
            cause.unwrap_or(&line.kind).to_owned()
        };
        lines.iter().rev().map(word).collect()
    }

    /// Waits until what waits in the outbox is on record.
    async fn outbox_is_taken(&self) {
        let waiting = self.login.store.outbox_after(0, 100).await.unwrap().len();
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            let lines = self.reader.recent(100, None).await.unwrap();
            if lines.iter().filter(|line| line.kind == "session_ended").count() == waiting {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("the outbox is not taken over")
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        let url = Url::parse(&request.uri().to_string()).unwrap();
        let host = url.host_str().unwrap().to_owned();
        let router = match host.as_str() {
            "localhost" => self.login.on_public(),
            "127.0.0.1" => self.sim.router(),
            _ => self.login.on_apps(),
        };
        let mut request = request;
        if host != "127.0.0.1" {
            let exchange = self.exchange(&request, &url, host.parse().unwrap());
            request.extensions_mut().insert(Arc::new(exchange));
        }
        reply(router, request).await
    }

    fn exchange(&self, request: &Request<Body>, url: &Url, host: Host) -> Exchange {
        let snapshot = self.login.live.current();
        let app = snapshot.app(&host).cloned();
        Exchange {
            facts: RequestFacts {
                request: "r-test-1".parse().unwrap(),
                door: Door::Own,
                client: request.extensions().get().copied().unwrap_or(HERE),
                method: request.method().to_string(),
                host: Some(host),
                path: url.path().to_owned(),
                unfolded: None,
            },
            origin: url.origin().ascii_serialization().parse().unwrap(),
            app,
            query: url.query().map(str::to_owned),
            wants: Wants::of(request.method(), request.headers()),
            at: self.clock.now(),
        }
    }
}

async fn reply(router: Router, request: Request<Body>) -> Reply {
    let response = TowerToHyperService::new(router).call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    Reply { status: parts.status, headers: parts.headers, body }
}

/// A browser with its cookies, which it keeps by host and sends back to that host alone.
#[derive(Debug, Clone, Default)]
struct Browser {
    jar: BTreeMap<String, BTreeMap<String, String>>,
    /// Where it is; [`HERE`] unless the test says.
    client: Option<ClientAddress>,
}

impl Browser {
    fn cookie(&self, host: &str, name: &str) -> Option<String> {
        self.jar.get(host)?.get(name).cloned()
    }

    fn put(&mut self, host: &str, name: &str, value: &str) {
        self.jar.entry(host.to_owned()).or_default().insert(name.to_owned(), value.to_owned());
    }

    /// A navigation.
    async fn go(&mut self, scene: &Scene, url: &str) -> Reply {
        self.send(scene, (Method::GET, url), ("", &[])).await
    }

    /// A form, sent from a page of the same origin.
    async fn post(&mut self, scene: &Scene, url: &str, form: &str) -> Reply {
        let origin = Url::parse(url).unwrap().origin().ascii_serialization();
        let headers = [("origin", origin.as_str()), ("sec-fetch-site", "same-origin")];
        self.send(scene, (Method::POST, url), (form, &headers)).await
    }

    async fn send(
        &mut self,
        scene: &Scene,
        (method, url): (Method, &str),
        (form, headers): (&str, &[(&str, &str)]),
    ) -> Reply {
        let host = Url::parse(url).unwrap().host_str().unwrap().to_owned();
        let mut request = Request::builder().method(method).uri(url).header("accept", "text/html");
        let jar = self.jar.entry(host).or_default();
        if !jar.is_empty() {
            let pairs: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, pairs.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request = request.extension(self.client.unwrap_or(HERE));
        let reply = scene.send(request.body(Body::from(form.to_owned())).unwrap()).await;
        for line in reply.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }

    /// From the sign-in page at Entra (its address) to the callback's address.
    async fn choose(&mut self, scene: &Scene, authorize: &str, person: &str) -> String {
        let reply = self.post(scene, authorize, &format!("person={person}")).await;
        // Entra's answers end in an empty fragment, which a browser keeps to itself.
        reply.headers["location"].to_str().unwrap().trim_end_matches('#').to_owned()
    }

    /// From an app's host to the address of the hand-over's end.
    async fn reach_handoff(&mut self, scene: &Scene, path: &str) -> String {
        let start = format!("{APP}/_gate/login?return={}", encoded(path));
        let begin = self.go(scene, &start).await.location().to_owned();
        let next = self.go(scene, &begin).await.location().to_owned();
        if next.starts_with(APP) {
            return next;
        }
        let callback = self.choose(scene, &next, "uma").await;
        self.go(scene, &callback).await.location().to_owned()
    }

    /// All the way; gives where it ended.
    async fn sign_in(&mut self, scene: &Scene, path: &str) -> String {
        let handoff = self.reach_handoff(scene, path).await;
        self.go(scene, &handoff).await.location().to_owned()
    }

    /// What the app's host says of this browser.
    async fn whoami(&mut self, scene: &Scene) -> serde_json::Value {
        let reply = self.go(scene, &format!("{APP}/_gate/whoami")).await;
        serde_json::from_str(&reply.body).unwrap()
    }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
