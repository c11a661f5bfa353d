//! Hosts and origins, compared only in one canonical spelling.
//!
//! A host name that two programs read differently opens doors, so whatever can't be read in one
//! way only is refused: user info, commas, odd ports, labels that are not plain ASCII.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A host in canonical spelling: lower-case A-labels or an IP literal, without port or trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Host(String);

/// Why a text is not a host or an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {wanted}")]
pub struct InvalidHost {
    /// The text as it was given, cut to 120 characters.
    pub text: String,
    /// What was wanted, in words.
    pub wanted: &'static str,
}

impl InvalidHost {
    fn new(text: &str, wanted: &'static str) -> Self {
        Self { text: text.chars().take(120).collect(), wanted }
    }
}

impl Host {
    /// Reads the authority of a request (`Host` header, absolute-form target): host and optional port; the port is
    /// checked and dropped.
    ///
    /// # Errors
    /// When there is user info, a comma, an empty or unreadable port, a label outside `a-z 0-9 - _` or an `xn--` label
    /// that does not stand for anything.
    pub fn from_authority(authority: &str) -> Result<Self, InvalidHost> {
        let wrong = || InvalidHost::new(authority, "a host with an optional port");
        let (host, port) = split_port(authority).ok_or_else(wrong)?;
        if port.is_some_and(|port| !is_port(port)) {
            return Err(wrong());
        }
        host.parse().map_err(|_| wrong())
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name can only mean this machine: `localhost`, a name below it, or a loopback address.
    pub fn is_loopback(&self) -> bool {
        let literal = self.0.trim_start_matches('[').trim_end_matches(']');
        self.0 == "localhost"
            || self.0.ends_with(".localhost")
            || literal.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// Splits `host`, `host:port`, `[v6]` or `[v6]:port`.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if authority.starts_with('[') {
        let (inner, rest) = authority.split_once(']')?;
        let host = authority.get(..=inner.len())?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    Some(authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))))
}

fn is_port(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit())
        && text.parse::<u16>().is_ok_and(|port| port != 0)
}

impl FromStr for Host {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let wrong = || InvalidHost::new(text, "a host name or IP literal");
        if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let ip: std::net::Ipv6Addr = inner.parse().map_err(|_| wrong())?;
            return Ok(Self(format!("[{ip}]")));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if name.parse::<Ipv4Addr>().is_ok() {
            return Ok(Self(name));
        }
        if is_name(&name) { Ok(Self(name)) } else { Err(wrong()) }
    }
}

/// Whether `name` is a lower-case DNS name that every reader takes for the same name.
fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        let clean = label
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        (1..=63).contains(&label.len()) && clean && !label.starts_with('-') && !label.ends_with('-')
    };
    // A last label of digits (or 0x…) is an IPv4 address to a browser: `2130706433`, `127.1`.
    let last_is_number = |name: &str| {
        let last = name.rsplit('.').next().unwrap_or("");
        last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x")
    };
    let plain = name.len() <= 253 && name.split('.').all(label) && !last_is_number(name);
    plain && (!name.contains("xn--") || is_canonical(name))
}

/// The IDNA reader of `url` refuses A-labels that stand for nothing, and changes those that are not canonical. It takes
/// every other plain name as it is, which is asked of it in a test and not with each request.
fn is_canonical(name: &str) -> bool {
    matches!(url::Host::parse(name), Ok(url::Host::Domain(read)) if read == name)
}

impl TryFrom<String> for Host {
    type Error = InvalidHost;

    fn try_from(text: String) -> Result<Self, InvalidHost> {
        text.parse()
    }
}

impl From<Host> for String {
    fn from(host: Host) -> Self {
        host.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How an origin is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Plain text. Only for hosts that can't be anywhere else than on this machine.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A web origin (RFC 6454): scheme, host and port. Written without a default port and without a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin {
    scheme: Scheme,
    host: Host,
    port: u16,
}

impl Origin {
    /// How it is reached.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Its host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Its port, also when it is the scheme's default.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and, unless it is the scheme's default, port: what a browser puts into `Host`.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The absolute URL of `path_and_query`, which starts with `/`.
    pub fn url(&self, path_and_query: &str) -> String {
        format!("{self}{path_and_query}")
    }

    /// Whether cookies for this origin carry `Secure` and the `__Host-` prefix.
    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::Https
    }
}

impl FromStr for Origin {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let wrong = || {
            InvalidHost::new(
                text,
                "an origin (`https://host` with an optional port and nothing after it)",
            )
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let scheme = match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(wrong()),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let host = Host::from_authority(authority).map_err(|_| wrong())?;
        let port = split_port(authority)
            .and_then(|(_, port)| port?.parse().ok())
            .unwrap_or(scheme.default_port());
        Ok(Self { scheme, host, port })
    }
}

impl TryFrom<String> for Origin {
    type Error = InvalidHost;

    fn try_from(text: String) -> Result<Self, InvalidHost> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.to_string()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority())
    }
}
