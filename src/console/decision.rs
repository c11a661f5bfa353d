//! One decision with everything that its record holds.

use askama::Template;

use crate::web::link::Link;
use crate::web::page::{Frame, Tone};

use super::decisions::DecisionRow;

/// One decision.
#[derive(Debug, Clone, Template)]
#[template(path = "console/decision.html")]
pub struct DecisionPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The list of decisions.
    pub up: Link,
    /// The same facts as in the list.
    pub row: DecisionRow,
    /// Why, in one or two more sentences.
    pub explanation: String,
    /// Further facts of the request: client, host, session, MFA, path parameters.
    pub asked: Vec<Fact>,
    /// Further facts of the decision: release, route, errors, duration.
    pub decided: Vec<Fact>,
    /// Groups by name and roles at that moment.
    pub memberships: Vec<String>,
    /// The record's JSON.
    pub body: String,
}

impl DecisionPage {
    /// The first word of the heading.
    pub fn heading(&self) -> &'static str {
        match self.row.verdict.tone {
            Tone::Good => "Allowed",
            Tone::Bad => "Denied",
            Tone::Careful | Tone::Plain => "Decided",
        }
    }
}

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: &'static str,
    /// The value.
    pub value: String,
    /// How it is set.
    pub script: Script,
}

/// How a value is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// As text.
    Prose,
    /// As an identifier or address.
    Code,
}

impl Fact {
    /// A value that reads as text.
    pub fn prose(name: &'static str, value: &str) -> Self {
        Self { name, value: value.to_owned(), script: Script::Prose }
    }

    /// A value that is an identifier or address.
    pub fn code(name: &'static str, value: &str) -> Self {
        Self { name, value: value.to_owned(), script: Script::Code }
    }

    /// Whether it is set as code.
    pub fn is_code(&self) -> bool {
        self.script == Script::Code
    }
}
