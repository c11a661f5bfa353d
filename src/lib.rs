#![doc = include_str!("ARCHITECTURE.md")]

pub mod audit;
pub mod authz;
pub mod config;
pub mod console;
pub mod gateway;
pub mod idp;
pub mod keys;
pub mod model;
pub mod portal;
pub mod rule_files;
#[cfg(feature = "demo")]
pub mod sim;
pub mod store;
pub mod telemetry;
pub mod web;
