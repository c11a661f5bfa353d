//! Rule books that don't compile, and what is said of them.

use super::super::compile::{MfaSetting, compile};
use super::{app, book, grant, policy, route, snapshot, terms};
use crate::model::grant::{Mfa, What, Who};
use crate::model::id::ReleaseNumber;
use crate::model::rule_book::RuleBook;

fn problems(book: &RuleBook) -> Vec<String> {
    let compiled = compile(book, ReleaseNumber(1), &terms());
    compiled.map_or_else(|e| e.problems.iter().map(ToString::to_string).collect(), |_| Vec::new())
}

/// Asserts that a change to the good rule book makes this problem.
fn check(change: impl FnOnce(&mut RuleBook), expected: &str) {
    let mut book = book();
    change(&mut book);
    let found = problems(&book);
    assert!(
        found.iter().any(|problem| problem.contains(expected)),
        "{expected:?} not in {found:?}"
    );
}

#[test]
fn each_fault_of_apps_and_routes_is_named() {
    let add = |added| move |book: &mut RuleBook| book.apps.push(added);
    check(add(app("shop", "https://two.example")), "app `shop`: this id is used twice");
    check(add(app("b", "https://shop.example:444")), "already belongs to the app `shop`");
    check(add(app("b", "https://gate.example")), "Cedargate's own host");
    check(add(app("b", "http://b.example")), "must be https");
    check(|book| book.apps[0].origins.clear(), "needs at least one origin");
    let add = |id, pattern| move |book: &mut RuleBook| book.routes.push(route(id, pattern));
    check(add("shop/home", "/x"), "route `shop/home`: this id is used twice");
    check(add("shop/y", "/reports/{y}"), "can't be told from another one");
    check(add("lost/x", "/x"), "there is no app `lost`");
    check(add("shop/any", "/{area}/q/{quarter}"), "cover some paths in common");
}

#[test]
fn crossing_patterns_need_a_route_for_what_they_share() {
    let mut crossed = book();
    crossed.routes.push(route("shop/person", "/{area}/secret"));
    assert!(problems(&crossed).iter().any(|problem| problem.contains("in common")));
    for (id, pattern) in
        [("shop/f", "/finance/secret"), ("shop/a", "/admin/secret"), ("shop/r", "/reports/secret")]
    {
        crossed.routes.push(route(id, pattern));
    }
    assert_eq!(problems(&crossed), Vec::<String>::new());
}

#[test]
fn each_fault_of_grants_is_named() {
    let add = |added| move |book: &mut RuleBook| book.grants.push(added);
    check(add(grant("g", Who::SignedIn, What::All, "shop/no")), "there is no route `shop/no`");
    check(
        add(grant("home", Who::SignedIn, What::All, "shop/home")),
        "grant `home`: this id is used twice",
    );
    check(add(grant("g", Who::SignedIn, What::Methods([].into()), "shop/home")), "names no method");
}

#[test]
fn each_fault_of_policies_is_named() {
    for text in [
        "permit (principal",
        "",
        "permit(principal,action,resource);permit(principal,action,resource);",
        "permit(principal,action,resource) when { context.nope };",
        "permit(principal,action,resource) when { context.path == 1 };",
        "permit(principal == ?principal,action,resource);",
    ] {
        check(|book| book.policies.push(policy("p", text)), "policy `p`:");
    }
}

#[test]
fn all_problems_come_at_once() {
    let mut book = book();
    book.apps.push(app("b", "http://b.example"));
    book.grants.push(grant("g", Who::SignedIn, What::All, "shop/no"));
    book.policies.push(policy("p", "forbid"));
    assert_eq!(problems(&book).len(), 3);
}

#[test]
fn rules_that_ask_for_mfa_need_it_set_up() {
    let terms = super::super::compile::Terms { mfa: MfaSetting::Empty, ..terms() };
    let refused =
        |book: &RuleBook| compile(book, ReleaseNumber(1), &terms).unwrap_err().to_string();
    let mut asking = grant("g", Who::SignedIn, What::All, "shop/home");
    asking.when.mfa = Mfa::Required;
    let with_grant = RuleBook { grants: vec![asking], ..book() };
    assert!(refused(&with_grant).contains("mfa_context"));
    let text =
        "permit (principal, action, resource) when { context.path == \"/\" && context.mfa };";
    let with_policy = RuleBook { policies: vec![policy("p", text)], ..book() };
    assert!(refused(&with_policy).contains("mfa_context"));
    assert!(compile(&book(), ReleaseNumber(1), &terms).is_ok());
}

#[test]
fn the_empty_rule_book_compiles_and_knows_nothing() {
    let snapshot = snapshot(&RuleBook::default());
    assert!(snapshot.app(&"shop.example".parse().unwrap()).is_none());
    assert_eq!(snapshot.cedar(), "");
}

#[test]
fn an_app_is_told_only_of_groups_that_its_rules_name() {
    let mut book = book();
    book.apps.push(app("other", "https://other.example"));
    let snapshot = snapshot(&book);
    let mentions = |id: &str| snapshot.mentions(&id.parse().unwrap()).unwrap().clone();
    assert_eq!(mentions("shop").groups.len(), 2);
    assert_eq!(mentions("shop").roles.len(), 1);
    assert!(mentions("other").groups.is_empty());
}

#[test]
fn grants_read_as_cedar() {
    let mut book = book();
    let write = book.grants.iter_mut().find(|grant| grant.id.as_str() == "admin").unwrap();
    write.when.networks = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    write.when.until = Some("2026-12-31T18:00:00Z".parse().unwrap());
    insta::assert_snapshot!(snapshot(&book).cedar());
}

#[test]
fn contexts_that_rules_name_are_known_and_no_others() {
    let mut book = book();
    assert!(snapshot(&book).contexts().is_empty());
    let text = r#"permit (principal, action, resource) when {
        context.auth_contexts.contains("c3") || context.auth_contexts.containsAny(["c12", "p1", "c100"])
    };"#;
    book.policies.push(policy("contexts", text));
    let known: Vec<_> = snapshot(&book).contexts().iter().map(ToString::to_string).collect();
    assert_eq!(known, ["c12", "c3"]);
}

#[test]
fn more_than_a_thousand_rules_for_one_request_are_refused_a56() {
    let group =
        |at: usize| Who::Group(format!("00000000-0000-4000-8000-{at:012x}").parse().unwrap());
    let person = |at: usize| {
        let id = format!("aaaaaaaa-0000-4000-8000-000000000000.00000000-0000-4000-8000-{at:012x}");
        Who::Person(id.parse().unwrap())
    };
    let crowd = |who: &dyn Fn(usize) -> Who, count: usize| {
        let mut book = book();
        let rule = |at| grant(&format!("more{at}"), who(at), What::Read, "shop/finance");
        book.grants = (0..count).map(rule).collect();
        compile(&book, ReleaseNumber(1), &terms())
    };
    assert!(crowd(&group, 1_000).is_ok());
    let refused = crowd(&group, 1_001).unwrap_err().to_string();
    assert!(refused.contains("1001 rules can have a say on one GET request here"), "{refused}");
    // Nobody is two people.
    assert!(crowd(&person, 3_000).is_ok());
}
