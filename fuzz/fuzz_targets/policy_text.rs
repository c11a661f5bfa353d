//! Random policies: `cargo +nightly fuzz run policy_text`.

#![no_main]

#[path = "../properties.rs"]
#[expect(dead_code, reason = "each target has one property")]
mod properties;

libfuzzer_sys::fuzz_target!(|text: &str| properties::policy_text(text));
