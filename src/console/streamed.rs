//! Files that are written while the browser takes them: of any length, in little memory.

use std::io::Write;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Sender};

use crate::web::download;

/// Pieces that wait for the browser to take them.
const PIECES: usize = 8;
/// The size of a piece.
pub(super) const PIECE: usize = 64 * 1024;
/// Between looks whether a full pipe has room again.
const ROOM: Duration = Duration::from_millis(1);

/// Answers with a file of this name and type, which `write` writes on a thread that may wait.
pub(super) fn file(
    (name, kind): (&str, &'static str),
    write: impl FnOnce(Pipe) + Send + 'static,
) -> Response {
    let (pieces, taken) = mpsc::channel(PIECES);
    tokio::task::spawn_blocking(move || write(Pipe(pieces)));
    let flow = stream::unfold(taken, |mut taken: mpsc::Receiver<Piece>| async move {
        taken.recv().await.map(|piece| (piece, taken))
    });
    download::file(name, kind, Body::from_stream(flow))
}

type Piece = Result<Bytes, std::io::Error>;

/// Hands what is written to whoever takes it, and waits for them: on a thread that may wait.
#[derive(Debug, Clone)]
pub(super) struct Pipe(Sender<Piece>);

impl Pipe {
    /// Ends the file so that nobody takes it for complete.
    pub(super) fn break_off(&self) {
        // The browser may have left.
        drop(self.push(Err(std::io::Error::other("the file broke off"))));
    }

    fn push(&self, mut piece: Piece) -> std::io::Result<()> {
        loop {
            match self.0.try_send(piece) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(back)) => piece = back,
                Err(TrySendError::Closed(_)) => return Err(std::io::ErrorKind::BrokenPipe.into()),
            }
            // A future that waits can't be waited for here: what writes may be one itself.
            std::thread::sleep(ROOM);
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.push(Ok(Bytes::copy_from_slice(bytes)))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
