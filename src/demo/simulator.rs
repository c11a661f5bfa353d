//! Where the simulated Entra is served: over http, and over https for clients that insist on it.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use axum::Router;
use tokio::net::TcpListener;

use super::certificates::{self, Certified};
use super::{Options, SecureSim, listener, take};
use crate::app::listener::Listener;
use crate::sim::Sim;

/// How far the simulator's https port is above the gate's: as 443 is above 80, so 8443 for 8080.
const ABOVE: u16 = 443 - 80;

/// The simulator's sockets, taken before anything else is opened.
#[derive(Debug)]
pub struct SimSockets {
    plain: TcpListener,
    secure: Option<TcpListener>,
}

/// The sockets together with what is needed to speak there.
#[derive(Debug)]
pub struct SimDoors {
    plain: TcpListener,
    secure: Option<(TcpListener, Certified, SecureSim)>,
}

impl SimSockets {
    /// Takes the port after the gate's and, if asked, the one for https.
    ///
    /// # Errors
    /// When one is taken already, or there is no such port.
    pub async fn take(options: &Options) -> Result<Self> {
        let plain = take(above(options.listen, 1)?).await?;
        let secure =
            if options.sim_tls { Some(take(above(options.listen, ABOVE)?).await?) } else { None };
        Ok(Self { plain, secure })
    }

    /// Where http is spoken.
    ///
    /// # Errors
    /// When the socket does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.plain.local_addr()
    }

    /// Makes the certificates for the https socket; the authority's file goes into `folder`.
    ///
    /// # Errors
    /// When they can't be made or written.
    pub fn certified(self, folder: &Path) -> Result<SimDoors> {
        let certified = |socket: TcpListener| -> Result<_> {
            let certified = certificates::make(folder)?;
            let port = socket.local_addr()?.port();
            let place = SecureSim { port, authority: certified.authority.clone() };
            Ok((socket, certified, place))
        };
        Ok(SimDoors { plain: self.plain, secure: self.secure.map(certified).transpose()? })
    }
}

impl SimDoors {
    /// Where https is spoken, if it is.
    pub fn secure(&self) -> Option<SecureSim> {
        self.secure.as_ref().map(|(_, _, place)| place.clone())
    }

    /// What to serve where. Each listener names itself in metadata and tokens.
    ///
    /// # Errors
    /// When the https origin is none.
    pub fn listeners(self, sim: &Sim) -> Result<Vec<(Router, Listener)>> {
        let mut all = vec![(sim.router(), listener(self.plain))];
        if let Some((socket, certified, place)) = self.secure {
            let tls = Some(certified.server);
            all.push((sim.at(&place.origin())?.router(), Listener { tls, ..listener(socket) }));
        }
        Ok(all)
    }
}

/// The address `step` ports above the gate's; the system's choice when the gate's port is.
fn above(listen: SocketAddr, step: u16) -> Result<SocketAddr> {
    let port = match listen.port() {
        0 => 0,
        port => port.checked_add(step).with_context(|| {
            format!("`--listen`: the simulator needs the port {step} above it, and there is none")
        })?,
    };
    Ok(SocketAddr::new(listen.ip(), port))
}
