//! The whole of Cedargate on one machine with no account anywhere: a simulated Entra, an app worth protecting, people
//! and rules, and the real gate between them.
//!
//! The gate is composed by [`crate::app`] from ordinary settings, as for any deployment; it does not know that its
//! Entra is a simulator. Data is thrown away at the end unless a folder is named.

pub mod sample_app;
mod seed;
mod words;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use clap::Args;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::sample_app::{SampleApp, SampleSettings};
use crate::app::crowd::Limits;
use crate::app::listener::{Listener, Pages};
use crate::app::{Gate, Sockets, stop_signal};
use crate::model::time::Clock;
use crate::sim::Sim;
use crate::telemetry::{self, Metrics};

/// The options of `cedargate demo`.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "a flag of the command line")]
pub struct Options {
    /// Where the gate listens; the simulator takes the port after it
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Keep the data in this folder instead of throwing it away
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Run the simulated Entra alone
    #[arg(long)]
    pub sim_only: bool,
}

/// A demo that is ready to run: everything opened, nothing started.
#[derive(Debug)]
pub struct Demo {
    /// The gate itself.
    pub gate: Gate,
    /// The simulated Entra; tests turn its knobs.
    pub sim: Sim,
    /// Where everything is.
    pub places: Places,
    sim_socket: TcpListener,
    app: (SampleApp, TcpListener),
    /// Throwaway data; removed when the demo is dropped.
    data: Option<TempDir>,
}

/// Where a demo's parts are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The gate's port.
    pub port: u16,
    /// The simulator's address.
    pub sim: SocketAddr,
    /// The sample app's own server, which only the gate should reach.
    pub upstream: SocketAddr,
    /// Where the databases and keys are.
    pub data: PathBuf,
}

impl Demo {
    /// Takes the sockets, seeds what is missing, and opens the gate.
    ///
    /// # Errors
    /// When a port is taken, or the data can't be opened.
    pub async fn open(options: &Options, clock: Clock) -> Result<Self> {
        ensure!(
            options.listen.ip().is_loopback(),
            "`--listen`: the demo is open to everybody who can reach it, so it listens on 127.0.0.1 only"
        );
        let (public, sim_socket) = sockets(options.listen).await?;
        let upstream = take(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let ops = take(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let (folder, data) = folder(options)?;
        let places = Places {
            port: public.local_addr()?.port(),
            sim: sim_socket.local_addr()?,
            upstream: upstream.local_addr()?,
            data: folder,
        };
        let secret = seed::secret()?;
        let sim = Sim::new(seed::simulator(&places, secret.clone())?, clock.clone())?;
        let config = seed::config(&places, &secret)?;
        seed::rules(&config, &places, clock.now()).await?;
        let gate = Gate::open(&config, clock.clone(), Sockets { public, ops }).await?;
        let app = SampleApp::new(SampleSettings {
            app_id: seed::APP.to_owned(),
            jwks_url: format!("{}/_gate/jwks.json", places.app()),
            sign_out_path: "/_gate/logout".to_owned(),
            clock,
        });
        Ok(Self { gate, sim, places, sim_socket, app: (app, upstream), data })
    }

    /// Serves everything until `stop`, then drains the gate.
    ///
    /// # Errors
    /// As for [`Gate::run`].
    pub async fn run(self, stop: CancellationToken) -> Result<()> {
        let Self { gate, sim, sim_socket, app: (app, upstream), data, .. } = self;
        let (tasks, halt) = (TaskTracker::new(), CancellationToken::new());
        for (router, socket) in [(sim.router(), sim_socket), (app.router(), upstream)] {
            let listener = listener(socket);
            drop(tasks.spawn(listener.run(Arc::new(Pages(router)), tasks.clone(), halt.clone())));
        }
        let ended = gate.run(stop).await;
        halt.cancel();
        tasks.close();
        tasks.wait().await;
        drop(data);
        ended
    }
}

impl Places {
    /// Cedargate's own origin.
    pub fn gate(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The sample app's origin.
    pub fn app(&self) -> String {
        format!("http://app.localhost:{}", self.port)
    }

    /// The simulator's origin.
    pub fn simulator(&self) -> String {
        format!("http://{}", self.sim)
    }
}

/// `cedargate demo`: opens everything, says where it is and what to try, and serves until the system says stop.
///
/// # Errors
/// When a port is taken, or the data can't be opened.
#[expect(clippy::print_stdout, reason = "the welcome is what this command says")]
pub async fn run(options: Options) -> Result<()> {
    telemetry::start_log("warn")?;
    if options.sim_only {
        return simulator_alone(&options).await;
    }
    let demo = Demo::open(&options, Clock::System).await?;
    println!("{}", words::welcome(&demo.places, demo.data.as_ref()));
    demo.run(stop_signal()?).await
}

/// A listener of the demo's other servers, as this machine can carry it.
fn listener(socket: TcpListener) -> Listener {
    Listener { socket, tls: None, limits: Limits::of_process(&[]), metrics: Metrics::new() }
}

#[expect(clippy::print_stdout, reason = "the address is what this command says")]
async fn simulator_alone(options: &Options) -> Result<()> {
    let (public, socket) = sockets(options.listen).await?;
    let places = Places {
        port: public.local_addr()?.port(),
        sim: socket.local_addr()?,
        upstream: socket.local_addr()?,
        data: PathBuf::new(),
    };
    drop(public);
    let secret = seed::secret()?;
    let sim = Sim::new(seed::simulator(&places, secret.clone())?, Clock::System)?;
    println!("{}", words::simulator(&places, &secret));
    let tasks = TaskTracker::new();
    listener(socket).run(Arc::new(Pages(sim.router())), tasks, stop_signal()?).await;
    Ok(())
}

/// The gate's socket and, on the port after it, the simulator's.
async fn sockets(listen: SocketAddr) -> Result<(TcpListener, TcpListener)> {
    let public = take(listen).await?;
    let after = match listen.port() {
        0 => 0,
        port => port.checked_add(1).context("`--listen`: the simulator needs the port after it")?,
    };
    let sim = take(SocketAddr::new(listen.ip(), after)).await?;
    Ok((public, sim))
}

async fn take(address: SocketAddr) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| {
        format!(
            "can't listen on {address}; is another program there? `--listen` takes another port"
        )
    })
}

fn folder(options: &Options) -> Result<(PathBuf, Option<TempDir>)> {
    if let Some(dir) = &options.data {
        return Ok((dir.clone(), None));
    }
    let dir = tempfile::Builder::new().prefix("cedargate-demo-").tempdir();
    let dir = dir.context("no folder for throwaway data; name one with --data")?;
    Ok((dir.path().to_owned(), Some(dir)))
}
