//! The newest decisions as they are made.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::response::sse::Event;

use super::asking::{Address, Asked, List};
use super::record::{DecisionRow, RecordView, Rules};
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::showing::Shown;
use crate::console::streaming::{self, Listener, Looks};
use crate::model::id::DecisionId;
use crate::model::query::{Present, Query};
use crate::store::StoreError;
use crate::store::audit::search::{Found, Wanted};

/// Rows that one look sends at most.
const ROWS: usize = 10;
/// One row, as it goes out.
#[derive(Debug, Template)]
#[template(path = "console/log/live_row.html")]
struct Row<'a> {
    row: &'a DecisionRow,
}

/// What a stream goes on from.
struct Tail {
    console: Arc<Console>,
    shown: Shown,
    wanted: Asked,
    listener: Listener,
    last: Option<DecisionId>,
}

/// Answers with the decisions that match, as they are made.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let address: Address = asked.query()?;
    let wanted = Asked::read(&address, List::Requests)
        .map_err(|_wrong| Box::new(asked.said().unreadable()))?;
    let listener = Listener::of(&asked)?;
    let shown = asked.shown(&console).await?;
    let mut tail = Tail { console, shown, wanted, listener, last: None };
    let newest = match asked.resumed_behind() {
        Some(id) => Ok(Some(id)),
        None => tail.newest().await,
    };
    tail.last = newest.map_err(|error| Box::new(asked.unavailable(&error)))?;
    Ok(streaming::looks(tail))
}

impl Looks for Tail {
    const EVERY: Duration = Duration::from_secs(1);

    fn console(&self) -> &Console {
        &self.console
    }

    fn listener(&self) -> (&Listener, ConsoleAction) {
        (&self.listener, ConsoleAction::ReadLog)
    }

    async fn look(&mut self) -> Vec<Event> {
        self.newer().await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "The newest decisions could not be read.");
            Vec::new()
        })
    }
}

impl Tail {
    async fn newer(&mut self) -> Result<Vec<Event>, StoreError> {
        let found = self.find(self.wanted.query(), ROWS).await?;
        let mut events: Vec<_> = found
            .lines
            .iter()
            .rev()
            .filter_map(|line| {
                let row = RecordView::of(line).row(Rules(&self.shown));
                event(&self.wanted.placed(row))
            })
            .collect();
        if found.older.is_some() {
            events.push(Event::default().event("skipped").data("more"));
        }
        self.last = found.lines.first().map(|line| line.id).or(self.last);
        Ok(events)
    }

    /// The newest record there is.
    async fn newest(&self) -> Result<Option<DecisionId>, StoreError> {
        let found = self.find(Query::default(), 1).await?;
        Ok(found.lines.first().map(|line| line.id))
    }

    async fn find(&self, query: Query, limit: usize) -> Result<Found, StoreError> {
        let known = Present { now: self.console.clock.now(), names: self.shown.names.clone() };
        let wanted = Wanted { query, known, before: None, after: self.last, limit };
        self.console.searcher.find(wanted).await
    }
}

fn event(row: &DecisionRow) -> Option<Event> {
    // A line of an event ends where its text does.
    let html = Row { row }.render().ok()?.replace(['\r', '\n'], " ");
    Some(Event::default().id(&row.id).data(html))
}
