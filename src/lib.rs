#![doc = include_str!("ARCHITECTURE.md")]

pub mod authz;
pub mod model;
pub mod store;
