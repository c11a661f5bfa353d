#![doc = include_str!("ARCHITECTURE.md")]

pub mod model;

pub mod config;
pub mod rule_files;
pub mod telemetry;
