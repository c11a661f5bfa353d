//! What a connection holds for as long as anything of it is in use: its slot, and its place among those of its client.
//!
//! The listener puts a lease among the extensions of every request. A tunnel takes it along, because the server counts a
//! connection as ended once it was upgraded (RFC 9110 section 7.8).

use std::fmt::Debug;
use std::sync::Arc;

/// A share in what a connection holds; given back when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Lease {
    _held: Arc<dyn Debug + Send + Sync>,
}

impl Lease {
    /// A lease of `held`.
    pub fn new(held: impl Debug + Send + Sync + 'static) -> Self {
        Self { _held: Arc::new(held) }
    }
}
