//! Flood control: a token bucket per client, IPv6 by /64, in bounded memory.
//!
//! Refused requests are counted and handed out in sums, so that a flood costs one record per client and interval.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use quick_cache::sync::Cache;

use crate::model::record::ClientAddress;
use crate::model::time::Timestamp;

const CLIENTS: usize = 50_000;
const SUMMARIES: usize = 10_000;
const MICROS: i64 = 1_000_000;

/// How much one client may ask for.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Requests per second in the long run, at least 1.
    pub per_second: u32,
    /// Requests at once.
    pub burst: u32,
}

/// Whether a refusal opens a flood or continues one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shedding {
    /// The first since the last summary.
    First,
    /// Another one, only counted.
    Further,
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It goes on.
    Admitted,
    /// It is refused with 429.
    Shed(Shedding),
}

/// Token buckets of all clients.
#[derive(Debug)]
pub struct Flood {
    limit: Limit,
    // The point in time at which a client's bucket is full again, in microseconds (GCRA).
    full_at: Cache<ClientAddress, i64>,
    shed: Mutex<HashMap<ClientAddress, u64>>,
}

impl Flood {
    /// Flood control with one limit for every client.
    pub fn new(limit: Limit) -> Self {
        Self { limit, full_at: Cache::new(CLIENTS), shed: Mutex::default() }
    }

    /// Takes a token of `client` at `now`.
    pub fn admit(&self, client: ClientAddress, now: Timestamp) -> Admission {
        let client = neighbourhood(client);
        let mut shed = self.shed.lock().unwrap_or_else(PoisonError::into_inner);
        let cost = MICROS / i64::from(self.limit.per_second.max(1));
        let now = now.as_micros();
        // Never further ahead than a whole burst: a clock set back must not lock anybody out.
        let room = cost.saturating_mul(i64::from(self.limit.burst.max(1)));
        let full_at = self.full_at.get(&client).unwrap_or(now).clamp(now, now.saturating_add(room));
        let next = full_at.saturating_add(cost);
        if next.saturating_sub(now) <= room {
            self.full_at.insert(client, next);
            return Admission::Admitted;
        }
        // With too many clients at once, the rest is summed up under no address.
        let counted = if shed.len() < SUMMARIES { client } else { ClientAddress::Unknown };
        let count = shed.entry(counted).or_insert(0);
        *count = count.saturating_add(1);
        Admission::Shed(if *count == 1 { Shedding::First } else { Shedding::Further })
    }

    /// Requests refused per client since the last call; one record each.
    pub fn take_summaries(&self) -> Vec<(ClientAddress, u64)> {
        let mut shed = self.shed.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *shed).into_iter().collect()
    }
}

fn neighbourhood(client: ClientAddress) -> ClientAddress {
    match client {
        ClientAddress::Known(IpAddr::V6(ip)) => {
            let network = Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64));
            ClientAddress::Known(IpAddr::V6(network))
        }
        ClientAddress::Known(IpAddr::V4(_)) | ClientAddress::Unknown => client,
    }
}
