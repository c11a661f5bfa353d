//! Bodies that must arrive in time: nobody holds a connection of ours by sending a form that never ends.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// From the first look at the body to its end. Forms of ours are small.
const LIMIT: Duration = Duration::from_secs(10);

/// The body did not arrive in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body did not arrive in time")]
struct Late;

/// The same body, which fails when it is not all there in time.
pub fn hurried(body: Body) -> Body {
    within(LIMIT, body)
}

/// The same with a limit of one's own.
pub(super) fn within(limit: Duration, body: Body) -> Body {
    Body::new(Hurried { body, limit, end: None })
}

struct Hurried {
    body: Body,
    limit: Duration,
    end: Option<Pin<Box<Sleep>>>,
}

impl HttpBody for Hurried {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_ready() {
            return polled;
        }
        let limit = self.limit;
        let end = self.end.get_or_insert_with(|| Box::pin(sleep(limit)));
        end.as_mut().poll(context).map(|()| Some(Err(axum::Error::new(Late))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
