//! Every protected path, and who may open it, without opening each one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use http::StatusCode;

use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::Standing;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::setup::entra::warning;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::{Access, count};
use crate::model::app::App;
use crate::model::difference::ObjectKind;
use crate::model::id::{AppId, RouteId};
use crate::model::route::Route;
use crate::web::link::Link;
use crate::web::page::{self, Frame};

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
    /// The apps.
    pub apps: Vec<AppRoutes>,
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

/// Answers with the page of all routes, as they stand in the draft.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let shown = asked.shown(&console).await?;
    let mut page = filled(&shown, asked.frame("Routes", Section::Routes)?);
    if asked.may(&console, ConsoleAction::EditDraft) {
        page.new_app = Some(urls::new_app());
        for app in page.apps.iter_mut().filter(|app| app.page.is_some()) {
            app.new_route = app.id.parse().ok().map(|id| urls::new_route(&id));
        }
    }
    page.frame.notice = warning(&*console.entra, asked.exchange.at);
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// What the page shows.
fn filled(shown: &Shown, frame: Frame) -> RoutesPage {
    let drafted = shown.drafted();
    let mut by_app: BTreeMap<&AppId, Vec<&Route>> = BTreeMap::new();
    for route in &drafted.book.routes {
        by_app.entry(route.id.app()).or_default().push(route);
    }
    let mut gone: BTreeMap<&AppId, Vec<&Route>> = BTreeMap::new();
    let kept: BTreeSet<&RouteId> = drafted.book.routes.iter().map(|route| &route.id).collect();
    for route in shown.book.routes.iter().filter(|route| !kept.contains(&route.id)) {
        gone.entry(route.id.app()).or_default().push(route);
    }
    let is_gone = |app: &&App| !drafted.book.apps.iter().any(|other| other.id == app.id);
    let apps = drafted.book.apps.iter().chain(shown.book.apps.iter().filter(is_gone));
    let apps = apps.map(|app| {
        let own = by_app.remove(&app.id).unwrap_or_default();
        let removed = gone.remove(&app.id).unwrap_or_default();
        app_routes((shown, &drafted), app, (own, removed))
    });
    let apps: Vec<_> = apps.collect();
    let drafting = if shown.pending.is_empty() { "" } else { ", as they stand in the draft" };
    let summary = format!(
        "{} of {}{drafting}. {}.",
        count(drafted.book.routes.len(), "route"),
        count(drafted.book.apps.len(), "app"),
        match shown.number.0 {
            0 => "Nothing is published yet".to_owned(),
            number => format!("Release {number} is in force"),
        }
    );
    RoutesPage { frame: shown.framed(frame), summary, new_app: None, apps }
}

fn app_routes(
    (shown, drafted): (&Shown, &Shown),
    app: &App,
    (own, removed): (Vec<&Route>, Vec<&Route>),
) -> AppRoutes {
    let mut placed: Vec<_> = own.into_iter().map(|route| row(drafted, route)).collect();
    placed.extend(removed.into_iter().map(|route| {
        let (place, row) = row(shown, route);
        (place, RouteRow { link: None, standing: Standing::Removed, ..row })
    }));
    placed.sort_by(|(a, _), (b, _)| a.cmp(b));
    let standing = Standing::of(drafted.waiting(ObjectKind::App, app.id.as_str()));
    let origin = app.origins.first();
    AppRoutes {
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
        routes: placed.into_iter().map(|(_, row)| row).collect(),
    }
}

/// A route with its place among the others: the patterns above it, and its own.
fn row(shown: &Shown, route: &Route) -> (Vec<String>, RouteRow) {
    let above = shown.above(route);
    let ancestors = above.len();
    let patterns = above.into_iter().chain([route]).map(|wider| wider.pattern.to_string());
    let row = RouteRow {
        link: Some(urls::route(&route.id)),
        pattern: route.pattern.to_string(),
        title: route.title.clone(),
        ancestors,
        standing: Standing::of(shown.waiting(ObjectKind::Route, route.id.as_str())),
        access: Access::new(&shown.reaching(route), &shown.names, shown.written()),
    };
    (patterns.collect(), row)
}
