//! How long an upstream may keep us waiting: as long as something moves.
//!
//! A fixed limit from the first byte of the request would cut long uploads; so the wait is counted from the last body
//! chunk that went to the upstream.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

/// The last time that something moved.
#[derive(Debug, Clone)]
pub(super) struct Pulse {
    begun: Instant,
    last_ms: Arc<AtomicU64>,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self { begun: Instant::now(), last_ms: Arc::new(AtomicU64::new(0)) }
    }

    /// One that began this long ago.
    #[cfg(test)]
    pub(super) fn of_age(age: Duration) -> Self {
        let now = Instant::now();
        Self { begun: now.checked_sub(age).unwrap_or(now), ..Self::new() }
    }

    pub(super) fn beat(&self) {
        let passed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(passed, Ordering::Relaxed);
    }

    /// How long ago it began.
    pub(super) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// For how long nothing has moved.
    pub(super) fn still(&self) -> Duration {
        self.last().elapsed()
    }

    fn last(&self) -> Instant {
        self.begun + Duration::from_millis(self.last_ms.load(Ordering::Relaxed))
    }

    /// Waits until nothing has moved for `patience`.
    pub(super) async fn still_for(&self, patience: Duration) {
        loop {
            let end = self.last() + patience;
            if end <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(end).await;
        }
    }
}

/// A request body that beats the pulse with every chunk taken from it.
#[derive(Debug)]
pub(super) struct Watched {
    body: Body,
    pulse: Pulse,
    /// Lives as long as the body; none where there is no body.
    more: Option<Arc<()>>,
}

impl Watched {
    pub(super) fn new(body: Body, pulse: Pulse) -> Self {
        let more = (!body.is_end_stream()).then(Arc::default);
        Self { body, pulse, more }
    }

    /// Tells later on whether all of it was taken.
    pub(super) fn end(&self) -> BodyEnd {
        BodyEnd(self.more.as_ref().map(Arc::downgrade))
    }
}

/// The end of a request body, seen from elsewhere.
#[derive(Debug)]
pub(super) struct BodyEnd(Option<Weak<()>>);

impl BodyEnd {
    /// Whether nothing more is taken of the body.
    pub(super) fn is_reached(&self) -> bool {
        self.0.as_ref().is_none_or(|more| more.strong_count() == 0)
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_ready() {
            self.pulse.beat();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
