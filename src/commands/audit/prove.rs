//! `cedargate audit prove`: that a record is in the log, for somebody who has the public key alone.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use super::Settings;
use crate::audit::proof::Proof;
use crate::model::id::DecisionId;
use crate::store::audit::{self as file, LogCopy};

/// Which record.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The record's id
    id: DecisionId,
    #[command(flatten)]
    settings: Settings,
}

/// Writes the proof to standard output.
///
/// # Errors
/// When the log can't be read, or has no such record with its content.
#[expect(clippy::print_stdout, reason = "the proof is what this command says")]
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let path = file::path(&options.settings.read()?.audit.database_url)?;
    let mut copy = LogCopy::open(&path).await?;
    let Some(proof) = Proof::make(&mut copy, options.id).await? else {
        bail!(
            "the log has no record {} with its content: it was never written, was erased, or was removed with age",
            options.id
        );
    };
    print!("{}", proof.to_text());
    Ok(ExitCode::SUCCESS)
}
