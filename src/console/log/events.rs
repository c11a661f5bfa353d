//! What was changed and what else happened besides requests: who did it, to what and why, newest first.

use std::sync::Arc;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::asking::{Address, Asked, Chip, List, RANGES, Wrong};
use super::told::{EventRow, EventView, Names};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::Choice;
use crate::console::directory::known::known;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::count;
use crate::model::query::Present;
use crate::store::StoreError;
use crate::store::audit::search::{Found, Wanted};
use crate::web::hx::HxOut;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame};

/// Rows of a page.
const ROWS: usize = 50;

/// Events that match.
#[derive(Debug, Clone, Template)]
#[template(path = "console/log/events.html", blocks = ["rows"])]
pub struct EventsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where the filter is sent, and the page without any filter.
    pub action: Link,
    /// The same from its beginning.
    pub newest: Link,
    /// `q`, as it was typed.
    pub query: String,
    /// `range`: one of [`RANGES`].
    pub range: String,
    /// What is wrong with the query.
    pub wrong: Option<String>,
    /// Conditions that can be taken away.
    pub chips: Vec<Chip>,
    /// Newest first.
    pub rows: Vec<EventRow>,
    /// The page behind this one.
    pub older: Option<Link>,
    /// What is shown, in one line.
    pub summary: String,
}

impl EventsPage {
    /// Options of `range`.
    pub fn ranges(&self) -> Vec<Choice> {
        Choice::list(&RANGES, &self.range)
    }

    /// Whether anything is filtered.
    pub fn is_filtered(&self) -> bool {
        !self.query.is_empty()
    }

    /// What the empty page says.
    pub fn empty_title(&self) -> &'static str {
        if self.is_filtered() { "Nothing matches" } else { "Nothing was changed in this time" }
    }

    /// What it says to do.
    pub fn empty_advice(&self) -> &'static str {
        if self.is_filtered() {
            "Take a condition away, or look further back."
        } else {
            "Whatever somebody changes from now on appears here. Or look further back."
        }
    }
}

/// Answers with the events that match.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let address: Address = asked.query()?;
    let shown = asked.shown(&console).await?;
    let frame = shown.framed(asked.frame("Changes", Section::Changes)?);
    let wanted = match Asked::read(&address, List::Events) {
        Ok(wanted) => wanted,
        Err(wrong) => return Ok(refused(&asked, frame, (&address, wrong))),
    };
    let found = searched(&console, &asked, (&shown, &wanted)).await;
    let found = found.map_err(|error| Box::new(asked.unavailable(&error)))?;
    let known = known(&console).await.map_err(|error| Box::new(asked.unavailable(&error)))?;
    let names = Names { shown: &shown, known: &known };
    let page = filled(&asked, frame, (&wanted, &found, names));
    if asked.hx.wants_fragment() {
        let hx = HxOut::new().announce(&page.summary);
        let block = page::console(StatusCode::OK, &page.frame, &page.as_rows());
        return Ok((hx, block).into_response());
    }
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

async fn searched(
    console: &Console,
    asked: &Admitted,
    (shown, wanted): (&Shown, &Asked),
) -> Result<Found, StoreError> {
    let known = Present { now: asked.exchange.at, names: shown.names.clone() };
    let (query, before) = (wanted.query(), wanted.before);
    console.searcher.find(Wanted { query, known, before, after: None, limit: ROWS }).await
}

fn filled(
    asked: &Admitted,
    frame: Frame,
    (wanted, found, names): (&Asked, &Found, Names<'_>),
) -> EventsPage {
    EventsPage {
        frame,
        action: urls::events(),
        newest: wanted.newest(),
        query: wanted.text.clone(),
        range: wanted.range.to_owned(),
        wrong: None,
        chips: wanted.chips(),
        rows: found.lines.iter().map(|line| EventView::of(line).row(names)).collect(),
        older: found.older.map(|id| wanted.older(id)),
        summary: summary(found, &Moment::new(asked.exchange.at).clock()),
    }
}

/// The page with what is wrong beside the box. Nothing was searched, and what is on the screen stays there.
fn refused(asked: &Admitted, frame: Frame, (address, Wrong(text)): (&Address, Wrong)) -> Response {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    if asked.hx.wants_fragment() {
        let message = Message { text: &text };
        let hx = HxOut::new().announce(&text).retarget("#q-err").reswap("innerHTML");
        return (hx, page::console(status, &frame, &message)).into_response();
    }
    let page = EventsPage {
        frame,
        action: urls::events(),
        newest: urls::events(),
        query: address.q.clone(),
        range: List::Events.offered(&address.range).to_owned(),
        wrong: Some(text),
        chips: Vec::new(),
        rows: Vec::new(),
        older: None,
        summary: "Nothing was searched.".to_owned(),
    };
    page::console(status, &page.frame, &page)
}

/// What is wrong with the query, alone.
#[derive(Debug, Template)]
#[template(source = "{{ text }}", ext = "html")]
struct Message<'a> {
    text: &'a str,
}

fn summary(found: &Found, at: &str) -> String {
    let searched =
        found.looked_to.map(|to| format!("; searched back to {} so far", Moment::new(to).minute()));
    let what = count(found.lines.len(), "event");
    format!("{what}, as of {at} UTC{}.", searched.unwrap_or_default())
}
