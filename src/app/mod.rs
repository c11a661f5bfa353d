//! The composition root: settings become doors, doors become listeners, and everything stops in order.
//!
//! [`Gate::open`] opens whatever can fail (keys, databases, rules, sockets) before anything runs, so that nothing is
//! left half-started. [`Gate::run`] owns every task: the log's writer outlives the doors, the doors outlive nothing.

pub mod crowd;
mod doors;
pub mod front;
pub mod listener;
mod ops;
mod signals;
mod stream;
pub mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::crowd::Limits;
pub use self::doors::entra;
use self::front::Front;
use self::listener::{Listener, Pages};
use self::ops::Ops;
pub use self::signals::stop_signal;
use self::tls::Served;
use crate::audit::outlet::{Outlet, Place};
use crate::audit::search::IndexKeeper;
use crate::audit::upkeep::Upkeep;
use crate::audit::{self, Audit, AuditSettings, Ending, Log, Places, Strictness, Ward, Writer};
use crate::authz::compile::{MfaSetting, Terms};
use crate::config::{self, Config};
use crate::gateway::watcher::Watcher;
use crate::groups::{Groups, Refresher};
use crate::idp::Idp;
use crate::keys::Keys;
use crate::live::Live;
use crate::model::id::ReleaseNumber;
use crate::model::record::{Entry, Event};
use crate::model::time::Clock;
use crate::publishing::{Publishing, SecondPerson};
use crate::session::Sessions;
use crate::store::Store;
use crate::store::audit::search::Searcher;
use crate::store::audit::{self as file};
use crate::telemetry::Metrics;
use crate::web::refuser::Refuser;

/// Open requests may take this long to finish once the gate stops; then they are cut.
const DRAIN: Duration = Duration::from_secs(20);
/// Connections on which nothing moves for this long are cut. Servers that keep one open send a sign of life more often.
const IDLE: Duration = Duration::from_mins(10);
/// Ended sessions and sign-ins that nobody finished are removed at this interval.
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// Changes stay in the outbox this long after they were taken over into the log.
const KEEP_CHANGES: Duration = Duration::from_hours(24);
/// Requests turned away are summed up at this interval.
const SUM_UP_EVERY: Duration = Duration::from_secs(10);
/// The last of them may take this long, so that a log that hangs does not hold up the stop.
const LAST_SUM_UP: Duration = Duration::from_secs(5);

/// A gate that is ready to run: everything opened, nothing started.
#[derive(Debug)]
pub struct Gate {
    front: Front,
    ops: Pages,
    sockets: Sockets,
    tls: Option<Served>,
    limits: Limits,
    idle: Duration,
    metrics: Metrics,
    work: Work,
    /// Connections and tunnels.
    tasks: TaskTracker,
    /// Ends tunnels.
    stop: CancellationToken,
}

/// The addresses of the settings, taken before anything else is opened.
#[derive(Debug)]
pub struct Sockets {
    /// Apps and our own pages.
    pub public: TcpListener,
    /// Operators' machines.
    pub ops: TcpListener,
}

impl Sockets {
    /// Takes `listen` and `ops_listen`.
    ///
    /// # Errors
    /// When one is taken already, or is not an address of this machine; the message names it.
    pub async fn bind(config: &Config) -> Result<Self> {
        let public = bind(config.listen, "listen").await?;
        Ok(Self { public, ops: bind(config.ops_listen, "ops_listen").await? })
    }
}

/// What runs beside the doors.
#[derive(Debug)]
struct Work {
    audit: Audit,
    ending: Ending,
    upkeep: (Upkeep, IndexKeeper),
    outlet: Option<Outlet>,
    writer: Writer,
    live: Live,
    store: Store,
    sessions: Arc<Sessions>,
    refuser: Refuser,
    idp: Idp,
    names: Refresher,
    clock: Clock,
}

impl Gate {
    /// Opens keys, databases and rules behind sockets that are taken already.
    ///
    /// # Errors
    /// With what can't be opened and why; nothing runs then.
    pub async fn open(config: &Config, clock: Clock, sockets: Sockets) -> Result<Self> {
        let tls = config.tls.as_ref().map(tls::server).transpose()?;
        let keys = Keys::open(&config.keys.directory)?;
        let store = Store::open(&config.database_url).await?;
        let (log, upkeep) = open_log(config, &clock).await?;
        let (searcher, index) = open_index(config)?;
        let outlet = open_outlet(config, &log)?;
        let writer = log.writer.draining("main", Box::new(store.clone())).await?;
        let live = Live::load(&store, terms(config)).await?;
        let groups = Groups::load(&store, clock.now()).await?;
        let idp = Idp::new(entra(config)?, clock.clone())?;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let ground = doors::Ground {
            config,
            clock,
            keys,
            idp: idp.clone(),
            store: store.clone(),
            publishing: publishing(config, store.clone()),
            audit: log.audit.clone(),
            reader: log.reader,
            searcher,
            live: live.clone(),
            groups,
            metrics: Metrics::new(),
            tasks: tasks.clone(),
            stop: stop.clone(),
            certificate_ends: tls.as_ref().and_then(|served| served.ends_at),
        };
        let (front, sessions, refuser) = doors::build(&ground)?;
        let ops = Ops {
            store: store.clone(),
            audit: log.audit.clone(),
            lag: outlet.as_ref().map(Outlet::lag),
            live: live.clone(),
            idp: ground.idp.clone(),
            clock: ground.clock.clone(),
            metrics: ground.metrics.clone(),
            certificate_ends: ground.certificate_ends,
        };
        let names = doors::refresher(&ground);
        let clock = ground.clock;
        let work = Work {
            audit: log.audit,
            ending: log.ending,
            upkeep: (upkeep, index),
            outlet,
            writer,
            live,
            store,
            sessions,
            refuser,
            idp,
            names,
            clock,
        };
        let ops = Pages(ops::router(ops));
        let (limits, metrics) = (Limits::of_process(&config.trusted_proxies), ground.metrics);
        Ok(Self { front, ops, sockets, tls, limits, idle: IDLE, metrics, work, tasks, stop })
    }

    /// The same gate with another limit for the silence of upstreams.
    #[must_use]
    pub fn with_upstream_patience(mut self, patience: Duration) -> Self {
        self.front.gateway.upstream = self.front.gateway.upstream.with_patience(patience);
        self
    }

    /// The same gate with other limits for connections.
    #[must_use]
    pub fn with_connection_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same gate with another limit for connections on which nothing moves.
    #[must_use]
    pub fn with_idle_limit(self, idle: Duration) -> Self {
        Self { idle, ..self }
    }

    /// Where apps and our own pages are served.
    ///
    /// # Errors
    /// When the socket does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.sockets.public.local_addr()
    }

    /// Where operators' machines ask.
    ///
    /// # Errors
    /// When the socket does not say.
    pub fn ops_address(&self) -> std::io::Result<SocketAddr> {
        self.sockets.ops.local_addr()
    }

    /// Serves until `stop`, then drains: doors first, the log last.
    ///
    /// # Errors
    /// When the start can't be recorded, or the log's writer gives up: without it nothing can be answered.
    pub async fn run(self, stop: CancellationToken) -> Result<()> {
        let watcher = self.watcher();
        let Self { front, ops, sockets, tls, limits, metrics, work, tasks, stop: tunnels, .. } =
            self;
        let Work {
            audit,
            ending,
            upkeep,
            outlet,
            writer,
            live,
            store,
            sessions,
            refuser,
            idp,
            names,
            clock,
        } = work;
        let (helpers, writing) = (TaskTracker::new(), CancellationToken::new());
        let watching = CancellationToken::new();
        // Before anything else, such as what still waits in the outbox.
        audit.note_ending(ending);
        let mut writer = helpers.spawn(writer.run(writing.clone()));
        let halt = stop.child_token();
        note_start(&audit, &live, &store).await?;
        // It ends by itself, behind the writer.
        drop(outlet.map(|outlet| helpers.spawn(outlet.run())));
        let mut watcher = helpers.spawn(watcher.run(watching.clone()));
        drop(helpers.spawn(live.follow(store.clone(), halt.clone())));
        let tls = tls.map(|served| served.watched(&helpers, clock.clone(), halt.clone()));
        drop(helpers.spawn(sweep((Arc::clone(&sessions), store.clone()), clock, halt.clone())));
        drop(helpers.spawn(look_after_log(upkeep, halt.clone())));
        drop(helpers.spawn(idp.run(halt.clone())));
        drop(helpers.spawn(names.run(halt.clone())));
        drop(helpers.spawn(sum_up(refuser.clone(), halt.clone())));
        let (inside, counted) = (limits.clone(), metrics.clone());
        let public = Listener { socket: sockets.public, tls, limits, metrics };
        let inner = Listener { socket: sockets.ops, tls: None, limits: inside, metrics: counted };
        drop(tasks.spawn(public.run(Arc::new(front), tasks.clone(), halt.clone())));
        drop(tasks.spawn(inner.run(Arc::new(ops), tasks.clone(), halt.clone())));
        let lost = tokio::select! {
            () = stop.cancelled() => None,
            _ended = &mut writer => Some("the audit log's writer ended; without it nothing can be answered"),
            _ended = &mut watcher => Some("the watcher of open connections ended; without it none would be cut"),
        };
        halt.cancel();
        tunnels.cancel();
        drain(&tasks, &refuser).await;
        watching.cancel();
        if !watcher.is_finished() {
            drop(watcher.await);
        }
        note_stop(&audit).await;
        writing.cancel();
        helpers.close();
        helpers.wait().await;
        store.close().await;
        match lost {
            Some(lost) => bail!(lost),
            None => Ok(()),
        }
    }

    /// What cuts open connections; it runs until the last of them has drained.
    fn watcher(&self) -> Watcher {
        Watcher {
            open: Arc::clone(&self.front.gateway.open),
            live: self.work.live.clone(),
            sessions: Arc::clone(&self.work.sessions),
            audit: self.work.audit.clone(),
            clock: self.work.clock.clone(),
            metrics: self.metrics.clone(),
            idle: self.idle,
        }
    }
}

async fn note_start(audit: &Audit, live: &Live, store: &Store) -> Result<()> {
    let note = async |event| {
        let noted = audit.noted(Entry::Event(Box::new(event))).await;
        noted.context("the start could not be recorded")
    };
    let (release, log_key) = (live.current().number(), audit.log_key().to_owned());
    tracing::info!(log_key, "This key checks the audit log; keep it where the log is not.");
    // What is in force was compared with it when it was loaded.
    let behind = release.0.checked_add(1).map(ReleaseNumber);
    let newest = store.releases(behind, 1).await?;
    let release_sha256 = newest.into_iter().find(|kept| kept.number == release);
    let release_sha256 = release_sha256.map(|kept| kept.sha256);
    let version = env!("CARGO_PKG_VERSION");
    note(Event::Started { version, release, release_sha256, log_key }).await?;
    Ok(())
}

async fn note_stop(audit: &Audit) {
    if let Err(error) = audit.noted(Entry::Event(Box::new(Event::Stopped))).await {
        tracing::error!(error = %error, "The stop could not be recorded.");
    }
}

/// Lets open requests finish, and sums up the last that were turned away.
async fn drain(tasks: &TaskTracker, refuser: &Refuser) {
    tasks.close();
    if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
        tracing::warn!(open = tasks.len(), "Requests that did not finish in time are cut.");
    }
    last_sum_up(refuser).await;
}

async fn sweep((sessions, store): (Arc<Sessions>, Store), clock: Clock, stop: CancellationToken) {
    let mut tick = tokio::time::interval(SWEEP_EVERY);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        if let Err(error) = sessions.sweep().await {
            tracing::warn!(error = %error, "Ended sessions could not be removed.");
        }
        let kept = clock.now().minus(KEEP_CHANGES);
        if let Err(error) = store.prune_outbox(kept).await {
            tracing::warn!(error = %error, "Changes that are on record could not be removed from the outbox.");
        }
    }
}

async fn sum_up(refuser: Refuser, stop: CancellationToken) {
    let mut tick = tokio::time::interval(SUM_UP_EVERY);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        // What the stop interrupts goes back into the count, and is summed up for the last time by whoever stops.
        if stop.run_until_cancelled(refuser.sum_up()).await.is_none() {
            return;
        }
    }
}

async fn last_sum_up(refuser: &Refuser) {
    if tokio::time::timeout(LAST_SUM_UP, refuser.sum_up()).await.is_err() {
        tracing::error!("Not all requests turned away could be recorded before the stop.");
    }
}

async fn bind(address: SocketAddr, key: &str) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("`{key}`: can't listen on {address}; is another program there?"))
}

/// Opens the log, and puts a key in place that took over when the change of it was cut off.
async fn open_log(config: &Config, clock: &Clock) -> Result<(Log, Upkeep)> {
    let (url, ward) = (&config.audit.database_url, ward(config)?);
    let key = ward.key.public();
    let log = audit::open(url, audit_settings(config), clock.clone(), ward).await?;
    if log.key != key {
        Keys::install_log(&config.keys.directory)?;
    }
    let upkeep = Upkeep::of(&log, url, clock.clone(), config.audit.retention)?;
    Ok((log, upkeep))
}

async fn look_after_log((upkeep, index): (Upkeep, IndexKeeper), stop: CancellationToken) {
    tokio::join!(upkeep.run(stop.clone()), index.run(stop));
}

/// What sends records away, where the settings ask for it.
fn open_outlet(config: &Config, log: &Log) -> Result<Option<Outlet>> {
    let url = &config.audit.database_url;
    Ok(outlet(config).map(|place| Outlet::of(log, url, place)).transpose()?)
}

/// What searches the log, and what keeps its index.
fn open_index(config: &Config) -> Result<(Searcher, IndexKeeper)> {
    let searcher = Searcher::new(&file::path(&config.audit.database_url)?);
    let keeper = IndexKeeper::new(&searcher);
    Ok((searcher, keeper))
}

/// What a rule book must fit under these settings.
pub fn terms(config: &Config) -> Terms {
    let mfa =
        config.entra.mfa_context.as_ref().map_or(MfaSetting::Empty, |_| MfaSetting::Configured);
    Terms { public_host: config.public_url.host().clone(), mfa }
}

/// The way to the next release, under these settings.
pub fn publishing(config: &Config, store: Store) -> Publishing {
    let second = match config.console.second_person {
        config::SecondPerson::Off => SecondPerson::Off,
        config::SecondPerson::Required => SecondPerson::Required,
    };
    Publishing::new(store, terms(config), second)
}

/// Who signs the log, and where its checkpoints are told.
///
/// # Errors
/// When the keys can't be read or made.
pub fn ward(config: &Config) -> Result<Ward> {
    let directory = &config.keys.directory;
    let (key, successor) = (Keys::log(directory)?, Keys::begun_log(directory)?);
    let before = Keys::last_log(directory)?;
    Ok(Ward { key, successor, before, places: places(config) })
}

/// Where checkpoints of the log are told.
pub fn places(config: &Config) -> Places {
    let mark = config.keys.directory.join("log.mark");
    Places { mark, file: config.audit.anchor_file.clone() }
}

/// Where records leave to.
pub fn outlet(config: &Config) -> Option<Place> {
    config.audit.outlet.clone().map(|outlet| match outlet {
        config::Outlet::Stdout => Place::Stdout,
        config::Outlet::File(path) => Place::File(path),
    })
}

fn audit_settings(config: &Config) -> AuditSettings {
    let strictness = match config.audit.strictness {
        config::Strictness::Strict => Strictness::Strict,
        config::Strictness::StrictAllow => Strictness::StrictAllow,
    };
    AuditSettings { strictness, ..AuditSettings::default() }
}
