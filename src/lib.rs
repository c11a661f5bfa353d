#![doc = include_str!("ARCHITECTURE.md")]

pub mod console;
pub mod model;
pub mod portal;
pub mod web;
