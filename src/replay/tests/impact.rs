//! Who gains and who loses under other rules.

use super::{Ask, book, compiled, measure, uma, user};
use crate::model::grant::{Method, Who};
use crate::model::principal::Principal;
use crate::model::route::LetterCase;
use crate::model::rule_book::RuleBook;
use crate::replay::{Against, Change, Impact};

fn visits() -> Vec<Ask> {
    let nora = || user(2, "Nora", &[]);
    let get = |who, path| Ask::new(who, Method::Get, path);
    vec![
        get(uma(), "/finance/q1"),
        get(uma(), "/Finance/q2"),
        get(nora(), "/finance/q1"),
        get(nora(), "/reports/2026"),
        get(Principal::Anonymous, "/"),
    ]
}

fn impact(change: impl FnOnce(&mut RuleBook)) -> Impact {
    let own = compiled(&book());
    let mut other = book();
    change(&mut other);
    let records: Vec<_> = visits().iter().map(|ask| ask.recorded(&own)).collect();
    measure(&records, &compiled(&other), Against::Record)
}

fn told(impact: &Impact) -> Vec<(Change, String, String, u64)> {
    let line = |line: &crate::replay::Line| {
        let who = line.key.who.name.clone();
        (line.key.change, line.key.place.clone(), who, line.tally.count)
    };
    impact.lines.iter().map(line).collect()
}

#[test]
fn same_rules_change_nothing() {
    let impact = impact(|_| {});
    assert!(impact.is_none(), "{impact:?}");
    assert_eq!(impact.decided, 5);
}

#[test]
fn losses_and_gains_are_told_by_person_and_route() {
    let impact = impact(|book| book.grants[1].who = Who::Person(nora_subject()));
    assert_eq!(
        told(&impact),
        [
            (Change::Gains, "shop/finance".to_owned(), "Nora".to_owned(), 1),
            (Change::Loses, "shop/finance".to_owned(), "Uma".to_owned(), 2),
        ]
    );
    let lines = impact.lines(1);
    assert!(lines[0].starts_with("gains  GET shop/finance  Nora (aaaaaaaa-"), "{lines:?}");
    assert!(lines[0].contains("1 decision, e.g. "), "{lines:?}");
    assert_eq!(lines[1], "and 2 decisions more, of other people or on other routes");
}

fn nora_subject() -> crate::model::id::Subject {
    user(2, "Nora", &[]).subject().unwrap().clone()
}

#[test]
fn route_that_is_gone_is_told_and_so_is_who_loses_by_it() {
    let impact = impact(|book| {
        book.routes.retain(|route| route.id.name() != "report");
        book.grants.retain(|grant| grant.route.name() != "report");
    });
    assert_eq!(told(&impact), [(Change::Loses, "shop/report".to_owned(), "Nora".to_owned(), 1)]);
    let gone: Vec<_> = impact.gone.iter().map(|(id, tally)| (id.as_str(), tally.count)).collect();
    assert_eq!(gone, [("shop/report", 1)]);
}

#[test]
fn host_that_no_app_has_any_more_lets_nobody_in() {
    let impact =
        impact(|book| book.apps[0].origins = vec!["https://other.example".parse().unwrap()]);
    assert_eq!(told(&impact).iter().map(|line| line.3).sum::<u64>(), 4);
}

/// The path counts as it was asked for, also where the release that decided read it in lower case.
#[test]
fn rules_that_tell_letters_apart_see_the_letters_that_were_sent() {
    let impact = impact(|book| book.routes[1].letter_case = LetterCase::Kept);
    let lost = (Change::Loses, "shop/finance".to_owned(), "Uma".to_owned(), 1);
    assert_eq!(told(&impact), [lost]);
}

/// What changed between the record and the live release is not the draft's doing.
#[test]
fn against_the_live_rules_only_the_difference_between_the_two_counts() {
    let own = compiled(&book());
    let records: Vec<_> = visits().iter().map(|ask| ask.recorded(&own)).collect();
    let mut live = book();
    live.grants.remove(1);
    let mut draft = live.clone();
    let live = compiled(&live);
    let same = measure(&records, &compiled(&draft), Against::Rules(live.clone()));
    assert!(same.is_none(), "{same:?}");
    draft.grants.clear();
    let impact = measure(&records, &compiled(&draft), Against::Rules(live));
    let places: Vec<_> = told(&impact).into_iter().map(|line| line.1).collect();
    assert_eq!(places, ["shop/home", "shop/report"]);
}

#[test]
fn names_can_not_move_a_terminal() {
    let own = compiled(&book());
    let eve = user(3, "Eve\u{1b}[2J\u{202e}\nallow", &[]);
    let record = Ask::new(eve, Method::Get, "/reports/2026").recorded(&own);
    let mut closed = book();
    closed.grants.clear();
    let impact = measure(&[record], &compiled(&closed), Against::Record);
    let line = &impact.lines(10)[0];
    assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
}
