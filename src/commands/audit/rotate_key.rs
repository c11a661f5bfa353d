//! `cedargate audit rotate-key`: another key signs the log from here on.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::Settings;
use crate::app::ward;
use crate::audit::custody;
use crate::config;
use crate::keys::Keys;
use crate::model::record::Actor;
use crate::model::time::Clock;

/// Where the log is.
#[derive(Debug, Clone, Args)]
pub struct Options {
    #[command(flatten)]
    settings: Settings,
}

/// Records the change, signed by both keys, and puts the new one in place.
///
/// # Errors
/// When the gate runs, or log and keys can't be opened.
#[expect(clippy::print_stdout, reason = "the key is what this command says")]
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let config = options.settings.read()?;
    let directory = &config.keys.directory;
    let ward = ward(&config)?;
    let next = Keys::next_log(directory)?;
    let actor = Actor::Operator(config::system_user());
    let url = &config.audit.database_url;
    let key = custody::rotate(url, (Clock::System, ward), next, actor).await?;
    Keys::install_log(directory)?;
    println!("{key}");
    println!(
        "This key checks the log from here on; whoever has the one before follows the change by themselves."
    );
    Ok(ExitCode::SUCCESS)
}
