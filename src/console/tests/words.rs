//! Grants in words, Cedar text in pieces.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::console::cedar_text::{TokenKind, tokens};
use crate::console::choice::{Badge, Choice, Field, Written};
use crate::console::words::{self, Access, GroupNames};
use crate::model::grant::{Effect, Grant, What};

pub(super) const FINANCE: &str = "8f3c1d2e-5b6a-4c7d-9e8f-0a1b2c3d4e5f";

pub(super) fn names() -> GroupNames {
    let typed = BTreeMap::from([(FINANCE.parse().unwrap(), "Finance".to_owned())]);
    GroupNames::new(typed, Arc::default())
}

pub(super) fn grant(json: &str) -> Grant {
    serde_json::from_str(json).unwrap()
}

fn check(who: &str, what: &str, expected: &str) {
    let grant =
        grant(&format!(r#"{{"id":"g","who":{who},"what":{what},"route":"payroll/finance"}}"#));
    let access = Access::new(&[&grant], &names(), Written::No);
    let line = &access.lines[0];
    assert_eq!(format!("{} {} {}", line.who, line.verb(), line.what), expected);
}

#[test]
fn access_is_said_in_words() {
    check(&format!(r#"{{"group":"{FINANCE}"}}"#), r#""read""#, "Finance may read");
    check(r#"{"role":"Reports.Read"}"#, r#""write""#, "Reports.Read may change");
    check(r#""signed_in""#, r#""all""#, "Everyone signed in may read and change");
    check(r#""everyone""#, r#"{"methods":["GET","POST"]}"#, "Everyone may use GET, POST");
}

#[test]
fn group_without_a_name_is_shown_by_its_id() {
    let id = "00000000-5b6a-4c7d-9e8f-0a1b2c3d4e5f";
    check(&format!(r#"{{"group":"{id}"}}"#), r#""read""#, &format!("{id} may read"));
}

#[test]
fn public_route_and_closed_route_are_marked() {
    let everyone = grant(r#"{"id":"g","who":"everyone","what":"read","route":"payroll/home"}"#);
    let word = |grants: &[&Grant]| Badge::access(grants, Written::No).map(|badge| badge.word);
    let never = grant(
        r#"{"id":"g","effect":"forbid","who":"everyone","what":"read","route":"payroll/home"}"#,
    );
    let signed_in = grant(r#"{"id":"g","who":"signed_in","what":"read","route":"payroll/home"}"#);
    assert_eq!(word(&[&everyone, &never]), Some("Public"));
    assert_eq!(word(&[&never]), Some("Nobody"));
    assert_eq!(word(&[]), Some("Nobody"));
    assert_eq!(word(&[&signed_in]), None);
}

#[test]
fn long_list_of_grants_is_cut_and_says_so() {
    let grant = grant(r#"{"id":"g","who":"signed_in","what":"read","route":"payroll/home"}"#);
    let access = Access::new(&[&grant; 6], &names(), Written::No);
    assert_eq!((access.lines.len(), access.more), (4, 2));
}

#[test]
fn conditions_are_said_in_words() {
    let grant = grant(
        r#"{"id":"g","who":"signed_in","what":"read","route":"payroll/home",
            "when":{"networks":["10.0.0.0/8","::1/128"],"mfa":"required","until":"2026-12-31T18:00:00Z"}}"#,
    );
    let texts: Vec<_> = words::conditions(&grant.when).into_iter().map(|c| c.text).collect();
    assert_eq!(
        texts,
        [
            "only from 10.0.0.0/8 or ::1/128",
            "with multi-factor sign-in",
            "until 31 Dec 2026, 18:00 UTC"
        ]
    );
}

#[test]
fn pieces_of_cedar_text_are_the_text() {
    for text in [
        "",
        "permit(principal, action, resource);",
        "@id(\"a\\\"b\") // ünï\nwhen { \"",
        "\"\\\\\" é ::",
    ] {
        let joined: String = tokens(text).into_iter().map(|token| token.text).collect();
        assert_eq!(joined, text);
    }
}

#[test]
fn pieces_of_cedar_text_have_their_colours() {
    let kinds: Vec<_> = tokens("@id(\"x\")\npermit (principal in Group::\"y\"); // z")
        .into_iter()
        .filter(|token| token.kind != TokenKind::Other)
        .map(|token| (token.kind, token.text))
        .collect();
    let expect = [
        (TokenKind::Annotation, "@id"),
        (TokenKind::Text, "\"x\""),
        (TokenKind::Keyword, "permit"),
        (TokenKind::Variable, "principal"),
        (TokenKind::Keyword, "in"),
        (TokenKind::Type, "Group"),
        (TokenKind::Text, "\"y\""),
        (TokenKind::Comment, "// z"),
    ];
    assert_eq!(kinds, expect.map(|(kind, text)| (kind, text.to_owned())));
}

#[test]
fn unknown_choice_chooses_nothing() {
    let options = [("a", "A"), ("b", "B")];
    assert!(Choice::list(&options, "b")[1].is_chosen());
    assert!(!Choice::list(&options, "c").iter().any(Choice::is_chosen));
}

#[test]
fn field_with_a_message_is_wrong() {
    assert!(!Field::of("x").is_wrong());
    assert!(Field::of("x").wrong("No such group.").is_wrong());
}

#[test]
fn nobody_is_never_claimed_where_written_rules_may_apply() {
    let badge = Badge::access(&[], Written::Yes).unwrap();
    assert_eq!(badge.word, "Written rules");
}

#[test]
fn forbid_keeps_from_reading_or_changing() {
    assert_eq!(words::what(&What::All, Effect::Forbid), "read or change");
    assert_eq!(words::what(&What::All, Effect::Permit), "read and change");
}
