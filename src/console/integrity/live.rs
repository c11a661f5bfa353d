//! How far a check of the log is, as it goes on: a line of text a moment, and `done` at its end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::Event;
use futures_util::stream::{self, Stream};

use super::checks::{Progress, Running};
use super::page::read_so_far;
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::streaming::{self, Listener};

/// Between two lines.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// What a stream goes on from.
struct Follower {
    console: Arc<Console>,
    listener: Listener,
    running: Option<Arc<Running>>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Begun,
    Going,
    Over,
}

/// Answers with how far the check is that is at work.
pub(super) fn page(console: Arc<Console>, asked: &Admitted) -> Answer {
    let listener = Listener::of(asked)?;
    let running = console.checks.running();
    let follower = Follower { console, listener, running, state: State::Begun };
    Ok(streaming::answer(follower.events()))
}

impl Follower {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut follower| async move {
            let event = follower.next().await?;
            Some((Ok(event), follower))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        match self.state {
            State::Over => return None,
            State::Going => self.pause().await?,
            State::Begun => self.state = State::Going,
        }
        if !self.listener.may(&self.console, ConsoleAction::ReadLog).await {
            self.state = State::Over;
            return Some(streaming::signed_out());
        }
        match self.running.as_ref().map(|running| (running.now(), running)) {
            Some((Progress::Reading(read), running)) => {
                Some(Event::default().data(read_so_far(read, running.records)))
            }
            Some((Progress::Ended(_), _)) | None => {
                self.state = State::Over;
                Some(Event::default().event("done").data("ended"))
            }
        }
    }

    /// A moment, or until it ends; none when the gate stops.
    async fn pause(&self) -> Option<()> {
        let running = self.running.as_ref()?;
        let mut progress = running.progress();
        let ended = progress.wait_for(|now| matches!(now, Progress::Ended(_)));
        let moment = tokio::time::timeout(TELL_EVERY, ended);
        // Whether it ended or not is looked at next.
        self.console.stop.run_until_cancelled(moment).await.map(drop)
    }
}
