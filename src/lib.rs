#![doc = include_str!("ARCHITECTURE.md")]

pub mod authz;
pub mod gateway;
pub mod keys;
pub mod model;
pub mod session;
pub mod store;
pub mod web;
