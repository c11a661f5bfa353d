//! Every protected path, and who may open it, without opening each one.

use askama::Template;

use crate::web::link::Link;
use crate::web::page::Frame;

use super::words::Access;

/// All routes, by app.
#[derive(Debug, Clone, Template)]
#[template(path = "console/routes.html")]
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
