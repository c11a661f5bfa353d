//! What hand-written policies name must be there: a `forbid` about a misspelt route would close nothing, and nobody would
//! notice.

use std::collections::BTreeSet;

use super::nearest::nearest;
use super::problem::{Object, Problem};
use super::tokens::literals;
use crate::model::policy::Policy;
use crate::model::problem::Position;
use crate::model::rule_book::RuleBook;

/// Every app and route that a policy names and the rule book does not have.
pub(super) fn unknown(book: &RuleBook) -> Vec<Problem> {
    if book.policies.is_empty() {
        return Vec::new();
    }
    let apps: BTreeSet<&str> = book.apps.iter().map(|app| app.id.as_str()).collect();
    let routes: BTreeSet<&str> = book.routes.iter().map(|route| route.id.as_str()).collect();
    let in_policy = |policy| {
        let missing = |kind, known| missing(policy, kind, known);
        missing("App", &apps).into_iter().chain(missing("Route", &routes))
    };
    book.policies.iter().flat_map(in_policy).collect()
}

fn missing(policy: &Policy, kind: &str, known: &BTreeSet<&str>) -> Vec<Problem> {
    let of_kind = literals(&policy.text).into_iter().filter(|literal| literal.kind == kind);
    let missing = of_kind.filter(|literal| !known.contains(literal.id));
    let problem = |literal: super::tokens::Literal<'_>| {
        let name = kind.to_ascii_lowercase();
        let message = format!("there is no {name} `{}`", literal.id);
        let meant = nearest(literal.id, known.iter().copied());
        Problem::new(Object::Policy(policy.id.clone()), &message)
            .at(Some(Position::at(&policy.text, literal.offset)))
            .hint(meant.map(|meant| format!("did you mean `{meant}`?")))
    };
    missing.map(problem).collect()
}
