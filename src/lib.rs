#![doc = include_str!("ARCHITECTURE.md")]

pub mod keys;
pub mod model;
pub mod session;
pub mod store;
