//! An open WebSocket: bytes both ways until one side closes, the gate stops, or it is cut.
//!
//! When we end it, each side is told so by a close frame where one fits between the frames that passed (RFC 6455 section
//! 7.4.1); in the middle of a frame nothing can be said, and the connection just ends.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::Request;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio_util::sync::CancellationToken;

use super::frames::{Frames, close_to_client, close_to_server};
use super::open::Watch;
use super::patience::Pulse;
use crate::web::lease::Lease;

/// The gate stops.
const GOING_AWAY: u16 = 1001;
/// Nobody would be let in any more.
const POLICY_VIOLATION: u16 = 1008;
/// Saying farewell may take this long; a side that does not read is left without.
const FAREWELL: Duration = Duration::from_secs(1);

/// The client's end of a connection that may become a tunnel.
#[derive(Debug)]
pub(super) struct ClientEnd {
    bytes: OnUpgrade,
    /// A tunnel counts as a connection of its client until it ends.
    lease: Option<Lease>,
}

impl ClientEnd {
    /// Takes the client's end out of a request, where the server put it.
    pub(super) fn take<B>(request: &mut Request<B>) -> Option<Self> {
        let extensions = request.extensions_mut();
        let lease = extensions.remove::<Lease>();
        Some(Self { bytes: extensions.remove::<OnUpgrade>()?, lease })
    }
}

/// What a tunnel is held by.
#[derive(Debug)]
pub(super) struct Hold {
    pub(super) watch: Watch,
    pub(super) stop: CancellationToken,
}

/// Carries bytes both ways until one side closes, or the hold ends it.
pub(super) async fn tunnel(client: ClientEnd, upstream: OnUpgrade, hold: Hold) {
    let ClientEnd { bytes, lease } = client;
    let Hold { watch, stop } = hold;
    let cut = watch.open().cut.clone();
    let opened = tokio::select! {
        opened = async { tokio::try_join!(bytes, upstream) } => opened,
        () = stop.cancelled() => return,
        () = cut.wanted() => return,
    };
    let (client, upstream) = match opened {
        Ok(opened) => opened,
        Err(error) => return tracing::debug!(error = %error, "A WebSocket did not come to be."),
    };
    let pulse = &watch.open().pulse;
    let (mut client, mut upstream) = (Side::new(client, pulse), Side::new(upstream, pulse));
    let code = tokio::select! {
        ended = tokio::io::copy_bidirectional(&mut client, &mut upstream) => {
            if let Err(error) = ended {
                tracing::debug!(error = %error, "A WebSocket ended.");
            }
            return;
        }
        () = stop.cancelled() => GOING_AWAY,
        () = cut.wanted() => POLICY_VIOLATION,
    };
    let farewell = async { tokio::join!(part(&mut client, code), leave(&mut upstream)) };
    if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
        tracing::debug!("A WebSocket was ended without a farewell.");
    }
    drop((lease, watch));
}

/// Tells the client why it ends. Whether they hear it is up to them.
async fn part(client: &mut Side, code: u16) {
    if client.frames.has_room() {
        drop(client.io.write_all(&close_to_client(code)).await);
    }
    drop(client.io.shutdown().await);
}

/// Tells the app that its client is gone; the reason is not its business.
async fn leave(upstream: &mut Side) {
    let mut mask = [0; 4];
    // Frames of clients are masked with what nobody can foresee; without randomness there is none.
    if upstream.frames.has_room() && getrandom::fill(&mut mask).is_ok() {
        drop(upstream.io.write_all(&close_to_server(GOING_AWAY, mask)).await);
    }
    drop(upstream.io.shutdown().await);
}

/// One side of a tunnel, with an eye on what was written to it.
struct Side {
    io: TokioIo<Upgraded>,
    frames: Frames,
    pulse: Pulse,
}

impl Side {
    fn new(upgraded: Upgraded, pulse: &Pulse) -> Self {
        Self { io: TokioIo::new(upgraded), frames: Frames::default(), pulse: pulse.clone() }
    }
}

impl AsyncRead for Side {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

/// What counts is what really went out: bytes that were read but not yet written are not part of any frame.
impl AsyncWrite for Side {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(context, bytes))?;
        self.frames.pass(bytes.get(..written).unwrap_or(bytes));
        self.pulse.beat();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let first = slices.iter().find(|slice| !slice.is_empty());
        self.poll_write(context, first.map_or(&[], |slice| slice))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
