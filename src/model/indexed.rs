//! A rule book with the ways through it, made once for each state of the rules and then shared by all that read it.

use std::collections::HashMap;
use std::ops::Deref;

use super::grant::{Grant, Reach};
use super::id::{AppId, GrantId, RouteId};
use super::route::{PatternSegment, Route};
use super::rule_book::RuleBook;

/// A rule book whose objects are found without reading all of them.
///
/// It is read like the rule book that it holds; who edits one takes a copy of that ([`Self::book`]).
#[derive(Debug, Clone, Default)]
pub struct IndexedBook {
    book: RuleBook,
    routes: HashMap<RouteId, usize>,
    grants: HashMap<GrantId, usize>,
    granted: HashMap<RouteId, Vec<usize>>,
    areas: HashMap<AppId, Area>,
    /// Routes as they are listed.
    order: Vec<usize>,
}

/// The routes of an app by the segments of their patterns, open ends left out.
#[derive(Debug, Clone, Default)]
struct Area {
    own: Vec<usize>,
    literals: HashMap<String, Area>,
    parameter: Option<Box<Area>>,
}

impl Deref for IndexedBook {
    type Target = RuleBook;

    fn deref(&self) -> &RuleBook {
        &self.book
    }
}

impl From<RuleBook> for IndexedBook {
    fn from(book: RuleBook) -> Self {
        let mut indexed = Self::default();
        for (at, route) in book.routes.iter().enumerate() {
            indexed.routes.entry(route.id.clone()).or_insert(at);
            let area = indexed.areas.entry(route.id.app().clone()).or_default();
            area.at(route.pattern.fixed()).own.push(at);
        }
        for (at, grant) in book.grants.iter().enumerate() {
            indexed.grants.entry(grant.id.clone()).or_insert(at);
            indexed.granted.entry(grant.route.clone()).or_default().push(at);
        }
        indexed.order = (0..book.routes.len()).collect();
        indexed.order.sort_by_cached_key(|at| book.routes.get(*at).map(place));
        Self { book, ..indexed }
    }
}

impl IndexedBook {
    /// What it holds.
    pub fn book(&self) -> &RuleBook {
        &self.book
    }

    /// The route with this id.
    pub fn route(&self, id: &RouteId) -> Option<&Route> {
        self.routes.get(id).and_then(|at| self.book.routes.get(*at))
    }

    /// The grant with this id.
    pub fn grant(&self, id: &GrantId) -> Option<&Grant> {
        self.grants.get(id).and_then(|at| self.book.grants.get(*at))
    }

    /// The grants on a route itself.
    pub fn grants_on(&self, route: &RouteId) -> impl Iterator<Item = &Grant> {
        let places = self.granted.get(route).into_iter().flatten();
        places.filter_map(|at| self.book.grants.get(*at))
    }

    /// All routes, as [`place`] says.
    pub fn in_order(&self) -> impl Iterator<Item = &Route> {
        self.order.iter().filter_map(|at| self.book.routes.get(*at))
    }

    /// The routes of the same app that contain `route`, widest first.
    pub fn above(&self, route: &Route) -> Vec<&Route> {
        let mut above = self.containing(route);
        above.sort_by_cached_key(|wider| {
            (self.containing(wider).len(), wider.pattern.as_str().to_owned())
        });
        above
    }

    /// The grants that reach `route`: its own first, then those of wider routes, nearest first.
    pub fn reaching(&self, route: &Route) -> Vec<&Grant> {
        let wider = self.above(route).into_iter().rev();
        let inherited = wider
            .flat_map(|wider| self.grants_on(&wider.id))
            .filter(|grant| grant.reach == Reach::Below);
        self.grants_on(&route.id).chain(inherited).collect()
    }

    fn containing(&self, route: &Route) -> Vec<&Route> {
        let mut found = Vec::new();
        if let Some(area) = self.areas.get(route.id.app()) {
            area.visit(route.pattern.fixed(), &mut found);
        }
        let routes = found.into_iter().filter_map(|at| self.book.routes.get(at));
        routes.filter(|wider| wider.pattern.contains(&route.pattern)).collect()
    }
}

impl Area {
    /// The area of these segments, made where there is none.
    fn at(&mut self, segments: &[PatternSegment]) -> &mut Self {
        segments.iter().fold(self, |area, segment| match segment {
            PatternSegment::Literal(text) => area.literals.entry(text.clone()).or_default(),
            PatternSegment::Parameter(_) | PatternSegment::CatchAll(_) => {
                area.parameter.get_or_insert_default()
            }
        })
    }

    /// Every route whose segments cover the first of these; whether one contains what has them is its pattern's to say.
    fn visit(&self, segments: &[PatternSegment], found: &mut Vec<usize>) {
        found.extend(&self.own);
        let Some((first, rest)) = segments.split_first() else { return };
        if let PatternSegment::Literal(text) = first
            && let Some(area) = self.literals.get(text)
        {
            area.visit(rest, found);
        }
        if let Some(area) = &self.parameter {
            area.visit(rest, found);
        }
    }
}

/// What routes are listed by: an area before what is in it, a parameter before the literals that it covers.
pub fn place(route: &Route) -> (Vec<Option<String>>, String) {
    let part = |segment: &PatternSegment| match segment {
        PatternSegment::Literal(text) => Some(text.clone()),
        PatternSegment::Parameter(_) | PatternSegment::CatchAll(_) => None,
    };
    (route.pattern.fixed().iter().map(part).collect(), route.pattern.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn route(at: usize, pattern: &str) -> Route {
        Route::new(format!("app/r{at}").parse().unwrap(), pattern.parse().unwrap())
    }

    fn pattern() -> impl Strategy<Value = String> {
        let segment = prop::sample::select(vec!["a", "b", "{x}"]);
        let tail = prop::sample::select(vec!["", "/", "/{*rest}"]);
        (prop::collection::vec(segment, 0..4), tail).prop_map(|(segments, tail)| {
            let named = |(at, segment): (usize, &&str)| segment.replace('x', &format!("x{at}"));
            let segments = segments.iter().enumerate().map(named);
            let fixed = segments.fold(String::new(), |before, segment| before + "/" + &segment);
            if fixed.is_empty() && tail.is_empty() { "/".to_owned() } else { fixed + tail }
        })
    }

    proptest! {
        #[test]
        fn what_contains_a_route_is_found_as_by_asking_every_pattern(
            patterns in prop::collection::vec(pattern(), 1..12),
        ) {
            let routes: Vec<_> = patterns.iter().enumerate().map(|(at, text)| route(at, text)).collect();
            let book = IndexedBook::from(RuleBook { routes, ..RuleBook::default() });
            for route in &book.book.routes {
                let asked = book.book.routes.iter().filter(|wider| wider.pattern.contains(&route.pattern));
                let mut asked: Vec<_> = asked.map(|wider| &wider.id).collect();
                let found = book.above(route);
                for (at, wider) in found.iter().enumerate() {
                    let later = found.iter().skip(at + 1);
                    prop_assert!(later.clone().all(|later| !later.pattern.contains(&wider.pattern)));
                }
                let mut found: Vec<_> = found.iter().map(|wider| &wider.id).collect();
                asked.sort();
                found.sort();
                prop_assert_eq!(found, asked);
            }
            prop_assert_eq!(book.in_order().count(), book.book.routes.len());
        }
    }
}
