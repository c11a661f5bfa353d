//! A card of the page: what it shows, or that it could not be read.

use crate::store::StoreError;

/// What a card shows, or nothing of it.
pub type Card<T> = Result<T, Unread>;

/// A card that could not be read; what it would have shown is not known, and the others stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread;

impl Unread {
    /// Notes why, for operators.
    pub(super) fn because(error: &StoreError) -> Self {
        tracing::error!(error = %error, "A part of the console's first page could not be read.");
        Self
    }
}
