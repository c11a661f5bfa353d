//! Whole flows, as a person or a program sees them. One binary, so that everything is linked once.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![cfg_attr(
    feature = "demo",
    expect(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        reason = "a test that can't go on fails"
    )
)]

#[cfg(feature = "demo")]
mod answers;
#[cfg(feature = "demo")]
mod audit;
#[cfg(feature = "demo")]
mod bearer;
#[cfg(feature = "demo")]
mod canary;
#[cfg(feature = "demo")]
mod certification;
#[cfg(feature = "demo")]
mod chromium;
#[cfg(feature = "demo")]
mod clients;
#[cfg(feature = "demo")]
mod console;
#[cfg(feature = "demo")]
mod console_pages;
#[cfg(feature = "demo")]
mod custody;
#[cfg(feature = "demo")]
mod cutting;
#[cfg(feature = "demo")]
mod demo;
#[cfg(feature = "demo")]
mod denied;
#[cfg(feature = "demo")]
mod entra_errors;
mod examples;
#[cfg(feature = "demo")]
mod flows;
#[cfg(feature = "demo")]
mod framing;
#[cfg(feature = "demo")]
mod front_channel;
#[cfg(feature = "demo")]
mod fuzzed;
#[cfg(feature = "demo")]
mod harness;
#[cfg(feature = "demo")]
mod hostile_names;
#[cfg(feature = "demo")]
mod matrix;
#[cfg(feature = "demo")]
mod names;
#[cfg(feature = "demo")]
mod outages;
#[cfg(feature = "demo")]
mod pages;
#[cfg(feature = "demo")]
mod paths;
#[cfg(feature = "demo")]
mod replay;
#[cfg(feature = "demo")]
mod routes;
#[cfg(feature = "demo")]
mod rules;
#[cfg(feature = "demo")]
mod sessions;
#[cfg(feature = "demo")]
mod sign_in;
#[cfg(feature = "demo")]
mod smuggling;
#[cfg(feature = "demo")]
mod step_up;
#[cfg(feature = "demo")]
mod streams;
mod tidy;
#[cfg(feature = "demo")]
mod walk;
#[cfg(feature = "demo")]
mod websockets;
#[cfg(feature = "demo")]
mod wire;
