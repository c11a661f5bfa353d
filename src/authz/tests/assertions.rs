//! Assertions hold, or say what breaks them.

use super::super::assertions::run;
use super::{book, grant, group, policy, snapshot};
use crate::model::assertion::{Access, Assertion, Claim, Exclusive, Given};
use crate::model::grant::{Effect, Mfa, Reach, What, Who};
use crate::model::record::MfaState;
use crate::model::rule_book::RuleBook;
use crate::model::time::{Instant, Timestamp};

const FINANCE: &str = "f1a2ce00-0000-4000-8000-00000000000a";
const ADMINS: &str = "f1a2ce00-0000-4000-8000-00000000000b";
const NOW: i64 = 1_795_000_000;

/// Finance reads its area; administrators do everything in theirs, with a second factor.
fn rules() -> RuleBook {
    let mut book = RuleBook { policies: Vec::new(), ..book() };
    let mut admins = grant("admins", group(ADMINS), What::All, "shop/admin");
    admins.when.mfa = Mfa::Required;
    book.grants = vec![grant("finance", group(FINANCE), What::Read, "shop/finance"), admins];
    book
}

fn access(who: Who, what: What, path: &str) -> Access {
    let (app, path) = ("shop".parse().unwrap(), path.to_owned());
    Access { who, what, app, path, given: Given::default() }
}

fn only(who: Vec<Who>, route: &str) -> Claim {
    let route = route.parse().unwrap();
    Claim::NobodyBut(Exclusive { who, what: What::Write, route, reach: Reach::Below })
}

/// The sentence about what breaks the claim; empty when it holds.
#[track_caller]
fn broken(book: &RuleBook, claim: Claim) -> String {
    let id = "it".parse().unwrap();
    let assertions = vec![Assertion { id, claim, reason: String::new() }];
    let book = RuleBook { assertions, ..book.clone() };
    let broken = run(&book, &snapshot(&book), Timestamp::from_seconds(NOW));
    broken.first().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn can_holds_when_nothing_unknown_could_keep_them_out() {
    let book = rules();
    let finance = || group(FINANCE);
    assert_eq!(broken(&book, Claim::Can(access(finance(), What::Read, "/finance/q3"))), "");
    assert_eq!(
        broken(&book, Claim::Can(access(finance(), What::All, "/finance/q3"))),
        "assertion `it`: no rule lets them POST"
    );
    assert_eq!(
        broken(&book, Claim::Can(access(group(ADMINS), What::All, "/admin/x/y"))),
        "assertion `it`: they can't always GET: `grant:admins`"
    );
    let mut given = access(group(ADMINS), What::All, "/admin/x/y");
    given.given.mfa = Some(MfaState::Met);
    assert_eq!(broken(&book, Claim::Can(given)), "");
    assert_eq!(
        broken(&book, Claim::Can(access(finance(), What::Read, "nowhere"))),
        "assertion `it` can't be tried: no route of the app `shop` covers `nowhere`"
    );
}

#[test]
fn a_forbid_that_may_apply_breaks_what_they_can() {
    let mut book = rules();
    book.policies = vec![policy(
        "office",
        "forbid (principal, action, resource) when { principal is User && principal.guest };",
    )];
    assert_eq!(
        broken(&book, Claim::Can(access(group(FINANCE), What::Read, "/finance/q3"))),
        "assertion `it`: they can't always GET: `policy:office`"
    );
}

#[test]
fn cannot_holds_only_when_no_condition_would_let_them_in() {
    let mut book = rules();
    let claim = |book: &RuleBook| {
        broken(book, Claim::Cannot(access(group(FINANCE), What::Write, "/finance/q3")))
    };
    assert_eq!(claim(&book), "");
    let mut late = grant("late", Who::SignedIn, What::Write, "shop/finance");
    late.when.until = Some(Instant(Timestamp::from_seconds(NOW - 1)));
    book.grants.push(late);
    let through =
        format!("assertion `it`: group `{FINANCE}` can POST shop/finance through `grant:late`");
    assert_eq!(claim(&book), through);
    // At a time when the grant has ended they can't.
    let mut given = access(group(FINANCE), What::Write, "/finance/q3");
    given.given.at = Some(Instant(Timestamp::from_seconds(NOW)));
    assert_eq!(broken(&book, Claim::Cannot(given)), "");
    let mut never = grant("never", Who::Everyone, What::Write, "shop/finance");
    never.effect = Effect::Forbid;
    book.grants.push(never);
    assert_eq!(claim(&book), "");
}

#[test]
fn nobody_but_looks_at_everybody_whom_the_rules_name() {
    let mut book = rules();
    assert_eq!(broken(&book, only(vec![group(ADMINS)], "shop/admin")), "");
    assert_eq!(
        broken(&book, only(Vec::new(), "shop/admin")),
        format!("assertion `it`: group `{ADMINS}` can POST shop/admin through `grant:admins`")
    );
    book.policies = vec![policy(
        "own",
        "permit (principal, action, resource in Route::\"shop/admin\") when { principal in AppRole::\"Root\" };",
    )];
    let open = broken(&book, only(vec![group(ADMINS)], "shop/admin"));
    assert!(open.ends_with("can POST shop/admin through `policy:own`"), "{open}");
    assert_eq!(broken(&book, only(vec![Who::Everyone], "shop/admin")), "");
    assert_eq!(
        broken(&book, only(vec![group(ADMINS)], "shop/nowhere")),
        "assertion `it` can't be tried: there is no route `shop/nowhere`"
    );
}
