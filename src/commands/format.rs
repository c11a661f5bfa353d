//! `cedargate rules format`: the policies of a folder in the common layout.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};

use super::placing::line;
use crate::authz::layout::formatted;
use crate::rule_files::read_with_places;

/// Whether files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formatting {
    /// They are.
    Write,
    /// It is only said which would be; exit code 1 when there are any.
    Check,
}

/// Lays out every policy in `dir` and prints the names of the files that change.
///
/// # Errors
/// When the rules can't be read, or a policy is none; nothing is written then.
#[expect(clippy::print_stdout, reason = "the lines are what this command says")]
pub fn run(dir: &Path, formatting: Formatting) -> Result<ExitCode> {
    let (book, places) = read_with_places(dir)?;
    let (mut changed, mut problems) = (Vec::new(), Vec::new());
    for policy in &book.policies {
        match formatted(policy) {
            Ok(text) if text == policy.text => {}
            Ok(text) => changed.push((dir.join(format!("{}.cedar", policy.id)), text)),
            Err(found) => problems.extend(found.iter().map(|problem| line(problem, &places))),
        }
    }
    if !problems.is_empty() {
        return Err(anyhow!("{}", problems.join("\n")));
    }
    for (path, text) in &changed {
        if formatting == Formatting::Write {
            std::fs::write(path, text)
                .with_context(|| format!("{} can't be written", path.display()))?;
        }
        println!("{}", path.display());
    }
    let clean = formatting == Formatting::Write || changed.is_empty();
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
