//! The whole of Cedargate on one machine with no account anywhere: a simulated Entra, an app worth protecting, people
//! and rules, and the real gate between them.
//!
//! The gate is composed by [`crate::app`] from ordinary settings, as for any deployment; it does not know that its
//! Entra is a simulator. Data is thrown away at the end unless a folder is named.

mod certificates;
pub mod sample_app;
mod seed;
pub mod simulator;
mod words;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use self::sample_app::{SampleApp, SampleSettings};
use self::simulator::{SimDoors, SimSockets};
use crate::app::crowd::Limits;
use crate::app::listener::{Listener, Pages};
use crate::app::{Gate, Sockets, stop_signal};
use crate::config::Config;
use crate::model::time::Clock;
use crate::sim::Sim;
use crate::telemetry::{self, Metrics};

/// How long the demo's own servers may take to end.
const GRACE: Duration = Duration::from_secs(3);

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
    /// Serve the simulated Entra over https too, on the port 363 above the gate's (8443), for clients that insist on it
    #[arg(long)]
    pub sim_tls: bool,
    /// Let an app of your own sign in at the simulated Entra and come back to this address; may be given several times
    #[arg(long, value_name = "URL")]
    pub redirect_uri: Vec<Url>,
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
    sim_doors: SimDoors,
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
    /// Where the simulator speaks https, if it does.
    pub secure_sim: Option<SecureSim>,
    /// The sample app's own server, which only the gate should reach.
    pub upstream: SocketAddr,
    /// Where the databases and keys are.
    pub data: PathBuf,
}

/// Where the simulator speaks https.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecureSim {
    /// The port on this machine.
    pub port: u16,
    /// The file with the certificate authority's certificate, PEM.
    pub authority: PathBuf,
}

impl SecureSim {
    /// The origin: what the metadata served there names, and the certificate is good for.
    pub fn origin(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}

impl Demo {
    /// Takes the sockets, seeds what is missing, and opens the gate.
    ///
    /// # Errors
    /// When a port is taken, or the data can't be opened.
    pub async fn open(options: &Options, clock: Clock) -> Result<Self> {
        Self::open_set(options, clock, |_| {}).await
    }

    /// The same with changed settings.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub async fn open_set(
        options: &Options,
        clock: Clock,
        set: impl FnOnce(&mut Config),
    ) -> Result<Self> {
        on_loopback(options)?;
        let public = take(options.listen).await?;
        let sim_sockets = SimSockets::take(options).await?;
        let upstream = take(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let ops = take(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let (folder, data) = folder(options)?;
        let sim = sim_sockets.address()?;
        let sim_doors = sim_sockets.certified(&folder)?;
        let places = Places {
            port: public.local_addr()?.port(),
            sim,
            secure_sim: sim_doors.secure(),
            upstream: upstream.local_addr()?,
            data: folder,
        };
        let secret = seed::secret()?;
        let sim = Sim::new(
            seed::simulator(&places, secret.clone(), &options.redirect_uri)?,
            clock.clone(),
        )?;
        let mut config = seed::config(&places, &secret)?;
        set(&mut config);
        seed::rules(&config, &places, clock.now()).await?;
        let gate = Gate::open(&config, clock.clone(), Sockets { public, ops }).await?;
        let app = SampleApp::new(SampleSettings {
            app_id: seed::APP.to_owned(),
            jwks_url: format!("{}/_gate/jwks.json", places.app()),
            sign_out_path: "/_gate/logout".to_owned(),
            clock,
        });
        Ok(Self { gate, sim, places, sim_doors, app: (app, upstream), data })
    }

    /// Serves everything until `stop`, then drains the gate.
    ///
    /// # Errors
    /// As for [`Gate::run`].
    pub async fn run(self, stop: CancellationToken) -> Result<()> {
        let Self { gate, sim, sim_doors, app: (app, upstream), data, .. } = self;
        let (tasks, halt) = (TaskTracker::new(), CancellationToken::new());
        let mut served = sim_doors.listeners(&sim)?;
        served.push((app.router(), listener(upstream)));
        for (router, listener) in served {
            drop(tasks.spawn(listener.run(Arc::new(Pages(router)), tasks.clone(), halt.clone())));
        }
        let ended = Box::pin(gate.run(stop)).await;
        halt.cancel();
        finish(&tasks).await;
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
    Box::pin(demo.run(stop_signal()?)).await
}

/// A listener of the demo's other servers, as this machine can carry it.
fn listener(socket: TcpListener) -> Listener {
    Listener { socket, tls: None, limits: Limits::of_process(&[]), metrics: Metrics::new() }
}

#[expect(clippy::print_stdout, reason = "the address is what this command says")]
async fn simulator_alone(options: &Options) -> Result<()> {
    on_loopback(options)?;
    // Taken and given back: the port of a gate that may be started beside the simulator.
    let port = take(options.listen).await?.local_addr()?.port();
    let sockets = SimSockets::take(options).await?;
    let (folder, data) = folder(options)?;
    let address = sockets.address()?;
    let doors = sockets.certified(&folder)?;
    let secure_sim = doors.secure();
    let places = Places { port, sim: address, secure_sim, upstream: address, data: folder };
    let secret = seed::secret()?;
    let sim =
        Sim::new(seed::simulator(&places, secret.clone(), &options.redirect_uri)?, Clock::System)?;
    println!("{}", words::simulator(&places, &secret, &options.redirect_uri));
    let (tasks, stop) = (TaskTracker::new(), stop_signal()?);
    for (router, listener) in doors.listeners(&sim)? {
        let run = listener.run(Arc::new(Pages(router)), tasks.clone(), stop.clone());
        drop(tasks.spawn(run));
    }
    stop.cancelled().await;
    finish(&tasks).await;
    drop(data);
    Ok(())
}

/// The simulator signs anybody in as anybody, and the demo's secrets are known.
fn on_loopback(options: &Options) -> Result<()> {
    ensure!(
        options.listen.ip().is_loopback(),
        "`--listen`: the demo is open to everybody who can reach it, so it listens on 127.0.0.1 only"
    );
    Ok(())
}

/// Lets the demo's own servers end, but not wait for a request that the simulator was told never to answer.
async fn finish(tasks: &TaskTracker) {
    tasks.close();
    drop(tokio::time::timeout(GRACE, tasks.wait()).await);
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

#[cfg(test)]
mod tests;
