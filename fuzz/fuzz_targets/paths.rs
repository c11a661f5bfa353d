//! Random request targets: `cargo +nightly fuzz run paths`.

#![no_main]

#[path = "../properties.rs"]
#[expect(dead_code, reason = "each target has one property")]
mod properties;

libfuzzer_sys::fuzz_target!(|raw: &[u8]| properties::paths(raw));
