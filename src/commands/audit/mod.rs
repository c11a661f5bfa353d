//! `cedargate audit …`: the log on the command line, one file per verb.

pub mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::settings;
use crate::config::Config;

/// What can be done with the log.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// One record, as it was written
    #[command(after_help = "Example: cedargate audit show 0v9k3m2q-1182")]
    Show(show::Options),
}

/// Where the log is.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// The settings file; `cedargate.toml` in this folder where it exists
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Settings {
    fn read(&self) -> Result<Config> {
        settings(self.config.as_deref())
    }
}

/// Does it.
///
/// # Errors
/// As each verb says.
pub async fn run(verb: &Audit) -> Result<ExitCode> {
    match verb {
        Audit::Show(options) => show::run(options).await,
    }
}
