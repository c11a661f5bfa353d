//! Every protected path, and who may open it, without opening each one.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use http::StatusCode;

use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::{Access, count};
use crate::model::app::App;
use crate::model::id::AppId;
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
    /// Its routes, parents before children.
    pub routes: Vec<RouteRow>,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRow {
    /// Its page.
    pub link: Link,
    /// Its path pattern.
    pub pattern: String,
    /// What it is.
    pub title: String,
    /// How many routes stand above it.
    pub ancestors: usize,
    /// Who may open it.
    pub access: Access,
}

impl RouteRow {
    /// How far the row is indented, 0 to 4.
    pub fn depth(&self) -> usize {
        self.ancestors.min(4)
    }
}

/// Answers with the page of all routes.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let shown = asked.shown(&console).await?;
    let page = filled(&shown, asked.frame("Routes", Section::Routes)?);
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// What the page shows.
fn filled(shown: &Shown, frame: Frame) -> RoutesPage {
    let mut by_app: BTreeMap<&AppId, Vec<&Route>> = BTreeMap::new();
    for route in &shown.book.routes {
        by_app.entry(route.id.app()).or_default().push(route);
    }
    let apps = shown.book.apps.iter();
    let apps: Vec<_> = apps
        .map(|app| app_routes(shown, app, by_app.remove(&app.id).unwrap_or_default()))
        .collect();
    let summary = format!(
        "{} of {}. {}.",
        count(shown.book.routes.len(), "route"),
        count(apps.len(), "app"),
        match shown.number.0 {
            0 => "Nothing is published yet".to_owned(),
            number => format!("Release {number} is in force"),
        }
    );
    RoutesPage { frame: shown.framed(frame), summary, apps }
}

fn app_routes(shown: &Shown, app: &App, routes: Vec<&Route>) -> AppRoutes {
    let mut placed: Vec<_> = routes
        .into_iter()
        .map(|route| {
            let above = shown.above(route);
            let mut place: Vec<_> = above.iter().map(|wider| wider.pattern.as_str()).collect();
            place.push(route.pattern.as_str());
            (place, route)
        })
        .collect();
    placed.sort_by(|(a, _), (b, _)| a.cmp(b));
    let rows = placed.into_iter().map(|(place, route)| RouteRow {
        link: urls::route(&route.id),
        pattern: route.pattern.to_string(),
        title: route.title.clone(),
        ancestors: place.len().saturating_sub(1),
        access: Access::new(&shown.reaching(route), &shown.names, shown.written()),
    });
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
        routes: rows.collect(),
    }
}
