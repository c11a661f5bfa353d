//! Random decisions of random rule books.

use proptest::prelude::*;

use super::{Ask, FINANCE, check, compiled, measure, uma, user};
use crate::model::grant::Method;
use crate::model::principal::Principal;
use crate::model::record::{ClientAddress, MfaState};
use crate::model::rule_book::RuleBook;
use crate::model::time::Timestamp;
use crate::replay::Against;

const ROUTES: [(&str, &str); 5] = [
    ("home", "/"),
    ("area", "/area/{*rest}"),
    ("place", "/area/p/{name}"),
    ("own", "/people/{who}"),
    ("all", "/all/{*rest}"),
];

const POLICIES: [&str; 5] = [
    "forbid (principal, action, resource) when { context.local[\"Asia/Tokyo\"].minute < 600 };",
    "permit (principal is User, action, resource in Route::\"shop/area\") when { context.params has name && context.params.name like \"a*\" };",
    "forbid (principal, action, resource) when { context.now.toTime().toMilliseconds() + 9223372036854775807 > 0 && context.method == \"PUT\" };",
    "permit (principal, action, resource) when { context.auth_contexts.contains(\"c2\") && context.path like \"/all/*\" };",
    "permit (principal is User, action, resource) when { context has signed_in_at && context.now.durationSince(context.signed_in_at) < duration(\"1h\") };",
];

fn grant() -> impl Strategy<Value = serde_json::Value> {
    let who = prop_oneof![
        Just(serde_json::json!("everyone")),
        Just(serde_json::json!("signed_in")),
        Just(serde_json::json!({ "group": FINANCE })),
    ];
    let when = prop_oneof![
        Just(serde_json::json!({})),
        Just(serde_json::json!({ "mfa": "required" })),
        Just(serde_json::json!({ "networks": ["10.0.0.0/8"] })),
        Just(serde_json::json!({ "until": "2026-11-19T00:00:00Z" })),
        Just(serde_json::json!({ "auth_context": "c2", "fresh": "15m" })),
        Just(
            serde_json::json!({ "hours": [{ "zone": "Europe/Prague", "days": ["wed"], "from": "08:00", "to": "17:00" }] })
        ),
    ];
    let what = prop::sample::select(vec!["read", "write", "all"]);
    let effect = prop::sample::select(vec!["permit", "permit", "permit", "forbid"]);
    let reach = prop::sample::select(vec!["below", "only"]);
    (who, when, what, effect, reach, 0..ROUTES.len()).prop_map(|parts| {
        let (who, when, what, effect, reach, route) = parts;
        let route = format!("shop/{}", ROUTES[route].0);
        serde_json::json!({ "who": who, "when": when, "what": what, "effect": effect, "reach": reach, "route": route })
    })
}

fn book() -> impl Strategy<Value = RuleBook> {
    let grants = prop::collection::vec(grant(), 0..8);
    let policies = prop::sample::subsequence(POLICIES.to_vec(), 0..=POLICIES.len());
    let folded = prop::sample::select(vec!["kept", "folded"]);
    let slashes = prop::sample::select(vec!["refused", "kept"]);
    (grants, policies, folded, slashes).prop_map(|(mut grants, policies, folded, slashes)| {
        for (number, grant) in grants.iter_mut().enumerate() {
            grant["id"] = format!("g{number}").into();
        }
        let routes: Vec<_> = ROUTES
            .iter()
            .map(|(id, pattern)| {
                serde_json::json!({ "id": format!("shop/{id}"), "pattern": pattern, "letter_case": folded, "encoded_slashes": slashes })
            })
            .collect();
        let policies: Vec<_> = policies
            .iter()
            .enumerate()
            .map(|(number, text)| serde_json::json!({ "id": format!("p{number}"), "text": text }))
            .collect();
        serde_json::from_value(serde_json::json!({
            "apps": [{ "id": "shop", "name": "Shop", "origins": ["https://shop.example"] }],
            "routes": routes, "grants": grants, "policies": policies,
        }))
        .unwrap()
    })
}

fn ask() -> impl Strategy<Value = Ask> {
    let who = prop::sample::select(vec![uma(), user(2, "Nora", &[]), Principal::Anonymous]);
    let path = prop::sample::select(vec![
        "/",
        "/area",
        "/Area/X",
        "/area/p/alpha",
        "/AREA/P/beta",
        "/people/1",
        "/all/%C3%A9",
        "/none",
    ]);
    let client = prop::sample::select(vec![
        ClientAddress::Known("10.1.2.3".parse().unwrap()),
        ClientAddress::Known("2001:db8::1".parse().unwrap()),
        ClientAddress::Unknown,
    ]);
    let mfa = prop::sample::select(vec![MfaState::Met, MfaState::NotMet]);
    let contexts = prop::sample::subsequence(vec!["c1".to_owned(), "c2".to_owned()], 0..=2);
    let method = prop::sample::select(Method::ALL.to_vec());
    (who, method, path, client, mfa, contexts, 0..700_000_i64).prop_map(|parts| {
        let (who, method, path, client, mfa, contexts, seconds) = parts;
        Ask {
            client,
            mfa,
            contexts: contexts.into_iter().collect(),
            now: Timestamp::from_micros(1_794_700_000_123_456 + seconds * 1_000_000),
            ..Ask::new(who, method, path)
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn random_decisions_fall_the_same_again(
        book in book(),
        asks in prop::collection::vec(ask(), 1..40),
    ) {
        let own = compiled(&book);
        let records: Vec<_> = asks.iter().map(|ask| ask.recorded(&own)).collect();
        let check = check(&records, &own);
        prop_assert_eq!(check.decided, asks.len() as u64);
        prop_assert_eq!((check.differing, check.untold.count), (0, 0), "{:?}", check);
        let impact = measure(&records, &own, Against::Record);
        prop_assert!(impact.is_none(), "{:?}", impact);
    }
}
