//! `cedargate audit accept`: goes on behind a log that does not continue what was known of it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;

use super::Settings;
use super::kept::kept;
use crate::app::ward;
use crate::audit::Outbox;
use crate::audit::custody::{self, Order};
use crate::config;
use crate::model::record::Actor;
use crate::model::time::Clock;
use crate::store::Store;

/// Why it is accepted.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Why: it stays in the log
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Checkpoints that were kept elsewhere than the gate's own places: what they tell of and the log lacks is accepted as well;
    /// may be given several times
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

/// Begins a new origin, and ends all sessions: those that were ended since the copy was made must stay dead.
///
/// # Errors
/// When the gate runs, or the databases can't be opened.
#[expect(clippy::print_stdout, reason = "what was done is what this command says")]
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let reason = options.reason.trim();
    ensure!(!reason.is_empty() && reason.len() <= 1_000, "--reason: 1 to 1,000 characters");
    let config = options.settings.read()?;
    let store = Store::open(&config.database_url).await?;
    let order = Order {
        actor: Actor::Operator(config::system_user()),
        reason: reason.to_owned(),
        checkpoints: kept(&options.checkpoint)?,
        release: store.live_number().await?,
    };
    let url = &config.audit.database_url;
    let ward = ward(&config)?;
    // First: should the rest be cut off, nobody is signed in who should not be.
    let changes = ("main", &store as &dyn Outbox, store.raise_session_epoch());
    let origin = custody::accept(url, (Clock::System, ward), changes, order).await?;
    store.close().await;
    println!("The log goes on as {origin}, behind what was there. All sessions have ended.");
    Ok(ExitCode::SUCCESS)
}
