//! `cedargate serve`: run the gate until the system says stop.

use std::path::Path;

use anyhow::{Context, Result};

use super::settings;
use crate::app::{Gate, Sockets, entra, stop_signal};
use crate::idp::Idp;
use crate::model::time::Clock;
use crate::telemetry;

/// Opens everything the settings name, asks Entra once, serves, and drains at SIGINT or SIGTERM.
///
/// # Errors
/// When the settings or anything they name can't be used; nothing runs then.
pub async fn run(file: Option<&Path>) -> Result<()> {
    let config = settings(file)?;
    telemetry::start_log(&config.log)?;
    let sockets = Sockets::bind(&config).await?;
    let probed = Idp::new(entra(&config)?, Clock::System)?.probe().await;
    probed.with_context(|| {
        let authority = &config.entra.authority;
        format!(
            "Entra at {authority} does not answer; check `entra.tenant` and this machine's way out"
        )
    })?;
    let gate = Gate::open(&config, Clock::System, sockets).await?;
    tracing::info!(address = %gate.address()?, public_url = %config.public_url, "The gate is open.");
    gate.run(stop_signal()?).await
}
