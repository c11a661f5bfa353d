//! How the patterns of an app's routes lie to each other: which contain which, and which cross.
//!
//! Each pair would have to be looked at, were it not for the tree of segments: a pattern meets only those that lie on its
//! own way down, where a parameter goes both ways. So ten thousand routes are compared in about as many steps.

use std::collections::{BTreeSet, HashMap};

use super::path;
use super::problem::{Object, Problem};
use crate::model::id::{AppId, RouteId};
use crate::model::route::{LetterCase, PatternSegment, Route};

/// The wider routes of each route, in the order of `routes`.
pub(super) fn wider(routes: &[Route]) -> Vec<Vec<&RouteId>> {
    let matched = as_matched(routes);
    let forest = Forest::of(&matched);
    let contains = |route: &Route, other: &Route| other.pattern.contains(&route.pattern);
    let wider = |route: &Route| {
        let met = forest.met(route.id.app(), route.pattern.fixed()).into_iter();
        let mut wider: Vec<_> = met.filter(|(_, other)| contains(route, other)).collect();
        wider.sort_unstable_by_key(|(at, _)| *at);
        wider.into_iter().filter_map(|(at, _)| routes.get(at)).map(|other| &other.id).collect()
    };
    matched.iter().map(wider).collect()
}

/// The routes with the patterns that paths are matched against: in lower case where the cases are not told apart.
fn as_matched(routes: &[Route]) -> Vec<Route> {
    let matched = |route: &Route| match route.letter_case {
        LetterCase::Kept => route.clone(),
        LetterCase::Folded => folded(route),
    };
    routes.iter().map(matched).collect()
}

/// Two patterns that cross without a route of their own for what both cover: a path there would go to one route and
/// escape the rules about the other.
pub(super) fn check(routes: &[Route], problems: &mut Vec<Problem>) {
    let matched = as_matched(routes);
    let forest = Forest::of(&matched);
    for (first, second) in forest.pairs() {
        let Some(both) = first.pattern.crossing(&second.pattern) else { continue };
        let mut met = forest.met(first.id.app(), both.segments()).into_iter();
        if met.any(|(_, own)| both.is_covered_by(&own.pattern)) {
            continue;
        }
        let text = format!(
            "`{}` and `{}` of the route `{}` cover some paths in common; add a route for these",
            first.pattern, second.pattern, second.id
        );
        problems.push(Problem::new(Object::Route(first.id.clone()), &text));
    }
}

/// Where the app does not tell the cases of letters apart, a route that does would be met under one spelling and passed by
/// under another: it must not lie in a folded route, nor be one in other letters.
pub(super) fn check_letter_case(routes: &[Route], problems: &mut Vec<Problem>) {
    if routes.iter().all(|route| route.letter_case == LetterCase::Kept) {
        return;
    }
    let lower: Vec<_> = routes.iter().map(folded).collect();
    for (one, two) in Forest::of(&lower).pairs() {
        let (area, inside) = match (one.letter_case, two.letter_case) {
            (LetterCase::Folded, LetterCase::Kept) => (one, two),
            (LetterCase::Kept, LetterCase::Folded) => (two, one),
            (LetterCase::Kept, LetterCase::Kept) | (LetterCase::Folded, LetterCase::Folded) => {
                continue;
            }
        };
        if area.pattern == inside.pattern || area.pattern.contains(&inside.pattern) {
            let text = format!(
                "`{}` lies in `{}` of the route `{}`, which does not tell the cases of letters apart; give both the same `letter_case`",
                inside.pattern, area.pattern, area.id
            );
            problems.push(Problem::new(Object::Route(inside.id.clone()), &text));
        }
    }
}

/// With its pattern in lower case.
fn folded(route: &Route) -> Route {
    let pattern = path::fold(route.pattern.as_str()).parse();
    Route { pattern: pattern.unwrap_or_else(|_| route.pattern.clone()), ..route.clone() }
}

/// The routes of each app by the segments of their patterns, each with its place in the list.
struct Forest<'a> {
    routes: &'a [Route],
    apps: HashMap<&'a AppId, Node<'a>>,
}

#[derive(Default)]
struct Node<'a> {
    /// Routes whose last fixed segment leads here.
    here: Vec<(usize, &'a Route)>,
    literals: HashMap<&'a str, Self>,
    parameter: Option<Box<Self>>,
}

impl<'a> Forest<'a> {
    fn of(routes: &'a [Route]) -> Self {
        let mut apps: HashMap<_, Node<'a>> = HashMap::new();
        for (at, route) in routes.iter().enumerate() {
            let root = apps.entry(route.id.app()).or_default();
            root.below(route.pattern.fixed()).here.push((at, route));
        }
        Self { routes, apps }
    }

    /// The routes of no more segments that cover something which these segments cover.
    fn met(&self, app: &AppId, segments: &[PatternSegment]) -> Vec<(usize, &'a Route)> {
        let mut met = Vec::new();
        if let Some(root) = self.apps.get(app) {
            root.meet(segments, &mut met);
        }
        met
    }

    /// All routes that meet, each pair once, in the order of the list.
    fn pairs(&self) -> impl Iterator<Item = (&'a Route, &'a Route)> {
        let mut pairs = BTreeSet::new();
        for (at, route) in self.routes.iter().enumerate() {
            let met = self.met(route.id.app(), route.pattern.fixed()).into_iter();
            pairs.extend(met.map(|(other, _)| (at.min(other), at.max(other))));
        }
        let routes = self.routes;
        let pairs = pairs.into_iter().filter(|(one, two)| one != two);
        pairs.filter_map(|(one, two)| Some((routes.get(one)?, routes.get(two)?)))
    }
}

impl<'a> Node<'a> {
    fn below(&mut self, segments: &'a [PatternSegment]) -> &mut Self {
        segments.iter().fold(self, |node, segment| match segment {
            PatternSegment::Literal(text) => node.literals.entry(text).or_default(),
            PatternSegment::Parameter(_) | PatternSegment::CatchAll(_) => {
                node.parameter.get_or_insert_default()
            }
        })
    }

    fn meet(&self, segments: &[PatternSegment], met: &mut Vec<(usize, &'a Route)>) {
        met.extend_from_slice(&self.here);
        let Some((segment, rest)) = segments.split_first() else { return };
        self.parameter.iter().for_each(|node| node.meet(rest, met));
        match segment {
            PatternSegment::Literal(text) => {
                self.literals.get(text.as_str()).into_iter().for_each(|node| node.meet(rest, met));
            }
            PatternSegment::Parameter(_) | PatternSegment::CatchAll(_) => {
                self.literals.values().for_each(|node| node.meet(rest, met));
            }
        }
    }
}
