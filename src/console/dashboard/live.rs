//! The sentence and the numbers of a page that is open, every five seconds.

use std::sync::Arc;
use std::time::Duration;

use askama::Template as _;
use axum::response::sse::Event;

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
use crate::console::streaming::{self, Listener, Looks};
use crate::store::StoreError;

/// What a stream goes on from.
struct Numbers {
    console: Arc<Console>,
    range: Range,
    reads: Reads,
    listener: Listener,
    /// The sentence that was sent last.
    said: Option<String>,
}

/// Answers with the numbers as they change.
pub(super) fn page(console: Arc<Console>, asked: &Admitted) -> Answer {
    let Address { range } = asked.query()?;
    let reads = reads(&console, asked);
    let listener = Listener::of(asked)?;
    let numbers = Numbers { console, range, reads, listener, said: None };
    Ok(streaming::looks(numbers))
}

impl Looks for Numbers {
    const EVERY: Duration = Duration::from_secs(5);

    fn console(&self) -> &Console {
        &self.console
    }

    fn listener(&self) -> (&Listener, ConsoleAction) {
        let action = match self.reads {
            Reads::Log => ConsoleAction::ReadLog,
            Reads::Numbers => ConsoleAction::ReadRules,
        };
        (&self.listener, action)
    }

    async fn look(&mut self) -> Vec<Event> {
        self.newest().await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "The numbers of the first page could not be read.");
            Vec::new()
        })
    }
}

impl Numbers {
    async fn newest(&mut self) -> Result<Vec<Event>, StoreError> {
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
