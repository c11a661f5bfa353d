//! The commands besides `demo`, one file each. Errors go up; `main` prints them and picks the exit code.

pub mod audit;
pub mod backup;
pub mod check;
pub mod decide;
mod entra;
pub mod format;
pub mod healthcheck;
mod impact;
pub mod line;
pub mod lint;
mod placing;
pub mod reach;
mod rule_source;
pub mod rules;
pub mod serve;

use std::path::Path;

use anyhow::Result;

use crate::config::{self, Config};

/// Reads the settings that every command shares: the file (`cedargate.toml` here, unless named) and the environment.
fn settings(file: Option<&Path>) -> Result<Config> {
    Ok(Config::load(file, &config::environment())?)
}
