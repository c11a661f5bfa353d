//! What is said of somebody's access is what the gate does.

use proptest::prelude::*;

use super::super::access::{Access, Extent, Lack};
use super::super::decision::Question;
use super::super::snapshot::Snapshot;
use super::index::{PATHS, principal, rules, situations};
use super::{Ask, FINANCE, ask_question, book, decide, grant, group, policy, snapshot, user};
use crate::model::grant::{Conditions, Effect, Grant, Method, Mfa, What, Who};
use crate::model::principal::Principal;
use crate::model::record::{MfaState, Reason, Verdict};
use crate::model::rule_book::RuleBook;
use crate::model::time::{Instant, Timestamp};
use crate::model::words::ConditionKind;

fn access(snapshot: &Snapshot, ask: &Ask, extent: Extent) -> Access {
    ask_question(snapshot, ask, |question: &Question<'_>| snapshot.access(question, extent))
        .unwrap()
}

proptest! {
    // Each case asks 63 questions, with the rules taken apart twice in each.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn access_and_decision_agree(book in rules(), principal in principal()) {
        let snapshot = snapshot(&book);
        for path in PATHS {
            for method in [Method::Get, Method::Post, Method::Delete] {
                agrees(&snapshot, &situations(&principal, method, path))?;
            }
        }
    }
}

/// Open means that the gate opens; anything but open or partly, that it does not.
fn agrees(snapshot: &Snapshot, asks: &[Ask; 3]) -> Result<(), TestCaseError> {
    let decisions: Vec<_> = asks.iter().map(|ask| decide(snapshot, ask)).collect();
    for (ask, decision) in asks.iter().zip(&decisions) {
        let opens = decision.verdict == Verdict::Allow;
        let here = access(snapshot, ask, Extent::Path);
        prop_assert_eq!(matches!(here, Access::Open(_)), opens, "{:?}", here);
        prop_assert!(!matches!(here, Access::Partly(_)), "a path is known: {:?}", here);
        match access(snapshot, ask, Extent::Route) {
            Access::Open(by) => {
                prop_assert!(opens, "open by {:?}: {:?}", by, decision);
                prop_assert!(by.iter().all(|rule| decision.rules.contains(rule)));
            }
            Access::Partly(_) => {}
            closed @ (Access::If(_) | Access::Never) => prop_assert!(!opens, "{:?}", closed),
        }
        lasts(&here, &decisions)?;
    }
    Ok(())
}

/// Never is never, and a way lacks nothing but what it says.
fn lasts(
    access: &Access,
    decisions: &[crate::authz::decision::Decision],
) -> Result<(), TestCaseError> {
    let sound = decisions.iter().all(|decision| decision.reason != Reason::PolicyError);
    match access {
        Access::Never if sound => {
            prop_assert!(decisions.iter().all(|decision| decision.verdict == Verdict::Deny));
        }
        Access::If(ways) => {
            let met = |lack: &Lack| {
                matches!(lack.kind(), Some(ConditionKind::Network | ConditionKind::Mfa))
            };
            if ways.iter().any(|way| way.lacks.iter().all(met)) {
                prop_assert_ne!(decisions[1].reason, Reason::NoGrant);
                prop_assert_ne!(decisions[1].reason, Reason::NotSignedIn);
            }
        }
        Access::Never | Access::Open(_) | Access::Partly(_) => {}
    }
    Ok(())
}

/// A book with one grant of Finance on the finance area, under these conditions.
fn with(when: Conditions) -> RuleBook {
    let read = grant("read", group(FINANCE), What::Read, "shop/finance");
    RuleBook { grants: vec![Grant { when, ..read }], ..book() }
}

fn of_uma(book: &RuleBook) -> Access {
    let ask = Ask::new(user("uma", &[FINANCE], &[]), Method::Get, "/finance/x");
    access(&snapshot(book), &ask, Extent::Route)
}

/// What the easiest way lacks, as words.
fn lacks(access: &Access) -> Vec<String> {
    let Access::If(ways) = access else { panic!("not open under conditions: {access:?}") };
    let said = |lack: &Lack| match lack {
        Lack::Condition(condition) => condition.text.clone(),
        Lack::Written => "written".to_owned(),
        Lack::Closed => "closed".to_owned(),
    };
    ways[0].lacks.iter().map(said).collect()
}

#[test]
fn what_is_missing_is_named_condition_by_condition() {
    let check = |when: Conditions, expected: &[&str]| {
        assert_eq!(lacks(&of_uma(&with(when))), expected);
    };
    let none = Conditions::default;
    let networks = vec!["10.0.0.0/8".parse().unwrap()];
    let until = Some(Instant(Timestamp::from_seconds(1_794_000_000)));
    check(Conditions { networks: networks.clone(), ..none() }, &["only from 10.0.0.0/8"]);
    check(
        Conditions { networks, mfa: Mfa::Required, ..none() },
        &["only from 10.0.0.0/8", "with multi-factor sign-in"],
    );
    check(Conditions { until, ..none() }, &["until 6 Nov 2026, 21:20 UTC"]);
    assert_eq!(of_uma(&with(none())), Access::Open(vec!["grant:read".parse().unwrap()]));
}

#[test]
fn easiest_way_comes_first_and_what_is_over_comes_last() {
    let mut book = with(Conditions {
        until: Some(Instant(Timestamp::from_seconds(1_794_000_000))),
        ..Conditions::default()
    });
    let mut inside = grant("a-inside", group(FINANCE), What::Read, "shop/finance");
    inside.when.networks = vec!["10.0.0.0/8".parse().unwrap()];
    let mut proved = grant("b-proved", group(FINANCE), What::All, "shop/finance");
    proved.when.mfa = Mfa::Required;
    book.grants.extend([inside, proved]);
    let Access::If(ways) = of_uma(&book) else { panic!("not open under conditions") };
    let rules: Vec<_> = ways.iter().map(|way| way.rule.to_string()).collect();
    assert_eq!(rules, ["grant:b-proved", "grant:a-inside", "grant:read"]);
    assert!(ways[2].is_over() && !ways[0].is_over());
}

#[test]
fn rule_that_closes_for_now_is_told_from_one_that_closes_for_good() {
    let mut book = with(Conditions::default());
    book.policies = vec![policy(
        "mfa-only",
        "forbid (principal, action, resource in Route::\"shop/finance\") unless { context.mfa };",
    )];
    assert_eq!(lacks(&of_uma(&book)), ["closed"]);
    let mut never = grant("never", Who::SignedIn, What::All, "shop/finance");
    never.effect = Effect::Forbid;
    book.grants.push(never);
    assert_eq!(of_uma(&book), Access::Never);
}

#[test]
fn rule_that_looks_at_the_path_opens_parts_of_the_route() {
    let mut book = RuleBook { grants: Vec::new(), ..book() };
    let text = "permit (principal is User, action, resource in Route::\"shop/finance\")
        when { context.path like \"*/x\" };";
    book.policies = vec![policy("some", text)];
    let by = vec!["policy:some".parse().unwrap()];
    assert_eq!(of_uma(&book), Access::Partly(by.clone()));
    let snapshot = snapshot(&book);
    let check = |path, expected| {
        let ask = Ask::new(user("uma", &[], &[]), Method::Get, path);
        assert_eq!(access(&snapshot, &ask, Extent::Path), expected);
    };
    check("/finance/x", Access::Open(by));
    check("/finance/y", Access::Never);
}

#[test]
fn policy_that_fails_keeps_everything_closed() {
    let mut book = with(Conditions::default());
    let text = "permit (principal, action, resource in Route::\"shop/finance\") when {
        context.now.toTime().toMilliseconds() + 9223372036854775807 > 0 };";
    book.policies = vec![policy("broken", text)];
    assert_eq!(of_uma(&book), Access::Never);
}

#[test]
fn nobody_known_is_told_nothing_of_what_people_may() {
    let snapshot = snapshot(&with(Conditions::default()));
    let mut ask = Ask::new(Principal::Anonymous, Method::Get, "/finance/x");
    ask.mfa = MfaState::Met;
    assert_eq!(access(&snapshot, &ask, Extent::Route), Access::Never);
}
