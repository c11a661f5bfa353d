//! Every protected path, and who may open it, without opening each one.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use http::StatusCode;
use serde::Deserialize;

use super::written::WrittenRules;
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::Standing;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::{Access, count};
use crate::model::app::App;
use crate::model::difference::ObjectKind;
use crate::model::id::AppId;
use crate::model::indexed::place;
use crate::model::route::Route;
use crate::web::link::Link;
use crate::web::page::{self, Frame};
use crate::web::stretch::Stretch;

/// All routes, by app.
#[derive(Debug, Clone, Template)]
#[template(path = "console/rules/routes.html")]
pub struct RoutesPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The whole in one line ("8 routes of 1 app. Release 7 is in force.").
    pub summary: String,
    /// Where an app is added, for those who may.
    pub new_app: Option<Link>,
    /// Where the list is narrowed, and the whole of it.
    pub action: Link,
    /// `q`, as it was typed.
    pub query: String,
    /// The apps, with those of their routes that are shown.
    pub apps: Vec<AppRoutes>,
    /// Which routes these are; none when all are.
    pub stretch: Option<Stretch>,
}

impl RoutesPage {
    /// Whether somebody would want to search.
    pub fn is_long(&self) -> bool {
        self.stretch.is_some() || !self.query.is_empty()
    }
}

/// One app and its routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRoutes {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its first origin, for showing.
    pub origin: String,
    /// The same as a link.
    pub link: Option<Link>,
    /// Where its traffic goes, in words.
    pub upstream: String,
    /// Its page; none when it is gone from the draft.
    pub page: Option<Link>,
    /// Where a route is added to it, for those who may.
    pub new_route: Option<Link>,
    /// How it stands to what is in force.
    pub standing: Standing,
    /// Its routes, parents before children.
    pub routes: Vec<RouteRow>,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRow {
    /// Its page; none when it is gone from the draft.
    pub link: Option<Link>,
    /// Its path pattern.
    pub pattern: String,
    /// What it is.
    pub title: String,
    /// How many routes stand above it.
    pub ancestors: usize,
    /// How it stands to what is in force.
    pub standing: Standing,
    /// Who may open it.
    pub access: Access,
}

impl RouteRow {
    /// How far the row is indented, 0 to 4.
    pub fn depth(&self) -> usize {
        self.ancestors.min(4)
    }
}

/// How the list is narrowed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RoutesQuery {
    /// A part of a path, a name or a title.
    q: String,
    page: usize,
}

/// Answers with the page of all routes, as they stand in the draft.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let query: RoutesQuery = asked.query()?;
    let shown = asked.shown(&console).await?;
    let mut page = filled(&shown, asked.frame("Routes", Section::Routes)?, query);
    if asked.may(&console, ConsoleAction::EditDraft) {
        page.new_app = Some(urls::new_app());
        for app in page.apps.iter_mut().filter(|app| app.page.is_some()) {
            app.new_route = app.id.parse().ok().map(|id| urls::new_route(&id));
        }
    }
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// A line of the list before anything is made of it: most are not on the page.
struct Line<'a> {
    app: &'a App,
    /// None for an app without routes.
    route: Option<&'a Route>,
    /// The rules that it stands in.
    within: &'a Rules<'a>,
}

/// Rules, and what of them is written by hand.
struct Rules<'a> {
    shown: &'a Shown,
    written: WrittenRules<'a>,
}

impl<'a> Rules<'a> {
    fn of(shown: &'a Shown) -> Self {
        Self { shown, written: WrittenRules::of(shown) }
    }
}

/// What the page shows.
fn filled(shown: &Shown, frame: Frame, query: RoutesQuery) -> RoutesPage {
    let drafted = shown.drafted();
    let drafting = if shown.pending().is_empty() { "" } else { ", as they stand in the draft" };
    let summary = format!(
        "{} of {}{drafting}. {}.",
        count(drafted.book.routes.len(), "route"),
        count(drafted.book.apps.len(), "app"),
        match shown.number.0 {
            0 => "Nothing is published yet".to_owned(),
            number => format!("Release {number} is in force"),
        }
    );
    let narrowed = match query.q.trim() {
        "" => urls::routes(),
        typed => urls::routes().with_query("q", typed),
    };
    let (live, draft) = (Rules::of(shown), Rules::of(&drafted));
    let lines = lines(&live, &draft, &query.q.trim().to_lowercase());
    let (lines, stretch) = Stretch::of(lines, query.page, &narrowed);
    let apps = lines.chunk_by(|one, next| one.app.id == next.app.id);
    RoutesPage {
        frame: shown.framed(frame),
        summary,
        new_app: None,
        action: urls::routes(),
        query: query.q,
        apps: apps.filter_map(|lines| app_routes(&drafted, lines)).collect(),
        stretch,
    }
}

/// Every route that matches, app by app, parents before children; gone ones stand where they stood.
fn lines<'a>(live: &'a Rules<'a>, draft: &'a Rules<'a>, wanted: &str) -> Vec<Line<'a>> {
    let (shown, drafted) = (live.shown, draft.shown);
    let is_gone = |route: &&Route| drafted.route(&route.id).is_none();
    let gone = shown.book.in_order().filter(is_gone);
    let mut gone: Vec<_> = gone.map(|route| (route, live)).collect();
    let mut routes: Vec<_> = drafted.book.in_order().map(|route| (route, draft)).collect();
    if !gone.is_empty() {
        routes.append(&mut gone);
        routes.sort_by_cached_key(|(route, _)| place(route));
    }
    let mut own: HashMap<&AppId, Vec<_>> = HashMap::new();
    for (route, within) in routes.into_iter().filter(|(route, _)| matches(route, wanted)) {
        own.entry(route.id.app()).or_default().push((route, within));
    }
    let is_gone = |app: &&App| !drafted.book.apps.iter().any(|other| other.id == app.id);
    let apps = drafted.book.apps.iter().chain(shown.book.apps.iter().filter(is_gone));
    let of_app = |app: &'a App| {
        let own = own.remove(&app.id).unwrap_or_default().into_iter();
        let mut own: Vec<_> =
            own.map(|(route, within)| Line { app, route: Some(route), within }).collect();
        if own.is_empty() && wanted.is_empty() {
            own.push(Line { app, route: None, within: draft });
        }
        own
    };
    apps.flat_map(of_app).collect()
}

fn matches(route: &Route, wanted: &str) -> bool {
    let texts = [route.pattern.as_str(), route.id.as_str(), &route.title];
    wanted.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(wanted))
}

/// An app with the lines of it that are on the page; none without any.
fn app_routes(drafted: &Shown, lines: &[Line<'_>]) -> Option<AppRoutes> {
    let app = lines.first()?.app;
    let standing = Standing::of(drafted.waiting(ObjectKind::App, app.id.as_str()));
    let origin = app.origins.first();
    Some(AppRoutes {
        id: app.id.to_string(),
        name: app.name.clone(),
        origin: origin.map(ToString::to_string).unwrap_or_default(),
        link: origin.and_then(|origin| Link::parse(&origin.url("/")).ok()),
        upstream: app.upstream.as_ref().map_or_else(
            || "another proxy carries the traffic".to_owned(),
            |upstream| format!("forwards to {}", upstream.0),
        ),
        page: (!standing.is_removed()).then(|| urls::app(&app.id)),
        new_route: None,
        standing,
        routes: lines.iter().filter_map(|line| row(drafted, line)).collect(),
    })
}

fn row(drafted: &Shown, line: &Line<'_>) -> Option<RouteRow> {
    let (route, Rules { shown: within, written }) = (line.route?, line.within);
    let standing = Standing::of(drafted.waiting(ObjectKind::Route, route.id.as_str()));
    Some(RouteRow {
        link: (!standing.is_removed()).then(|| urls::route(&route.id)),
        pattern: route.pattern.to_string(),
        title: route.title.clone(),
        ancestors: within.book.above(route).len(),
        standing,
        access: Access::new(&within.book.reaching(route), &within.names, written.opening(route)),
    })
}
