//! Cedargate's own host with a database, a log and sessions of its own, the demo's rules in force, and people who ask.
//! Each door's tests give it their router.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::{HeaderMap, Method, Request, StatusCode};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::audit::tests::ward;
use crate::audit::{self, AuditSettings};
use crate::authz::compile::{MfaSetting, Terms};
use crate::authz::console::{ConsoleRole, ConsoleRules, Holder};
use crate::keys::Keys;
use crate::live::Live;
use crate::model::browser::Browser;
use crate::model::host::{Host, Origin};
use crate::model::id::ReleaseNumber;
use crate::model::record::{ClientAddress, Door, Event, RecordLine, RequestFacts};
use crate::model::rule_book::RuleBook;
use crate::model::session::{Identity, StepUp};
use crate::model::time::{Clock, Timestamp};
use crate::session::{
    Ledger, NewSession, NotRecorded, Parts, Pending, Proven, SessionLimits, Sessions, SteppedUp,
    Token,
};
use crate::store::audit::AuditReader;
use crate::store::audit::search::Searcher;
use crate::store::{Publication, Store};
use crate::telemetry::Metrics;
use crate::web::csrf::CsrfToken;
use crate::web::doorkeeper::Doorkeeper;
use crate::web::exchange::Exchange;
use crate::web::flood::{Flood, Limit};
use crate::web::house::House;
use crate::web::refuser::Refuser;
use crate::web::wants::Wants;

pub(crate) const FINANCE: &str = "9a000000-0000-4000-8000-0000000f1a2c";
pub(crate) const GATE: &str = "https://gate.contoso.com";
const TENANT: &str = "aaaaaaaa-0000-4000-8000-000000000000";

/// Keeps no record of sessions.
#[derive(Debug)]
struct NoLedger;

impl Ledger for NoLedger {
    fn note(&self, _: Event) -> Pending<'_, Result<(), NotRecorded>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn changed(&self) {}
}

/// Somebody's browser.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    cookie: Option<String>,
}

impl Person {
    pub(crate) fn nobody() -> Self {
        Self { cookie: None }
    }

    pub(crate) fn csrf(&self) -> String {
        self.cookie
            .as_deref()
            .map(|cookie| CsrfToken::of(cookie).as_str().to_owned())
            .unwrap_or_default()
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

/// A request about to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Sending {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    pub(crate) origin: Origin,
}

pub(crate) fn get(target: &str) -> Sending {
    Sending {
        method: Method::GET,
        target: target.to_owned(),
        headers: vec![("sec-fetch-mode", "navigate".to_owned())],
        body: String::new(),
        origin: GATE.parse().unwrap(),
    }
}

/// A form as a browser sends it from our own page.
pub(crate) fn post(target: &str, fields: &[(&str, &str)]) -> Sending {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    Sending {
        method: Method::POST,
        headers: vec![
            ("sec-fetch-mode", "navigate".to_owned()),
            ("sec-fetch-site", "same-origin".to_owned()),
            ("origin", GATE.to_owned()),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ],
        body: body.finish(),
        ..get(target)
    }
}

impl Sending {
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(own, _)| *own != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &'static str) -> Self {
        self.headers.retain(|(own, _)| *own != name);
        self
    }

    /// As htmx asks for a part of a page.
    pub(crate) fn htmx(self) -> Self {
        self.with("hx-request", "true").with("hx-request-type", "partial")
    }
}

pub(crate) struct Scene {
    pub(crate) doorkeeper: Doorkeeper,
    pub(crate) store: Store,
    pub(crate) reader: AuditReader,
    pub(crate) searcher: Searcher,
    pub(crate) clock: Clock,
    pub(crate) router: Router,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    _directory: TempDir,
}

pub(crate) fn terms() -> Terms {
    Terms { public_host: "gate.contoso.com".parse().unwrap(), mfa: MfaSetting::Configured }
}

/// These rules in force as release 1, and no door yet.
pub(crate) async fn scene(book: RuleBook) -> Scene {
    let directory = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite://{}/{name}", directory.path().display());
    let store = Store::open(&url("cedargate.db")).await.unwrap();
    let clock = Clock::fixed(Timestamp::from_seconds(1_795_511_702));
    publish(&store, &book, ReleaseNumber(0)).await;
    let live = Live::load(&store, terms()).await.unwrap();
    let log = audit::open(
        &url("audit.db"),
        // What is seen must not depend on how busy this machine is.
        AuditSettings { patience: Duration::from_mins(1), ..AuditSettings::default() },
        clock.clone(),
        ward(directory.path()),
    )
    .await
    .unwrap();
    let writer = log.writer.draining("main", Box::new(store.clone())).await.unwrap();
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    tasks.spawn(writer.run(stop.clone()));
    let sessions = sessions(&store, &clock, &directory);
    let metrics = Metrics::new();
    let flood = Arc::new(Flood::new(Limit { per_second: 1_000, burst: 10_000 }));
    let public: Origin = GATE.parse().unwrap();
    let house = House { public: public.clone(), contact: None };
    let refuser = Refuser::new(log.audit.clone(), flood, metrics.clone(), house);
    let doorkeeper = Doorkeeper { live, audit: log.audit, sessions, refuser, public, metrics };
    let router = Router::new();
    let reader = log.reader;
    let searcher = Searcher::new(&directory.path().join("audit.db"));
    Scene { doorkeeper, store, reader, searcher, clock, router, stop, tasks, _directory: directory }
}

fn sessions(store: &Store, clock: &Clock, directory: &TempDir) -> Arc<Sessions> {
    Sessions::new(Parts {
        store: store.clone(),
        directory: None,
        ledger: Arc::new(NoLedger),
        clock: clock.clone(),
        limits: SessionLimits {
            idle: Duration::from_hours(1),
            absolute: Duration::from_hours(12),
            recheck: Duration::from_hours(11),
            step_up: Duration::from_mins(30),
            per_person: 20,
        },
        token_key: Keys::open(&directory.path().join("keys")).unwrap().token,
        mfa_context: Some("c1".to_owned()),
        tasks: tokio_util::task::TaskTracker::new(),
    })
}

/// Everybody who holds the app role of this name holds the console role.
pub(crate) fn console_rules() -> Arc<ConsoleRules> {
    let roles = [
        ConsoleRole::Viewer,
        ConsoleRole::Editor,
        ConsoleRole::Publisher,
        ConsoleRole::Auditor,
        ConsoleRole::Owner,
    ];
    let holders =
        roles.into_iter().map(|role| (role, Holder::Role(role.as_str().parse().unwrap())));
    Arc::new(ConsoleRules::new(holders.collect()).unwrap())
}

/// The lasting identity of the person of this name.
pub(crate) fn subject(name: &str) -> String {
    let number = name.bytes().map(u32::from).sum::<u32>();
    format!("{TENANT}.{number:08x}-0000-4000-8000-000000000000")
}

pub(crate) async fn publish(store: &Store, book: &RuleBook, based_on: ReleaseNumber) {
    let number = ReleaseNumber(based_on.0 + 1);
    let snapshot = crate::authz::compile::compile(book, number, &terms()).unwrap();
    let publication = Publication {
        based_on,
        rule_book: book.clone(),
        cedar: snapshot.cedar(),
        schema: snapshot.schema().to_owned(),
        note: "The demo".to_owned(),
        by: "operator:root".to_owned(),
        at: Timestamp::from_seconds(1_795_510_000),
        draft: None,
    };
    store.publish(publication).await.unwrap();
}

impl Scene {
    /// A person of this name with these app roles, in Finance when it is `uma`.
    pub(crate) async fn person(&self, name: &str, roles: &[&str]) -> Person {
        self.known_as([name, name], roles).await
    }

    /// The same, with a display name.
    pub(crate) async fn known_as(&self, [id, name]: [&str; 2], roles: &[&str]) -> Person {
        let new = NewSession {
            identity: identity([id, name], roles),
            refresh_token: None,
            host: host(),
            client: ClientAddress::Known(Ipv4Addr::LOCALHOST.into()),
            browser: Some(Browser::of("Mozilla/5.0 (Macintosh; Intel Mac OS X) Firefox/145.0")),
            replaced: None,
        };
        let signed_in = self.doorkeeper.sessions.sign_in(new).await.unwrap();
        Person { cookie: Some(signed_in.token.expose().to_owned()) }
    }

    /// The same person in the same session, who has proved just now who they are.
    pub(crate) async fn proved(&self, person: &Person, (id, roles): (&str, &[&str])) -> Person {
        let sessions = &self.doorkeeper.sessions;
        let token = Token::parse(person.cookie.as_deref().unwrap()).unwrap();
        let session = sessions.load(&token, &host()).await.unwrap().expect("a session");
        let proven = Proven {
            session: &session.id,
            identity: identity([id, id], roles),
            refresh_token: None,
            asked: &StepUp { context: None, max_age: Some(Duration::from_mins(30)) },
            client: ClientAddress::Known(Ipv4Addr::LOCALHOST.into()),
        };
        let SteppedUp::Done(token) = sessions.step_up(proven).await.unwrap() else {
            panic!("the session has ended, or is another person's")
        };
        Person { cookie: Some(token.expose().to_owned()) }
    }

    pub(crate) async fn owner(&self) -> Person {
        self.person("olive", &["owner"]).await
    }

    /// Sends a request as the front door would show it, and reads the answer whole.
    pub(crate) async fn send(&self, person: &Person, sending: Sending) -> Answered {
        let (parts, body) = self.open(person, sending).await.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answered { status: parts.status, headers: parts.headers, text }
    }

    /// The same, with an answer whose body is still to come.
    pub(crate) async fn open(&self, person: &Person, sending: Sending) -> Response {
        let mut request =
            Request::builder().method(sending.method.clone()).uri(sending.target.as_str());
        for (name, value) in &sending.headers {
            request = request.header(*name, value);
        }
        if let Some(cookie) = &person.cookie {
            request = request.header("cookie", format!("__Host-gate_session={cookie}"));
        }
        let mut request = request.body(Body::from(sending.body.clone())).unwrap();
        let exchange = self.exchange(&sending, request.headers());
        request.extensions_mut().insert(Arc::new(exchange));
        TowerToHyperService::new(self.router.clone()).call(request).await.unwrap()
    }

    fn exchange(&self, sending: &Sending, headers: &HeaderMap) -> Exchange {
        let (path, query) = match sending.target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (sending.target.as_str(), None),
        };
        let facts = RequestFacts {
            request: "r-test-1".parse().unwrap(),
            door: Door::Proxy,
            client: ClientAddress::Known([192, 0, 2, 7].into()),
            method: sending.method.to_string(),
            host: Some(host()),
            path: path.to_owned(),
            unfolded: None,
        };
        let wants = Wants::of(&sending.method, headers);
        let origin = sending.origin.clone();
        Exchange { facts, origin, app: None, query, wants, at: self.clock.now() }
    }

    /// All records of requests, oldest first.
    pub(crate) async fn requests(&self) -> Vec<serde_json::Value> {
        let lines = self.reader.recent(1_000, None).await.unwrap();
        let requests = lines.iter().filter(|line| ["decision", "refusal"].contains(&&*line.kind));
        requests.rev().map(body).collect()
    }

    /// The id of the newest record of a change with this action, as soon as it is on record.
    pub(crate) async fn change(&self, action: &str) -> String {
        self.recorded(|change| change["action"] == action).await
    }

    /// Waits until the release with this number is on record as published; those before it may be already.
    pub(crate) async fn publication(&self, number: i64) {
        let object = format!("release:{number}");
        self.recorded(|change| {
            change["action"] == "release_published" && change["object"] == object.as_str()
        })
        .await;
    }

    async fn recorded(&self, is_it: impl Fn(&serde_json::Value) -> bool) -> String {
        self.doorkeeper.audit.changes_made();
        let found = async {
            loop {
                let lines = self.reader.recent(1_000, None).await.unwrap();
                if let Some(line) = lines.iter().find(|line| is_it(&body(line))) {
                    return line.id.to_string();
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), found).await.expect("it is on record")
    }

    /// From here on nothing can be recorded.
    pub(crate) async fn stop_log(&mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }

    /// Stops the log's writer in order, so that all that waits is on record; gives every record, oldest first.
    pub(crate) async fn stopped(mut self) -> Vec<serde_json::Value> {
        self.stop_log().await;
        let lines = self.reader.recent(1_000, None).await.unwrap();
        lines.iter().rev().map(body).collect()
    }
}

fn body(line: &RecordLine) -> serde_json::Value {
    serde_json::from_str(&line.body).unwrap()
}

/// What Entra says of the person of this name and display name, in Finance when it is `uma`.
fn identity([id, name]: [&str; 2], roles: &[&str]) -> Identity {
    let groups: &[&str] = if id == "uma" { &[FINANCE] } else { &[] };
    let user = serde_json::json!({
        "subject": subject(id), "user_name": format!("{name}@contoso.example"),
        "name": name, "email": null, "guest": "member", "groups": groups, "roles": roles,
    });
    Identity {
        user: serde_json::from_value(user).unwrap(),
        auth_contexts: BTreeSet::new(),
        entra_session: None,
        login_hint: None,
        authenticated_at: None,
    }
}

fn host() -> Host {
    "gate.contoso.com".parse().unwrap()
}
