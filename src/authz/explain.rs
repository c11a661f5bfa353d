//! Why a request was decided as it was: the rules about its route, taken apart.
//!
//! Decision and explanation come from one request, one set of entities and one set of rules, so they can't disagree (a
//! property test holds them together): the rules that apply are the determining ones, and each other one names the
//! clauses that it lacks.

use super::decision::Decision;
use super::weigh::{About, State, Weighed};
use crate::model::grant::Effect;
use crate::model::id::RouteId;
use crate::model::record::Verdict;

/// A decision with what led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// The route that was asked for.
    pub route: RouteId,
    /// All rules about it, as [`Self::sort`] orders them.
    pub rules: Vec<Weighed>,
}

impl Explanation {
    /// Those that apply come first, then those that fail, then those that came nearest; forbids before permits.
    pub(super) fn sort(rules: &mut [Weighed]) {
        let rank = |rule: &Weighed| {
            let whom = rule.missing().any(|clause| clause.about == About::Who);
            let effect = rule.effect == Effect::Permit;
            (rule.state(), whom, rule.missing().count(), effect, rule.rule.clone())
        };
        rules.sort_by_cached_key(rank);
    }

    /// The rules that made the decision: what applies and has the last word, or what failed.
    pub fn deciding(&self) -> impl Iterator<Item = &Weighed> {
        let failed = self.rules.iter().any(|rule| rule.state() == State::Fails);
        let effect = match self.decision.verdict {
            Verdict::Allow => Effect::Permit,
            Verdict::Deny => Effect::Forbid,
        };
        self.rules.iter().filter(move |rule| match rule.state() {
            State::Applies => !failed && rule.effect == effect,
            State::Fails => true,
            State::Misses => false,
        })
    }

    /// The permits that came near, nearest first: what would have let the request through, and each clause that it lacks.
    pub fn near(&self) -> impl Iterator<Item = &Weighed> {
        let permits = self.rules.iter().filter(|rule| rule.effect == Effect::Permit);
        permits.filter(|rule| rule.state() == State::Misses)
    }
}
