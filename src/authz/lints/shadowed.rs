//! Rules that change nothing: another one does all that they do, or forbids all that they permit.
//!
//! Grants are compared by what they say, field by field; policies by their scopes and clauses as they are written. What
//! is reported is certain; two rules that only together cover a third are not found.

use std::collections::HashMap;

use serde_json::Value;

use super::{Lint, LintKind, Read};
use crate::authz::problem::{Object, Problem};
use crate::model::grant::{Conditions, Effect, Grant, Method, Mfa, Reach, What, Who};
use crate::model::id::RouteId;
use crate::model::route::Route;
use crate::model::rule_book::RuleBook;

/// Grants by the route they are on.
type ByRoute<'b> = HashMap<&'b RouteId, Vec<&'b Grant>>;

pub(super) fn grants(book: &RuleBook) -> Vec<Lint> {
    let mut on: ByRoute<'_> = HashMap::new();
    book.grants.iter().for_each(|grant| on.entry(&grant.route).or_default().push(grant));
    let wider = wider_routes(book, &on);
    let shadow = |grant: &Grant| {
        let own = on.get(&grant.route).into_iter().flatten();
        let above = wider.get(&grant.route).into_iter().flatten();
        let above = above.filter_map(|route| on.get(route)).flatten();
        let above = above.filter(|other| other.reach == Reach::Below);
        let by = own.chain(above).filter(|other| other.id != grant.id);
        by.copied().find(|other| is_shadowed(grant, other)).map(|other| lint_of(grant, other))
    };
    book.grants.iter().filter_map(shadow).collect()
}

/// For each route with grants, the routes above it that have grants too.
fn wider_routes<'b>(
    book: &'b RuleBook,
    on: &ByRoute<'b>,
) -> HashMap<&'b RouteId, Vec<&'b RouteId>> {
    let with: Vec<&Route> = book.routes.iter().filter(|route| on.contains_key(&route.id)).collect();
    let above = |route: &&'b Route| {
        let same_app = with.iter().filter(|other| other.id.app() == route.id.app());
        let above = same_app.filter(|other| other.pattern.contains(&route.pattern));
        (&route.id, above.map(|other| &other.id).collect())
    };
    with.iter().map(above).collect()
}

/// Of two that are the same, the later one by id is the one too many.
fn is_shadowed(grant: &Grant, by: &Grant) -> bool {
    let same_effect = grant.effect == by.effect;
    let closed = grant.effect == Effect::Permit && by.effect == Effect::Forbid;
    (same_effect || closed)
        && covers(by, grant)
        && (closed || !covers(grant, by) || grant.id > by.id)
}

fn lint_of(grant: &Grant, by: &Grant) -> Lint {
    let what = if grant.effect == by.effect {
        format!("it changes nothing: the grant `{}` does all of it", by.id)
    } else {
        format!("it never permits anything: the grant `{}` forbids all of it", by.id)
    };
    let problem = Problem::new(Object::Grant(grant.id.clone()), &what);
    Lint::new(LintKind::Shadowed, problem.hint(Some("remove one of the two".to_owned())))
}

/// Whether `wide` says something of every request that `narrow` says something of. The routes are known to lie well.
fn covers(wide: &Grant, narrow: &Grant) -> bool {
    let reach =
        wide.route != narrow.route || wide.reach == narrow.reach || wide.reach == Reach::Below;
    reach
        && who_covers(&wide.who, &narrow.who)
        && what_covers(&wide.what, &narrow.what)
        && is_weaker(&wide.when, &narrow.when)
}

/// A workload can be in a group and hold a role, so these are no part of those who signed in.
fn who_covers(wide: &Who, narrow: &Who) -> bool {
    match (wide, narrow) {
        (Who::Everyone, _) | (Who::SignedIn, Who::Person(_) | Who::Tenants(_)) => true,
        (Who::Tenants(wide), Who::Tenants(narrow)) => narrow.is_subset(wide),
        _ => wide == narrow,
    }
}

fn what_covers(wide: &What, narrow: &What) -> bool {
    let has = |what: &What, method: Method| match what {
        What::Read => method.is_read(),
        What::Write => !method.is_read(),
        What::All => true,
        What::Methods(methods) => methods.contains(&method),
    };
    Method::ALL.into_iter().all(|method| has(wide, method) || !has(narrow, method))
}

/// Whether `weak` holds wherever `strong` does.
fn is_weaker(weak: &Conditions, strong: &Conditions) -> bool {
    let Conditions { networks, hours, mfa, fresh, auth_context, own, until } = weak;
    let inside = |net: &ipnet::IpNet| networks.iter().any(|wide| wide.contains(net));
    let networks_hold =
        networks.is_empty() || (!strong.networks.is_empty() && strong.networks.iter().all(inside));
    let hours_hold = hours.is_empty()
        || (!strong.hours.is_empty() && strong.hours.iter().all(|one| hours.contains(one)));
    networks_hold
        && hours_hold
        && (*mfa == Mfa::Optional || strong.mfa == Mfa::Required)
        && fresh.is_none_or(|limit| strong.fresh.is_some_and(|span| span.0 <= limit.0))
        && auth_context.as_ref().is_none_or(|_| strong.auth_context == *auth_context)
        && own.as_ref().is_none_or(|_| strong.own == *own)
        && until.is_none_or(|end| strong.until.is_some_and(|earlier| earlier.0 <= end.0))
}

/// Policies of which another one says the same with fewer clauses and no narrower scope.
pub(super) fn policies(policies: &[Read<'_>]) -> Vec<Lint> {
    let mut by_scope: HashMap<[String; 4], Vec<&Read<'_>>> = HashMap::new();
    for policy in policies {
        by_scope.entry(scope(&policy.form)).or_default().push(policy);
    }
    let lint = |policy: &Read<'_>| {
        let wider = wider_scopes(scope(&policy.form));
        let mut others = wider.iter().filter_map(|key| by_scope.get(key)).flatten();
        let by = others.find(|other| says_all_of(other, policy))?;
        let what = format!("it changes nothing: the policy `{}` does all of it", by.policy.id);
        let problem = Problem::new(policy.object(), &what).at(Some(policy.at(0)));
        Some(Lint::new(LintKind::Shadowed, problem.hint(Some("remove one of the two".to_owned()))))
    };
    policies.iter().filter_map(lint).collect()
}

const ANY: &str = r#"{"op":"All"}"#;

fn scope(form: &Value) -> [String; 4] {
    ["effect", "principal", "action", "resource"]
        .map(|part| form.get(part).map(Value::to_string).unwrap_or_default())
}

/// A scope, and those that differ from it by saying "any".
fn wider_scopes([effect, who, what, route]: [String; 4]) -> Vec<[String; 4]> {
    let either = |part: String| [part, ANY.to_owned()];
    let (who, what, route) = (either(who), either(what), either(route));
    let mut all = Vec::new();
    for who in &who {
        for what in &what {
            all.extend(
                route
                    .iter()
                    .map(|route| [effect.clone(), who.clone(), what.clone(), route.clone()]),
            );
        }
    }
    all.sort();
    all.dedup();
    all
}

fn says_all_of(by: &Read<'_>, policy: &Read<'_>) -> bool {
    let clauses = |of: &Read<'_>| {
        of.form.get("conditions").and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let (fewer, more) = (clauses(by), clauses(policy));
    let same = scope(&by.form) == scope(&policy.form) && fewer.len() == more.len();
    by.policy.id != policy.policy.id
        && fewer.iter().all(|clause| more.contains(clause))
        && (!same || policy.policy.id > by.policy.id)
}
