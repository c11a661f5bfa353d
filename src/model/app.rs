//! A protected web application.

use serde::{Deserialize, Serialize};

use super::host::{Host, Origin};
use super::id::AppId;

/// A protected web application: where people reach it and where it really is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Its id, also the audience of its assertions.
    pub id: AppId,
    /// The name that people see.
    pub name: String,
    /// The external origins, at least one. The first is the one we send people to.
    pub origins: Vec<Origin>,
    /// Where allowed requests are forwarded; none when another proxy carries the traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Upstream>,
    /// Origins besides its own whose scripts may read our 401 and 403 answers (CORS).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cors_origins: Vec<Origin>,
    /// Further names under which the identity headers are sent, for software made for another proxy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub header_aliases: Vec<HeaderAlias>,
}

impl App {
    /// The origin among ours that a request to `host` belongs to; the port is ignored.
    pub fn origin_of(&self, host: &Host) -> Option<&Origin> {
        self.origins.iter().find(|origin| origin.host() == host)
    }
}

/// The base URL of an app's own server: an origin without a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Upstream(pub Origin);

/// A header name of another proxy that carries a value of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum HeaderAlias {
    /// `Remote-User`: the user name.
    #[serde(rename = "Remote-User")]
    RemoteUser,
    /// `X-Forwarded-User`: the user name.
    #[serde(rename = "X-Forwarded-User")]
    XForwardedUser,
    /// `X-Forwarded-Email`: the e-mail address.
    #[serde(rename = "X-Forwarded-Email")]
    XForwardedEmail,
    /// `X-Forwarded-Groups`: the group ids.
    #[serde(rename = "X-Forwarded-Groups")]
    XForwardedGroups,
    /// `X-Auth-Request-User`: the user name.
    #[serde(rename = "X-Auth-Request-User")]
    XAuthRequestUser,
    /// `X-Auth-Request-Email`: the e-mail address.
    #[serde(rename = "X-Auth-Request-Email")]
    XAuthRequestEmail,
    /// `X-Auth-Request-Groups`: the group ids.
    #[serde(rename = "X-Auth-Request-Groups")]
    XAuthRequestGroups,
    /// `X-Auth-Request-Preferred-Username`: the user name.
    #[serde(rename = "X-Auth-Request-Preferred-Username")]
    XAuthRequestPreferredUsername,
}

impl HeaderAlias {
    /// Every alias, in the order of lists.
    pub const ALL: [Self; 8] = [
        Self::RemoteUser,
        Self::XForwardedUser,
        Self::XForwardedEmail,
        Self::XForwardedGroups,
        Self::XAuthRequestUser,
        Self::XAuthRequestEmail,
        Self::XAuthRequestGroups,
        Self::XAuthRequestPreferredUsername,
    ];

    /// The header's name, as rule files spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RemoteUser => "Remote-User",
            Self::XForwardedUser => "X-Forwarded-User",
            Self::XForwardedEmail => "X-Forwarded-Email",
            Self::XForwardedGroups => "X-Forwarded-Groups",
            Self::XAuthRequestUser => "X-Auth-Request-User",
            Self::XAuthRequestEmail => "X-Auth-Request-Email",
            Self::XAuthRequestGroups => "X-Auth-Request-Groups",
            Self::XAuthRequestPreferredUsername => "X-Auth-Request-Preferred-Username",
        }
    }

    /// What it carries, in words.
    pub fn carries(self) -> &'static str {
        match self {
            Self::RemoteUser
            | Self::XForwardedUser
            | Self::XAuthRequestUser
            | Self::XAuthRequestPreferredUsername => "the user name",
            Self::XForwardedEmail | Self::XAuthRequestEmail => "the e-mail address",
            Self::XForwardedGroups | Self::XAuthRequestGroups => "the group ids",
        }
    }
}
