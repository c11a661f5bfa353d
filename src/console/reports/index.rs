//! The reports that there are, each with what it is asked.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::period::Period;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::route_picker::RoutePicker;
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
    /// Where a route is chosen.
    pub picker: RoutePicker,
    /// What is wrong with it: nothing, before it is sent.
    pub problem: Option<String>,
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
    let page = filled(&console, &asked, ("", None)).await?;
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// Answers with the page and what was typed, which names no route.
pub(super) async fn no_such_route(console: &Arc<Console>, asked: &Admitted, typed: &str) -> Answer {
    let problem =
        "There is no such route. Write it as its page does, such as intranet/reports or /reports.";
    let page = filled(console, asked, (typed, Some(problem.to_owned()))).await?;
    Ok(page::console(StatusCode::UNPROCESSABLE_ENTITY, &page.frame, &page))
}

async fn filled(
    console: &Arc<Console>,
    asked: &Admitted,
    (typed, problem): (&str, Option<String>),
) -> Result<ReportsPage, Box<Response>> {
    let shown = asked.shown(console).await?;
    let usual = Period::read(["", ""], asked.exchange.at);
    let [from, to] = usual.map(Period::fields).unwrap_or_default();
    Ok(ReportsPage {
        picker: RoutePicker::of(&shown, typed),
        problem,
        frame: shown.framed(asked.frame("Reports", Section::Reports)?),
        access: urls::access_report(),
        refusals: urls::refusals_report(),
        changes: urls::changes_report(),
        from,
        to,
    })
}
