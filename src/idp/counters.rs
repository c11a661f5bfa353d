//! What is counted here, for whoever shows it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Requests to Microsoft Graph since the start.
#[derive(Debug, Default)]
pub(super) struct Counters {
    asked: AtomicU64,
    throttled: AtomicU64,
}

/// Whether a token without a word on groups was pointed out since the start.
#[derive(Debug, Default)]
pub(super) struct Silence(AtomicBool);

impl Silence {
    /// Says it once. `kind` is what the token is called in the registration: `ID`, `Access`.
    pub(super) fn noted(&self, kind: &'static str) {
        if !self.0.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                token = kind,
                "A token came without a `groups` claim. So it is for people in no group; but when everybody's are so, the \
                 registration does not emit it, and rules on groups hold for nobody: add the groups claim under Token \
                 configuration, for this kind of token, or set `entra.groups` to `graph`."
            );
        }
    }
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
