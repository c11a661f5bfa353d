//! The sentence and the numbers of a page that is open, every five seconds.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use askama::Template as _;
use axum::response::sse::Event;
use futures_util::stream::{self, Stream};

use super::card::Unread;
use super::lost;
use super::now::{Now, Reads, Told};
use super::page::{naming, reads};
use super::range::{Address, Range};
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::showing::Shown;
use crate::console::streaming::{self, Listener};
use crate::store::StoreError;

/// Between looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What a stream goes on from.
struct Numbers {
    console: Arc<Console>,
    range: Range,
    reads: Reads,
    listener: Listener,
    /// The sentence that was sent last.
    said: Option<String>,
    state: State,
}

/// How far a stream is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Begun,
    Going,
    Over,
}

/// Answers with the numbers as they change.
pub(super) fn page(console: Arc<Console>, asked: &Admitted) -> Answer {
    let Address { range } = asked.query()?;
    let reads = reads(&console, asked);
    let listener = Listener::of(asked)?;
    let numbers = Numbers { console, range, reads, listener, said: None, state: State::Begun };
    Ok(streaming::answer(numbers.stream()))
}

impl Numbers {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        let pieces = stream::unfold(self, |mut numbers| async move {
            let events = numbers.next().await?;
            Some((stream::iter(events.into_iter().map(Ok)), numbers))
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
        let action = match self.reads {
            Reads::Log => ConsoleAction::ReadLog,
            Reads::Numbers => ConsoleAction::ReadRules,
        };
        if !self.listener.may(&self.console, action).await {
            self.state = State::Over;
            return Some(vec![streaming::signed_out()]);
        }
        match self.look().await {
            Ok(events) => Some(events),
            Err(error) => {
                tracing::warn!(error = %error, "The numbers of the first page could not be read.");
                Some(Vec::new())
            }
        }
    }

    async fn look(&mut self) -> Result<Vec<Event>, StoreError> {
        let console = &*self.console;
        let now = console.clock.now();
        let shown = Shown::load(&console.store, &console.groups).await?;
        let overview = console.searcher.sums(self.range.span(now)).await;
        let overview = overview.map_err(|error| Unread::because(&error));
        let lost = lost::read(console, (&shown, naming(self.reads)), now).await;
        let (range, reads) = (self.range, self.reads);
        let told = Told { overview: &overview, lost: &lost, shown: &shown, range, reads };
        let now = Now::of(told);
        Ok(self.events(&now))
    }

    /// The numbers, and the sentence to be read out when it is another one.
    fn events(&mut self, now: &Now) -> Vec<Event> {
        let Ok(html) = now.render() else { return Vec::new() };
        let mut events = vec![Event::default().data(html.replace(['\r', '\n'], " "))];
        let known = self.said.replace(now.said().to_owned());
        if known.is_some_and(|known| known != now.said()) {
            events.push(Event::default().event("announce").data(now.said()));
        }
        events
    }
}
