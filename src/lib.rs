#![doc = include_str!("ARCHITECTURE.md")]

#[cfg(feature = "demo")]
pub mod demo;
pub mod model;
#[cfg(feature = "demo")]
pub mod sim;
