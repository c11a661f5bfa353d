//! Who changed and published what in a period, and how many people had a hand in each release.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::period::Period;
use super::publications::{Publication, published};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::directory::known::known;
use crate::console::guard::Admitted;
use crate::console::log::export::{CSV, stamp};
use crate::console::log::fact::Fact;
use crate::console::log::gathering::{Gathered, gather};
use crate::console::log::told::{EventRow, EventView, Names};
use crate::console::log::using;
use crate::console::printed::PrintHead;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::{count, grouped};
use crate::model::csv;
use crate::model::known::Known;
use crate::model::query::{Present, Query};
use crate::model::record::LogUseKind;
use crate::store::StoreError;
use crate::web::download;
use crate::web::link::Link;
use crate::web::page::{self, Frame, Notice, Tone};

/// Changes that a report holds.
const ROWS: usize = 5_000;
/// Changes that a page lists.
const LISTED: usize = 1_000;
/// The columns of the file, in an order that stays.
const COLUMNS: [&str; 7] = ["time", "id", "actor", "actor_name", "action", "object", "reason"];

/// What was changed and published.
#[derive(Debug, Clone, Template)]
#[template(path = "console/reports/changes.html")]
pub struct ChangesPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The reports.
    pub up: Link,
    /// This report.
    pub action: Link,
    /// What is wrong with what was asked.
    pub problem: Option<String>,
    /// The first day.
    pub from: String,
    /// The last day.
    pub to: String,
    /// What is printed above it; none while something is wrong.
    pub head: Option<PrintHead>,
    /// What it lacks, and how to get it.
    pub bounds: Vec<Notice>,
    /// Releases, newest first.
    pub releases: Vec<Publication>,
    /// Changes, newest first.
    pub rows: Vec<EventRow>,
}

/// What is asked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ChangesQuery {
    /// Checked by the guard before the form is read.
    #[serde(rename = "_csrf")]
    csrf: Option<IgnoredAny>,
    from: String,
    to: String,
}

/// What the report is made from.
struct Made {
    shown: Shown,
    known: Known,
    period: Period,
    /// Changes of the period.
    found: Gathered,
}

/// Answers with the report.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let entry: ChangesQuery = asked.query()?;
    let period = match Period::read([&entry.from, &entry.to], asked.exchange.at) {
        Ok(period) => period,
        Err(wrong) => return refused(&console, &asked, (entry, wrong)).await,
    };
    let made = made(&console, &asked, period).await?;
    let failed = |error: StoreError| Box::new(asked.unavailable(&error));
    let releases = published(&console, period).await.map_err(failed)?;
    using::note(&console, &asked, (LogUseKind::Read, detail(&made, "page"))).await?;
    let names = Names { shown: &made.shown, known: &made.known };
    let releases: Vec<_> =
        releases.iter().map(|one| Publication::of(one, &made.found.lines, names)).collect();
    let rows = made.found.lines.iter().take(LISTED).map(|line| EventView::of(line).row(names));
    let covers = vec![
        Fact::prose("Period", &period.words()),
        Fact::prose("Rules now", made.shown.words()),
        Fact::prose(
            "Rows",
            &format!(
                "{}, {}",
                count(made.found.lines.len(), "change"),
                count(releases.len(), "release")
            ),
        ),
    ];
    let [from, to] = period.fields();
    let page = ChangesPage {
        frame: made.shown.framed(asked.frame("Changes and releases", Section::Reports)?),
        up: urls::reports(),
        action: urls::changes_report(),
        problem: None,
        from,
        to,
        head: Some(PrintHead::new(&console, &asked, ("Changes and releases", covers))),
        bounds: bounds(&made.found),
        releases,
        rows: rows.collect(),
    };
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// Answers with the changes as a file.
pub(super) async fn csv(console: Arc<Console>, asked: Admitted) -> Answer {
    let entry: ChangesQuery = asked.form().await?;
    let period = Period::read([&entry.from, &entry.to], asked.exchange.at);
    let period = period.map_err(|_wrong| Box::new(asked.said().unreadable()))?;
    let made = made(&console, &asked, period).await?;
    using::note(&console, &asked, (LogUseKind::Exported, detail(&made, "csv"))).await?;
    let names = Names { shown: &made.shown, known: &made.known };
    let mut file = Vec::new();
    csv::header(&mut file, &COLUMNS);
    for line in &made.found.lines {
        csv::line(&mut file, &EventView::of(line).fields(names));
    }
    let name = format!("changes_v1_{}.csv", stamp(&asked));
    Ok(download::file(&name, CSV, Body::from(file)))
}

async fn made(console: &Console, asked: &Admitted, period: Period) -> Result<Made, Box<Response>> {
    let failed = |error: StoreError| Box::new(asked.unavailable(&error));
    let shown = asked.shown(console).await?;
    let present = Present { now: asked.exchange.at, names: shown.names.clone() };
    // It is ours; what can't be read would be no condition at all.
    let query = period.of("kind:change".parse::<Query>().unwrap_or_default());
    let found = gather(&console.searcher, (&query, &present), ROWS).await.map_err(failed)?;
    let known = known(console).await.map_err(failed)?;
    Ok(Made { shown, known, period, found })
}

fn detail(made: &Made, format: &str) -> serde_json::Value {
    let [from, to] = made.period.fields();
    json!({ "report": "changes", "format": format, "from": from, "to": to, "records": made.found.lines.len() })
}

/// What is not in it, in words.
fn bounds(found: &Gathered) -> Vec<Notice> {
    let mut bounds = Vec::new();
    let mut say = |text: String| bounds.push(Notice { tone: Tone::Careful, text });
    if found.rest.is_some() {
        let all = grouped(found.lines.len() as u64);
        say(format!(
            "There are more than the newest {all} changes. Take a shorter period: neither this page nor the file has the others."
        ));
    }
    if found.lines.len() > LISTED {
        say(format!("The newest {LISTED} changes are listed; the file has all that were found."));
    }
    bounds
}

/// The form again, with what is wrong.
async fn refused(
    console: &Console,
    asked: &Admitted,
    (entry, wrong): (ChangesQuery, String),
) -> Answer {
    let shown = asked.shown(console).await?;
    let page = ChangesPage {
        frame: shown.framed(asked.frame("Changes and releases", Section::Reports)?),
        up: urls::reports(),
        action: urls::changes_report(),
        problem: Some(wrong),
        from: entry.from,
        to: entry.to,
        head: None,
        bounds: Vec::new(),
        releases: Vec::new(),
        rows: Vec::new(),
    };
    Ok(page::console(StatusCode::UNPROCESSABLE_ENTITY, &page.frame, &page))
}
