//! Grants: rules that a form can edit.

use std::collections::BTreeSet;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::id::{AppRole, GrantId, GroupId, RouteId, Subject};
use super::time::Instant;

/// A structured rule: who may do what on which route, under which conditions, until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Stable over edits; records name it.
    pub id: GrantId,
    /// Whether it opens or closes.
    #[serde(default, skip_serializing_if = "Effect::is_permit")]
    pub effect: Effect,
    /// Whom it speaks of.
    pub who: Who,
    /// What they may do.
    pub what: What,
    /// Where.
    pub route: RouteId,
    /// Whether it covers the routes below as well.
    #[serde(default, skip_serializing_if = "Reach::is_below")]
    pub reach: Reach,
    /// Under which conditions; all must hold.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub when: Conditions,
    /// Why it exists, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Whether a rule opens or closes. A `forbid` beats every `permit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Opens.
    #[default]
    Permit,
    /// Closes, whatever else opens.
    Forbid,
}

impl Effect {
    fn is_permit(&self) -> bool {
        *self == Self::Permit
    }
}

/// Whom a grant speaks of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Members of a group.
    Group(GroupId),
    /// Holders of an app role.
    Role(AppRole),
    /// One person.
    Person(Subject),
    /// One service.
    Workload(Subject),
    /// Any person who signed in.
    SignedIn,
    /// Everyone, signed in or not.
    Everyone,
}

/// What a grant lets people do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// `GET`, `HEAD`, `OPTIONS`.
    Read,
    /// `POST`, `PUT`, `PATCH`, `DELETE`.
    Write,
    /// Every method.
    All,
    /// These methods, at least one.
    Methods(BTreeSet<Method>),
}

/// An HTTP method that Cedargate forwards; all others are answered 405.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `OPTIONS`
    Options,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// Every method, in the order of the tables.
    pub const ALL: [Self; 7] =
        [Self::Get, Self::Head, Self::Options, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// The method's exact upper-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// The method with exactly this name; case matters (RFC 9110 section 9.1).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// Whether it is one of the reading methods.
    pub fn is_read(self) -> bool {
        match self {
            Self::Get | Self::Head | Self::Options => true,
            Self::Post | Self::Put | Self::Patch | Self::Delete => false,
        }
    }
}

/// How far down a grant reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// The route and all routes below it.
    #[default]
    Below,
    /// The route alone.
    Only,
}

impl Reach {
    fn is_below(&self) -> bool {
        *self == Self::Below
    }
}

/// Conditions of a grant; all that are set must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// The client's address lies in one of these networks. Empty: any address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<IpNet>,
    /// Whether the session must have met the MFA context of the settings.
    #[serde(default, skip_serializing_if = "Mfa::is_optional")]
    pub mfa: Mfa,
    /// The grant ends by itself at this instant (RFC 3339, UTC, whole seconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

impl Conditions {
    /// Whether nothing is demanded.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.mfa.is_optional() && self.until.is_none()
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
