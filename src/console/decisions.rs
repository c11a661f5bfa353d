//! The newest decisions, as auditors and admins read them.

use askama::Template;

use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{Frame, PersonName};

use super::choice::{Badge, Choice, Named};

/// The newest decisions that match. The block `rows` is what htmx swaps while somebody types.
#[derive(Debug, Clone, Template)]
#[template(path = "console/decisions.html", blocks = ["rows"])]
pub struct DecisionsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where the filter is sent, and the page without any filter.
    pub action: Link,
    /// The same page again.
    pub refresh: Link,
    /// `q`, as it was typed.
    pub query: String,
    /// `verdict`: one of [`VERDICTS`].
    pub verdict: String,
    /// At most 100, newest first.
    pub rows: Vec<DecisionRow>,
    /// What is shown, in one line ("The newest 100, as of 09:15:02").
    pub summary: String,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRow {
    /// Its id.
    pub id: String,
    /// Its page.
    pub link: Link,
    /// When.
    pub at: Moment,
    /// Allow or deny.
    pub verdict: Badge,
    /// Who asked.
    pub who: PersonName,
    /// The method.
    pub method: String,
    /// The host.
    pub host: String,
    /// The canonical path.
    pub path: String,
    /// The route that the path matched.
    pub route: Option<Named>,
    /// Why, in words.
    pub reason: String,
    /// The rules that decided.
    pub rules: Vec<Named>,
    /// Where it came from.
    pub client: String,
    /// How long deciding took, in milliseconds, as text.
    pub millis: String,
}

/// Values and labels of `verdict`.
pub const VERDICTS: [(&str, &str); 3] =
    [("", "Allow and deny"), ("allow", "Allow"), ("deny", "Deny")];

impl DecisionsPage {
    /// Options of `verdict`.
    pub fn verdicts(&self) -> Vec<Choice> {
        Choice::list(&VERDICTS, &self.verdict)
    }

    /// Whether anything is filtered.
    pub fn is_filtered(&self) -> bool {
        !self.query.is_empty() || !self.verdict.is_empty()
    }

    /// What the empty page says.
    pub fn empty_title(&self) -> &'static str {
        if self.is_filtered() { "No decision matches" } else { "No decisions yet" }
    }

    /// What it says to do.
    pub fn empty_advice(&self) -> &'static str {
        if self.is_filtered() {
            "None of the recorded decisions matches these filters."
        } else {
            "Open a protected app, and what was decided appears here."
        }
    }
}
