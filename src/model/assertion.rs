//! Assertions: tests that are kept with the rules and run before every release.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::grant::{Reach, What, Who};
use super::id::{AppId, AssertionId, AuthContext, RouteId};
use super::record::MfaState;
use super::time::{Instant, Span};

/// What must be true of a rule book, whoever edits it next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AssertionForm", into = "AssertionForm")]
pub struct Assertion {
    /// Stable over edits; failures name it.
    pub id: AssertionId,
    /// What is asserted.
    pub claim: Claim,
    /// Why it matters, in words.
    pub reason: String,
}

/// What an assertion says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// They can, always: a condition that is not given makes it fail.
    Can(Access),
    /// They can't, under no circumstances but those given.
    Cannot(Access),
    /// Nobody can but those who are named, of all groups, app roles, people and services that the rule book knows.
    NobodyBut(Exclusive),
}

/// Somebody doing something somewhere, as things stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Who: somebody of whom nothing else is known.
    pub who: Who,
    /// What they do: every method of it.
    pub what: What,
    /// In which app.
    pub app: AppId,
    /// The canonical path there.
    pub path: String,
    /// What is known of the circumstances.
    #[serde(default, skip_serializing_if = "Given::is_nothing")]
    pub given: Given,
}

/// What is known of the circumstances of an [`Access`]; the rest may be anything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The client's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<IpAddr>,
    /// The time; the present when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Instant>,
    /// Whether the MFA context of the settings is met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<MfaState>,
    /// All authentication contexts that are met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_contexts: Option<BTreeSet<AuthContext>>,
    /// How long ago the person proved who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_in: Option<Span>,
}

impl Given {
    /// Whether nothing is known.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Something that only some may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusive {
    /// Those who may; empty: nobody.
    pub who: Vec<Who>,
    /// What.
    pub what: What,
    /// Where.
    pub route: RouteId,
    /// Whether the routes below it are meant as well.
    #[serde(default, skip_serializing_if = "is_below")]
    pub reach: Reach,
}

fn is_below(reach: &Reach) -> bool {
    *reach == Reach::Below
}

/// An [`Assertion`] as it is written: exactly one of the three claims.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AssertionForm {
    id: AssertionId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    can: Option<Access>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cannot: Option<Access>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nobody_but: Option<Exclusive>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    reason: String,
}

/// An assertion that claims nothing, or several things.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the assertion `{0}` needs exactly one of `can`, `cannot` and `nobody_but`")]
pub struct InvalidAssertion(AssertionId);

impl TryFrom<AssertionForm> for Assertion {
    type Error = InvalidAssertion;

    fn try_from(form: AssertionForm) -> Result<Self, InvalidAssertion> {
        let AssertionForm { id, can, cannot, nobody_but, reason } = form;
        let claim = match (can, cannot, nobody_but) {
            (Some(access), None, None) => Claim::Can(access),
            (None, Some(access), None) => Claim::Cannot(access),
            (None, None, Some(exclusive)) => Claim::NobodyBut(exclusive),
            (Some(_) | None, _, _) => return Err(InvalidAssertion(id)),
        };
        Ok(Self { id, claim, reason })
    }
}

impl From<Assertion> for AssertionForm {
    fn from(Assertion { id, claim, reason }: Assertion) -> Self {
        let mut form = Self { id, can: None, cannot: None, nobody_but: None, reason };
        match claim {
            Claim::Can(access) => form.can = Some(access),
            Claim::Cannot(access) => form.cannot = Some(access),
            Claim::NobodyBut(exclusive) => form.nobody_but = Some(exclusive),
        }
        form
    }
}
