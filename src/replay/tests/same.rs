//! Under its own release a decision falls the same, and whatever does not is told.

use super::{Ask, FINANCE, book, check, compiled, id, no_params, spelled, uma, user};
use crate::authz::console::{ConsoleAction, ConsoleRole, ConsoleRules, Holder, Manner, PORTAL};
use crate::model::grant::Method;
use crate::model::principal::{Principal, PrincipalSnapshot};
use crate::model::record::{ClientAddress, DecisionRecord, Door, Reason, RuleId, Verdict};
use crate::model::recorded::{Recorded, read_principal};
use crate::replay::Check;
use crate::replay::again::page;

fn visits() -> Vec<Ask> {
    let unknown = |ask: Ask| Ask { client: ClientAddress::Unknown, ..ask };
    vec![
        Ask::new(Principal::Anonymous, Method::Get, "/"),
        Ask::new(Principal::Anonymous, Method::Get, "/Finance/Q3"),
        Ask::new(uma(), Method::Get, "/FINANCE/q3"),
        Ask::new(uma(), Method::Post, "/finance/q3"),
        Ask::new(uma(), Method::Get, "/nowhere"),
        Ask::new(Principal::Anonymous, Method::Get, "/nowhere"),
        Ask::new(uma(), Method::Get, "/reports/2026"),
        unknown(Ask::new(uma(), Method::Get, "/reports/2026")),
    ]
}

#[test]
fn each_decision_falls_the_same_under_its_own_release() {
    let own = compiled(&book());
    let records: Vec<_> = visits().iter().map(|ask| ask.recorded(&own)).collect();
    let reasons: Vec<_> = records.iter().map(|record| record.reason).collect();
    let (granted, nobody) = (Reason::Granted, Reason::NotSignedIn);
    assert_eq!(
        reasons,
        [
            granted,
            nobody,
            granted,
            Reason::NoGrant,
            Reason::NoRoute,
            nobody,
            granted,
            Reason::PolicyError
        ]
    );
    let check = check(&records, &own);
    assert_eq!((check.decided, check.differing, check.untold.count), (8, 0, 0), "{check:?}");
}

type Otherwise = fn(&mut DecisionRecord);

#[test]
fn whatever_is_otherwise_is_named() {
    let own = compiled(&book());
    let base = Ask::new(uma(), Method::Get, "/reports/2026").recorded(&own);
    let rows: [(&str, Otherwise); 9] = [
        ("verdict", |record| record.verdict = Verdict::Deny),
        ("reason", |record| record.reason = Reason::NoGrant),
        ("rules", |record| record.rules = vec![RuleId::Grant("other".parse().unwrap())]),
        ("rules", |record| record.rules.clear()),
        ("errors", |record| record.errors.push("policy:x: overflow".to_owned())),
        ("app", |record| record.app = Some("wiki".parse().unwrap())),
        ("route", |record| record.route = Some("shop/home".parse().unwrap())),
        ("params", |record| record.circumstances.params = no_params()),
        ("app", |record| record.facts.host = Some("wiki.example".parse().unwrap())),
    ];
    for (of, change) in rows {
        let mut record = base.clone();
        change(&mut record);
        let check = check(&[record], &own);
        assert_eq!(check.differing, 1, "{of}");
        let deviations = &check.differences[0].deviations;
        assert_eq!(deviations[0].of, of, "{deviations:?}");
    }
}

/// The clocks of the record count, not those that this program would work out.
#[test]
fn clocks_on_record_are_what_rules_look_at() {
    let own = compiled(&book());
    let mut record = Ask::new(uma(), Method::Get, "/reports/2026").recorded(&own);
    assert_eq!(record.verdict, Verdict::Allow);
    for time in record.circumstances.local.values_mut() {
        time.weekday = crate::model::civil::Weekday::Sun;
    }
    let check = check(&[record], &own);
    assert_eq!(check.differences[0].deviations[0].of, "verdict");
}

#[test]
fn decision_of_an_unusable_release_is_not_taken_for_the_same() {
    let own = compiled(&book());
    let record = Ask::new(uma(), Method::Get, "/finance/q3").recorded(&own);
    let console = ConsoleRules::new(Vec::new()).unwrap();
    let mut check = Check::default();
    let fault = "release 1 can't be used under the present settings: no MFA".to_owned();
    check.add((id(4), &record), (Err(&fault), &console));
    check.add((id(5), &record), (Err(&fault), &console));
    assert_eq!((check.decided, check.differing, check.untold.count), (0, 0, 2));
    let lines = check.lines();
    let expected = format!("can't tell: {fault}: 2 decisions, e.g. {}", id(4));
    assert!(lines.contains(&expected), "{lines:?}");
}

#[test]
fn pages_of_ours_are_decided_by_the_rules_of_the_program() {
    let holder = Holder::Group(FINANCE.parse().unwrap());
    let then = ConsoleRules::new(vec![(ConsoleRole::Auditor, holder)]).unwrap();
    // Nobody holds a role any more.
    let now = ConsoleRules::new(Vec::new()).unwrap();
    let base = Ask::new(uma(), Method::Get, "/").recorded(&compiled(&book()));
    for (action, method) in ConsoleAction::ALL.into_iter().zip(["GET", "POST"].into_iter().cycle())
    {
        for who in [uma(), user(2, "Nora", &[]), Principal::Anonymous] {
            let mut record = base.clone();
            method.clone_into(&mut record.facts.method);
            let times = (record.circumstances.now, record.circumstances.signed_in_at);
            let manner = Manner::of(method, times);
            let decision = then.decide_on((&who, &then.facts(&who)), (action, manner));
            record.facts.door = Door::Console;
            (record.app, record.route) = (None, None);
            record.action = action.as_str().to_owned();
            record.console = Some(then.facts(&who));
            record.principal = PrincipalSnapshot::new(who);
            assert_eq!(page(&record, &now), Ok(decision), "{action:?}");
            record.console.as_mut().unwrap().rules = "0".repeat(64);
            let why = page(&record, &now).unwrap_err();
            assert!(why.contains("other rules then"), "{why}");
            record.console = None;
            page(&record, &now).unwrap_err();
        }
    }
    let mut portal = base;
    (portal.facts.door, portal.action) = (Door::Own, PORTAL.to_owned());
    assert_eq!(page(&portal, &now).unwrap().verdict, Verdict::Allow);
    portal.principal = PrincipalSnapshot::new(Principal::Anonymous);
    assert_eq!(page(&portal, &now).unwrap().reason, Reason::NotSignedIn);
    portal.action = "other".to_owned();
    assert_eq!(page(&portal, &now).unwrap_err(), "no page of ours decides on `other`");
}

type Edit = fn(&mut serde_json::Value);

#[test]
fn body_that_is_not_what_this_program_writes_is_an_error_that_names_the_record() {
    let record = Ask::new(uma(), Method::Get, "/reports/2026").recorded(&compiled(&book()));
    let why = |change: Edit| {
        let error = Recorded::read(id(7), &spelled(&record, 7, change)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("the record {} can't be read: ", id(7))), "{error}");
        error
    };
    let rows: [(Edit, &str); 9] = [
        (|body| body["v"] = 2.into(), "version 2"),
        (|body| body["kind"] = "refusal".into(), "not a decision but `refusal`"),
        (|body| body["id"] = "0v9k3m2q-1".into(), "says that it is the record `0v9k3m2q-1`"),
        (|body| body["weather"] = "fair".into(), "unknown field `weather`"),
        (|body| body["circumstances"]["weather"] = "fair".into(), "unknown field `weather`"),
        (|body| body["verdict"] = "maybe".into(), "unknown variant `maybe`"),
        (|body| body["rules"] = serde_json::json!(["grant"]), "`grant` is not a rule"),
        (|body| body["client"] = "nowhere".into(), "`nowhere` is not a client's address"),
        (|body| body["principal"]["sha256"] = "AB".into(), "`AB` is not a content hash"),
    ];
    for (change, expected) in rows {
        let error = why(change);
        assert!(error.contains(expected), "no `{expected}` in: {error}");
    }
    assert!(Recorded::read(id(7), b"{").is_err());
}

#[test]
fn principal_counts_only_with_the_content_that_was_hashed() {
    let principal = PrincipalSnapshot::new(uma());
    let (hash, text) = (principal.hash(), principal.to_json());
    assert_eq!(read_principal(hash, &text), Ok(principal));
    read_principal(hash, &text.replace("Uma", "Eve")).unwrap_err();
    // What this program does not know of a principal, it can't decide on.
    read_principal(hash, &text.replacen('{', "{\"clearance\":3,", 1)).unwrap();
    let more = text.replacen('{', "{\"clearance\":3,", 1);
    let hash = crate::model::principal::PrincipalHash(
        <sha2::Sha256 as sha2::Digest>::digest(&more).into(),
    );
    read_principal(hash, &more).unwrap_err();
}
