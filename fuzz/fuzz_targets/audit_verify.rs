//! Random exports, proofs and checkpoints of the log: `cargo +nightly fuzz run audit_verify`.

#![no_main]

#[path = "../properties.rs"]
#[expect(dead_code, reason = "each target has one property")]
mod properties;

libfuzzer_sys::fuzz_target!(|raw: &[u8]| properties::audit_verify(raw));
