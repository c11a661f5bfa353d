//! The newest decisions as they are made (server-sent events, WHATWG HTML section 9.2).
//!
//! A stream ends with the session that asked for it, or when its person may no longer read the log; looking at the log
//! this way is no use of the session.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use http::{HeaderName, HeaderValue};

use super::asking::{Address, Asked, List};
use super::record::{DecisionRow, RecordView, Rules};
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::showing::Shown;
use crate::model::id::{DecisionId, SessionId};
use crate::model::query::{Present, Query};
use crate::model::record::Verdict;
use crate::store::StoreError;
use crate::store::audit::search::{Found, Wanted};
use crate::web::fault::seal;

/// Between looks at the log.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Rows that one look sends at most.
const ROWS: usize = 10;
/// A proxy in between that gathers what it passes on would hold the rows back.
const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

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
    session: SessionId,
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
    let session = asked.caller.session.as_ref().map(|session| session.id.clone());
    // Who came with a token has no page to stream to.
    let session = session.ok_or_else(|| Box::new(asked.no_page()))?;
    let shown = asked.shown(&console).await?;
    let query = wanted.query();
    let mut tail = Tail { console, shown, query, session, last: None, state: State::Begun };
    let newest = match asked.resumed_behind() {
        Some(id) => Ok(Some(id)),
        None => tail.newest().await,
    };
    tail.last = newest.map_err(|error| Box::new(asked.unavailable(&error)))?;
    let mut response = Sse::new(tail.events()).keep_alive(KeepAlive::default()).into_response();
    seal(response.headers_mut());
    let (name, value) = UNBUFFERED;
    response.headers_mut().insert(name, value);
    Ok::<Response, _>(response)
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
        if !self.may_go_on().await {
            self.state = State::Over;
            return Some(vec![Event::default().event("signin").data("ended")]);
        }
        match self.look().await {
            Ok(events) => Some(events),
            Err(error) => {
                tracing::warn!(error = %error, "The newest decisions could not be read.");
                Some(Vec::new())
            }
        }
    }

    /// Whether the session lives and its person may read the log.
    async fn may_go_on(&self) -> bool {
        let keeper = &self.console.doorkeeper;
        let watched = keeper.sessions.watch(&self.session, keeper.public.host()).await;
        let Ok(Some(watched)) = watched else { return false };
        let principal = &watched.session.principal;
        self.console.rules.decide(principal, ConsoleAction::ReadLog).verdict == Verdict::Allow
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
