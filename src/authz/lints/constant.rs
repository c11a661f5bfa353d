//! Conditions that always hold, and rules that never have a say.
//!
//! Cedar's type checker knows of each expression whether it can only be true or only be false. So it is asked about each
//! clause together with those before it, once as it stands and once turn around: if what is turn around can never be,
//! the clause always holds.

use std::collections::HashSet;

use cedar_policy::{
    Policy as CedarPolicy, PolicyId, PolicySet, Schema, ValidationMode, ValidationWarning,
    Validator,
};
use serde_json::Value;

use super::{Lint, LintKind, Read};
use crate::authz::problem::{Object, Problem};
use crate::authz::tokens::{Token, tokens};
use crate::model::grant::Grant;
use crate::model::time::{Instant, Timestamp};
use crate::model::words::minute;

pub(super) fn of_policies(policies: &[Read<'_>], schema: &str) -> Vec<Lint> {
    let Ok(schema) = Schema::from_json_str(schema) else { return Vec::new() };
    let validator = Validator::new(schema);
    policies.iter().flat_map(|policy| of_policy(policy, &validator)).collect()
}

fn of_policy(policy: &Read<'_>, validator: &Validator) -> Vec<Lint> {
    let clauses = policy.form.get("conditions").and_then(Value::as_array).map_or(0, Vec::len);
    let variants = (0..clauses).flat_map(|at| [(at, Turn::Around), (at, Turn::AsWritten)]);
    let impossible = impossible(policy, variants, validator);
    if impossible.contains(&scope_id()) {
        return vec![never(policy, 0, "no request can match its scope")];
    }
    let offsets = clause_offsets(&policy.policy.text);
    let offset = |at: usize| offsets.get(at).copied().unwrap_or_default();
    if let Some(at) = (0..clauses).find(|at| impossible.contains(&variant_id(*at, Turn::AsWritten)))
    {
        let what = "this condition never holds, so the policy never has a say";
        return vec![never(policy, offset(at), what)];
    }
    let always = (0..clauses).filter(|at| impossible.contains(&variant_id(*at, Turn::Around)));
    always.map(|at| idle(policy, offset(at))).collect()
}

fn never(policy: &Read<'_>, offset: usize, what: &str) -> Lint {
    let problem = Problem::new(policy.object(), &what).at(Some(policy.at(offset)));
    Lint::new(LintKind::AlwaysFalse, problem.hint(Some("correct or remove it".to_owned())))
}

fn idle(policy: &Read<'_>, offset: usize) -> Lint {
    let what = "this condition always holds, so it demands nothing";
    let problem = Problem::new(policy.object(), &what).at(Some(policy.at(offset)));
    Lint::new(LintKind::AlwaysTrue, problem.hint(Some("correct or remove it".to_owned())))
}

/// How the last clause of a variant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    AsWritten,
    Around,
}

fn scope_id() -> String {
    "scope".to_owned()
}

fn variant_id(at: usize, turn: Turn) -> String {
    format!("{at}-{turn:?}")
}

/// Which of these variants can apply to no request: the clauses up to one, that one turn around or not; and the scope
/// alone.
fn impossible(
    policy: &Read<'_>,
    variants: impl Iterator<Item = (usize, Turn)>,
    validator: &Validator,
) -> HashSet<String> {
    let mut set = PolicySet::new();
    let mut add = |id: String, form: Value| {
        if let Ok(variant) = CedarPolicy::from_json(Some(PolicyId::new(id)), form) {
            drop(set.add(variant));
        }
    };
    add(scope_id(), with_clauses(&policy.form, 0, Turn::AsWritten));
    let mut known = HashSet::new();
    for (at, turn) in variants {
        let form = with_clauses(&policy.form, at + 1, turn);
        let last = form.pointer(&format!("/conditions/{at}")).and_then(holds);
        if last == Some(false) {
            known.insert(variant_id(at, turn));
        }
        add(variant_id(at, turn), form);
    }
    let result = validator.validate(&set, ValidationMode::Strict);
    for warning in result.validation_warnings() {
        if let ValidationWarning::ImpossiblePolicy(found) = warning {
            known.insert(found.policy_id().to_string());
        }
    }
    known
}

/// The first clauses of a policy, the last of them turn around or not.
fn with_clauses(form: &Value, count: usize, turn: Turn) -> Value {
    let mut form = form.clone();
    let Some(clauses) = form.get_mut("conditions").and_then(Value::as_array_mut) else {
        return form;
    };
    clauses.truncate(count);
    if turn == Turn::Around
        && let Some(kind) = clauses.last_mut().and_then(|clause| clause.get_mut("kind"))
    {
        let other = if *kind == "when" { "unless" } else { "when" };
        *kind = Value::from(other);
    }
    form
}

/// Whether a clause holds, where its body says so by itself: Cedar's type checker does not compare an expression with
/// itself.
fn holds(clause: &Value) -> Option<bool> {
    let body = constant(clause.get("body")?)?;
    Some(body == (clause.get("kind")? == "when"))
}

fn constant(form: &Value) -> Option<bool> {
    let (operator, inner) = form.as_object()?.iter().next()?;
    let side = |name: &str| inner.get(name);
    let both = || Some((constant(side("left")?), constant(side("right")?)));
    match operator.as_str() {
        "Value" => inner.as_bool(),
        "!" => constant(side("arg")?).map(|value| !value),
        "&&" => match both()? {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (left, right) => left.filter(|_| right == Some(true)),
        },
        "||" => match both()? {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (left, right) => left.filter(|_| right == Some(false)),
        },
        "==" | "<=" | ">=" => (side("left")? == side("right")?).then_some(true),
        "!=" | "<" | ">" => (side("left")? == side("right")?).then_some(false),
        _ => None,
    }
}

/// Where the clauses of a policy begin: `when` and `unless` outside of all brackets.
fn clause_offsets(text: &str) -> Vec<usize> {
    let mut depth = 0_usize;
    let mut found = Vec::new();
    for (offset, token) in tokens(text) {
        match token {
            Token::Mark('(' | '[' | '{') => depth += 1,
            Token::Mark(')' | ']' | '}') => depth = depth.saturating_sub(1),
            Token::Word("when" | "unless") if depth == 0 => found.push(offset),
            Token::Word(_) | Token::Text(_) | Token::Mark(_) => {}
        }
    }
    found
}

/// Ends that lie behind, and networks and hours that leave nothing out.
pub(super) fn of_grant(grant: &Grant, now: Timestamp) -> Vec<Lint> {
    let object = || Object::Grant(grant.id.clone());
    let say = |kind, what: String, hint: &str| {
        Lint::new(kind, Problem::new(object(), &what).hint(Some(hint.to_owned())))
    };
    let when = &grant.when;
    let ended = when.until.filter(|Instant(end)| *end <= now).map(|Instant(end)| {
        say(LintKind::AlwaysFalse, format!("it ended on {}", minute(end)), "remove or extend it")
    });
    let everywhere =
        when.networks.iter().find(|network| network.prefix_len() == 0).map(|network| {
            let what = format!("its network {network} holds every address of its kind");
            say(LintKind::AlwaysTrue, what, "name smaller networks, or none")
        });
    let whole = when.hours.iter().find(|hours| {
        hours.days().len() == 7 && hours.from().number() == 0 && hours.to().number() == 24 * 60
    });
    let always = whole.map(|_| {
        let what = "its hours are the whole week".to_owned();
        say(LintKind::AlwaysTrue, what, "leave hours out")
    });
    ended.into_iter().chain(everywhere).chain(always).collect()
}
