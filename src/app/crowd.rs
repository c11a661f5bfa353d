//! How many connections there may be: in all, and of one client, so that nobody can take them all.
//!
//! Clients are counted by address (IPv6 by network), and only while they are connected, so that the table is no larger
//! than the number of connections. Proxies stand for many clients and are not counted: the trusted ones, and whatever
//! runs on this machine.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::web::client::network_of;

/// Connections of one listener at once; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 8_192;
/// Enough for a large office behind one address.
const MAX_PER_CLIENT: usize = 256;
/// File descriptors left to databases, upstreams and keys.
const RESERVED_FILES: usize = 256;
/// With fewer connections than these nobody is served at all, however few files there may be.
const FEWEST_CONNECTIONS: usize = 64;
const THIS_MACHINE_V4: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::LOCALHOST, 8);
const THIS_MACHINE_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128);

/// How many connections a listener takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// At once, at least 1; further clients wait.
    pub total: usize,
    /// From one address (IPv6: one network of 64 bits); further ones are closed at once.
    pub per_client: usize,
    /// Peers that are not counted, because they stand for many clients.
    pub uncounted: Vec<IpNet>,
}

impl Limits {
    /// What this process can carry by its limit of open files, with `proxies` not counted.
    pub fn of_process(proxies: &[IpNet]) -> Self {
        // Where there is no such file the limit is not known, and the fixed maximum stays.
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        Self::under(open_files(&limits), proxies)
    }

    pub(super) fn under(files: Option<usize>, proxies: &[IpNet]) -> Self {
        let carried = files.map_or(MAX_CONNECTIONS, |files| files.saturating_sub(RESERVED_FILES));
        let total = carried.clamp(FEWEST_CONNECTIONS, MAX_CONNECTIONS);
        let mut uncounted = proxies.to_vec();
        uncounted.extend([IpNet::V4(THIS_MACHINE_V4), IpNet::V6(THIS_MACHINE_V6)]);
        // Where little can be carried, one client must still leave room for the others.
        Self { total, per_client: MAX_PER_CLIENT.min(total / 2), uncounted }
    }
}

/// The soft limit of open files in the text of `/proc/self/limits` (proc(5)).
pub(super) fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The connections that are open, by client.
#[derive(Debug)]
pub(super) struct Crowd {
    per_client: usize,
    uncounted: Vec<IpNet>,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// A place in the crowd, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Arc<Crowd>,
    /// None for a peer that is not counted.
    client: Option<IpAddr>,
}

impl Crowd {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        let Limits { per_client, uncounted, .. } = limits.clone();
        Arc::new(Self { per_client, uncounted, open: Mutex::default() })
    }

    /// A place for one more connection of `peer`, or none when it has its share.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        if self.uncounted.iter().any(|network| network.contains(&peer)) {
            return Some(Place { crowd: Arc::clone(self), client: None });
        }
        let client = network_of(peer);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let held = open.get(&client).copied().unwrap_or(0);
        if held >= self.per_client {
            return None;
        }
        open.insert(client, held.saturating_add(1));
        Some(Place { crowd: Arc::clone(self), client: Some(client) })
    }

    fn leave(&self, client: IpAddr) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&client) {
            Some(held) if *held > 1 => *held -= 1,
            Some(_) | None => drop(open.remove(&client)),
        }
    }

    /// Clients that have a connection now.
    #[cfg(test)]
    pub(super) fn clients(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(client) = self.client {
            self.crowd.leave(client);
        }
    }
}

#[cfg(test)]
#[path = "tests/crowd.rs"]
mod tests;
