//! The language: what is read, what is refused by name, and what is found.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::super::time::Timestamp;
use super::value::{Comparison, Moment, Number, Pattern, Range};
use super::{Effect, Evidence, Known, Mfa, NumberKey, Query, Sense, Term, TextKey, What};

struct World;

impl Known for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_795_500_000)
    }

    fn group_names(&self, id: &str) -> Vec<String> {
        if id == "f1" { vec!["Finance Team".to_owned()] } else { Vec::new() }
    }
}

fn finds(query: &str) -> bool {
    let body = json!({
        "kind": "decision", "verdict": "deny", "app": "payroll", "route": "payroll/finance",
        "path": "/finance/q3", "method": "POST", "host": "payroll.contoso.com", "client": "192.0.2.7",
        "reason": "no_grant", "rules": ["grant:g-1", "policy:p-2"], "release": 12, "session": "s-1",
        "request": "r-1", "duration_us": 7_500, "circumstances": { "mfa": "not_met" },
        "principal": { "kind": "user", "id": "t.uma", "sha256": "00" },
    });
    let principal = json!({
        "name": "Uma Müller", "user_name": "uma@contoso.example", "groups": ["f1"], "roles": ["Reports.Read"],
    });
    let (body, principal) = (body.to_string(), principal.to_string());
    let record = Evidence {
        id: "0v9k3m2q-5".parse().unwrap(),
        at: Timestamp::from_seconds(1_795_499_000),
        kind: "decision",
        body: &serde_json::from_str(&body).unwrap(),
        principal: &serde_json::from_str(&principal).unwrap(),
    };
    query.parse::<Query>().unwrap().finds(&record, &World)
}

#[test]
fn terms_hold_for_what_they_say() {
    let yes = [
        "",
        "effect:deny",
        "effect:allow,deny",
        "-effect:allow",
        "kind:decision",
        "user:uma@contoso.example",
        "user:UMA*",
        "user:\"Uma Müller\"",
        "user:t.uma",
        "group:f1",
        "group:\"finance team\"",
        "role:Reports.Read",
        "route:payroll/finance",
        "route:payroll/*",
        "app:payroll",
        "host:payroll.*",
        "path:/finance/q3",
        "path:/finance/**",
        "path:/finance/q3/**",
        "path:/fin*",
        "method:post,PUT",
        "reason:no_grant",
        "policy:p-2",
        "grant:g-1",
        "release:12",
        "version:12",
        "release:>=12",
        "release:10..12",
        "release:<13",
        "ip:192.0.2.7",
        "ip:192.0.2.0/24",
        "ip:2001:db8::/32,192.0.0.0/16",
        "mfa:no",
        "session:s-1",
        "request:r-1",
        "id:0v9k3m2q-5",
        "ms:7",
        "ms:>5",
        "ms:<=7",
        "at:-1h",
        "at:2026-11-24",
        "at:>2026-11-24T00:00:00Z",
        "at:2026-11-23..2026-11-25",
        "müller",
        "q3",
        "payroll",
        "finance -q4",
    ];
    let no = [
        "effect:allow",
        "effect:refused",
        "-effect:deny",
        "user:max",
        "user:uma",
        "group:f2",
        "role:x",
        "route:payroll",
        "path:/finance",
        "path:/finance/q/**",
        "path:/fi/**",
        "method:GET",
        "reason:granted",
        "policy:g-1",
        "release:>12",
        "ip:192.0.2.8",
        "ip:10.0.0.0/8",
        "mfa:yes",
        "ms:>7",
        "at:-1m",
        "at:2026-11-25",
        "at:<2026-11-24",
        "q4",
        "effect:deny q4",
    ];
    for query in yes {
        assert!(finds(query), "{query}");
    }
    for query in no {
        assert!(!finds(query), "{query}");
    }
}

#[test]
fn what_can_not_be_read_is_named() {
    let table = [
        ("usr:uma", "`usr:` is not a key. Did you mean `user:`?"),
        ("http://x", "`http:` is not a key"),
        ("effect:maybe", "`effect:` is one of allow, deny, refused, not `maybe`"),
        ("mfa:on", "`mfa:` is one of yes, no, not `on`"),
        ("ip:10.0.0", "`ip:` is an address or a network"),
        ("ms:fast", "`ms:` is a whole number, not `fast`"),
        ("ms:+5", "`ms:` is a whole number"),
        ("ms:>", "`ms:` is a whole number"),
        ("at:yesterday", "`at:` is a date"),
        ("at:2026-13-01", "`at:` is a date"),
        ("user:", "`user:` has an empty value"),
        ("user:a,", "`user:` has an empty value"),
        ("user:*", "`user:*` says nothing"),
        ("user:a*b", "a `*` stands at the end only"),
        ("user:a/**", "`**` is for `path:` only"),
        ("path:/a**", "`**` stands behind a `/`"),
        ("\"open", "is opened and not closed"),
        ("a\"b\"", "quote all of it"),
        ("\"\"", "an empty text finds nothing"),
        ("-", "stands alone"),
        ("a\tb", "no control characters"),
    ];
    for (query, says) in table {
        let error = query.parse::<Query>().unwrap_err().to_string();
        assert!(error.contains(says), "{query}: {error}");
    }
    assert!("a ".repeat(65).parse::<Query>().is_err());
    assert!("a".repeat(2_049).parse::<Query>().is_err());
}

#[test]
fn span_is_where_something_can_be_found() {
    let span = |query: &str| query.parse::<Query>().unwrap().span(World.now());
    let at = |text: &str| {
        Some(format!("{text}T00:00:00Z").parse::<super::super::time::Instant>().unwrap().0)
    };
    assert_eq!(span("effect:deny"), (None, None));
    assert_eq!(span("at:2026-11-24"), (at("2026-11-24"), at("2026-11-25")));
    assert_eq!(span("at:>=2026-11-24 at:<2026-11-26"), (at("2026-11-24"), at("2026-11-26")));
    assert_eq!(span("at:2026-11-20,2026-11-24"), (at("2026-11-20"), at("2026-11-25")));
    assert_eq!(span("at:<2026-11-20,>=2026-11-24"), (None, None));
    assert_eq!(span("-at:2026-11-24"), (None, None));
}

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9/@ ,:\"*\\\\.ü<>-]{1,12}"
}

fn pattern(key: TextKey) -> BoxedStrategy<Pattern> {
    let below = "(/[a-z \"]{1,5}){0,3}".prop_map(Pattern::Below);
    let others = prop_oneof![text().prop_map(Pattern::Is), text().prop_map(Pattern::Begins)];
    if key == TextKey::Path { prop_oneof![others, below].boxed() } else { others.boxed() }
}

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        (0_i64..4_000_000_000).prop_map(|at| Moment::At(Timestamp::from_seconds(at))),
        (0_i64..40_000).prop_map(|day| Moment::Day(Timestamp::from_seconds(day * 86_400))),
        (1_u64..10_000_000).prop_map(|age| Moment::Ago(Duration::from_secs(age))),
    ]
}

fn range<T: Copy + std::fmt::Debug + 'static>(
    one: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Range<T>> {
    let comparison = prop::sample::select(Comparison::ALL.to_vec());
    (one, comparison, 0..3).prop_map(|(one, comparison, shape)| match shape {
        0 => Range::One(one),
        1 => Range::Side(comparison, one),
        _ => Range::Between(one, one),
    })
}

fn what() -> impl Strategy<Value = What> {
    let keyed = prop::sample::select(TextKey::ALL.to_vec()).prop_flat_map(|key| {
        prop::collection::vec(pattern(key), 1..4)
            .prop_map(move |patterns| What::Text(key, patterns))
    });
    let number =
        (prop::sample::select(NumberKey::ALL.to_vec()), range((0_u64..99).prop_map(Number)));
    let network = (any::<[u8; 4]>(), 0_u8..=32).prop_map(|(address, length)| {
        What::Ip(vec![ipnet::IpNet::new(address.into(), length).unwrap().trunc()])
    });
    prop_oneof![
        keyed,
        number.prop_map(|(key, range)| What::Number(key, vec![range])),
        prop::collection::vec(range(moment()), 1..3).prop_map(What::At),
        network,
        prop::sample::subsequence(Effect::ALL.to_vec(), 1..=3).prop_map(What::Effect),
        prop::sample::subsequence(Mfa::ALL.to_vec(), 1..=2).prop_map(What::Mfa),
        text().prop_map(What::Word),
    ]
}

proptest! {
    #[test]
    fn printing_a_query_and_reading_it_again_gives_the_same_query(
        terms in prop::collection::vec((any::<bool>(), what()), 0..6)
    ) {
        let sense = |is| if is { Sense::Is } else { Sense::IsNot };
        let terms = terms.into_iter().map(|(is, what)| Term { sense: sense(is), what }).collect();
        let query = Query { terms };
        let printed = query.to_string();
        prop_assert_eq!(printed.parse::<Query>(), Ok(query), "{}", printed);
    }

    #[test]
    fn any_text_is_read_or_refused_and_what_is_read_prints_stably(text in "\\PC{0,60}|[a-z:\",* <>.-]{0,40}") {
        if let Ok(query) = text.parse::<Query>() {
            let printed = query.to_string();
            let again = printed.parse::<Query>();
            prop_assert_eq!(again.as_ref(), Ok(&query), "{}", printed);
            prop_assert_eq!(again.unwrap().to_string(), printed);
        }
    }
}
