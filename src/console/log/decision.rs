//! One decision with everything that its record holds.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;

use super::checked::Checked;
use super::fact::Fact;
use super::record::{DecisionRow, RecordView, Rules};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::urls;
use crate::model::id::DecisionId;
use crate::model::query::Present;
use crate::web::link::Link;
use crate::web::page::{self, Frame, Tone};

/// One decision.
#[derive(Debug, Clone, Template)]
#[template(path = "console/log/decision.html")]
pub struct DecisionPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The list of decisions.
    pub up: Link,
    /// Why it fell so, in the simulator; none for what no release decides on.
    pub why: Option<Link>,
    /// The same facts as in the list.
    pub row: DecisionRow,
    /// Why, in one or two more sentences.
    pub explanation: String,
    /// Further facts of the request: client, host, session, MFA, path parameters.
    pub asked: Vec<Fact>,
    /// Further facts of the decision: release, route, errors, duration.
    pub decided: Vec<Fact>,
    /// Groups by name and roles at that moment.
    pub memberships: Vec<String>,
    /// The record's JSON.
    pub body: String,
    /// How the log was found when it was checked last.
    pub checked: Checked,
    /// The proof that it is in the log.
    pub proof: Link,
}

impl DecisionPage {
    /// The first word of the heading.
    pub fn heading(&self) -> &'static str {
        match self.row.verdict.tone {
            Tone::Good => "Allowed",
            Tone::Bad => "Denied",
            Tone::Careful | Tone::Plain => "Decided",
        }
    }
}

/// Answers with the page of one decision.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let nothing = || Box::new(asked.no_page());
    let id: DecisionId = asked.param("id").parse().map_err(|_| nothing())?;
    let failed = |error| Box::new(asked.unavailable(&error));
    let line = console.reader.record(id).await.map_err(failed)?;
    let view = line.as_ref().map(RecordView::of).filter(RecordView::is_request);
    let shown = asked.shown(&console).await?;
    let frame = shown.framed(asked.frame("Decision", Section::Decisions)?);
    let view = view.ok_or_else(nothing)?;
    let present = Present { now: asked.exchange.at, names: shown.names.clone() };
    let checked = Checked::record(&console, &present, id).await.map_err(failed)?;
    let page = filled(&view, (frame, checked), Rules(&shown));
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// What the page shows.
fn filled(view: &RecordView, (frame, checked): (Frame, Checked), rules: Rules<'_>) -> DecisionPage {
    DecisionPage {
        frame,
        up: urls::decisions(),
        why: view.simulated(),
        row: view.row(rules),
        explanation: view.explanation().to_owned(),
        asked: view.asked(),
        decided: view.decided(),
        memberships: view.memberships(rules),
        body: view.raw().to_owned(),
        checked,
        proof: view.proof(),
    }
}
