//! A decision by the policies that can have a say, or by what is remembered of one, equals the decision by all of them.

use proptest::prelude::*;

use super::{Ask, ask_question, book, grant, policy, route, snapshot, user};
use crate::model::grant::{Conditions, Effect, Grant, Method, Mfa, Reach, What, Who};
use crate::model::id::GroupId;
use crate::model::principal::Principal;
use crate::model::record::{ClientAddress, MfaState};
use crate::model::rule_book::RuleBook;
use crate::model::time::{Instant, Timestamp};

const GROUPS: [&str; 4] = [
    "f1a2ce00-0000-4000-8000-00000000000a",
    "f1a2ce00-0000-4000-8000-00000000000b",
    "f1a2ce00-0000-4000-8000-00000000000c",
    "f1a2ce00-0000-4000-8000-00000000000d",
];
const ROUTES: [&str; 7] = ["home", "finance", "quarter", "reports", "admin", "deep", "all"];
pub(super) const PATHS: [&str; 7] =
    ["/", "/finance/x", "/finance/q/q3", "/reports/2026", "/admin/a/b", "/admin/a/b/c/d", "/else"];
/// Between the two moments of [`situations`].
const END: i64 = 1_795_000_100;
/// Scopes of every shape, and one that fails when its turn comes.
const POLICIES: [&str; 12] = [
    "forbid (principal, action, resource) when { context.method == \"DELETE\" };",
    "permit (principal is User, action, resource is Route);",
    "permit (principal is User in Group::\"f1a2ce00-0000-4000-8000-00000000000b\", action, resource);",
    "permit (principal, action in Action::\"read\", resource is Route in Route::\"shop/admin\");",
    "forbid (principal == Anonymous::\"anonymous\", action, resource == Route::\"shop/quarter\");",
    "permit (principal, action, resource in App::\"shop\") when { principal is User && principal.guest };",
    "forbid (principal in AppRole::\"Reports.Read\", action, resource in Route::\"shop/finance\");",
    "permit (principal, action == Action::\"DELETE\", resource) when { context.mfa };",
    "forbid (principal, action in [Action::\"PUT\", Action::\"read\"], resource == Route::\"shop/deep\")
        when { context.ip.isInRange(ip(\"10.0.0.0/8\")) };",
    "permit (principal in Group::\"f1a2ce00-0000-4000-8000-00000000000d\", action, resource)
        when { context has signed_in_at && context.now < context.signed_in_at.offset(duration(\"1h\")) };",
    "forbid (principal, action, resource) when { {seen: context}.seen.path like \"*/y\" };",
    "forbid (principal, action, resource in Route::\"shop/reports\") when {
        context.now.toTime().toMilliseconds() + 9223372036854775807 > 0 };",
];

fn who() -> impl Strategy<Value = Who> {
    let of = |index: usize| GROUPS[index].parse::<GroupId>().unwrap();
    prop_oneof![
        4 => (0..GROUPS.len()).prop_map(move |index| Who::Group(of(index))),
        1 => Just(Who::Role("Reports.Read".parse().unwrap())),
        1 => Just(Who::Person(user("uma", &[], &[]).subject().unwrap().clone())),
        1 => Just(Who::SignedIn),
        1 => Just(Who::Everyone),
    ]
}

fn rule() -> impl Strategy<Value = Grant> {
    let what = prop_oneof![Just(What::Read), Just(What::Write), Just(What::All)];
    (who(), what, 0..ROUTES.len(), any::<bool>(), 0..5_u8, when()).prop_map(
        |(who, what, at, only, effect, when)| {
            let mut grant = grant("rule", who, what, &format!("shop/{}", ROUTES[at]));
            grant.reach = if only { Reach::Only } else { Reach::Below };
            grant.effect = if effect == 0 { Effect::Forbid } else { Effect::Permit };
            grant.when = when;
            grant
        },
    )
}

fn when() -> impl Strategy<Value = Conditions> {
    let networks = Conditions { networks: vec!["10.0.0.0/8".parse().unwrap()], ..none() };
    let mfa = Conditions { mfa: Mfa::Required, ..none() };
    let until = Conditions { until: Some(Instant(Timestamp::from_seconds(END))), ..none() };
    prop_oneof![4 => Just(none()), 1 => Just(networks), 1 => Just(mfa), 1 => Just(until)]
}

fn none() -> Conditions {
    Conditions::default()
}

pub(super) fn rules() -> impl Strategy<Value = RuleBook> {
    let grants = prop::collection::vec(rule(), 0..12);
    (grants, prop::sample::subsequence(POLICIES.to_vec(), 0..=POLICIES.len())).prop_map(
        |(grants, texts)| {
            let mut book = book();
            book.routes.push(route("shop/deep", "/admin/a/b/{*rest}"));
            book.routes.push(route("shop/all", "/{*rest}"));
            book.grants = grants;
            for (index, grant) in book.grants.iter_mut().enumerate() {
                grant.id = format!("g{index}").parse().unwrap();
            }
            let policies = texts.iter().enumerate();
            book.policies =
                policies.map(|(index, text)| policy(&format!("p{index}"), text)).collect();
            book
        },
    )
}

pub(super) fn principal() -> impl Strategy<Value = Principal> {
    let groups = prop::sample::subsequence(GROUPS.to_vec(), 0..=GROUPS.len());
    let known = (groups, any::<bool>(), any::<bool>()).prop_map(|(groups, role, uma)| {
        let roles: &[&str] = if role { &["Reports.Read"] } else { &[] };
        user(if uma { "uma" } else { "rob" }, &groups, roles)
    });
    prop_oneof![5 => known, 1 => Just(Principal::Anonymous)]
}

/// The same request in other circumstances, one after another: an answer that was remembered is asked for again.
pub(super) fn situations(principal: &Principal, method: Method, path: &'static str) -> [Ask; 3] {
    let plain = Ask::new(principal.clone(), method, path);
    let inside = ClientAddress::Known("10.1.2.3".parse().unwrap());
    let near =
        Ask { client: inside, mfa: MfaState::Met, ..Ask::new(principal.clone(), method, path) };
    let late = Timestamp::from_seconds(END + 1);
    let later = Ask { now: late, ..Ask::new(principal.clone(), method, path) };
    [plain, near, later]
}

proptest! {
    // Each case asks 126 questions.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_slice_and_what_is_remembered_of_it_answer_like_the_whole_set(book in rules(), who in prop::collection::vec(principal(), 2)) {
        let snapshot = snapshot(&book);
        for principal in who {
            for path in PATHS {
                for method in [Method::Get, Method::Post, Method::Delete] {
                    for ask in situations(&principal, method, path) {
                        let (remembered, sliced, whole) = ask_question(&snapshot, &ask, |question| {
                            let sliced = snapshot.decide_afresh(question);
                            (snapshot.decide(question), sliced, snapshot.decide_by_all(question))
                        });
                        prop_assert_eq!(&sliced, &whole);
                        prop_assert_eq!(&remembered, &whole);
                    }
                }
            }
        }
    }
}
