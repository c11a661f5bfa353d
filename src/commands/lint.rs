//! `cedargate rules lint`: what is valid and most likely not meant. `rules review` and `rules test` say it too.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use super::placing::line;
use super::rule_source::Source;
use crate::authz::lints::{Lint, lint};
use crate::model::time::Clock;
use crate::rule_files::Places;

/// Compiles the rules in `dir`, or those of the live release, and prints a line for everything to look at; exit code 1
/// when there is anything.
///
/// # Errors
/// When the rules can't be read or don't compile.
pub async fn run(config: Option<&Path>, dir: Option<&Path>) -> Result<ExitCode> {
    let source = Source::open(config, dir).await?;
    let found = lint(&source.book, &source.snapshot, &source.names, Clock::System.now());
    show(&found, &source.places);
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Prints a line for each.
#[expect(clippy::print_stdout, reason = "the lines are what the commands say")]
pub(super) fn show(found: &[Lint], places: &Places) {
    for lint in found {
        println!("{} ({})", line(&lint.problem, places), lint.kind.as_str());
    }
}
