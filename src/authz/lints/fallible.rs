//! `forbid`s whose condition can fail while it is evaluated.
//!
//! Cedar skips a rule that fails, also when it is a `forbid`. Cedargate then denies the request, so nothing is opened; but
//! a request that the rule was never meant for is denied as well, and the log says `policy_error`.

use serde_json::Value;

use super::{Lint, LintKind, Read};
use crate::authz::problem::Problem;
use crate::authz::tokens::{Token, tokens};

pub(super) fn of_policy(policy: &Read<'_>) -> Option<Lint> {
    if policy.form.get("effect").is_none_or(|effect| effect != "forbid") {
        return None;
    }
    let why = failing(policy.form.get("conditions")?)?;
    let first = tokens(&policy.policy.text).into_iter();
    let clause =
        first.into_iter().find(|(_, token)| matches!(token, Token::Word("when" | "unless")));
    let what = format!(
        "its condition can fail: {why}; whoever it fails for is denied whatever else permits it"
    );
    let problem = Problem::new(policy.object(), &what)
        .at(clause.map(|(offset, _)| policy.at(offset)))
        .hint(Some("say it in a way that can't fail".to_owned()));
    Some(Lint::new(LintKind::ErrorProneForbid, problem))
}

/// The first operation in a form that can fail although the policy validates strictly.
fn failing(form: &Value) -> Option<&'static str> {
    match form {
        Value::Object(members) => {
            members.iter().find_map(|(name, inner)| fails(name, inner).or_else(|| failing(inner)))
        }
        Value::Array(items) => items.iter().find_map(failing),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn fails(operator: &str, inner: &Value) -> Option<&'static str> {
    match operator {
        "+" | "-" | "*" | "neg" => Some("numbers can get too large"),
        "offset" | "durationSince" | "toDate" | "toTime" => Some("times can get too far away"),
        "." | "getTag" => {
            let of_literal = inner.pointer("/left/Value/__entity").is_some();
            of_literal.then_some(
                "an entity that is named has no attributes here, only who asks and the route have",
            )
        }
        _ => None,
    }
}
