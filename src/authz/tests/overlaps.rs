//! The tree of segments finds the pairs that looking at every pair finds.

use proptest::prelude::*;

use super::super::overlaps;
use super::super::problem::Object;
use super::route;
use crate::model::id::RouteId;
use crate::model::route::Route;

fn pattern() -> impl Strategy<Value = String> {
    let segment = prop_oneof![3 => Just("a"), 2 => Just("b"), 2 => Just("{x}"), 1 => Just("{y}")];
    let tail = prop_oneof![3 => Just(""), 1 => Just("/"), 2 => Just("/{*rest}")];
    (prop::collection::vec(segment, 0..5), tail).prop_filter_map(
        "no pattern",
        |(segments, tail)| {
            let text = format!("/{}{tail}", segments.join("/"));
            text.parse::<crate::model::route::PathPattern>().ok().map(|_| text)
        },
    )
}

fn routes() -> impl Strategy<Value = Vec<Route>> {
    let app = prop_oneof![4 => Just("shop"), 1 => Just("mail")];
    prop::collection::vec((app, pattern()), 0..12).prop_map(|patterns| {
        let numbered = patterns.into_iter().enumerate();
        numbered.map(|(at, (app, text))| route(&format!("{app}/r{at}"), &text)).collect()
    })
}

fn of_one_app(one: &Route, other: &Route) -> bool {
    one.id.app() == other.id.app()
}

/// Every pair looked at.
fn wider(routes: &[Route]) -> Vec<Vec<&RouteId>> {
    let above = |route: &Route, other: &Route| {
        of_one_app(route, other) && other.pattern.contains(&route.pattern)
    };
    let wider = |route: &Route| {
        routes.iter().filter(|other| above(route, other)).map(|other| &other.id).collect()
    };
    routes.iter().map(wider).collect()
}

/// Every pair looked at.
fn crossing(routes: &[Route]) -> Vec<Object> {
    let mut found = Vec::new();
    for (at, one) in routes.iter().enumerate() {
        for two in routes.iter().skip(at + 1).filter(|two| of_one_app(one, two)) {
            let Some(both) = one.pattern.crossing(&two.pattern) else { continue };
            let mut own = routes.iter().filter(|own| of_one_app(one, own));
            if !own.any(|own| both.is_covered_by(&own.pattern)) {
                found.push(Object::Route(one.id.clone()));
            }
        }
    }
    found
}

proptest! {
    #[test]
    fn tree_of_segments_finds_what_looking_at_every_pair_finds(routes in routes()) {
        prop_assert_eq!(overlaps::wider(&routes), wider(&routes));
        let mut problems = Vec::new();
        overlaps::check(&routes, &mut problems);
        let found: Vec<_> = problems.into_iter().map(|problem| problem.object).collect();
        prop_assert_eq!(found, crossing(&routes));
    }
}
