//! The body of an answer on its way to the client, known to the watcher as soon as it has to be waited for.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;

use super::open::Watch;
use super::wires::Wire;
use crate::model::cut::ConnectionKind;

/// The body of an answer, as it comes.
#[derive(Debug)]
pub(super) struct Streamed {
    body: Incoming,
    wire: Wire,
    /// None once the body is complete.
    watch: Option<Watch>,
}

impl Streamed {
    pub(super) fn new(body: Incoming, wire: Wire, watch: Watch) -> Self {
        Self { body, wire, watch: Some(watch) }
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        self.wire.rest();
    }
}

impl HttpBody for Streamed {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let polled = this.wire.poll_frame(&mut this.body, context);
        match (&polled, &mut this.watch) {
            (Poll::Pending, Some(watch)) if !watch.has_entered() => {
                watch.enter(ConnectionKind::Request);
            }
            (Poll::Ready(Some(Ok(_))), Some(watch)) => watch.beat(),
            (Poll::Ready(Some(Err(_)) | None), _) => this.watch = None,
            (Poll::Pending | Poll::Ready(_), _) => {}
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
