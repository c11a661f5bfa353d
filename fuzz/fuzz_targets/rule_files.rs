//! Random rule files: `cargo +nightly fuzz run rule_files`.

#![no_main]

#[path = "../properties.rs"]
#[expect(dead_code, reason = "each target has one property")]
mod properties;

libfuzzer_sys::fuzz_target!(|text: &str| properties::rule_files(text));
