//! What hand-written policies name must be there: a `forbid` about a misspelt route would close nothing, and nobody would
//! notice.

use std::collections::BTreeSet;

use super::nearest::nearest;
use super::problem::{Object, Problem};
use super::tokens::{Literal, literals};
use crate::model::id::{AppRole, GroupId, InvalidId, Subject};
use crate::model::policy::Policy;
use crate::model::problem::Position;
use crate::model::rule_book::RuleBook;

/// Every app and route that a policy names and the rule book does not have, and everyone whom no token could name so.
pub(super) fn unknown(book: &RuleBook) -> Vec<Problem> {
    if book.policies.is_empty() {
        return Vec::new();
    }
    let apps: BTreeSet<&str> = book.apps.iter().map(|app| app.id.as_str()).collect();
    let routes: BTreeSet<&str> = book.routes.iter().map(|route| route.id.as_str()).collect();
    let in_policy = |policy| {
        let missing = |kind, known| missing(policy, kind, known);
        let named = missing("App", &apps).into_iter().chain(missing("Route", &routes));
        named.chain(malformed(policy))
    };
    book.policies.iter().flat_map(in_policy).collect()
}

fn missing(policy: &Policy, kind: &str, known: &BTreeSet<&str>) -> Vec<Problem> {
    let of_kind = literals(&policy.text).into_iter().filter(|literal| literal.kind == kind);
    let missing = of_kind.filter(|literal| !known.contains(literal.id));
    let problem = |literal: Literal<'_>| {
        let name = kind.to_ascii_lowercase();
        let message = format!("there is no {name} `{}`", literal.id);
        let meant = nearest(literal.id, known.iter().copied());
        Problem::new(Object::Policy(policy.id.clone()), &message)
            .at(Some(Position::at(&policy.text, literal.offset)))
            .hint(meant.map(|meant| format!("did you mean `{meant}`?")))
    };
    missing.map(problem).collect()
}

/// Groups, roles and people under ids that no token carries: they would never be anyone.
fn malformed(policy: &Policy) -> Vec<Problem> {
    let problem = |literal: Literal<'_>| {
        let (message, hint) = wrong_id(literal)?;
        let place = Position::at(&policy.text, literal.offset);
        let problem = Problem::new(Object::Policy(policy.id.clone()), &message);
        Some(problem.at(Some(place)).hint(hint))
    };
    literals(&policy.text).into_iter().filter_map(problem).collect()
}

/// What is wrong with the id of an entity, and how it is spelt where that can be told.
fn wrong_id(literal: Literal<'_>) -> Option<(String, Option<String>)> {
    let read: Result<String, InvalidId> = match literal.kind {
        "Group" => literal.id.parse::<GroupId>().map(String::from),
        "AppRole" => literal.id.parse::<AppRole>().map(String::from),
        "User" | "Workload" => literal.id.parse::<Subject>().map(String::from),
        _ => return None,
    };
    match read {
        Ok(id) if id == literal.id => None,
        Ok(id) => Some((
            format!("`{}` is not how tokens spell it", literal.id),
            Some(format!("write `{id}`")),
        )),
        Err(_) if matches!(literal.kind, "User" | "Workload") => {
            Some((format!("`{}` is not `<tenant id>.<object id>`", literal.id), None))
        }
        Err(error) => Some((error.to_string(), None)),
    }
}
