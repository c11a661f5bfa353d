//! Who may do what, as a table; and what happens when something goes wrong on the way.

use proptest::prelude::*;

use super::{ADMINS, Ask, FINANCE, book, decide, grant, group, policy, snapshot, user};
use crate::model::grant::{Effect, Method, Mfa, Reach, What, Who};
use crate::model::principal::Principal;
use crate::model::record::{ClientAddress, MfaState, Reason, Verdict};
use crate::model::time::Timestamp;

fn verdict(ask: &Ask) -> (Verdict, Reason, Vec<String>) {
    let decision = decide(&snapshot(&book()), ask);
    (decision.verdict, decision.reason, decision.rules.iter().map(ToString::to_string).collect())
}

#[test]
fn persons_reach_what_the_rules_open_and_nothing_else() {
    let uma = || user("uma", &[FINANCE], &[]);
    let rob = || user("rob", &[], &["Reports.Read"]);
    let check = |principal: Principal, method, path, expected: Result<&str, Reason>| {
        let (verdict, reason, rules) = verdict(&Ask::new(principal, method, path));
        match expected {
            Ok(rule) => assert_eq!(
                (verdict, rules),
                (Verdict::Allow, vec![rule.to_owned()]),
                "{method:?} {path}"
            ),
            Err(why) => assert_eq!((verdict, reason), (Verdict::Deny, why), "{method:?} {path}"),
        }
    };
    check(Principal::Anonymous, Method::Get, "/", Ok("grant:home"));
    check(Principal::Anonymous, Method::Post, "/", Err(Reason::NotSignedIn));
    check(Principal::Anonymous, Method::Get, "/finance/summary", Err(Reason::NotSignedIn));
    check(uma(), Method::Get, "/finance/summary", Ok("grant:finance-read"));
    check(uma(), Method::Get, "/finance", Ok("grant:finance-read"));
    check(uma(), Method::Head, "/finance/", Ok("grant:finance-read"));
    check(uma(), Method::Get, "/finance/q/q3", Ok("grant:finance-read"));
    check(uma(), Method::Post, "/finance/summary", Err(Reason::NoGrant));
    check(uma(), Method::Get, "/reports/2026", Err(Reason::NoGrant));
    check(rob(), Method::Get, "/reports/2026", Ok("grant:reports"));
    check(rob(), Method::Get, "/finance/summary", Err(Reason::NoGrant));
    check(user("olive", &[ADMINS], &[]), Method::Delete, "/admin/users", Ok("grant:admin"));
    check(user("nora", &[], &[]), Method::Get, "/", Ok("grant:home"));
}

#[test]
fn a_forbid_above_reaches_the_narrow_route_below() {
    let mut book = book();
    let mut ban = grant("ban", Who::Everyone, What::All, "shop/finance");
    ban.effect = Effect::Forbid;
    book.grants.push(grant("quarter", group(FINANCE), What::Read, "shop/quarter"));
    book.grants.push(ban);
    let decision = decide(
        &snapshot(&book),
        &Ask::new(user("uma", &[FINANCE], &[]), Method::Get, "/finance/q/q3"),
    );
    assert_eq!((decision.verdict, decision.reason), (Verdict::Deny, Reason::Forbidden));
    assert_eq!(decision.rules.iter().map(ToString::to_string).collect::<Vec<_>>(), ["grant:ban"]);
}

#[test]
fn a_grant_for_one_route_only_stays_there() {
    let mut book = book();
    book.grants.retain(|grant| grant.id.as_str() != "finance-read");
    let mut only = grant("only", group(FINANCE), What::Read, "shop/finance");
    only.reach = Reach::Only;
    book.grants.push(only);
    let snapshot = snapshot(&book);
    let uma = || user("uma", &[FINANCE], &[]);
    assert_eq!(
        decide(&snapshot, &Ask::new(uma(), Method::Get, "/finance/x")).verdict,
        Verdict::Allow
    );
    assert_eq!(
        decide(&snapshot, &Ask::new(uma(), Method::Get, "/finance/q/q3")).verdict,
        Verdict::Deny
    );
}

#[test]
fn conditions_hold_together() {
    let mut book = book();
    let mut write = grant("write", group(FINANCE), What::Write, "shop/finance");
    write.when.mfa = Mfa::Required;
    write.when.networks = vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
    write.when.until = Some("2026-12-31T18:00:00Z".parse().unwrap());
    let end = write.when.until.unwrap().0;
    book.grants.push(write);
    let snapshot = snapshot(&book);
    let check = |ip: &str, mfa, now: Timestamp, expected| {
        let mut ask = Ask::new(user("uma", &[FINANCE], &[]), Method::Post, "/finance/x");
        (ask.client, ask.mfa, ask.now) = (ClientAddress::Known(ip.parse().unwrap()), mfa, now);
        assert_eq!(decide(&snapshot, &ask).verdict, expected, "{ip} {mfa:?} {now}");
    };
    let before = Timestamp::from_micros(end.as_micros() - 1000);
    check("10.1.2.3", MfaState::Met, before, Verdict::Allow);
    check("2001:db8::7", MfaState::Met, before, Verdict::Allow);
    check("192.0.2.1", MfaState::Met, before, Verdict::Deny);
    check("10.1.2.3", MfaState::NotMet, before, Verdict::Deny);
    check("10.1.2.3", MfaState::Met, end, Verdict::Deny);
}

/// A52: Cedar skips a policy that fails, so a failing `forbid` would not forbid.
#[test]
fn a_policy_that_fails_denies_a52() {
    let mut book = book();
    let overflow = "forbid (principal, action, resource) when { \
                    context.now.toTime().toMilliseconds() + 9223372036854775807 > 0 && context.method == \"PUT\" };";
    book.policies.push(policy("overflow", overflow));
    let ask = Ask::new(user("uma", &[FINANCE], &[]), Method::Get, "/finance/summary");
    let decision = decide(&snapshot(&book), &ask);
    assert_eq!((decision.verdict, decision.reason), (Verdict::Deny, Reason::PolicyError));
    assert_eq!(decision.errors.len(), 1, "{:?}", decision.errors);
}

#[test]
fn an_unknown_address_denies_a53() {
    let mut ask = Ask::new(Principal::Anonymous, Method::Get, "/");
    ask.client = ClientAddress::Unknown;
    assert_eq!(verdict(&ask).1, Reason::PolicyError);
}

#[test]
fn policies_read_what_the_context_offers() {
    let mut book = book();
    let text = r#"permit (principal is User, action == Action::"POST", resource == Route::"shop/quarter")
                  when { context.params has quarter && context.params.quarter == "q3"
                         && context.host == "shop.example" && context.path like "/finance/*"
                         && principal.user_name == "uma@contoso.example" && !principal.guest
                         && resource.app == App::"shop" };"#;
    book.policies.push(policy("uma-closes-q3", text));
    let snapshot = snapshot(&book);
    let decision = |path| decide(&snapshot, &Ask::new(user("uma", &[], &[]), Method::Post, path));
    let allowed = decision("/finance/q/q3");
    assert_eq!(allowed.verdict, Verdict::Allow);
    assert_eq!(
        allowed.rules.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["policy:uma-closes-q3"]
    );
    assert_eq!(decision("/finance/q/q4").verdict, Verdict::Deny);
}

proptest! {
    /// A55: whatever an id or a reason says, a grant stays one policy that opens for its holders only.
    #[test]
    fn no_spelling_changes_the_shape_of_a_grant(role in "[ -~]{1,60}", reason in any::<String>()) {
        prop_assume!(role.trim() == role);
        let mut book = book();
        let mut odd = grant("odd", Who::Role(role.parse().unwrap()), What::Write, "shop/admin");
        odd.reason = reason;
        book.grants.push(odd);
        let snapshot = snapshot(&book);
        let ask = |roles: &[&str]| Ask::new(user("x", &[], roles), Method::Post, "/admin/x");
        prop_assert_eq!(decide(&snapshot, &ask(&[&role])).verdict, Verdict::Allow);
        prop_assert_eq!(decide(&snapshot, &ask(&["Other"])).verdict, Verdict::Deny);
        prop_assert_eq!(decide(&snapshot, &ask(&[])).verdict, Verdict::Deny);
    }
}

#[test]
fn a_directory_role_is_an_attribute_and_never_an_app_role() {
    const ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
    let mut book = book();
    let condition = format!("principal.directory_roles.contains(\"{ADMINISTRATOR}\")");
    let text = format!(
        "permit (principal is User, action, resource == Route::\"shop/finance\") when {{ {condition} }};"
    );
    book.policies.push(policy("administrators", &text));
    book.grants.push(grant(
        "role",
        Who::Role(ADMINISTRATOR.parse().unwrap()),
        What::All,
        "shop/admin",
    ));
    let snapshot = snapshot(&book);
    let mut nora = user("nora", &[], &[]);
    let verdict = |who: &Principal, path| {
        decide(&snapshot, &Ask::new(who.clone(), Method::Get, path)).verdict
    };
    assert_eq!(verdict(&nora, "/finance/summary"), Verdict::Deny);
    let Principal::User(person) = &mut nora else { panic!("a person") };
    person.directory_roles.insert(ADMINISTRATOR.parse().unwrap());
    assert_eq!(verdict(&nora, "/finance/summary"), Verdict::Allow);
    assert_eq!(verdict(&nora, "/admin/users"), Verdict::Deny);
}
