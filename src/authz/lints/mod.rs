//! Rules that are valid and most likely not meant: what to look at before publishing.
//!
//! | lint | what it finds |
//! |---|---|
//! | `always-true` | a condition that always holds, and so demands nothing |
//! | `always-false` | a rule that never has a say |
//! | `shadowed` | a rule that changes nothing, because another one does all of it, or forbids all of it |
//! | `error-prone-forbid` | a `forbid` whose condition can fail, and then denies whatever it was meant for or not |
//! | `unknown-name` | a group that nobody gave a name, an app role that differs little from another one |
//! | `like-across-slashes` | a `*` that people take for one segment of a path, and that takes any number |
//! | `overbroad` | a permit that opens more than one place to more than some |
//!
//! A lint never keeps a rule book from being published.

mod constant;
mod fallible;
mod names;
mod paths;
mod shadowed;
mod wide;

use std::fmt;

use serde_json::Value;

use super::policy_text;
use super::problem::{Object, Problem};
use super::snapshot::Snapshot;
use super::stack::with_room;
use crate::model::group::GroupNames;
use crate::model::policy::Policy;
use crate::model::problem::Position;
use crate::model::rule_book::RuleBook;
use crate::model::time::Timestamp;

/// Which lint found something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LintKind {
    /// A condition that always holds.
    AlwaysTrue,
    /// A rule that never has a say.
    AlwaysFalse,
    /// A rule that changes nothing.
    Shadowed,
    /// A `forbid` whose condition can fail.
    ErrorProneForbid,
    /// A name that nobody knows.
    UnknownName,
    /// A `*` that goes over slashes.
    LikeAcrossSlashes,
    /// A permit that opens a lot.
    Overbroad,
}

impl LintKind {
    /// The name by which people look it up.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AlwaysTrue => "always-true",
            Self::AlwaysFalse => "always-false",
            Self::Shadowed => "shadowed",
            Self::ErrorProneForbid => "error-prone-forbid",
            Self::UnknownName => "unknown-name",
            Self::LikeAcrossSlashes => "like-across-slashes",
            Self::Overbroad => "overbroad",
        }
    }
}

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lint {
    /// Where, what, and what to do about it.
    pub problem: Problem,
    /// Which lint found it.
    pub kind: LintKind,
}

impl Lint {
    fn new(kind: LintKind, problem: Problem) -> Self {
        Self { problem, kind }
    }
}

/// `policy `p`:2:1: what; what to do (always-true)`
impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.problem, self.kind.as_str())
    }
}

/// A hand-written policy, read.
struct Read<'b> {
    policy: &'b Policy,
    /// Cedar's JSON form.
    form: Value,
}

impl Read<'_> {
    fn object(&self) -> Object {
        Object::Policy(self.policy.id.clone())
    }

    /// The place of a byte of its text.
    fn at(&self, offset: usize) -> Position {
        Position::at(&self.policy.text, offset)
    }
}

/// Everything to look at in a rule book that compiled to `snapshot`, sorted.
///
/// `names` are the groups that are known by name; `now` tells what has ended.
pub fn lint(book: &RuleBook, snapshot: &Snapshot, names: &GroupNames, now: Timestamp) -> Vec<Lint> {
    let mut found = with_room(|| {
        let policies: Vec<_> = book.policies.iter().filter_map(read).collect();
        let mut found = constant::of_policies(&policies, snapshot.schema());
        for policy in &policies {
            found.extend(fallible::of_policy(policy));
            found.extend(paths::of_policy(policy));
            found.extend(wide::of_policy(policy));
        }
        found.extend(shadowed::policies(&policies));
        found
    });
    for grant in &book.grants {
        found.extend(constant::of_grant(grant, now));
        found.extend(wide::of_grant(grant));
    }
    found.extend(shadowed::grants(book));
    found.extend(names::of_book(book, names));
    found.sort();
    found.dedup();
    found
}

/// A policy that can't be read is the compiler's to complain about.
fn read(policy: &Policy) -> Option<Read<'_>> {
    let form = policy_text::read(policy).ok()?.to_json().ok()?;
    Some(Read { policy, form })
}
