//! How a decision fell, why, and by which rules.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::id::{GrantId, InvalidId, PolicyId};

/// Allow or deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Let through.
    Allow,
    /// Kept out.
    Deny,
}

impl Verdict {
    /// The word in records, JSON answers and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// Why a decision fell as it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A permit applies and no forbid does.
    Granted,
    /// No permit applies to this known principal.
    NoGrant,
    /// No permit applies, and nobody is signed in.
    NotSignedIn,
    /// A forbid applies.
    Forbidden,
    /// A policy failed while it was evaluated; everything is denied then.
    PolicyError,
    /// No route of the app covers the path.
    NoRoute,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Granted,
        Self::NoGrant,
        Self::NotSignedIn,
        Self::Forbidden,
        Self::PolicyError,
        Self::NoRoute,
    ];

    /// The reason that records write with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }

    /// The word in records, JSON answers and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::NoGrant => "no_grant",
            Self::NotSignedIn => "not_signed_in",
            Self::Forbidden => "forbidden",
            Self::PolicyError => "policy_error",
            Self::NoRoute => "no_route",
        }
    }
}

/// The rule that decided, as policies are named in Cedar: `grant:<id>`, `policy:<id>` or `console:<id>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleId {
    /// Compiled from a grant.
    Grant(GrantId),
    /// Written by hand.
    Policy(PolicyId),
    /// One of the fixed console policies.
    Console(String),
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant(id) => write!(f, "grant:{id}"),
            Self::Policy(id) => write!(f, "policy:{id}"),
            Self::Console(id) => write!(f, "console:{id}"),
        }
    }
}

impl Serialize for RuleId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for RuleId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let wrong =
            || InvalidId::new(text, "a rule (`grant:<id>`, `policy:<id>` or `console:<id>`)");
        match text.split_once(':').ok_or_else(wrong)? {
            ("grant", id) => id.parse().map(Self::Grant),
            ("policy", id) => id.parse().map(Self::Policy),
            ("console", id) if !id.is_empty() => Ok(Self::Console(id.to_owned())),
            _ => Err(wrong()),
        }
    }
}

impl<'de> Deserialize<'de> for RuleId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
