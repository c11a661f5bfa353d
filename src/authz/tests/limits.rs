//! A56: rule books that are too large or too deep, each with its own message.

use proptest::prelude::*;
use serde_json::Value;

use super::super::compile::compile;
use super::super::limits::{
    LONGEST_NAME, LONGEST_REASON, MOST_APPS, MOST_IN_LIST, STACK_OF_DECIDING,
};
use super::super::policy_text::{DEEPEST_NESTING, LONGEST_POLICY, TALLEST_POLICY};
use super::{Ask, app, book, decide, grant, policy, route, snapshot, terms, user};
use crate::model::assertion::{Access, Assertion, Claim, Exclusive, Given};
use crate::model::grant::{Method, Reach, What, Who};
use crate::model::id::ReleaseNumber;
use crate::model::rule_book::RuleBook;

fn problems(book: &RuleBook) -> Vec<String> {
    let compiled = compile(book, ReleaseNumber(1), &terms());
    compiled.map_or_else(|e| e.problems.iter().map(ToString::to_string).collect(), |_| Vec::new())
}

#[track_caller]
fn check(change: impl FnOnce(&mut RuleBook), expected: &str) {
    let mut book = book();
    change(&mut book);
    let found = problems(&book);
    assert!(found.iter().any(|one| one.contains(expected)), "{expected:?} not in {found:?}");
}

fn long(most: usize) -> String {
    "x".repeat(most + 1)
}

fn assertion(claim: Claim) -> impl FnOnce(&mut RuleBook) {
    let made = Assertion { id: "a".parse().unwrap(), claim, reason: String::new() };
    move |book: &mut RuleBook| book.assertions.push(made)
}

#[test]
fn texts_have_a_longest_length_a56() {
    let name = format!("has {} characters; at most {LONGEST_NAME}", LONGEST_NAME + 1);
    check(|book| book.apps[0].name = long(LONGEST_NAME), &format!("app `shop`: its name {name}"));
    let of_route = |what: &str| format!("route `shop/home`: {what} {name}");
    check(|book| book.routes[0].title = long(LONGEST_NAME), &of_route("its title"));
    check(|book| book.routes[0].owner = long(LONGEST_NAME), &of_route("its owner"));
    check(|book| book.routes[0].labels = vec![long(LONGEST_NAME)], &of_route("a label"));
    check(|book| book.grants[0].ticket = long(LONGEST_NAME), "grant `home`: its ticket has 201");
    check(|book| book.grants[0].reason = long(LONGEST_REASON), "grant `home`: its reason has 2001");
    let group = super::FINANCE.parse().unwrap();
    let named = |book: &mut RuleBook| drop(book.group_names.insert(group, long(LONGEST_NAME)));
    check(named, &format!("rule book: the name of the group `{}` has 201", super::FINANCE));
    let mut at_the_limit = book();
    at_the_limit.routes[0].title = "ř".repeat(LONGEST_NAME);
    at_the_limit.grants[0].reason = "x".repeat(LONGEST_REASON);
    assert_eq!(problems(&at_the_limit), Vec::<String>::new());
}

#[test]
fn lists_have_a_longest_length_a56() {
    let many = MOST_IN_LIST + 1;
    let listed = |what: &str| format!("it lists {many} {what}; at most {MOST_IN_LIST}");
    let origin = |n: usize| format!("https://a{n}.example").parse().unwrap();
    check(|book| book.apps[0].origins = (0..many).map(origin).collect(), &listed("origins"));
    check(
        |book| book.apps[0].cors_origins = (0..many).map(origin).collect(),
        &listed("cors_origins"),
    );
    let alias = crate::model::app::HeaderAlias::RemoteUser;
    check(|book| book.apps[0].header_aliases = vec![alias; many], &listed("header_aliases"));
    check(|book| book.routes[0].labels = vec!["l".to_owned(); many], &listed("labels"));
    let network = "10.0.0.0/8".parse().unwrap();
    check(|book| book.grants[0].when.networks = vec![network; many], &listed("networks"));
    let tenant = |n: usize| format!("aaaaaaaa-0000-4000-8000-{n:012}").parse().unwrap();
    let tenants = || Who::Tenants((0..many).map(tenant).collect());
    check(|book| book.grants[0].who = tenants(), &listed("tenants"));
    let route = "shop/home".parse().unwrap();
    let exclusive =
        Exclusive { who: vec![Who::SignedIn; many], what: What::Read, route, reach: Reach::Below };
    check(assertion(Claim::NobodyBut(exclusive)), "assertion `a`: it lists 101 of those who may");
    let access = Access {
        who: tenants(),
        what: What::Read,
        app: "shop".parse().unwrap(),
        path: "/x".to_owned(),
        given: Given::default(),
    };
    check(assertion(Claim::Can(access)), &listed("tenants"));
}

#[test]
fn objects_are_counted_a56() {
    let mut large = book();
    large
        .apps
        .extend((0..MOST_APPS).map(|n| app(&format!("a{n}"), &format!("https://a{n}.example"))));
    assert_eq!(problems(&large), ["rule book: it has 1001 apps; at most 1000 are allowed"]);
    let reused = grant("g", Who::SignedIn, What::Read, "shop/home");
    let count = |book: RuleBook, expected: &str| {
        let found = super::super::limits::check(&book).unwrap_err();
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    };
    let routes = vec![route("shop/home", "/"); 50_001];
    count(
        RuleBook { routes, ..RuleBook::default() },
        "rule book: it has 50001 routes; at most 50000 are allowed",
    );
    let grants = vec![reused; 200_001];
    count(
        RuleBook { grants, ..RuleBook::default() },
        "rule book: it has 200001 grants; at most 200000 are allowed",
    );
    let policies = vec![policy("p", ""); 5_001];
    count(
        RuleBook { policies, ..RuleBook::default() },
        "rule book: it has 5001 policies; at most 5000 are allowed",
    );
    let name =
        |n: usize| (format!("aaaaaaaa-0000-4000-8000-{n:012}").parse().unwrap(), String::new());
    let group_names = (0..=100_000).map(name).collect();
    count(
        RuleBook { group_names, ..RuleBook::default() },
        "rule book: it has 100001 names of groups; at most 100000 are allowed",
    );
    let mut book = RuleBook::default();
    let exclusive = Exclusive {
        who: Vec::new(),
        what: What::Read,
        route: "shop/home".parse().unwrap(),
        reach: Reach::Below,
    };
    let made = Assertion {
        id: "a".parse().unwrap(),
        claim: Claim::NobodyBut(exclusive),
        reason: String::new(),
    };
    book.assertions = vec![made; 10_001];
    count(book, "rule book: it has 10001 assertions; at most 10000 are allowed");
}

fn when(condition: &str) -> String {
    format!("permit (principal, action, resource) when {{ {condition} }};")
}

#[test]
fn policies_have_a_size_and_a_depth_a56() {
    let is =
        |text: &str, expected: &str| check(|book| book.policies.push(policy("p", text)), expected);
    is(&format!("// {}", long(LONGEST_POLICY)), "policy `p`: it has 65540 bytes; at most 65536");
    let nested = |depth: usize| when(&format!("{}true{}", "(".repeat(depth), ")".repeat(depth)));
    is(
        &nested(DEEPEST_NESTING),
        "policy `p`:1:108: its brackets and `if`s are nested 65 deep; at most 64",
    );
    let chain = |links: usize| when(&format!("{}true", "context.mfa || ".repeat(links)));
    is(
        &chain(150),
        "it is 154 levels deep, each link of a chain of operators being one; at most 150",
    );
    is(&chain(150), "compare with a set");
}

/// Texts that would take a parser's stack, whole or cut off, are told apart by what is wrong with them.
#[test]
fn no_depth_takes_the_stack_a56() {
    for piece in [
        "(",
        "[",
        "{",
        "!",
        "-",
        "if ",
        "if true then ",
        "a.",
        "a[",
        "a.b(",
        "1 + ",
        "true && ",
        "\"\\u{",
        "[[",
        "{\"a\": ",
        "principal in ",
    ] {
        for text in [piece.repeat(60_000 / piece.len()), when(&piece.repeat(60_000 / piece.len()))]
        {
            let found = problems(&RuleBook { policies: vec![policy("p", &text)], ..book() });
            assert!(found.iter().any(|one| one.starts_with("policy `p`")), "{piece}: {found:?}");
        }
    }
}

/// At the limits everything still works, on a stack as small as those of our threads.
#[test]
fn the_deepest_policies_are_decided_a56() {
    let depth = DEEPEST_NESTING - 1;
    let nested =
        when(&format!("{}context.mfa{}", "(context.mfa || ".repeat(depth), ")".repeat(depth)));
    let ifs = when(&format!("{}context.mfa", "if context.mfa then true else ".repeat(depth)));
    let links = TALLEST_POLICY - 10;
    let chain = when(&format!("{}context.mfa", "context.mfa || ".repeat(links)));
    let sum = when(&format!("{}1 == 2", "1 + ".repeat(links)));
    for text in [nested, ifs, chain, sum] {
        let thread = std::thread::Builder::new().stack_size(STACK_OF_DECIDING);
        thread.spawn(move || is_decided(&text)).unwrap().join().unwrap();
    }
}

fn is_decided(text: &str) {
    let book = RuleBook { policies: vec![policy("p", text)], ..book() };
    assert_eq!(problems(&book), Vec::<String>::new());
    let ask = Ask::new(user("uma", &[], &[]), Method::Post, "/admin/x");
    assert_eq!(decide(&snapshot(&book), &ask).errors, Vec::<String>::new(), "{text}");
}

/// Levels of Cedar's own tree: operators in operators, elements in sets.
fn levels(form: &Value) -> usize {
    let deepest = |inner: &mut dyn Iterator<Item = &Value>| inner.map(levels).max().unwrap_or(0);
    match form {
        Value::Object(members)
            if members.contains_key("left")
                || members.contains_key("arg")
                || members.contains_key("if") =>
        {
            deepest(&mut members.values())
        }
        Value::Object(members) => 1 + deepest(&mut members.values()),
        Value::Array(items) => deepest(&mut items.iter()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

proptest! {
    #[test]
    fn depth_is_never_less_than_that_of_the_tree_a56(condition in super::layout::expression()) {
        let text = when(&format!("{condition}\n"));
        let parsed = super::super::policy_text::read(&policy("p", &text)).unwrap();
        let form = parsed.to_json().unwrap();
        let tree = levels(form.pointer("/conditions/0/body").unwrap());
        let counted = super::super::depth::depth(&text).height;
        prop_assert!(counted >= tree, "{counted} < {tree}: {text} {form}");
    }
}
