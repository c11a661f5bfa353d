//! What is said of a decision is what made it.

use proptest::prelude::*;

use super::super::explain::Explanation;
use super::super::weigh::{About, Outcome, State};
use super::index::{PATHS, principal, rules, situations};
use super::{Ask, ask_question, book, decide, grant, group, policy, snapshot, user};
use crate::model::grant::{Effect, Method, Mfa, What};
use crate::model::principal::Principal;
use crate::model::record::{Reason, Verdict};
use crate::model::rule_book::RuleBook;

const FINANCE: &str = "f1a2ce00-0000-4000-8000-00000000000a";

fn explain(book: &RuleBook, ask: &Ask) -> Explanation {
    let snapshot = snapshot(book);
    ask_question(&snapshot, ask, |question| snapshot.explain(question)).unwrap()
}

proptest! {
    // Each case asks 63 questions, with a dozen rules to take apart in each.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn explanation_and_decision_agree(book in rules(), principal in principal()) {
        let snapshot = snapshot(&book);
        for path in PATHS {
            for method in [Method::Get, Method::Post, Method::Delete] {
                for ask in situations(&principal, method, path) {
                    let explanation = ask_question(&snapshot, &ask, |question| snapshot.explain(question)).unwrap();
                    prop_assert_eq!(&explanation.decision, &decide(&snapshot, &ask));
                    agrees(&explanation)?;
                }
            }
        }
    }
}

/// The clauses alone, without the decision, lead to the same answer.
fn agrees(explanation: &Explanation) -> Result<(), TestCaseError> {
    let of = |state, effect| {
        let rules = explanation.rules.iter();
        rules.filter(move |rule| rule.state() == state && rule.effect == effect)
    };
    let failed = of(State::Fails, Effect::Permit).chain(of(State::Fails, Effect::Forbid)).count();
    let permits = of(State::Applies, Effect::Permit).count();
    let forbids = of(State::Applies, Effect::Forbid).count();
    let open = failed == 0 && forbids == 0 && permits > 0;
    prop_assert_eq!(explanation.decision.verdict == Verdict::Allow, open);
    prop_assert_eq!(explanation.decision.errors.len(), failed);
    if failed == 0 {
        let mut deciding: Vec<_> = explanation.deciding().map(|rule| rule.rule.clone()).collect();
        deciding.sort();
        prop_assert_eq!(&explanation.decision.rules, &deciding);
    }
    Ok(())
}

fn told(explanation: &Explanation) -> Vec<String> {
    let near = explanation.near();
    near.map(|rule| {
        let missing: Vec<_> = rule.missing().map(|clause| clause.cedar.as_str()).collect();
        format!("{}: {}", rule.rule, missing.join(" | "))
    })
    .collect()
}

#[test]
fn deny_names_what_came_near_and_each_clause_that_it_lacks() {
    let mut book = RuleBook { grants: Vec::new(), policies: Vec::new(), ..book() };
    let mut inside = grant("inside", group(FINANCE), What::Read, "shop/finance");
    inside.when.networks = vec!["10.0.0.0/8".parse().unwrap()];
    inside.when.mfa = Mfa::Required;
    book.grants = vec![inside, grant("write", group(FINANCE), What::Write, "shop/finance")];
    book.policies = vec![policy(
        "guests",
        "permit (principal, action, resource in Route::\"shop/finance\")\n  when { principal is User }\n  unless { !principal.guest };",
    )];
    let ask = Ask::new(user("uma", &[FINANCE], &[]), Method::Get, "/finance/x");
    let explanation = explain(&book, &ask);
    assert_eq!(explanation.decision.reason, Reason::NoGrant);
    assert_eq!(
        told(&explanation),
        [
            "grant:write: action in [Action::\"write\"]",
            "policy:guests: unless { !principal.guest }",
            "grant:inside: when { context.ip.isInRange(ip(\"10.0.0.0/8\")) } | when { context.mfa }",
        ]
    );
    let nobody = Ask::new(Principal::Anonymous, Method::Get, "/finance/x");
    let told = told(&explain(&book, &nobody));
    assert!(
        told.iter().any(|line| line.starts_with("grant:inside: principal in Group::")),
        "{told:?}"
    );
}

#[test]
fn allow_names_the_rule_and_through_which_group() {
    let mut book = RuleBook { grants: Vec::new(), policies: Vec::new(), ..book() };
    book.grants = vec![grant("read", group(FINANCE), What::Read, "shop/finance")];
    let ask = Ask::new(user("uma", &[FINANCE], &[]), Method::Get, "/finance/x");
    let explanation = explain(&book, &ask);
    let rule = explanation.deciding().next().unwrap();
    let who = rule.clauses.iter().find(|clause| clause.about == About::Who).unwrap();
    assert_eq!(who.outcome, Outcome::Holds);
    assert_eq!(who.cedar, format!("principal in Group::\"{FINANCE}\""));
}

#[test]
fn clauses_are_told_as_they_are_whatever_is_in_them() {
    let mut book = RuleBook { grants: Vec::new(), policies: Vec::new(), ..book() };
    let text = "permit (principal in AppRole::\"a, b) \\\"when\\\"\", action, resource in Route::\"shop/finance\") when { context.path like \"*;  )\" };";
    book.policies = vec![policy("odd", text)];
    let ask = Ask::new(user("uma", &[], &[]), Method::Get, "/finance/x");
    let explanation = explain(&book, &ask);
    let clauses: Vec<_> =
        explanation.rules[0].clauses.iter().map(|clause| clause.cedar.as_str()).collect();
    let scope = "principal in AppRole::\"a, b) \\\"when\\\"\"";
    assert_eq!(clauses, [scope, "action", "when { context.path like \"*;  )\" }"]);
}
