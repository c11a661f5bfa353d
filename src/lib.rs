#![doc = include_str!("ARCHITECTURE.md")]

// Lowest layer first: a module imports only from those above it in this list.
pub mod model;

pub mod authz;
pub mod config;
pub mod idp;
pub mod keys;
pub mod rule_files;
pub mod store;
pub mod telemetry;

pub mod audit;
pub mod live;
pub mod publishing;
pub mod replay;

pub mod groups;

pub mod session;

#[cfg(feature = "demo")]
pub mod sim;
pub mod web;

pub mod console;
pub mod gateway;
pub mod login;
pub mod portal;

pub mod app;

#[cfg(feature = "demo")]
pub mod demo;

pub mod commands;
