//! Explanations in words: rules and clauses as [`crate::model::words`] says them, beside what Cedar reads.

use serde::Serialize;

use super::explain::Explanation;
use super::prospect::{Knowledge, Prospect};
use super::weigh::{About, Clause, Outcome, Weighed};
use crate::model::grant::{Effect, Grant, Who};
use crate::model::group::GroupNames;
use crate::model::record::{Reason, RuleId, Verdict};
use crate::model::rule_book::RuleBook;
use crate::model::words;

/// Near misses that are told: the nearest tell what to do, and the others only how long the rule book is.
const NEAREST: usize = 5;

/// What an explanation is told from.
#[derive(Debug, Clone, Copy)]
pub struct Teller<'a> {
    /// The rule book that decided.
    pub book: &'a RuleBook,
    /// What groups are called.
    pub names: &'a GroupNames,
}

/// A decision in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Allow or deny.
    pub verdict: Verdict,
    /// Why, as a word.
    pub reason: Reason,
    /// The route.
    pub route: String,
    /// The rules that decided, or failed.
    pub deciding: Vec<ToldRule>,
    /// For a deny, the permits that came nearest.
    pub near: Vec<ToldRule>,
    /// What failed while deciding.
    pub errors: Vec<String>,
}

/// A rule in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToldRule {
    /// `grant:<id>` or `policy:<id>`.
    pub rule: RuleId,
    /// The grant as a sentence; a hand-written policy's id.
    pub text: String,
    /// Each clause.
    pub clauses: Vec<ToldClause>,
}

/// How certain it is that somebody can do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Whatever the circumstances.
    Always,
    /// Under conditions.
    If,
    /// Not at all.
    Never,
}

/// What somebody can do, in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ToldProspect {
    /// How certain it is.
    pub certainty: Certainty,
    /// The permits that let them in, each under its own conditions; empty where they never get in.
    pub through: Vec<ToldWay>,
    /// The forbids that keep them out, or may.
    pub unless: Vec<ToldWay>,
}

/// A rule that opens or closes, and what is in doubt about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ToldWay {
    /// `grant:<id>` or `policy:<id>`.
    pub rule: RuleId,
    /// What it depends on, each in words; empty where it applies for certain.
    pub conditions: Vec<String>,
}

/// A clause in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToldClause {
    /// `who`, `what` or `when`.
    pub about: &'static str,
    /// In words; for a hand-written policy as Cedar.
    pub text: String,
    /// As Cedar reads it.
    pub cedar: String,
    /// `holds`, `misses`, or why it fails.
    pub outcome: String,
}

impl<'a> Teller<'a> {
    /// Tells a decision: what made it, and for a deny what came nearest to letting it through.
    pub fn tell(self, explanation: &Explanation) -> Told {
        let Explanation { decision, route, .. } = explanation;
        let denied = decision.verdict == Verdict::Deny;
        let near = explanation.near().take(if denied { NEAREST } else { 0 });
        Told {
            verdict: decision.verdict,
            reason: decision.reason,
            route: route.to_string(),
            deciding: explanation.deciding().map(|rule| self.rule(rule)).collect(),
            near: near.map(|rule| self.rule(rule)).collect(),
            errors: decision.errors.clone(),
        }
    }

    /// What was missing in the permit that came nearest, for the person: `membership of Finance; only from 10.0.0.0/8`.
    /// None when nothing came near, and when a rule keeps them out whatever they bring.
    pub fn missing(self, explanation: &Explanation) -> Option<String> {
        if explanation.decision.reason != Reason::NoGrant {
            return None;
        }
        let fits = |rule: &&Weighed| rule.missing().all(|clause| clause.about != About::What);
        let nearest = explanation.near().find(fits)?;
        let grant = self.grant(&nearest.rule)?;
        let missing = nearest.missing().filter_map(|clause| match (clause.about, &grant.who) {
            (About::Who, Who::Group(_) | Who::Role(_)) => {
                Some(format!("membership of {}", words::who(&grant.who, self.names)))
            }
            (About::Who, _) => Some("it is open to others only".to_owned()),
            (about, _) => self.words(grant, about),
        });
        Some(missing.collect::<Vec<_>>().join("; ")).filter(|text| !text.is_empty())
    }

    fn rule(self, rule: &Weighed) -> ToldRule {
        let grant = self.grant(&rule.rule);
        let clause = |clause: &Clause| self.clause(grant, clause);
        ToldRule {
            rule: rule.rule.clone(),
            text: self.sentence(&rule.rule),
            clauses: rule.clauses.iter().map(clause).collect(),
        }
    }

    fn grant(self, rule: &RuleId) -> Option<&'a Grant> {
        match rule {
            RuleId::Grant(id) => {
                let grants = &self.book.grants;
                // Compiled, they are in the order of their ids; as a person wrote them down, in any.
                let found = grants.binary_search_by(|grant| grant.id.cmp(id)).ok();
                let found = found.and_then(|at| grants.get(at));
                found.or_else(|| grants.iter().find(|grant| grant.id == *id))
            }
            RuleId::Policy(_) | RuleId::Console(_) => None,
        }
    }

    fn clause(self, grant: Option<&Grant>, clause: &Clause) -> ToldClause {
        let text = grant.and_then(|grant| self.words(grant, clause.about));
        ToldClause {
            about: match clause.about {
                About::Who => "who",
                About::What => "what",
                About::Condition(_) => "when",
            },
            text: text.unwrap_or_else(|| clause.cedar.clone()),
            cedar: clause.cedar.clone(),
            outcome: match &clause.outcome {
                Outcome::Holds => "holds".to_owned(),
                Outcome::Misses => "misses".to_owned(),
                Outcome::Fails(error) => error.clone(),
            },
        }
    }

    /// A clause of a grant.
    fn words(self, grant: &Grant, about: About) -> Option<String> {
        match (about, &grant.who) {
            (About::Who, Who::Tenants(_)) => Some("somebody signed in".to_owned()),
            (About::What, _) => Some(format!("to {}", words::what(&grant.what, Effect::Permit))),
            (About::Who, who) | (About::Condition(0), who @ Who::Tenants(_)) => {
                Some(words::who(who, self.names))
            }
            (About::Condition(_), _) => condition(grant, about).map(|condition| condition.text),
        }
    }

    /// What somebody can do, rule by rule.
    pub fn reach(self, prospect: &Prospect, known: Knowledge) -> ToldProspect {
        let ways = |rules: &[Weighed]| rules.iter().map(|rule| self.way(rule, known)).collect();
        let (certainty, through, unless) = match prospect {
            Prospect::Always(by) => (Certainty::Always, ways(by), Vec::new()),
            Prospect::If { permits, forbids } => (Certainty::If, ways(permits), ways(forbids)),
            Prospect::Never(by) => (Certainty::Never, Vec::new(), ways(by)),
        };
        ToldProspect { certainty, through, unless }
    }

    fn way(self, rule: &Weighed, known: Knowledge) -> ToldWay {
        let grant = self.grant(&rule.rule);
        let open = rule.clauses.iter().filter(|clause| known.is_open(clause));
        let conditions = open.map(|clause| self.clause(grant, clause).text).collect();
        ToldWay { rule: rule.rule.clone(), conditions }
    }

    /// A rule as a sentence; a hand-written policy says that it is one.
    pub fn sentence(self, rule: &RuleId) -> String {
        let grant = self.grant(rule).map(|grant| words::sentence(grant, self.names));
        grant.unwrap_or_else(|| "written by hand".to_owned())
    }

    /// What somebody can do, in words: `always`, `never`, or `if` and the conditions.
    pub fn prospect(self, prospect: &Prospect, known: Knowledge) -> String {
        match prospect {
            Prospect::Always(by) => format!("always ({})", named(by)),
            Prospect::Never(by) if by.is_empty() => "never".to_owned(),
            Prospect::Never(by) => format!("never ({})", named(by)),
            Prospect::If { permits, forbids } => {
                let open = |rule: &Weighed| self.open(rule, known);
                let permits: Vec<_> = permits.iter().filter_map(open).collect();
                let forbids: Vec<_> = forbids.iter().filter_map(open).collect();
                let granted = if permits.is_empty() {
                    String::new()
                } else {
                    format!(" {}", permits.join(" or "))
                };
                let kept = if forbids.is_empty() {
                    String::new()
                } else {
                    format!(" unless {}", forbids.join(" or "))
                };
                format!("if{granted}{kept}")
            }
        }
    }

    /// The clauses of a rule that are in doubt; none when the rule is not.
    fn open(self, rule: &Weighed, known: Knowledge) -> Option<String> {
        let grant = self.grant(&rule.rule);
        let open = rule.clauses.iter().filter(|clause| known.is_open(clause));
        let open: Vec<_> = open.map(|clause| self.clause(grant, clause).text).collect();
        (!open.is_empty()).then(|| format!("{} ({})", open.join(" and "), rule.rule))
    }
}

/// The condition of a grant that a clause stands for: conditions are compiled in the order in which they are told, tenants
/// before all others.
pub(super) fn condition(grant: &Grant, about: About) -> Option<words::Condition> {
    let About::Condition(at) = about else { return None };
    let tenants = usize::from(matches!(grant.who, Who::Tenants(_)));
    words::conditions(&grant.when).into_iter().nth(at.checked_sub(tenants)?)
}

fn named(rules: &[Weighed]) -> String {
    rules.iter().map(|rule| rule.rule.to_string()).collect::<Vec<_>>().join(", ")
}

/// The answer on lines for a terminal.
impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verdict = match self.verdict {
            Verdict::Allow => "allow",
            Verdict::Deny => "deny",
        };
        writeln!(f, "{verdict}  {}: {}", self.route, headline(self.reason))?;
        for rule in &self.deciding {
            write!(f, "{rule}")?;
        }
        for error in &self.errors {
            writeln!(f, "  failed: {error}")?;
        }
        if !self.near.is_empty() {
            writeln!(f, "\nWould have let it through, had all of it held:")?;
        }
        self.near.iter().try_for_each(|rule| write!(f, "{rule}"))
    }
}

impl std::fmt::Display for ToldRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "  {}  {}", self.rule, self.text)?;
        self.clauses.iter().try_for_each(|clause| {
            writeln!(f, "    {:<6}  {:<4}  {}", clause.outcome, clause.about, clause.text)
        })
    }
}

fn headline(reason: Reason) -> &'static str {
    match reason {
        Reason::Granted => "a rule lets them in and none keeps them out",
        Reason::NoGrant => "no rule lets them in",
        Reason::NotSignedIn => "no rule lets anybody in who is not signed in",
        Reason::Forbidden => "a rule keeps them out",
        Reason::PolicyError => "a rule failed, and then everything is denied",
        Reason::NoRoute => "no route covers the path",
    }
}
