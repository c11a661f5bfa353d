#![doc = include_str!("ARCHITECTURE.md")]

pub mod idp;
pub mod model;
