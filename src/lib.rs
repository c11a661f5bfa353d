#![doc = include_str!("ARCHITECTURE.md")]

pub mod audit;
pub mod authz;
pub mod idp;
pub mod model;
#[cfg(feature = "demo")]
pub mod sim;
pub mod store;
