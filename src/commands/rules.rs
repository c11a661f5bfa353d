//! `cedargate rules import` and `rules export`: the rule book as a folder of files.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::placing::by_file;
use super::rule_source::Source;
use super::settings;
use crate::app::terms;
use crate::authz::assertions;
use crate::authz::compile::compile;
use crate::config;
use crate::model::id::ReleaseNumber;
use crate::model::time::Clock;
use crate::rule_files;
use crate::store::{Publication, Store};

/// Writes the live rule book into `dir`.
///
/// # Errors
/// When nothing is published, or the folder can't be written.
#[expect(clippy::print_stdout, reason = "the line is what this command says")]
pub async fn export(file: Option<&Path>, dir: &Path) -> Result<()> {
    let store = Store::open(&settings(file)?.database_url).await?;
    let release =
        store.live().await?.context("nothing is published yet, so there is nothing to export")?;
    rule_files::write(&release.rule_book, dir)?;
    println!("release {} written to {}", release.number, dir.display());
    store.close().await;
    Ok(())
}

/// What to do with an imported rule book that compiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Only say that it does.
    Check,
    /// Put it in force as the next release.
    Publish {
        /// Why, for the release's record.
        note: String,
    },
}

/// Reads the rule book in `dir`, compiles it, and publishes it where that is the purpose.
///
/// # Errors
/// With everything that is wrong with the files or the rules; nothing changes then.
#[expect(clippy::print_stdout, reason = "the line is what this command says")]
pub async fn import(file: Option<&Path>, dir: &Path, purpose: Purpose) -> Result<()> {
    let config = settings(file)?;
    let (rule_book, places) = rule_files::read_with_places(dir)?;
    let store = Store::open(&config.database_url).await?;
    let live = store.live_number().await?;
    let next = ReleaseNumber(live.0.saturating_add(1));
    let snapshot =
        compile(&rule_book, next, &terms(&config)).map_err(|error| by_file(&error, &places))?;
    match purpose {
        Purpose::Check => println!("{} compiles; --publish puts it in force", dir.display()),
        Purpose::Publish { note } => {
            let publication = Publication {
                based_on: live,
                rule_book,
                cedar: snapshot.cedar(),
                schema: snapshot.schema().to_owned(),
                note,
                by: format!("operator:{}", config::system_user()),
                at: Clock::System.now(),
                changes: Vec::new(),
            };
            let release = store.publish(publication).await?;
            println!("release {} published from {}", release.number, dir.display());
        }
    }
    store.close().await;
    Ok(())
}

/// Compiles the rules in `dir`, or those of the live release, and tries all their assertions; exit code 1 when one does
/// not hold.
///
/// # Errors
/// When the rules can't be read or don't compile.
#[expect(clippy::print_stdout, reason = "the lines are what this command says")]
pub async fn test(file: Option<&Path>, dir: Option<&Path>) -> Result<ExitCode> {
    let source = Source::open(file, dir).await?;
    let broken = assertions::run(&source.book, &source.snapshot, Clock::System.now());
    for broken in &broken {
        println!("{broken}");
    }
    let (all, held) = (source.book.assertions.len(), source.book.assertions.len() - broken.len());
    println!("{held} of {all} assertions hold");
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
