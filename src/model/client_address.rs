//! Where a request came from.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The client's address, or the fact that nobody can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientAddress {
    /// The peer, or the hop that a trusted proxy vouches for.
    Known(IpAddr),
    /// A trusted proxy sent an `X-Forwarded-For` that can't be read: rules about networks fail, and so deny.
    Unknown,
}

impl ClientAddress {
    /// The address that stands for everybody whom one person can pose as: an IPv6 address gives its /64, which is what
    /// a single customer gets, and any other address gives itself.
    #[must_use]
    pub fn neighbourhood(self) -> Self {
        match self {
            Self::Known(IpAddr::V6(ip)) => {
                let network = Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64));
                Self::Known(IpAddr::V6(network))
            }
            Self::Known(IpAddr::V4(_)) | Self::Unknown => self,
        }
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(ip) => ip.fmt(f),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

impl Serialize for ClientAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(ip) => ip.serialize(serializer),
            Self::Unknown => serializer.serialize_str("unknown"),
        }
    }
}

impl<'de> Deserialize<'de> for ClientAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A text that is no client's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a client's address")]
pub struct InvalidClientAddress(String);

impl FromStr for ClientAddress {
    type Err = InvalidClientAddress;

    fn from_str(text: &str) -> Result<Self, InvalidClientAddress> {
        if text == "unknown" {
            return Ok(Self::Unknown);
        }
        let wrong = |_| InvalidClientAddress(text.chars().take(80).collect());
        text.parse().map(Self::Known).map_err(wrong)
    }
}
