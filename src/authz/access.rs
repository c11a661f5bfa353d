//! How somebody stands with a route: whether it opens to them now, and what it lacks where it does not.
//!
//! The rules that can have a say are taken apart by the engine that decides, so that what is said here and what the gate
//! does can't differ; a property test holds them together.
//!
//! **Invariant**: access is never claimed too often. Where a rule might fail, or looks at a path that is not known, it is
//! not said that the route opens.

use super::decision::Question;
use super::entities::Unusable;
use super::prospect::{Knowledge, Prospect};
use super::reads::{Part, Parts};
use super::snapshot::Snapshot;
use super::telling;
use super::weigh::{Clause, Look, Outcome, State, Weighed};
use crate::model::grant::Effect;
use crate::model::record::RuleId;
use crate::model::words::{Condition, ConditionKind};

/// How somebody stands with a route, for one method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// It opens now, by these rules.
    Open(Vec<RuleId>),
    /// It opens now on some of its paths: these rules look at the path, or another one does that might keep them out.
    Partly(Vec<RuleId>),
    /// It does not open now, and would in one of these ways, at least one. The easiest comes first.
    If(Vec<Way>),
    /// It does not open, whatever the circumstances.
    Never,
}

/// How far an answer reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The path of the question.
    Path,
    /// Every path of its route.
    Route,
}

/// A rule that would open the route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Which.
    pub rule: RuleId,
    /// What would have to be otherwise, at least one thing.
    pub lacks: Vec<Lack>,
}

/// Something that keeps a way closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// A condition of the grant.
    Condition(Condition),
    /// A condition that somebody wrote in Cedar.
    Written,
    /// Another rule closes the route as things stand.
    Closed,
}

impl Way {
    /// Whether it was open until an end that has passed.
    pub fn is_over(&self) -> bool {
        self.lacks_kind(ConditionKind::Until)
    }

    /// Whether it lacks a condition of this kind.
    pub fn lacks_kind(&self, kind: ConditionKind) -> bool {
        self.lacks.iter().any(|lack| lack.kind() == Some(kind))
    }

    /// What is over never comes back; what people can do at once is easier than going elsewhere or waiting.
    fn effort(&self) -> (bool, usize, u8) {
        let hardest = self.lacks.iter().map(Lack::effort).max();
        (self.is_over(), self.lacks.len(), hardest.unwrap_or(0))
    }
}

impl Lack {
    /// What the condition of a grant looks at.
    pub fn kind(&self) -> Option<ConditionKind> {
        match self {
            Self::Condition(condition) => Some(condition.kind),
            Self::Written | Self::Closed => None,
        }
    }

    fn effort(&self) -> u8 {
        match self.kind() {
            Some(ConditionKind::Mfa | ConditionKind::Fresh | ConditionKind::AuthContext) => 0,
            Some(ConditionKind::Network) => 1,
            Some(ConditionKind::Hours) => 2,
            None => 3,
            Some(ConditionKind::Own) => 4,
            Some(ConditionKind::Until) => 5,
        }
    }
}

impl Snapshot {
    /// How the principal of a question stands with its route, for its method, as things stand otherwise.
    ///
    /// # Errors
    /// When nothing can be decided at all; everything is denied then.
    pub fn access(&self, question: &Question<'_>, extent: Extent) -> Result<Access, Unusable> {
        let rules = self.own_rules(question)?;
        let scene = Scene { snapshot: self, question, now: now(question, extent) };
        if rules.iter().any(|rule| scene.fails(rule)) {
            return Ok(Access::Never);
        }
        Ok(match Prospect::of(rules.clone(), scene.now) {
            Prospect::Always(by) if rules.iter().any(|rule| scene.may_fail(rule)) => {
                Access::Partly(names(&by))
            }
            Prospect::Always(by) => Access::Open(names(&by)),
            Prospect::If { permits, .. } => Access::Partly(names(&permits)),
            Prospect::Never(_) => scene.ways(rules, extent),
        })
    }
}

/// Everything that is known of the present; of the path only what `extent` says.
fn now(question: &Question<'_>, extent: Extent) -> Knowledge {
    let all = Knowledge { parts: Parts::ALL, person: Look::Person };
    if is_one_path(question, extent) { all } else { all.anywhere() }
}

/// What stays known when circumstances change. Whose place a path is counts as one of them, so that a place of somebody
/// else's is told from one that is open to nobody.
fn lasting(question: &Question<'_>, extent: Extent) -> Knowledge {
    match extent {
        Extent::Path => {
            let known = Knowledge::PERSON;
            Knowledge { parts: known.parts.without(Part::Params), ..known }
        }
        Extent::Route if is_one_path(question, extent) => Knowledge::PERSON,
        Extent::Route => Knowledge::PERSON.anywhere(),
    }
}

/// A route without parameters is one path.
fn is_one_path(question: &Question<'_>, extent: Extent) -> bool {
    extent == Extent::Path || question.route.pattern.parameters().next().is_none()
}

fn names(rules: &[Weighed]) -> Vec<RuleId> {
    rules.iter().map(|rule| rule.rule.clone()).collect()
}

/// A question and what is known of its present.
struct Scene<'a> {
    snapshot: &'a Snapshot,
    question: &'a Question<'a>,
    now: Knowledge,
}

impl Scene<'_> {
    /// Whether a rule fails for certain; everything is denied then.
    fn fails(&self, rule: &Weighed) -> bool {
        let settled = rule.clauses.iter().take_while(|clause| !self.now.is_open(clause));
        let first = settled.into_iter().find(|clause| clause.outcome != Outcome::Holds);
        first.is_some_and(|clause| matches!(clause.outcome, Outcome::Fails(_)))
    }

    /// Whether a rule might fail on another path. The conditions of grants can't.
    fn may_fail(&self, rule: &Weighed) -> bool {
        let by_hand = !matches!(rule.rule, RuleId::Grant(_));
        by_hand && rule.clauses.iter().any(|clause| self.now.is_open(clause))
    }

    /// What would open the route if the circumstances were others.
    fn ways(&self, rules: Vec<Weighed>, extent: Extent) -> Access {
        let closed = rules.iter().any(closes).then_some(Lack::Closed);
        let known = lasting(self.question, extent);
        let Prospect::If { permits, .. } = Prospect::of(rules, known) else { return Access::Never };
        let mut ways: Vec<_> =
            permits.iter().filter_map(|permit| self.way(permit, closed.clone())).collect();
        ways.sort_by(|one, other| {
            one.effort().cmp(&other.effort()).then_with(|| one.rule.cmp(&other.rule))
        });
        if ways.is_empty() { Access::Never } else { Access::If(ways) }
    }

    fn way(&self, permit: &Weighed, closed: Option<Lack>) -> Option<Way> {
        let missing = permit.missing().filter(|clause| !self.now.is_open(clause));
        let mut lacks: Vec<_> = missing.map(|clause| self.lack(permit, clause)).collect();
        lacks.extend(closed);
        lacks.dedup();
        (!lacks.is_empty()).then(|| Way { rule: permit.rule.clone(), lacks })
    }

    fn lack(&self, rule: &Weighed, clause: &Clause) -> Lack {
        let RuleId::Grant(id) = &rule.rule else { return Lack::Written };
        let grant = self.snapshot.grant(id);
        let condition = grant.and_then(|grant| telling::condition(grant, clause.about));
        condition.map_or(Lack::Written, Lack::Condition)
    }
}

/// Whether a rule keeps the principal out as things stand.
fn closes(rule: &Weighed) -> bool {
    rule.effect == Effect::Forbid && rule.state() == State::Applies
}
