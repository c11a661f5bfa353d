//! What both kinds of replay tell besides their answer: who asked, and what can't be told.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::id::DecisionId;
use crate::model::principal::{Principal, PrincipalSnapshot};

/// Reasons that are told one by one; more are only counted.
const REASONS: usize = 1_000;
/// The longest name that is shown.
const NAME: usize = 80;

/// Somebody who asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Who {
    /// Tenant and object id; none for nobody known.
    pub subject: Option<String>,
    /// As they were called when they asked, safe to show on a terminal.
    pub name: String,
}

impl Who {
    /// From a record.
    pub fn of(principal: &PrincipalSnapshot) -> Self {
        let content: &Principal = principal;
        let subject = content.subject().map(ToString::to_string);
        Self { subject, name: shown(&content.display_name()) }
    }
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.subject {
            Some(subject) => write!(f, "{} ({subject})", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// People choose their names: nothing in them may move a cursor or turn a line around.
pub(super) fn shown(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain = |c: char| if c.is_control() || turns(c) { '\u{fffd}' } else { c };
    text.chars().take(NAME).map(plain).collect()
}

/// Decisions with one thing in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub example: String,
}

impl Tally {
    pub(super) fn new(id: DecisionId) -> Self {
        Self { count: 0, example: id.to_string() }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { count, example } = self;
        let plural = if *count == 1 { "" } else { "s" };
        write!(f, "{count} decision{plural}, e.g. {example}")
    }
}

/// Decisions of which nothing can be told. Never taken for the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Untold {
    /// All of them.
    pub count: u64,
    /// By the reason; from some number on, further ones are only counted.
    pub reasons: BTreeMap<String, Tally>,
}

impl Untold {
    pub(super) fn add(&mut self, id: DecisionId, why: &str) {
        self.count += 1;
        if self.reasons.len() < REASONS || self.reasons.contains_key(why) {
            let tally = self.reasons.entry(why.to_owned()).or_insert_with(|| Tally::new(id));
            tally.count += 1;
        }
    }

    pub(super) fn extend(&mut self, all: &[(DecisionId, String)]) {
        for (id, why) in all {
            self.add(*id, why);
        }
    }

    /// A line for each reason.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        let told: u64 = self.reasons.values().map(|tally| tally.count).sum();
        let rest = self.count - told;
        let more = (rest > 0).then(|| format!("can't tell: {rest} decisions more"));
        let line = |(why, tally): (&String, &Tally)| format!("can't tell: {why}: {tally}");
        self.reasons.iter().map(line).chain(more)
    }
}
