#![doc = include_str!("ARCHITECTURE.md")]

pub mod model;

pub mod config;
pub mod telemetry;
