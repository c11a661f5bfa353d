//! Whole flows, as a person or a program sees them. One binary, so that everything is linked once.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on fails"
)]

#[cfg(feature = "demo")]
mod chromium;
#[cfg(feature = "demo")]
mod harness;
mod tidy;
#[cfg(feature = "demo")]
mod walk;
