//! What somebody could do, when not everything is known: always, under conditions, or never.
//!
//! A question is asked with whatever is known; a clause that looks at something unknown may hold or not. So a rule
//! applies for certain, perhaps, or not at all, and from that follows what can be promised: access is certain when a
//! permit is and no forbid is possible, and impossible when no permit is possible or a forbid is certain. Everything in
//! between is access under the conditions of the rules in question.
//!
//! **Invariant**: certainty is never claimed too often. A clause that might look at the unknown counts as open.

use super::reads::{Part, Parts};
use super::weigh::{Clause, Look, Outcome, Weighed};
use crate::model::assertion::Given;
use crate::model::grant::Effect;

/// What every question says by itself: which path of which host, and with it the path's parameters.
const QUESTION: Parts =
    Parts::NONE.with(Part::Method).with(Part::Path).with(Part::Host).with(Part::Params);

/// What is known of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Knowledge {
    /// The parts of the context whose values are the true ones.
    pub(super) parts: Parts,
    /// How much of the principal.
    pub(super) person: Look,
}

/// What can be promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prospect {
    /// They can, whatever the circumstances: these rules apply.
    Always(Vec<Weighed>),
    /// They can when one of these permits applies and none of these forbids does.
    If {
        /// Each with open clauses, or with none when only a forbid is in doubt.
        permits: Vec<Weighed>,
        /// Each with open clauses.
        forbids: Vec<Weighed>,
    },
    /// They can't: no permit can apply, or these forbids do.
    Never(Vec<Weighed>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chance {
    Certain,
    Open,
    Impossible,
}

impl Prospect {
    /// What follows from the rules about a route.
    pub(super) fn of(rules: Vec<Weighed>, known: Knowledge) -> Self {
        let (mut permits, mut forbids) = (Vec::new(), Vec::new());
        for rule in rules {
            let chance = known.chance(&rule);
            match rule.effect {
                Effect::Permit => permits.push((chance, rule)),
                Effect::Forbid => forbids.push((chance, rule)),
            }
        }
        let (forbidden, doubtful) = (certain(&forbids), possible(&forbids));
        let (granted, thinkable) = (certain(&permits), possible(&permits));
        match () {
            () if !forbidden.is_empty() => Self::Never(forbidden),
            () if thinkable.is_empty() => Self::Never(Vec::new()),
            () if !granted.is_empty() && doubtful.is_empty() => Self::Always(granted),
            () => Self::If { permits: thinkable, forbids: doubtful },
        }
    }
}

fn certain(rules: &[(Chance, Weighed)]) -> Vec<Weighed> {
    let certain = rules.iter().filter(|(chance, _)| *chance == Chance::Certain);
    certain.map(|(_, rule)| rule.clone()).collect()
}

fn possible(rules: &[(Chance, Weighed)]) -> Vec<Weighed> {
    let possible = rules.iter().filter(|(chance, _)| *chance != Chance::Impossible);
    possible.map(|(_, rule)| rule.clone()).collect()
}

impl Knowledge {
    /// Everything about the principal, and which path of which host is asked for.
    pub const PERSON: Self = Self { parts: QUESTION, person: Look::Person };
    /// A membership, and which path of which host is asked for.
    pub const MEMBER: Self = Self { parts: QUESTION, person: Look::Scope };
    /// Where somebody belongs, and which path of which host is asked for.
    pub const TENANT: Self = Self { parts: QUESTION, person: Look::Home };

    /// The same, anywhere on the route.
    #[must_use]
    pub fn anywhere(self) -> Self {
        Self { parts: self.parts.without(Part::Path).without(Part::Params), ..self }
    }

    /// The same, with more known of the circumstances.
    #[must_use]
    pub fn given(self, given: &Given) -> Self {
        let more = [
            (given.from.is_some(), Part::Ip),
            (given.at.is_some(), Part::Now),
            (given.at.is_some(), Part::Local),
            (given.mfa.is_some(), Part::Mfa),
            (given.auth_contexts.is_some(), Part::AuthContexts),
            (given.signed_in.is_some(), Part::SignedInAt),
        ];
        let more = more.into_iter().filter_map(|(known, part)| known.then_some(part)).collect();
        Self { parts: self.parts.and(more), ..self }
    }

    /// Whether a clause looks at something unknown.
    pub fn is_open(self, clause: &Clause) -> bool {
        clause.look > self.person || !self.parts.holds(clause.parts)
    }

    /// Whether nothing that looks at these parts of the context, and at anything of the person, looks at something unknown.
    pub(super) fn covers(self, parts: Parts) -> bool {
        self.person == Look::Person && self.parts.holds(parts)
    }

    /// A rule that fails denies everything, so a failing permit is no chance and a failing forbid is a certain one.
    fn chance(self, rule: &Weighed) -> Chance {
        let mut chance = Chance::Certain;
        for clause in &rule.clauses {
            match &clause.outcome {
                _ if self.is_open(clause) => chance = Chance::Open,
                Outcome::Holds => {}
                Outcome::Fails(_) if rule.effect == Effect::Forbid => return chance,
                Outcome::Fails(_) | Outcome::Misses => return Chance::Impossible,
            }
        }
        chance
    }
}
