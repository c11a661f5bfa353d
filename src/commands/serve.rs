//! `cedargate serve`: run the gate until the system says stop.

use std::path::Path;

use anyhow::Result;

use super::settings;
use crate::app::{Gate, Sockets, stop_signal};
use crate::model::time::Clock;
use crate::telemetry;

/// Opens everything the settings name, serves, and drains at SIGINT or SIGTERM.
///
/// # Errors
/// When the settings or anything they name can't be used; nothing runs then.
pub async fn run(file: Option<&Path>) -> Result<()> {
    let config = settings(file)?;
    telemetry::start_log(&config.log)?;
    let sockets = Sockets::bind(&config).await?;
    let gate = Gate::open(&config, Clock::System, sockets).await?;
    tracing::info!(address = %gate.address()?, public_url = %config.public_url, "The gate is open.");
    gate.run(stop_signal()?).await
}
