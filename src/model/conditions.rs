//! Conditions of a grant: when it holds.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::civil::Hours;
use super::id::{AuthContext, ParameterName};
use super::time::{Instant, Span};

/// Conditions of a grant; all that are set must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// The client's address lies in one of these networks. Empty: any address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<IpNet>,
    /// It is one of these hours of the week. Empty: any time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<Hours>,
    /// Whether the session must have met the MFA context of the settings.
    #[serde(default, skip_serializing_if = "Mfa::is_optional")]
    pub mfa: Mfa,
    /// The person proved who they are at most this long ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh: Option<Span>,
    /// The session met this authentication context of Conditional Access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_context: Option<AuthContext>,
    /// This parameter of the path is the object id of whoever asks: everyone has a place of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<ParameterName>,
    /// The grant ends by itself at this instant (RFC 3339, UTC, whole seconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

impl Conditions {
    /// Whether nothing is demanded.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether a grant asks for multi-factor authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mfa {
    /// It does not ask.
    #[default]
    Optional,
    /// `context.mfa` must be true.
    Required,
}

impl Mfa {
    fn is_optional(&self) -> bool {
        *self == Self::Optional
    }
}
