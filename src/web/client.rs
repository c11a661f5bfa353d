//! The client's address behind trusted proxies.
//!
//! An untrusted peer is the client, whatever it claims. Behind a trusted peer the `X-Forwarded-For` lines are walked
//! from the right past trusted hops; the first hop that can't be read makes the address unknown, and rules about
//! networks fail. Ports are read; zone ids (RFC 4007) are not, for they mean nothing on another machine.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::model::record::ClientAddress;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client behind `peer`, given the networks whose word is taken.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> ClientAddress {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|network| network.contains(&ip));
    let mut client = peer.to_canonical();
    if !is_trusted(client) {
        return ClientAddress::Known(client);
    }
    let lines: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
    for line in lines.into_iter().rev() {
        let Ok(line) = line.to_str() else { return ClientAddress::Unknown };
        for hop in line.rsplit(',') {
            let Some(ip) = read_hop(hop.trim_matches([' ', '\t'])) else {
                return ClientAddress::Unknown;
            };
            client = ip;
            if !is_trusted(client) {
                return ClientAddress::Known(client);
            }
        }
    }
    // Every hop is one of our proxies: the outermost of them is the client.
    ClientAddress::Known(client)
}

/// The address under which a client is counted: an IPv6 network of 64 bits is one client, for it can take any address
/// of it.
pub fn network_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64))),
        IpAddr::V4(ip) => IpAddr::V4(ip),
    }
}

fn read_hop(hop: &str) -> Option<IpAddr> {
    if hop.contains('%') {
        return None;
    }
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let ip = match bare {
        Some(inner) => IpAddr::V6(inner.parse().ok()?),
        None => hop.parse().or_else(|_| hop.parse::<SocketAddr>().map(|found| found.ip())).ok()?,
    };
    Some(ip.to_canonical())
}
