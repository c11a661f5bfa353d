//! `cedargate serve`: run the gate until the system says stop.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};

use super::entra::{explained, fault};
use super::settings;
use crate::app::{Gate, Sockets, entra, stop_signal};
use crate::config::Config;
use crate::idp::{Idp, IdpError, whole};
use crate::model::time::Clock;
use crate::telemetry;

/// Those who are signed in already wait for the start: asking Entra takes no longer than this.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens everything the settings name, asks Entra once, serves, and drains at SIGINT or SIGTERM.
///
/// # Errors
/// When the settings or anything they name can't be used; nothing runs then.
pub async fn run(file: Option<&Path>) -> Result<()> {
    let config = settings(file)?;
    telemetry::start_log(&config.log)?;
    let sockets = Sockets::bind(&config).await?;
    ask_entra(&config).await?;
    let gate = Gate::open(&config, Clock::System, sockets).await?;
    tracing::info!(address = %gate.address()?, public_url = %config.public_url, "The gate is open.");
    Box::pin(gate.run(stop_signal()?)).await
}

/// Numbers that say that Entra knows no such tenant, under whatever OAuth code they come.
const UNKNOWN: [u32; 3] = [50_059, 90_002, 90_019];

/// A tenant, registration or credential that Entra does not take is one clear line now and not a surprise for the first
/// visitor. An Entra that can't be reached is no reason to keep those out who are signed in already.
async fn ask_entra(config: &Config) -> Result<()> {
    let idp = Idp::new(entra(config)?, Clock::System)?;
    let faults = |reports: Vec<crate::idp::CredentialReport>| -> Vec<_> {
        reports.iter().map(|report| fault(report, config)).collect()
    };
    let on_files = faults(idp.look_at_credentials().await);
    if let Some(error) = all_of(on_files) {
        return Err(error);
    }
    let asked = async {
        idp.probe().await?;
        idp.prove_credentials().await
    };
    let Ok(asked) = tokio::time::timeout(PATIENCE, asked).await else {
        let (authority, seconds) = (&config.entra.authority, PATIENCE.as_secs());
        tracing::error!(%authority, seconds, "Entra does not answer in time: nobody new can sign in until it does.");
        return Ok(());
    };
    match asked {
        Ok(reports) => all_of(faults(reports)).map_or(Ok(()), Err),
        Err(error) if is_wrong(&error) => Err(explained(error, config)),
        Err(error) => {
            let authority = &config.entra.authority;
            let error = whole(&error);
            tracing::error!(%authority, error, "Entra does not answer: nobody new can sign in until it does.");
            Ok(())
        }
    }
}

/// What is wrong, when no credential is left; else each fault goes to the log.
fn all_of(faults: Vec<Option<anyhow::Error>>) -> Option<anyhow::Error> {
    let all = faults.iter().all(Option::is_some);
    let told: Vec<String> =
        faults.into_iter().flatten().map(|fault| format!("{fault:#}")).collect();
    if all {
        return Some(anyhow!(told.join("; ")));
    }
    for fault in told {
        tracing::error!(fault, "One of two credentials for Entra can't be used.");
    }
    None
}

/// Whether it is the settings that are wrong. A provider that merely gives us no token of our own can still sign people
/// in.
fn is_wrong(error: &IdpError) -> bool {
    match error {
        IdpError::Settings { .. } | IdpError::Discovery { .. } | IdpError::ClientRefused(_) => true,
        IdpError::Refused(refusal) => {
            refusal.aadsts.is_some_and(|number| UNKNOWN.contains(&number))
        }
        IdpError::Unavailable { .. }
        | IdpError::Busy
        | IdpError::Overloaded(_)
        | IdpError::Credential { .. }
        | IdpError::Cancelled(_)
        | IdpError::Denied(_)
        | IdpError::InteractionNeeded(_)
        | IdpError::CodeRefused(_)
        | IdpError::BadToken { .. }
        | IdpError::StepUpUnmet { .. }
        | IdpError::ForeignTenant { .. }
        | IdpError::GroupsUnavailable { .. }
        | IdpError::TooManyGroups
        | IdpError::GroupNames
        | IdpError::GroupsAsRoles
        | IdpError::NoPermission { .. }
        | IdpError::Randomness => false,
    }
}
