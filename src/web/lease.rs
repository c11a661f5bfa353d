//! What a connection holds for as long as anything of it is in use: its slot, its place among those of its client, and
//! the way to end it from elsewhere.
//!
//! The listener puts a lease among the extensions of every request. A tunnel takes it along, because the server counts a
//! connection as ended once it was upgraded (RFC 9110 section 7.8).

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

/// A share in what a connection holds; given back when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Lease {
    _held: Arc<dyn Debug + Send + Sync>,
    cut: Cut,
}

impl Lease {
    /// A lease of `held` on the connection that `cut` ends.
    pub fn new(held: impl Debug + Send + Sync + 'static, cut: Cut) -> Self {
        Self { _held: Arc::new(held), cut }
    }

    /// What ends the connection.
    pub fn cut(&self) -> &Cut {
        &self.cut
    }
}

/// Ends one connection from wherever a clone is held. HTTP/1.1 has one exchange at a time on a connection, so ending the
/// connection ends exactly that exchange: upload, answer and all that waits to be sent.
#[derive(Debug, Clone, Default)]
pub struct Cut(Arc<Wish>);

#[derive(Debug, Default)]
struct Wish {
    cut: CancellationToken,
    hard: AtomicBool,
}

impl Cut {
    /// Breaks the connection off, so that what was sent of an answer can't be taken for the whole: some clients see the end
    /// of a connection as the end of the body (RFC 9112 section 6.3).
    pub fn break_off(&self) {
        self.0.hard.store(true, Ordering::SeqCst);
        self.0.cut.cancel();
    }

    /// Asks whoever holds the connection to end it in their own way.
    pub fn end(&self) {
        self.0.cut.cancel();
    }

    /// Waits until somebody wants the connection to end.
    pub async fn wanted(&self) {
        self.0.cut.cancelled().await;
    }

    /// Whether the connection must be seen to break off.
    pub fn is_hard(&self) -> bool {
        self.0.hard.load(Ordering::SeqCst)
    }
}
