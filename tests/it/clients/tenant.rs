//! The tenant Contoso over http and https, for whichever clients a test registers.

use std::sync::Arc;
use std::sync::OnceLock;

use cedargate::app::listener::Pages;
use cedargate::demo::simulator::SimSockets;
use cedargate::demo::{Options, SecureSim};
use cedargate::model::time::Clock;
use cedargate::sim::{Panel, Registration, Sim, SimSettings, people};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::harness::Trust;

/// Client id of an app that signs people in by itself.
pub(crate) const WEB_APP: &str = "0bde0000-7e4a-4000-8000-0000000000de";

/// Made once: keys take a while.
static KEYS: OnceLock<Sim> = OnceLock::new();

/// The simulator, running. Ends with the test.
pub(crate) struct Tenant {
    pub(crate) sim: Sim,
    /// Its http origin.
    pub(crate) plain: String,
    pub(crate) secure: SecureSim,
    stop: CancellationToken,
    _folder: TempDir,
}

impl Tenant {
    pub(crate) async fn start(clients: Vec<Registration>) -> Self {
        Self::start_at(Clock::System, clients).await
    }

    /// As [`Self::start`], on this clock.
    pub(crate) async fn start_at(clock: Clock, clients: Vec<Registration>) -> Self {
        let folder = TempDir::new().unwrap();
        let options = Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            data: None,
            sim_only: true,
            sim_tls: true,
            redirect_uri: Vec::new(),
        };
        let sockets = SimSockets::take(&options).await.unwrap();
        let plain = format!("http://{}", sockets.address().unwrap());
        let doors = sockets.certified(folder.path()).unwrap();
        let secure = doors.secure().unwrap();
        let settings = SimSettings {
            origin: plain.clone(),
            tenant: people::TENANT.to_owned(),
            clients,
            people: people::contoso(),
            bound_contexts: std::collections::BTreeSet::new(),
            panel: Panel::Hidden,
        };
        let keys = KEYS.get_or_init(|| Sim::new(settings.clone(), clock.clone()).unwrap());
        let sim = keys.sharing_keys(settings, clock).unwrap();
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        for (router, listener) in doors.listeners(&sim).unwrap() {
            let run = listener.run(Arc::new(Pages(router)), tasks.clone(), stop.clone());
            drop(tasks.spawn(run));
        }
        Self { sim, plain, secure, stop, _folder: folder }
    }

    /// The authority as clients are told it: over https, since MSAL takes nothing else.
    pub(crate) fn authority(&self) -> String {
        format!("{}/{}", self.secure.origin(), people::TENANT)
    }

    /// What a client must believe to talk to it.
    pub(crate) fn trust(&self) -> Trust {
        Trust::in_file(&self.secure.authority)
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The gate's own registration, with this secret.
pub(crate) fn gate(secret: &str) -> Registration {
    Registration::new(people::CLIENT, "Cedargate")
        .with_secret(secret)
        .with_redirect("http://localhost/_gate/callback")
        .with_logout("http://localhost/_gate/signed-out")
}

/// A web app that signs people in by itself, with this secret.
pub(crate) fn web_app(secret: &str) -> Registration {
    Registration::new(WEB_APP, "Orders")
        .with_secret(secret)
        .with_redirect("http://localhost/getAToken")
        .with_logout("http://localhost/")
}
