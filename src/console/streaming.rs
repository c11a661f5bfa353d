//! What a page that is open is told as it happens (server-sent events, WHATWG HTML section 9.2).
//!
//! A stream ends with the session that asked for it, or when its person may not see it any more; looking this way is no use
//! of the session.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use http::{HeaderName, HeaderValue};

use super::guard::Admitted;
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::model::id::SessionId;
use crate::model::record::Verdict;
use crate::store::StoreError;
use crate::web::fault::seal;

/// A proxy in between that gathers what it passes on would hold it back.
const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// What a look brings.
pub(super) type Looking<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<Event>, StoreError>> + Send + 'a>>;

/// Something that is looked at again and again.
pub(super) trait Look: Send + 'static {
    /// Between looks.
    const EVERY: Duration;

    /// What there is to send.
    fn look(&mut self) -> Looking<'_>;
}

/// Who a stream is for, and what they must be allowed to do.
pub(super) struct Watch {
    console: Arc<Console>,
    session: SessionId,
    action: ConsoleAction,
}

impl Watch {
    /// For whoever asked.
    ///
    /// # Errors
    /// With the answer, 404: who came with a token has no page to stream to.
    pub(super) fn of(
        console: &Arc<Console>,
        asked: &Admitted,
        action: ConsoleAction,
    ) -> Result<Self, Box<Response>> {
        let session = asked.caller.session.as_ref().map(|session| session.id.clone());
        let session = session.ok_or_else(|| Box::new(asked.no_page()))?;
        Ok(Self { console: Arc::clone(console), session, action })
    }

    /// Whether the session lives and its person may see this.
    async fn may_go_on(&self) -> bool {
        let keeper = &self.console.doorkeeper;
        let watched = keeper.sessions.watch(&self.session, keeper.public.host()).await;
        let Ok(Some(watched)) = watched else { return false };
        let principal = &watched.session.principal;
        self.console.rules.decide(principal, self.action).verdict == Verdict::Allow
    }
}

/// How far a stream is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Begun,
    Going,
    Over,
}

/// A stream of what is looked at.
pub(super) fn stream<L: Look>(watch: Watch, look: L) -> Response {
    let events = events(Streaming { watch, look, state: State::Begun });
    let mut response = Sse::new(events).keep_alive(KeepAlive::default()).into_response();
    seal(response.headers_mut());
    let (name, value) = UNBUFFERED;
    response.headers_mut().insert(name, value);
    response
}

struct Streaming<L> {
    watch: Watch,
    look: L,
    state: State,
}

fn events<L: Look>(streaming: Streaming<L>) -> impl Stream<Item = Result<Event, Infallible>> {
    let pieces = stream::unfold(streaming, |mut streaming| async move {
        let events = streaming.next().await?;
        Some((stream::iter(events.into_iter().map(Ok)), streaming))
    });
    pieces.flatten()
}

impl<L: Look> Streaming<L> {
    /// What the next look brings; none at the end.
    async fn next(&mut self) -> Option<Vec<Event>> {
        match self.state {
            State::Over => return None,
            State::Going => {
                let pause = tokio::time::sleep(L::EVERY);
                self.watch.console.stop.run_until_cancelled(pause).await?;
            }
            State::Begun => self.state = State::Going,
        }
        if !self.watch.may_go_on().await {
            self.state = State::Over;
            return Some(vec![Event::default().event("signin").data("ended")]);
        }
        match self.look.look().await {
            Ok(events) => Some(events),
            Err(error) => {
                tracing::warn!(error = %error, "What a page streams could not be read.");
                Some(Vec::new())
            }
        }
    }
}
