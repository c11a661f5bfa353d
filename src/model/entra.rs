//! How Cedargate itself stands at Entra: in which cloud, with which credential, and where it reads groups.

use std::path::PathBuf;

use secrecy::SecretString;

use super::time::Timestamp;

/// A Microsoft cloud: each has its own directories, and tokens are not valid across them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// The worldwide cloud.
    Public,
    /// Microsoft Cloud for US Government.
    UsGovernment,
    /// The cloud operated by 21Vianet in China.
    China,
}

impl Cloud {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Public, Self::UsGovernment, Self::China];

    /// Its name in the settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::UsGovernment => "us_government",
            Self::China => "china",
        }
    }

    /// The origin of its sign-in pages.
    pub fn authority(self) -> &'static str {
        match self {
            Self::Public => "https://login.microsoftonline.com",
            Self::UsGovernment => "https://login.microsoftonline.us",
            Self::China => "https://login.partner.microsoftonline.cn",
        }
    }

    /// The hosts of its Microsoft Graph: tokens for Graph go to no other. The second one of the US Government is the
    /// Department of Defense's.
    pub fn graph_hosts(self) -> &'static [&'static str] {
        match self {
            Self::Public => &["graph.microsoft.com"],
            Self::UsGovernment => &["graph.microsoft.us", "dod-graph.microsoft.us"],
            Self::China => &["microsoftgraph.chinacloudapi.cn"],
        }
    }

    /// The `aud` that a federated token has unless the registration says otherwise.
    pub fn exchange_audience(self) -> &'static str {
        match self {
            Self::Public => "api://AzureADTokenExchange",
            Self::UsGovernment => "api://AzureADTokenExchangeUSGov",
            Self::China => "api://AzureADTokenExchangeChina",
        }
    }

    /// Whether an audience means Microsoft Graph, of whichever cloud and under whichever of its names. Its tokens are in
    /// the hands of every app that reads from it, so nobody else may accept them.
    pub fn is_graph(audience: &str) -> bool {
        let plain = audience.trim_end_matches('/');
        let at = |host: &str| plain.eq_ignore_ascii_case(&format!("https://{host}"));
        let mut hosts = Self::ALL.into_iter().flat_map(Self::graph_hosts);
        GRAPH_NAMES.iter().any(|name| plain.eq_ignore_ascii_case(name))
            || hosts.any(|host| at(host))
    }
}

/// Microsoft Graph in every cloud: its application id, and the directory's older interface, whose tokens it takes.
const GRAPH_NAMES: [&str; 4] = [
    "00000003-0000-0000-c000-000000000000",
    "00000002-0000-0000-c000-000000000000",
    "https://graph.windows.net",
    "https://graph.chinacloudapi.cn",
];

/// What Cedargate proves itself with at Entra's token endpoint.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A client secret.
    Secret {
        /// The value, not the id.
        value: SecretString,
        /// When it ends, as far as the operator says: Entra does not tell.
        expires_at: Option<Timestamp>,
    },
    /// A certificate with its RSA key (RFC 7523). Both files are read again when they change.
    Certificate {
        /// PEM; the first certificate in it counts.
        certificate_file: PathBuf,
        /// PEM, not encrypted.
        key_file: PathBuf,
    },
    /// The token of somebody whom the registration trusts (workload identity federation).
    FederatedToken {
        /// A JWT; read again on every use, because it is replaced while we run.
        file: PathBuf,
    },
}

/// Where a person's groups are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GroupSource {
    /// The token alone. Somebody in more groups than fit into it can't sign in.
    Token,
    /// Microsoft Graph at every sign-in and re-check; the token's groups don't count.
    Graph,
    /// The token, and Graph for whoever is in more groups than fit into it.
    #[default]
    GraphOnOverage,
}
