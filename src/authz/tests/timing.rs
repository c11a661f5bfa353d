//! When time alone can change an answer: foretold too early now and then, never too late.

use std::time::Duration;

use super::{Ask, FINANCE, ask_question, book, group, policy, snapshot, user};
use crate::model::grant::{Method, What};
use crate::model::record::Verdict;
use crate::model::rule_book::RuleBook;
use crate::model::time::{Instant, Timestamp};

const MAY: &str = "permit (principal is User, action, resource in Route::\"shop/finance\")";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// The answer to somebody of Finance on `/finance/x`, asked at `now`.
fn foretold(book: &RuleBook, now: Timestamp) -> (Verdict, Option<Timestamp>) {
    let mut ask = Ask::new(user("alice", &[FINANCE], &[]), Method::Get, "/finance/x");
    ask.now = now;
    let snapshot = snapshot(book);
    let (decision, until) = ask_question(&snapshot, &ask, |question| snapshot.foresee(question));
    (decision.verdict, until)
}

/// The book with one more grant of Finance, until then.
fn until(book: &mut RuleBook, id: &str, end: i64) {
    let mut more = super::grant(id, group(FINANCE), What::All, "shop/finance");
    more.when.until = Some(Instant(at(end)));
    book.grants.push(more);
}

#[test]
fn answer_without_conditions_on_time_stays() {
    assert_eq!(foretold(&book(), at(1_000)), (Verdict::Allow, None));
}

#[test]
fn next_end_of_a_grant_that_has_a_say_is_foretold() {
    let mut book = book();
    book.grants.retain(|grant| grant.id.as_str() != "finance-read");
    until(&mut book, "long", 3_000);
    until(&mut book, "short", 2_000);
    let mut elsewhere = super::grant("admin-soon", group(FINANCE), What::All, "shop/admin");
    elsewhere.when.until = Some(Instant(at(1_500)));
    book.grants.push(elsewhere);
    assert_eq!(foretold(&book, at(1_000)), (Verdict::Allow, Some(at(2_000))));
    assert_eq!(foretold(&book, at(2_000)), (Verdict::Allow, Some(at(3_000))));
    let last = at(3_000).minus(Duration::from_millis(1));
    assert_eq!(foretold(&book, last), (Verdict::Allow, Some(at(3_000))));
    assert_eq!(foretold(&book, at(3_000)), (Verdict::Deny, None));
}

#[test]
fn policy_that_may_read_the_time_is_never_trusted_to_stay() {
    let rows = [
        ("when { context.now < datetime(\"2030-01-01\") }", true),
        ("when { context.mfa || context.now.toTime() > duration(\"8h\") }", true),
        ("when { (if true then context else context).now < datetime(\"2030-01-01\") }", true),
        ("when { context has now }", true),
        ("when { [context].contains(context) }", true),
        ("when { context.mfa || !context.mfa }", false),
        ("when { context.path like \"*now*\" || true }", false),
        ("when { principal.name == \"now\" || true }", false),
        ("when { context has signed_in_at || true }", false),
        ("", false),
    ];
    for (condition, expected) in rows {
        let mut book = book();
        book.policies.push(policy("timed", &format!("{MAY} {condition};")));
        let (verdict, until) = foretold(&book, at(1_000));
        assert_eq!((verdict, until), (Verdict::Allow, expected.then(|| at(1_000))), "{condition}");
    }
}

#[test]
fn policy_about_others_is_left_out() {
    let mut book = book();
    let elsewhere = "permit (principal is User, action, resource in Route::\"shop/admin\") when { context.now < datetime(\"2030-01-01\") };";
    book.policies.push(policy("timed", elsewhere));
    assert_eq!(foretold(&book, at(1_000)), (Verdict::Allow, None));
}
