//! What is pointed at, and what is not.

use std::sync::Arc;

use super::super::lints::{LintKind, lint};
use super::{FINANCE, book, grant, group, policy, snapshot};
use crate::model::grant::{Effect, Grant, Mfa, Reach, What, Who};
use crate::model::group::GroupNames;
use crate::model::rule_book::RuleBook;
use crate::model::time::Timestamp;

/// What is said of a rule book in which every group of the fixture has a name.
fn told(mut book: RuleBook) -> Vec<String> {
    for id in [FINANCE, super::ADMINS] {
        book.group_names.insert(id.parse().unwrap(), "known".to_owned());
    }
    let names = GroupNames::new(book.group_names.clone(), Arc::default());
    let now = Timestamp::from_seconds(1_795_000_000);
    lint(&book, &snapshot(&book), &names, now).iter().map(ToString::to_string).collect()
}

fn of_policies(texts: &[&str]) -> Vec<String> {
    let named = |(at, text): (usize, &&str)| policy(&format!("p{at}"), text);
    told(RuleBook { policies: texts.iter().enumerate().map(named).collect(), ..book() })
}

#[track_caller]
fn is(text: &str, expected: &str) {
    assert_eq!(of_policies(&[text]), [expected]);
}

#[track_caller]
fn is_fine(text: &str) {
    assert_eq!(of_policies(&[text]), Vec::<String>::new());
}

/// A policy that narrows its scope enough for a condition to be looked at alone.
fn when(clauses: &str) -> String {
    format!("permit (principal is User, action, resource in Route::\"shop/admin\")\n{clauses};")
}

#[test]
fn the_rule_book_of_the_tests_is_clean() {
    assert_eq!(told(book()), Vec::<String>::new());
}

#[test]
fn conditions_that_always_hold() {
    let hint =
        "this condition always holds, so it demands nothing; correct or remove it (always-true)";
    for clause in [
        "when { true }",
        "when { principal is User }",
        "unless { false }",
        "when { context.path == context.path }",
    ] {
        is(&when(clause), &format!("policy `p0`:2:1: {hint}"));
    }
    is(&when("when { context.mfa } when { 1 == 1 }"), &format!("policy `p0`:2:22: {hint}"));
    is_fine(&when("when { context.mfa }"));
    is_fine(&when(
        "when { principal has email } when { principal.email like \"*@contoso.example\" }",
    ));
}

#[test]
fn rules_that_never_have_a_say() {
    let hint = "this condition never holds, so the policy never has a say; correct or remove it (always-false)";
    for clause in [
        "when { false }",
        "when { principal is Workload }",
        "unless { true }",
        "when { context.mfa && false }",
        "when { context.path != context.path }",
    ] {
        is(&when(clause), &format!("policy `p0`:2:1: {hint}"));
    }
    is_fine(&when("when { context.path == \"/admin/x\" }"));
}

fn with(change: impl FnOnce(&mut Grant)) -> Vec<String> {
    let mut changed = grant("zz", group(FINANCE), What::Write, "shop/reports");
    change(&mut changed);
    let mut book = book();
    book.grants.push(changed);
    told(book)
}

#[test]
fn grants_that_ended_or_leave_nothing_out() {
    assert_eq!(with(|_| ()), Vec::<String>::new());
    let ended = with(|grant| grant.when.until = Some("2020-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(
        ended,
        ["grant `zz`: it ended on 1 Jan 2020, 00:00 UTC; remove or extend it (always-false)"]
    );
    assert!(
        with(|grant| grant.when.until = Some("2099-01-01T00:00:00Z".parse().unwrap())).is_empty()
    );
    let open = with(|grant| grant.when.networks = vec!["0.0.0.0/0".parse().unwrap()]);
    assert_eq!(
        open,
        [
            "grant `zz`: its network 0.0.0.0/0 holds every address of its kind; name smaller networks, or none (always-true)"
        ]
    );
    assert!(with(|grant| grant.when.networks = vec!["10.0.0.0/8".parse().unwrap()]).is_empty());
}

#[test]
fn grants_that_another_one_makes_needless() {
    let pair = |wide: Grant, narrow: Grant| {
        let mut book = book();
        book.grants = vec![wide, narrow];
        told(book)
    };
    let wide = || grant("a-wide", group(FINANCE), What::All, "shop/finance");
    let narrow = || grant("narrow", group(FINANCE), What::Read, "shop/quarter");
    let said = [
        "grant `narrow`: it changes nothing: the grant `a-wide` does all of it; remove one of the two (shadowed)",
    ];
    assert_eq!(pair(wide(), narrow()), said);
    let conditioned = |mut grant: Grant| {
        grant.when.mfa = Mfa::Required;
        grant
    };
    assert_eq!(pair(wide(), conditioned(narrow())), said);
    assert!(pair(conditioned(wide()), narrow()).is_empty());
    let only = Grant { reach: Reach::Only, ..wide() };
    assert!(pair(only, narrow()).is_empty());
    let other = grant("a-wide", group(super::ADMINS), What::All, "shop/finance");
    assert!(pair(other, narrow()).is_empty());
    let elsewhere = grant("a-wide", group(FINANCE), What::All, "shop/admin");
    assert!(pair(elsewhere, narrow()).is_empty());
    let twice = pair(narrow(), Grant { id: "same".parse().unwrap(), ..narrow() });
    assert_eq!(
        twice,
        [
            "grant `same`: it changes nothing: the grant `narrow` does all of it; remove one of the two (shadowed)"
        ]
    );
    let closed = pair(Grant { effect: Effect::Forbid, ..wide() }, narrow());
    assert_eq!(
        closed,
        [
            "grant `narrow`: it never permits anything: the grant `a-wide` forbids all of it; remove one of the two (shadowed)"
        ]
    );
    let workload = grant("a-wide", Who::SignedIn, What::All, "shop/finance");
    assert!(pair(workload, narrow()).is_empty(), "a workload can be in a group");
}

#[test]
fn policies_that_another_one_makes_needless() {
    let wide = when("when { context.mfa }");
    let narrow = wide
        .replace("action,", "action == Action::\"GET\",")
        .replace("};", "} unless { context.path == \"/\" };");
    let said = "policy `p1`:1:1: it changes nothing: the policy `p0` does all of it; remove one of the two (shadowed)";
    assert_eq!(of_policies(&[&wide, &narrow]), [said]);
    assert_eq!(of_policies(&[&wide, &wide]), [said]);
    assert!(of_policies(&[&wide, &narrow.replace("permit", "forbid")]).is_empty());
    assert!(of_policies(&[&narrow, &narrow.replace("context.mfa", "!context.mfa")]).is_empty());
}

#[test]
fn forbids_that_can_fail_a52() {
    let forbid =
        |condition: &str| format!("forbid (principal, action, resource)\nwhen {{ {condition} }};");
    let said = |why: &str| {
        format!(
            "policy `p0`:2:1: its condition can fail: {why}; whoever it fails for is denied whatever else permits it; say it in a way that can't fail (error-prone-forbid)"
        )
    };
    is(
        &forbid("context.local[\"Europe/Prague\"].minute + 1 < 600"),
        &said("numbers can get too large"),
    );
    is(
        &forbid("context.now.offset(duration(\"1d\")) < context.now"),
        &said("times can get too far away"),
    );
    let named = forbid("Route::\"shop/admin\".labels.contains(\"x\")");
    is(
        &named,
        &said("an entity that is named has no attributes here, only who asks and the route have"),
    );
    is_fine(&forbid("context.local[\"Europe/Prague\"].minute < 600"));
    is_fine(&when("when { context.local[\"Europe/Prague\"].minute + 1 < 600 }"));
}

#[test]
fn names_that_nobody_knows() {
    let unknown = "f1a2ce00-0000-4000-8000-00000000dead";
    let hint = "check its object id, and name it under `[group_names]` (unknown-name)";
    let said = with(|grant| grant.who = group(unknown));
    assert_eq!(said, [format!("grant `zz`: the group {unknown} has no name here; {hint}")]);
    let text = when(&format!("when {{\n  principal in Group::\"{unknown}\" }}"));
    is(&text, &format!("policy `p0`:3:16: the group {unknown} has no name here; {hint}"));
    is_fine(&when(&format!("when {{ principal in Group::\"{FINANCE}\" }}")));
}

#[test]
fn app_roles_that_are_most_likely_misspelt() {
    let role = |id: &str, role: &str, route: &str| {
        grant(id, Who::Role(role.parse().unwrap()), What::Read, route)
    };
    let with = |last: &str| {
        let mut book = book();
        book.grants.push(role("r1", "Reports.Read", "shop/admin"));
        book.grants.push(role("r2", last, "shop/finance"));
        told(book)
    };
    assert_eq!(
        with("Reports.Raed"),
        [
            "grant `r2`: the app role `Reports.Raed` is spelt almost like `Reports.Read`, which is named more often; did you mean `Reports.Read`? (unknown-name)"
        ]
    );
    assert!(with("Orders.Approve").is_empty());
}

#[test]
fn stars_that_go_over_slashes() {
    let like = |pattern: &str| when(&format!("when {{ context.path like \"{pattern}\" }}"));
    for pattern in ["/x/*/edit", "/x*", "*.pdf", "*/x/*"] {
        let said = of_policies(&[&like(pattern)]);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].starts_with("policy `p0`:2:16: in `like")
                && said[0].ends_with("(like-across-slashes)"),
            "{said:?}"
        );
    }
    for pattern in ["/x/*", "/x", "/\\\\*"] {
        is_fine(&like(pattern));
    }
}

#[test]
fn permits_that_open_a_lot() {
    let hint = "name who, where or under which conditions (overbroad)";
    is(
        "permit (principal, action, resource);",
        &format!(
            "policy `p0`:1:1: it opens to everyone, signed in or not, all that it names on every route of every app; {hint}"
        ),
    );
    is(
        "permit (principal is User, action, resource in App::\"shop\");",
        &format!(
            "policy `p0`:1:1: it opens to everyone signed in all that it names on every route of an app; {hint}"
        ),
    );
    is_fine("forbid (principal, action, resource) when { context.path == \"/\" };");
    is_fine("permit (principal, action == Action::\"GET\", resource == Route::\"shop/home\");");
    is_fine("permit (principal is User, action, resource) when { context.mfa };");
    let open = with(|grant| grant.who = Who::Everyone);
    assert_eq!(
        open,
        [format!(
            "grant `zz`: it lets everyone change things, signed in or not, from anywhere; {hint}"
        )]
    );
}

#[test]
fn every_lint_has_a_name_of_its_own() {
    let all = [
        LintKind::AlwaysTrue,
        LintKind::AlwaysFalse,
        LintKind::Shadowed,
        LintKind::ErrorProneForbid,
        LintKind::UnknownName,
        LintKind::LikeAcrossSlashes,
        LintKind::Overbroad,
    ];
    let names: std::collections::BTreeSet<_> = all.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(names.len(), all.len());
}
