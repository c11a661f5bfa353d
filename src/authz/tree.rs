//! Which app a host means, and which route a canonical path means. A request is matched here once.
//!
//! Assumptions, which are the specification:
//! - hosts and paths are canonical already; nothing is decoded, folded or repaired here;
//! - within an app a literal segment wins over `{parameter}`, which wins over `{*rest}`, segment by segment;
//! - a folded route matches in lower case, and a path that leads to one that way is that path from then on;
//! - `{*rest}` also covers its own prefix with and without a trailing slash, unless a route names those;
//! - a route's parents are all wider routes of the same app ([`PathPattern::contains`]).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::path::{CanonicalPath, fold};
use super::problem::{Object, Problem};
use crate::model::app::App;
use crate::model::host::Host;
use crate::model::id::AppId;
use crate::model::route::{LetterCase, PathPattern, PatternSegment, Route};

/// Apps by host, and the routes of each by path.
#[derive(Debug)]
pub struct RouteTree {
    hosts: BTreeMap<Host, AppId>,
    apps: BTreeMap<AppId, AppRoutes>,
}

#[derive(Debug)]
struct AppRoutes {
    app: Arc<App>,
    paths: matchit::Router<Arc<Route>>,
    folds: Folds,
}

/// Whether any route of an app does not tell the cases of letters apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Folds {
    None,
    Some,
}

/// The route that a path matched, with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteMatch {
    /// The route.
    pub route: Arc<Route>,
    /// Path parameters by name, in canonical percent-encoding.
    pub params: BTreeMap<String, String>,
}

impl RouteTree {
    /// Builds the tree; every problem found is added to `problems`.
    pub fn build(apps: &[App], routes: &[Route], problems: &mut Vec<Problem>) -> Self {
        let mut tree = Self { hosts: BTreeMap::new(), apps: BTreeMap::new() };
        for app in apps {
            tree.add_app(app, problems);
        }
        for route in routes {
            tree.add_route(route, problems);
        }
        for route in routes {
            tree.add_doorsteps(route);
        }
        tree
    }

    /// The app that a host belongs to.
    pub fn app(&self, host: &Host) -> Option<&Arc<App>> {
        let id = self.hosts.get(host)?;
        self.apps.get(id).map(|routes| &routes.app)
    }

    /// The path in lower case, when a route that it leads to then does not tell the cases apart.
    pub fn folded(&self, app: &AppId, path: &CanonicalPath) -> Option<CanonicalPath> {
        let routes = self.apps.get(app).filter(|routes| routes.folds == Folds::Some)?;
        let folded = path.folded();
        let found = routes.paths.at(folded.as_str()).ok()?;
        (found.value.letter_case == LetterCase::Folded).then_some(folded)
    }

    /// The route of `app` that covers a canonical path.
    pub fn find(&self, app: &AppId, path: &str) -> Option<RouteMatch> {
        let found = self.apps.get(app)?.paths.at(path).ok()?;
        let params = found.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some(RouteMatch { route: Arc::clone(found.value), params: params.collect() })
    }

    fn add_app(&mut self, app: &App, problems: &mut Vec<Problem>) {
        for origin in &app.origins {
            let earlier = self.hosts.insert(origin.host().clone(), app.id.clone());
            if let Some(earlier) = earlier.filter(|earlier| *earlier != app.id) {
                let object = Object::App(app.id.clone());
                let text =
                    format!("the host `{}` already belongs to the app `{earlier}`", origin.host());
                problems.push(Problem::new(object, &text));
            }
        }
        let routes = AppRoutes {
            app: Arc::new(app.clone()),
            paths: matchit::Router::new(),
            folds: Folds::None,
        };
        self.apps.insert(app.id.clone(), routes);
    }

    fn add_route(&mut self, route: &Route, problems: &mut Vec<Problem>) {
        let object = Object::Route(route.id.clone());
        let Some(app) = self.apps.get_mut(route.id.app()) else {
            problems.push(Problem::new(object, &format!("there is no app `{}`", route.id.app())));
            return;
        };
        if route.letter_case == LetterCase::Folded {
            app.folds = Folds::Some;
        }
        let pattern = as_matched(route);
        if let Err(conflict) = app.paths.insert(&*pattern, Arc::new(route.clone())) {
            let text = format!(
                "the pattern `{}` can't be told from another one: {conflict}",
                route.pattern
            );
            problems.push(Problem::new(object, &text));
        }
    }

    /// The prefix of a catch-all, with and without trailing slash, goes to the same route unless one names it.
    fn add_doorsteps(&mut self, route: &Route) {
        let pattern = as_matched(route);
        let (Some(prefix), Some(app)) =
            (doorstep(&route.pattern, &pattern), self.apps.get_mut(route.id.app()))
        else {
            return;
        };
        let shared = Arc::new(route.clone());
        let bare = prefix.trim_end_matches('/');
        for path in [prefix.as_str(), bare].into_iter().filter(|path| !path.is_empty()) {
            // A conflict means that a route of its own names this path; that one wins.
            let _taken = app.paths.insert(path, Arc::clone(&shared));
        }
    }
}

/// The pattern that paths are matched against; names of parameters are in lower case anyway.
fn as_matched(route: &Route) -> Cow<'_, str> {
    match route.letter_case {
        LetterCase::Kept => Cow::Borrowed(route.pattern.as_str()),
        LetterCase::Folded => Cow::Owned(fold(route.pattern.as_str())),
    }
}

/// `/finance/` for `/finance/{*rest}`; none for patterns without a catch-all.
fn doorstep(pattern: &PathPattern, text: &str) -> Option<String> {
    match pattern.segments().last()? {
        PatternSegment::CatchAll(name) => text
            .strip_suffix('}')?
            .strip_suffix(name.as_str())?
            .strip_suffix("{*")
            .map(str::to_owned),
        PatternSegment::Literal(_) | PatternSegment::Parameter(_) => None,
    }
}
