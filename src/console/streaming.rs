//! What streams to a page have in common (server-sent events, WHATWG HTML section 9.2).
//!
//! A stream ends with the session that asked for it, or when its person may no longer see what it tells. Listening is no use
//! of a session.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use http::{HeaderName, HeaderValue};

use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::model::id::SessionId;
use crate::model::record::Verdict;
use crate::web::fault::seal;

use super::guard::Admitted;

/// A proxy in between that gathers what it passes on would hold the events back.
const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// Whom a stream is for.
#[derive(Debug)]
pub(super) struct Listener(SessionId);

impl Listener {
    /// Whoever sent this.
    ///
    /// # Errors
    /// With the answer, 404: who came with a token has no page to stream to.
    pub(super) fn of(asked: &Admitted) -> Result<Self, Box<Response>> {
        let session = asked.caller.session.as_ref().map(|session| session.id.clone());
        session.map(Self).ok_or_else(|| Box::new(asked.no_page()))
    }

    /// Whether the session lives and its person may do this.
    pub(super) async fn may(&self, console: &Console, action: ConsoleAction) -> bool {
        let keeper = &console.doorkeeper;
        let watched = keeper.sessions.watch(&self.0, keeper.public.host()).await;
        let Ok(Some(watched)) = watched else { return false };
        console.rules.decide(&watched.session.principal, action).verdict == Verdict::Allow
    }
}

/// What a page that is open looks at again and again.
pub(super) trait Looks: Send + Sized + 'static {
    /// Between looks.
    const EVERY: Duration;

    /// The console.
    fn console(&self) -> &Console;

    /// Whom it is told, and what they must still be allowed.
    fn listener(&self) -> (&Listener, ConsoleAction);

    /// What a look brings; nothing when it failed, which the next one may mend.
    fn look(&mut self) -> impl Future<Output = Vec<Event>> + Send;
}

/// How far a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Begun,
    Going,
    Over,
}

/// Answers with what each look brings, until the session ends or the gate stops.
pub(super) fn looks<L: Looks>(looking: L) -> Response {
    let pieces = stream::unfold((looking, State::Begun), |(mut looking, state)| async move {
        let (events, state) = next(&mut looking, state).await?;
        Some((stream::iter(events.into_iter().map(Ok)), (looking, state)))
    });
    answer(futures_util::StreamExt::flatten(pieces))
}

/// What comes next, and how far the stream is then; none at the end.
async fn next<L: Looks>(looking: &mut L, state: State) -> Option<(Vec<Event>, State)> {
    match state {
        State::Over => return None,
        State::Going => {
            let pause = tokio::time::sleep(L::EVERY);
            looking.console().stop.run_until_cancelled(pause).await?;
        }
        State::Begun => {}
    }
    let (listener, action) = looking.listener();
    if !listener.may(looking.console(), action).await {
        return Some((vec![signed_out()], State::Over));
    }
    Some((looking.look().await, State::Going))
}

/// What says that the session ended.
pub(super) fn signed_out() -> Event {
    Event::default().event("signin").data("ended")
}

/// Answers with a stream.
pub(super) fn answer<S>(events: S) -> Response
where
    S: Stream<Item = Result<Event, Infallible>> + Send + 'static,
{
    let mut response = Sse::new(events).keep_alive(KeepAlive::default()).into_response();
    seal(response.headers_mut());
    let (name, value) = UNBUFFERED;
    response.headers_mut().insert(name, value);
    response
}
