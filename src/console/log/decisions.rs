//! The newest decisions, as auditors and admins read them.

use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;
use http::StatusCode;
use serde::Deserialize;

use super::record::{DecisionRow, RecordView, Rules};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::Choice;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::urls;
use crate::store::audit::Show;
use crate::web::hx::HxOut;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame};

/// Rows that the list of decisions shows.
const ROWS: usize = 100;
/// Records that are read for it.
const NEWEST: u32 = 100;
/// Records that a filter is applied to.
const SEARCHED: u32 = 1_000;

/// The newest decisions that match. The block `rows` is what htmx swaps while somebody types.
#[derive(Debug, Clone, Template)]
#[template(path = "console/log/decisions.html", blocks = ["rows"])]
pub struct DecisionsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where the filter is sent, and the page without any filter.
    pub action: Link,
    /// The same page again.
    pub refresh: Link,
    /// `q`, as it was typed.
    pub query: String,
    /// `verdict`: one of [`VERDICTS`].
    pub verdict: String,
    /// At most 100, newest first.
    pub rows: Vec<DecisionRow>,
    /// What is shown, in one line ("The newest 100, as of 09:15:02").
    pub summary: String,
}

/// Values and labels of `verdict`.
pub const VERDICTS: [(&str, &str); 3] =
    [("", "Allow and deny"), ("allow", "Allow"), ("deny", "Deny")];

impl DecisionsPage {
    /// Options of `verdict`.
    pub fn verdicts(&self) -> Vec<Choice> {
        Choice::list(&VERDICTS, &self.verdict)
    }

    /// Whether anything is filtered.
    pub fn is_filtered(&self) -> bool {
        !self.query.is_empty() || !self.verdict.is_empty()
    }

    /// What the empty page says.
    pub fn empty_title(&self) -> &'static str {
        if self.is_filtered() { "No decision matches" } else { "No decisions yet" }
    }

    /// What it says to do.
    pub fn empty_advice(&self) -> &'static str {
        if self.is_filtered() {
            "None of the recorded decisions matches these filters."
        } else {
            "Open a protected app, and what was decided appears here."
        }
    }
}

/// How the list of decisions is filtered.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DecisionsQuery {
    q: String,
    verdict: String,
}

/// Answers with the newest decisions that match.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let DecisionsQuery { q, verdict } = asked.query()?;
    let shown = asked.shown(&console).await?;
    let limit = if q.is_empty() && verdict.is_empty() { NEWEST } else { SEARCHED };
    let lines = console.reader.recent(Show::Requests, limit, None).await;
    let lines = lines.map_err(|error| Box::new(asked.unavailable(&error)))?;
    let views = lines.iter().map(RecordView::of);
    let found = views.filter(|view| view.matches(&q, &verdict)).take(ROWS);
    let rules = Rules(&shown);
    let rows: Vec<_> = found.map(|view| view.row(rules)).collect();
    let at = Moment::new(asked.exchange.at).clock();
    let page = DecisionsPage {
        frame: shown.framed(asked.frame("Decisions", Section::Decisions)?),
        action: urls::decisions(),
        refresh: urls::decisions_where(&q, &verdict),
        summary: summary(rows.len(), &at),
        query: q,
        verdict,
        rows,
    };
    if asked.hx.wants_fragment() {
        let hx = HxOut::new().announce(&page.summary);
        let block = page::console(StatusCode::OK, &page.frame, &page.as_rows());
        return Ok((hx, block).into_response());
    }
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

fn summary(count: usize, at: &str) -> String {
    match count {
        0 => format!("No decision, as of {at} UTC."),
        1 => format!("1 decision, as of {at} UTC."),
        ROWS => format!("The newest {ROWS}, as of {at} UTC."),
        count => format!("{count} decisions, as of {at} UTC."),
    }
}
