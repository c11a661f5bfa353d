//! `cedargate rules lint`: what is valid and most likely not meant.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use super::placing::line;
use super::rule_source::Source;
use crate::authz::lints::lint;
use crate::model::time::Clock;

/// Compiles the rules in `dir`, or those of the live release, and prints a line for everything to look at; exit code 1
/// when there is anything.
///
/// # Errors
/// When the rules can't be read or don't compile.
#[expect(clippy::print_stdout, reason = "the lines are what this command says")]
pub async fn run(config: Option<&Path>, dir: Option<&Path>) -> Result<ExitCode> {
    let source = Source::open(config, dir).await?;
    let found = lint(&source.book, &source.snapshot, &source.names, Clock::System.now());
    for lint in &found {
        println!("{} ({})", line(&lint.problem, &source.places), lint.kind.as_str());
    }
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
