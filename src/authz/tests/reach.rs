//! Who of those we know can do something: the engine's own answer, also where one person is asked for many.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::super::assertions::Inquiry;
use super::super::prospect::Prospect;
use super::super::reach::{Asking, Survey, knowledge};
use super::super::telling::{Certainty, Teller, ToldProspect};
use super::index::{PATHS, principal, rules, situations};
use super::{ADMINS, Ask, FINANCE, ask_question, book, grant, group, policy, snapshot, user};
use crate::model::grant::{Method, Mfa, Reach, What, Who};
use crate::model::group::GroupNames;
use crate::model::principal::{Principal, PrincipalSnapshot};
use crate::model::record::Verdict;
use crate::model::route::Route;
use crate::model::rule_book::RuleBook;

/// What each of these people can do on a route, asked one after the other.
fn told(
    book: &RuleBook,
    people: &[Principal],
    (method, route): (Method, &str),
) -> Vec<ToldProspect> {
    let snapshot = snapshot(book);
    let now = Ask::new(Principal::Anonymous, Method::Get, "/").now;
    let inquiry = Inquiry { book, snapshot: &snapshot, now };
    let route = book.routes.iter().find(|of| of.id.as_str() == route).unwrap();
    let mut asking = Asking::new(inquiry, route, method);
    let names = GroupNames::new(book.group_names.clone(), Arc::default());
    let teller = Teller { book, names: &names };
    let tell = |person: &Principal| {
        let prospect = asking.of(&PrincipalSnapshot::new(person.clone())).unwrap();
        teller.reach(&prospect, knowledge())
    };
    people.iter().map(tell).collect()
}

fn certainties(book: &RuleBook, people: &[Principal], asked: (Method, &str)) -> Vec<Certainty> {
    told(book, people, asked).into_iter().map(|told| told.certainty).collect()
}

#[test]
fn members_get_in_and_others_do_not() {
    let people =
        [user("uma", &[FINANCE], &[]), user("nora", &[], &[]), user("olive", &[ADMINS], &[])];
    let asked = (Method::Get, "shop/finance");
    let expected = [Certainty::Always, Certainty::Never, Certainty::Never];
    assert_eq!(certainties(&book(), &people, asked), expected);
    assert_eq!(
        certainties(&book(), &people, (Method::Post, "shop/finance")),
        [Certainty::Never; 3]
    );
}

#[test]
fn conditions_are_told_in_words_and_with_the_rule() {
    let mut book = book();
    let mut outside = grant("outside", group(FINANCE), What::Write, "shop/finance");
    outside.when.networks = vec!["10.0.0.0/8".parse().unwrap()];
    outside.when.mfa = Mfa::Required;
    book.grants.push(outside);
    book.policies.push(policy(
        "curfew",
        "forbid (principal, action, resource in Route::\"shop/finance\") when { context.mfa == false };",
    ));
    let uma = [user("uma", &[FINANCE], &[])];
    let told = told(&book, &uma, (Method::Post, "shop/finance"));
    assert_eq!(told[0].certainty, Certainty::If);
    assert_eq!(
        told[0].through[0].conditions,
        ["only from 10.0.0.0/8", "with multi-factor sign-in"]
    );
    assert_eq!(told[0].unless[0].rule.to_string(), "policy:curfew");
    assert_eq!(told[0].unless[0].conditions, ["when { context.mfa == false }"]);
}

#[test]
fn nobody_answers_for_others_where_a_rule_looks_at_the_person() {
    let mut book = book();
    book.policies.push(policy(
        "umas",
        "permit (principal is User, action, resource in Route::\"shop/admin\") when { principal.user_name like \"uma@*\" };",
    ));
    let people = [user("nora", &[], &[]), user("uma", &[], &[]), user("rob", &[], &[])];
    let expected = [Certainty::Never, Certainty::Always, Certainty::Never];
    assert_eq!(certainties(&book, &people, (Method::Get, "shop/admin")), expected);
}

#[test]
fn nobody_answers_for_others_where_a_grant_names_the_person() {
    let mut book = book();
    let Principal::User(uma) = user("uma", &[], &[]) else { panic!("a user") };
    book.grants.push(grant("uma", Who::Person(uma.subject.clone()), What::Read, "shop/admin"));
    let people = [user("nora", &[], &[]), Principal::User(uma), user("otto", &[], &[])];
    let expected = [Certainty::Never, Certainty::Always, Certainty::Never];
    assert_eq!(certainties(&book, &people, (Method::Get, "shop/admin")), expected);
}

/// What this person can do on every route with every method: asked route by route, and of each alone.
fn surveyed(
    book: &RuleBook,
    person: &Principal,
) -> [Vec<(String, Vec<(Method, ToldProspect)>)>; 2] {
    let snapshot = snapshot(book);
    let now = Ask::new(Principal::Anonymous, Method::Get, "/").now;
    let inquiry = Inquiry { book, snapshot: &snapshot, now };
    let names = GroupNames::new(book.group_names.clone(), Arc::default());
    let teller = Teller { book: snapshot.book(), names: &names };
    let person = PrincipalSnapshot::new(person.clone());
    let mut survey = Survey::new(inquiry, teller, &person);
    let together = |route: &Route| {
        let told = survey.on(route).unwrap();
        told.into_iter().map(|(method, told)| (method, (*told).clone())).collect()
    };
    let alone = |route: &Route| {
        let told = Method::ALL.into_iter().map(|method| {
            let prospect = Asking::new(inquiry, route, method).of(&person).unwrap();
            (method, teller.reach(&prospect, knowledge()))
        });
        told.collect::<Vec<_>>()
    };
    let (mut together, alone) = (together, alone);
    let mut anew = Survey::new(inquiry, teller, &person);
    for route in &book.routes {
        let opens = alone(route).iter().any(|(_, told)| told.certainty != Certainty::Never);
        assert_eq!(anew.opens(route).unwrap(), opens, "{}", route.id);
    }
    [
        book.routes.iter().map(|route| (route.id.to_string(), together(route))).collect(),
        book.routes.iter().map(|route| (route.id.to_string(), alone(route))).collect(),
    ]
}

#[test]
fn no_route_answers_for_others_where_a_rule_looks_at_the_route() {
    for condition in [
        "resource.labels.contains(\"open\")",
        "resource == Route::\"shop/quarter\"",
        "context.method == \"GET\"",
        "context.host == \"shop.example\" && resource in Route::\"shop/finance\"",
        "action == Action::\"GET\"",
    ] {
        let mut book = book();
        book.routes
            .iter_mut()
            .filter(|route| route.id.as_str() == "shop/quarter")
            .for_each(|route| route.labels = ["open".parse().unwrap()].into());
        let text = format!("permit (principal, action, resource) when {{ {condition} }};");
        book.policies.push(policy("some", &text));
        let [together, alone] = surveyed(&book, &user("nora", &[], &[]));
        assert_eq!(together, alone, "{condition}");
        let certainties: BTreeSet<_> = together
            .iter()
            .filter(|(route, _)| route != "shop/home")
            .flat_map(|(_, told)| told.iter().map(|(_, told)| told.certainty))
            .collect();
        assert_eq!(certainties.len(), 2, "{condition}: the condition tells nothing apart");
    }
}

#[test]
fn no_route_answers_for_others_where_a_rule_is_about_it_alone() {
    let mut book = book();
    book.grants.retain(|grant| grant.id.as_str() != "finance-read");
    let mut only = grant("only", group(FINANCE), What::Read, "shop/finance");
    only.reach = Reach::Only;
    book.grants.push(only);
    let [together, alone] = surveyed(&book, &user("uma", &[FINANCE], &[]));
    assert_eq!(together, alone);
    let of = |name: &str| together.iter().find(|(route, _)| route == name).unwrap().1[0].1.clone();
    assert_eq!(of("shop/finance").certainty, Certainty::Always);
    assert_eq!(of("shop/quarter").certainty, Certainty::Never);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whichever route answers for others, it says what each would say by itself.
    #[test]
    fn a_survey_says_what_each_route_says_alone(book in rules(), person in principal()) {
        let [together, alone] = surveyed(&book, &person);
        prop_assert_eq!(together, alone);
    }

    /// What is promised holds in every situation, and whoever was asked before makes no difference.
    #[test]
    fn promises_hold_for_everybody(book in rules(), people in proptest::collection::vec(principal(), 1..5)) {
        let snapshot = snapshot(&book);
        for path in PATHS {
            for method in [Method::Get, Method::Post] {
                let Some(found) = snapshot.find(&"shop".parse().unwrap(), path) else { continue };
                let now = Ask::new(Principal::Anonymous, method, path).now;
                let inquiry = Inquiry { book: &book, snapshot: &snapshot, now };
                let mut asking = Asking::new(inquiry, &found.route, method);
                for person in &people {
                    let snapshotted = PrincipalSnapshot::new(person.clone());
                    let prospect = asking.of(&snapshotted).unwrap();
                    let alone = Asking::new(inquiry, &found.route, method).of(&snapshotted).unwrap();
                    prop_assert_eq!(&certainty(&prospect), &certainty(&alone));
                    for ask in situations(person, method, path) {
                        let verdict = ask_question(&snapshot, &ask, |question| snapshot.decide(question)).verdict;
                        match &prospect {
                            Prospect::Always(_) => prop_assert_eq!(verdict, Verdict::Allow),
                            Prospect::Never(_) => prop_assert_eq!(verdict, Verdict::Deny),
                            Prospect::If { .. } => {}
                        }
                    }
                }
            }
        }
    }
}

fn certainty(prospect: &Prospect) -> (u8, Vec<String>) {
    let rules = |rules: &[super::super::weigh::Weighed]| {
        rules.iter().map(|rule| rule.rule.to_string()).collect::<Vec<_>>()
    };
    match prospect {
        Prospect::Always(by) => (0, rules(by)),
        Prospect::If { permits, forbids } => (1, [rules(permits), rules(forbids)].concat()),
        Prospect::Never(by) => (2, rules(by)),
    }
}
