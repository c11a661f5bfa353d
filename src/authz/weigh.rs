//! One rule taken apart: which of its clauses hold for a request, and which don't.
//!
//! A rule applies when all its clauses do. Each is put to Cedar by itself, as a policy with nothing but that clause, for
//! the same request and the same entities as the decision; so what is said of a clause is what Cedar makes of it, and not
//! what a second reading of the rule would.

use cedar_policy::{Decision as CedarDecision, Effect as CedarEffect, Policy, PolicyId};
use serde_json::{Value, json};

use super::entities::{Unusable, rule_id};
use super::grants;
use super::prepared::{Case, Rule};
use super::reads::Parts;
use crate::model::grant::{Effect, Grant};
use crate::model::id::GrantId;
use crate::model::record::RuleId;

/// A rule about the place that was asked for, clause by clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighed {
    /// Which rule.
    pub rule: RuleId,
    /// What it does when it applies.
    pub effect: Effect,
    /// In the order in which Cedar looks at them.
    pub clauses: Vec<Clause>,
}

/// One clause of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// What it is about.
    pub about: About,
    /// Whether it holds.
    pub outcome: Outcome,
    /// The clause as Cedar text.
    pub cedar: String,
    /// What it looks at in the circumstances.
    pub(super) parts: Parts,
    /// What it looks at in the principal.
    pub(super) look: Look,
}

/// What a clause is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// Whom the rule speaks of.
    Who,
    /// Which methods.
    What,
    /// The condition with this number, from 0 in the order of the policy.
    Condition(usize),
}

/// Whether a clause holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It does.
    Holds,
    /// It does not.
    Misses,
    /// It can't be told: evaluating it fails.
    Fails(String),
}

/// What a clause looks at in the principal, each with all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// Nothing, or what a scope looks at: type, id, and what the scope says they are in.
    Scope,
    /// Where they belong: tenant, and whether they are a guest.
    Home,
    /// Anything else.
    Person,
}

/// What becomes of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// All its clauses hold.
    Applies,
    /// A clause fails before one misses; everything is denied then.
    Fails,
    /// A clause misses.
    Misses,
}

impl Weighed {
    /// What becomes of the rule: its first clause that does not hold settles it, since Cedar looks no further.
    pub fn state(&self) -> State {
        let first = self.clauses.iter().find(|clause| clause.outcome != Outcome::Holds);
        match first.map(|clause| &clause.outcome) {
            None | Some(Outcome::Holds) => State::Applies,
            Some(Outcome::Misses) => State::Misses,
            Some(Outcome::Fails(_)) => State::Fails,
        }
    }

    /// The clauses that don't hold.
    pub fn missing(&self) -> impl Iterator<Item = &Clause> {
        self.clauses.iter().filter(|clause| clause.outcome != Outcome::Holds)
    }
}

/// The grants of a rule book, for their conditions one by one: compiled, all of a grant's conditions are one.
pub(super) struct Written<'a>(&'a [Grant]);

impl<'a> Written<'a> {
    /// Of grants in the order of their ids.
    pub(super) fn sorted(grants: &'a [Grant]) -> Self {
        Self(grants)
    }

    fn grant(&self, id: &GrantId) -> Option<&'a Grant> {
        let found = self.0.binary_search_by(|grant| grant.id.cmp(id));
        found.ok().and_then(|at| self.0.get(at))
    }

    /// A compiled policy as it was written.
    pub(super) fn policy(&self, rule: &Rule) -> Result<Policy, Unusable> {
        let compiled = rule.policy();
        let Some(RuleId::Grant(id)) = rule_id(compiled.id()) else { return Ok(compiled) };
        let grant = self.grant(&id).map(grants::to_policy);
        match grant {
            Some(Ok(policy)) if policy == compiled => Ok(policy),
            Some(Err(problem)) => Err(Unusable(problem.to_string())),
            Some(Ok(_)) | None => {
                Err(Unusable(format!("the grant `{id}` is not the one that was compiled")))
            }
        }
    }
}

/// Takes a rule apart; none when it is not about the resource, and so has nothing to do with the request.
pub(super) fn weigh(case: &Case, policy: &Policy) -> Result<Option<Weighed>, Unusable> {
    let form = policy.to_json().map_err(|error| Unusable(error.to_string()))?;
    let scope = |name: &str| form.get(name).cloned().unwrap_or_else(all);
    let place = clause(case, About::What, &bare(&[("resource", scope("resource"))]))?;
    if place.outcome != Outcome::Holds {
        return Ok(None);
    }
    let who = bare(&[("principal", scope("principal"))]);
    let what = bare(&[("action", scope("action"))]);
    let conditions = form.get("conditions").and_then(Value::as_array).into_iter().flatten();
    let conditions = conditions
        .enumerate()
        .map(|(at, condition)| (About::Condition(at), bare(&[("conditions", json!([condition]))])));
    let clauses = [(About::Who, who), (About::What, what)].into_iter().chain(conditions);
    let clauses = clauses.map(|(about, form)| clause(case, about, &form));
    let rule = rule_id(policy.id());
    Ok(Some(Weighed {
        rule: rule.ok_or_else(|| Unusable(format!("`{}` is no rule", policy.id())))?,
        effect: match policy.effect() {
            CedarEffect::Permit => Effect::Permit,
            CedarEffect::Forbid => Effect::Forbid,
        },
        clauses: clauses.collect::<Result<_, _>>()?,
    }))
}

/// Puts one clause to Cedar.
fn clause(case: &Case, about: About, form: &Value) -> Result<Clause, Unusable> {
    let conditions = form.get("conditions").unwrap_or(&Value::Null);
    let (parts, look) = (Parts::in_form(conditions), Look::of(conditions));
    let said = case.ask([Rule::of_grant(&policy(form)?)].iter())?;
    let outcome = match (said.errors.into_iter().next(), said.decision) {
        (Some(error), _) => Outcome::Fails(error),
        (None, CedarDecision::Allow) => Outcome::Holds,
        (None, CedarDecision::Deny) => Outcome::Misses,
    };
    Ok(Clause { about, outcome, cedar: text(about, form)?, parts, look })
}

fn policy(form: &Value) -> Result<Policy, Unusable> {
    let id = Some(PolicyId::new("clause"));
    Policy::from_json(id, form.clone()).map_err(|error| Unusable(error.to_string()))
}

/// The clause as Cedar text, on one line.
fn text(about: About, form: &Value) -> Result<String, Unusable> {
    let text = policy(&plain(form))?.to_cedar().unwrap_or_default();
    let text = said(about, &text);
    Ok(if is_unless(form) { text.replacen("when", "unless", 1) } else { text })
}

impl Look {
    fn of(conditions: &Value) -> Self {
        let deeper = |values: &mut dyn Iterator<Item = &Value>| {
            values.map(Self::of).max().unwrap_or(Self::Scope)
        };
        match conditions {
            Value::Object(members) => match members.get("left").filter(|left| is_principal(left)) {
                Some(_) if members.contains_key("entity_type") => Self::Scope,
                Some(_) if members.get("attr").is_some_and(is_home) => Self::Home,
                _ if is_principal(conditions) => Self::Person,
                _ => deeper(&mut members.values()),
            },
            Value::Array(items) => deeper(&mut items.iter()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Self::Scope,
        }
    }
}

fn is_principal(form: &Value) -> bool {
    form.get("Var").is_some_and(|var| var == "principal")
}

fn is_home(attribute: &Value) -> bool {
    attribute == "tenant" || attribute == "guest"
}

fn all() -> Value {
    json!({ "op": "All" })
}

/// A permit that says nothing but this.
fn bare(parts: &[(&str, Value)]) -> Value {
    let mut form = json!({
        "effect": "permit", "principal": all(), "action": all(), "resource": all(), "conditions": [],
    });
    for (name, value) in parts {
        if let Some(part) = form.get_mut(*name) {
            *part = value.clone();
        }
    }
    form
}

fn is_unless(form: &Value) -> bool {
    form.pointer("/conditions/0/kind").is_some_and(|kind| kind == "unless")
}

/// The same with `when` in place of `unless`: Cedar writes the latter as a negation.
fn plain(form: &Value) -> Value {
    let mut plain = form.clone();
    if let Some(kind) = plain.pointer_mut("/conditions/0/kind") {
        *kind = Value::from("when");
    }
    plain
}

/// The clause out of the text of a policy that says nothing else. What is cut off is known to the letter; line ends are
/// the formatter's, those in strings are written `\n`.
fn said(about: About, text: &str) -> String {
    let (before, after): (&[&str], &[&str]) = match about {
        About::Who => (&["permit", "("], &[";", ")", "resource", ",", "action", ","]),
        About::What => (&["permit", "(", "principal", ","], &[";", ")", "resource", ","]),
        About::Condition(_) => {
            (&["permit", "(", "principal", ",", "action", ",", "resource", ")"], &[";"])
        }
    };
    let text =
        before.iter().fold(text, |text, part| text.trim_start().strip_prefix(part).unwrap_or(text));
    let text =
        after.iter().fold(text, |text, part| text.trim_end().strip_suffix(part).unwrap_or(text));
    text.trim().lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
