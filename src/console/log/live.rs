//! The newest decisions as they are made.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::response::sse::Event;
use futures_util::stream::{self, Stream};

use super::asking::{Address, Asked, List};
use super::record::{DecisionRow, RecordView, Rules};
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::showing::Shown;
use crate::console::streaming::{self, Listener};
use crate::model::id::DecisionId;
use crate::model::query::{Present, Query};
use crate::store::StoreError;
use crate::store::audit::search::{Found, Wanted};

/// Between looks at the log.
const LOOK_EVERY: Duration = Duration::from_secs(1);
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
    query: Query,
    listener: Listener,
    last: Option<DecisionId>,
    state: State,
}

/// How far a stream is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Begun,
    Going,
    Over,
}

/// Answers with the decisions that match, as they are made.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let address: Address = asked.query()?;
    let wanted = Asked::read(&address, List::Requests)
        .map_err(|_wrong| Box::new(asked.said().unreadable()))?;
    let listener = Listener::of(&asked)?;
    let shown = asked.shown(&console).await?;
    let query = wanted.query();
    let mut tail = Tail { console, shown, query, listener, last: None, state: State::Begun };
    let newest = match asked.resumed_behind() {
        Some(id) => Ok(Some(id)),
        None => tail.newest().await,
    };
    tail.last = newest.map_err(|error| Box::new(asked.unavailable(&error)))?;
    Ok(streaming::answer(tail.events()))
}

impl Tail {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        let pieces = stream::unfold(self, |mut tail| async move {
            let events = tail.next().await?;
            Some((stream::iter(events.into_iter().map(Ok)), tail))
        });
        futures_util::StreamExt::flatten(pieces)
    }

    /// What the next look brings; none at the end.
    async fn next(&mut self) -> Option<Vec<Event>> {
        match self.state {
            State::Over => return None,
            State::Going => {
                let pause = tokio::time::sleep(LOOK_EVERY);
                self.console.stop.run_until_cancelled(pause).await?;
            }
            State::Begun => self.state = State::Going,
        }
        if !self.listener.may(&self.console, ConsoleAction::ReadLog).await {
            self.state = State::Over;
            return Some(vec![streaming::signed_out()]);
        }
        match self.look().await {
            Ok(events) => Some(events),
            Err(error) => {
                tracing::warn!(error = %error, "The newest decisions could not be read.");
                Some(Vec::new())
            }
        }
    }

    async fn look(&mut self) -> Result<Vec<Event>, StoreError> {
        let found = self.find(self.query.clone(), ROWS).await?;
        let mut events: Vec<_> = found
            .lines
            .iter()
            .rev()
            .filter_map(|line| {
                let row = RecordView::of(line).row(Rules(&self.shown));
                event(&row)
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
