//! What is counted here, for whoever shows it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Requests to Microsoft Graph since the start.
#[derive(Debug, Default)]
pub(super) struct Counters {
    asked: AtomicU64,
    throttled: AtomicU64,
}

impl Counters {
    /// A request goes out.
    pub(super) fn asked(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    /// It was answered with "later".
    pub(super) fn throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
    }

    /// Both, in this order.
    pub(super) fn read(&self) -> (u64, u64) {
        (self.asked.load(Ordering::Relaxed), self.throttled.load(Ordering::Relaxed))
    }
}
