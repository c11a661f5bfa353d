//! Random queries: `cargo +nightly fuzz run audit_query`.

#![no_main]

#[path = "../properties.rs"]
#[expect(dead_code, reason = "each target has one property")]
mod properties;

libfuzzer_sys::fuzz_target!(|text: &str| properties::audit_query(text));
