//! What a check reads of a record: its place, and what searchable columns copy.

use std::borrow::Cow;

use serde::Deserialize;

use crate::model::id::Subject;

/// The parts of a body that a check looks at.
#[derive(Debug, Deserialize)]
pub(super) struct Seen<'a> {
    #[serde(borrow)]
    pub(super) origin: Cow<'a, str>,
    pub(super) seq: u64,
    #[serde(borrow)]
    pub(super) at: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) verdict: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) app: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) route: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) principal: Option<Who<'a>>,
    #[serde(borrow, default)]
    subject: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    actor: Option<Cow<'a, str>>,
}

/// Who a decision was about.
#[derive(Debug, Deserialize)]
pub(super) struct Who<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) sha256: Cow<'a, str>,
}

impl Seen<'_> {
    /// Whom the column `subject` names: as `Event::subject` and the envelope have it.
    pub(super) fn subject(&self) -> Option<&str> {
        match (&self.principal, &*self.kind) {
            (Some(who), _) => who.id.as_deref(),
            (None, "session_ended") => self.subject.as_deref(),
            (None, "signed_in" | "stepped_up" | "step_up_failed" | "principal_changed") => {
                let actor = self.actor.as_deref()?;
                actor.parse::<Subject>().is_ok().then_some(actor)
            }
            (None, _) => None,
        }
    }
}

/// Another key takes over.
#[derive(Debug, Deserialize)]
pub(super) struct Rotated {
    pub(super) before: String,
    pub(super) after: String,
}

/// Records were blanked.
#[derive(Debug, Deserialize)]
pub(super) struct Erased {
    #[serde(rename = "origin_of_records")]
    pub(super) origin: String,
    pub(super) records: String,
}

/// Records were removed with age.
#[derive(Debug, Deserialize)]
pub(super) struct Pruned {
    #[serde(rename = "origin_of_records")]
    pub(super) origin: String,
    pub(super) upto: u64,
    pub(super) root: String,
}

/// A log was begun behind another.
#[derive(Debug, Deserialize)]
pub(super) struct Restored {
    pub(super) reason: String,
    pub(super) found: Option<String>,
}
