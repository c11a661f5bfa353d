//! Which route a path means.

use proptest::prelude::*;

use super::{book, params, route, snapshot};
use crate::model::route::PathPattern;

#[test]
fn the_narrowest_route_wins() {
    let mut book = book();
    book.routes.push(route("shop/this-year", "/reports/2026"));
    book.routes.push(route("shop/doorstep", "/admin"));
    book.routes.push(route("shop/rest", "/files/{owner}/{*rest}"));
    let snapshot = snapshot(&book);
    let check = |path: &str, expected: Option<(&str, &[(&str, &str)])>| {
        let found = params(&snapshot, path);
        let found = found.as_ref().map(|(id, params)| {
            let pairs: Vec<_> =
                params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            (id.name(), pairs)
        });
        assert_eq!(found, expected.map(|(id, pairs)| (id, pairs.to_vec())), "{path}");
    };
    check("/", Some(("home", &[])));
    check("/finance", Some(("finance", &[])));
    check("/finance/", Some(("finance", &[])));
    check("/finance/a/b", Some(("finance", &[("rest", "a/b")])));
    check("/finance/q/q3", Some(("quarter", &[("quarter", "q3")])));
    check("/finance/q/q3/x", Some(("finance", &[("rest", "q/q3/x")])));
    check("/reports/2026", Some(("this-year", &[])));
    check("/reports/2025", Some(("reports", &[("year", "2025")])));
    check("/reports/2025/", None);
    check("/reports/", None);
    check("/reports", None);
    check("/admin", Some(("doorstep", &[])));
    check("/admin/", Some(("admin", &[])));
    check("/files/me", Some(("rest", &[("owner", "me")])));
    check("/files/me/", Some(("rest", &[("owner", "me")])));
    check("/files/me/a%2Fb", Some(("rest", &[("owner", "me"), ("rest", "a%2Fb")])));
    check("/FINANCE/x", None);
    check("/financex", None);
}

fn pattern() -> impl Strategy<Value = PathPattern> {
    let segment = prop_oneof![Just("a"), Just("b"), Just("{x}")];
    let tail = prop_oneof![Just(""), Just("/"), Just("/{*rest}")];
    (prop::collection::vec(segment, 0..4), tail).prop_filter_map(
        "not a pattern",
        |(segments, tail)| {
            let named = segments
                .iter()
                .enumerate()
                .map(|(at, segment)| segment.replace('x', &format!("x{at}")));
            let text = named.fold(String::new(), |text, segment| text + "/" + &segment);
            (if text.is_empty() && tail.is_empty() { "/".to_owned() } else { text + tail })
                .parse()
                .ok()
        },
    )
}

proptest! {
    /// Cedar needs the route tree to be free of rings.
    #[test]
    fn wider_is_a_strict_order(a in pattern(), b in pattern(), c in pattern()) {
        prop_assert!(!a.contains(&a));
        prop_assert!(!(a.contains(&b) && b.contains(&a)), "{} {}", a, b);
        prop_assert!(!(a.contains(&b) && b.contains(&c)) || a.contains(&c), "{} {} {}", a, b, c);
    }
}
