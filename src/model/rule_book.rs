//! The rule book, and releases of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::app::App;
use super::assertion::Assertion;
use super::grant::Grant;
use super::id::{GroupId, ReleaseNumber};
use super::policy::Policy;
use super::route::Route;
use super::time::Timestamp;

/// Apps, routes, grants, policies and assertions together: everything that decides who may open what.
///
/// The empty rule book is valid and denies everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleBook {
    /// Protected apps, by id.
    #[serde(default)]
    pub apps: Vec<App>,
    /// Their routes.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// Structured rules.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// Hand-written rules.
    #[serde(default)]
    pub policies: Vec<Policy>,
    /// Tests of the rules, run before every release.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assertions: Vec<Assertion>,
    /// Names for group ids, typed by an admin, so that pages speak of groups by name.
    #[serde(default)]
    pub group_names: BTreeMap<GroupId, String>,
}

impl RuleBook {
    /// The same with each list ordered by id, so that equal rule books are equal bytes.
    #[must_use]
    pub fn sorted(&self) -> Self {
        let mut sorted = self.clone();
        sorted.apps.sort_by(|a, b| a.id.cmp(&b.id));
        sorted.routes.sort_by(|a, b| a.id.cmp(&b.id));
        sorted.grants.sort_by(|a, b| a.id.cmp(&b.id));
        sorted.policies.sort_by(|a, b| a.id.cmp(&b.id));
        sorted.assertions.sort_by(|a, b| a.id.cmp(&b.id));
        sorted
    }

    /// SHA-256 (hex) over the content, whatever the order of its lists: what a review is bound to.
    pub fn content_hash(&self) -> String {
        let json = serde_json::to_vec(&self.sorted()).unwrap_or_default();
        format!("{:x}", Sha256::digest(json))
    }
}

/// An immutable, numbered, published rule book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// 1, 2, 3, …
    pub number: ReleaseNumber,
    /// What was published.
    pub rule_book: RuleBook,
    /// All policies as Cedar text, compiled from the rule book; kept for auditors.
    pub cedar: String,
    /// The Cedar schema as JSON that they were validated against; kept for auditors.
    pub schema: String,
    /// SHA-256 (hex) over rule book, Cedar text and schema, as stored.
    pub sha256: String,
    /// When.
    pub published_at: Timestamp,
    /// By whom, as records name them: a subject or `operator:<system user>`.
    pub published_by: String,
    /// Why, in the publisher's words.
    pub note: String,
}
