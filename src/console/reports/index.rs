//! The reports that there are, each with what it is asked.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;

use super::period::Period;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::Picked;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::urls;
use crate::web::link::Link;
use crate::web::page::{self, Frame};

/// The reports.
#[derive(Debug, Clone, Template)]
#[template(path = "console/reports/index.html")]
pub struct ReportsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Who can reach what.
    pub access: Link,
    /// Every route.
    pub routes: Vec<Picked>,
    /// What was refused.
    pub refusals: Link,
    /// What was changed and published.
    pub changes: Link,
    /// The first day of the usual period.
    pub from: String,
    /// The last.
    pub to: String,
}

/// Answers with the page.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let shown = asked.shown(&console).await?;
    let usual = Period::read(["", ""], asked.exchange.at);
    let [from, to] = usual.map(Period::fields).unwrap_or_default();
    let mut routes: Vec<_> = shown.book.routes.iter().collect();
    routes.sort_by_key(|route| (route.id.app().to_string(), route.pattern.to_string()));
    let picked = routes.into_iter().map(|route| {
        let label = format!("{}  {}", route.id.app(), route.pattern);
        Picked::new(route.id.as_str(), &label, "")
    });
    let page = ReportsPage {
        routes: picked.collect(),
        frame: shown.framed(asked.frame("Reports", Section::Reports)?),
        access: urls::access_report(),
        refusals: urls::refusals_report(),
        changes: urls::changes_report(),
        from,
        to,
    };
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}
