//! Random path patterns: `cargo +nightly fuzz run patterns`.

#![no_main]

#[path = "../properties.rs"]
#[expect(dead_code, reason = "each target has one property")]
mod properties;

libfuzzer_sys::fuzz_target!(|text: &str| properties::patterns(text));
