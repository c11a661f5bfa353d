//! One event of the log: who did what, and how it was before and after.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;

use super::checked::Checked;
use super::fact::Fact;
use super::told::{EventRow, EventView, Names};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::directory::known::known;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::urls;
use crate::model::id::DecisionId;
use crate::model::query::Present;
use crate::web::link::Link;
use crate::web::page::{self, Frame};

/// One event.
#[derive(Debug, Clone, Template)]
#[template(path = "console/log/event.html")]
pub struct EventPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The list.
    pub up: Link,
    /// The same facts as in the list.
    pub row: EventRow,
    /// All that it says.
    pub facts: Vec<Fact>,
    /// The object before, as JSON; none when it was not there.
    pub before: Option<String>,
    /// The object after.
    pub after: Option<String>,
    /// The record's JSON.
    pub body: String,
    /// How the log was found when it was checked last.
    pub checked: Checked,
    /// The proof that it is in the log.
    pub proof: Link,
}

impl EventPage {
    /// Whether it changed something.
    pub fn is_change(&self) -> bool {
        self.before.is_some() || self.after.is_some()
    }
}

/// Answers with the page of one event.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let nothing = || Box::new(asked.no_page());
    let failed = |error| Box::new(asked.unavailable(&error));
    let id: DecisionId = asked.param("event").parse().map_err(|_| nothing())?;
    let line = console.reader.record(id).await.map_err(failed)?;
    let view = line.as_ref().map(EventView::of).filter(EventView::is_event).ok_or_else(nothing)?;
    let shown = asked.shown(&console).await?;
    let known = known(&console).await.map_err(failed)?;
    let frame = shown.framed(asked.frame("Change", Section::Changes)?);
    let present = Present { now: asked.exchange.at, names: shown.names.clone() };
    let checked = Checked::record(&console, &present, id).await.map_err(failed)?;
    let page = filled(&view, (frame, checked), Names { shown: &shown, known: &known });
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

fn filled(view: &EventView, (frame, checked): (Frame, Checked), names: Names<'_>) -> EventPage {
    EventPage {
        frame,
        up: urls::events(),
        row: view.row(names),
        facts: view.facts(names),
        before: view.before(),
        after: view.after(),
        body: view.raw().to_owned(),
        checked,
        proof: view.proof(),
    }
}
