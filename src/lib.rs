#![doc = include_str!("ARCHITECTURE.md")]

pub mod model;
#[cfg(feature = "demo")]
pub mod sim;
