//! The command line: what can be asked of `cedargate`, and which command answers it.

#![expect(
    missing_docs,
    reason = "what flattened options say here would stand in --help as the command's own words"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use futures_util::future::{FutureExt as _, LocalBoxFuture};

use super::{audit, backup, check, decide, format, healthcheck, lint, reach, rules, serve};
#[cfg(feature = "demo")]
use crate::demo;
use crate::model::id::ReleaseNumber;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gate until SIGINT or SIGTERM, then drain
    #[command(after_help = "Example: cedargate serve --config /etc/cedargate.toml")]
    Serve(Settings),
    /// Everything at once with no account anywhere: simulated Entra, sample app, rules and people
    #[cfg(feature = "demo")]
    #[command(after_help = "Example: cedargate demo --listen 127.0.0.1:9000")]
    Demo(demo::Options),
    /// Check settings, keys, databases, rule book and Entra; one line per check
    #[command(after_help = "Example: cedargate check --config cedargate.toml")]
    Check(Settings),
    /// The rule book as files
    #[command(subcommand)]
    Rules(Rules),
    /// One decision, explained: what let it through, or what came near and what it lacked
    #[command(
        after_help = "Example: cedargate decide --app intranet --path /finance/q3 --group Finance --rules rules/\n\nExit code 0: allow, 1: deny, 2: the question can't be put."
    )]
    Decide {
        #[command(flatten)]
        options: decide::Options,
        #[command(flatten)]
        settings: Settings,
    },
    /// The log: read it, check it, prove it
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Copy both databases into a new folder, while the gate runs
    #[command(after_help = "Example: cedargate backup /mnt/backups/2026-11-27")]
    Backup {
        /// The folder; it must not be there yet
        dir: PathBuf,
        #[command(flatten)]
        settings: Settings,
    },
    /// For containers: succeeds when the gate is ready
    #[command(after_help = "Example: cedargate healthcheck --config /etc/cedargate.toml")]
    Healthcheck(Settings),
}

#[derive(Debug, Subcommand)]
pub enum Rules {
    /// Write the live rule book into a folder
    #[command(after_help = "Example: cedargate rules export rules/")]
    Export {
        /// The folder; made where it is missing
        dir: PathBuf,
        #[command(flatten)]
        settings: Settings,
    },
    /// Bring the rule book in a folder into the draft, or publish it as the next release
    #[command(
        after_help = "Example: cedargate rules import rules/ --publish --note \"Open the reports\""
    )]
    Import {
        /// The folder
        dir: PathBuf,
        /// Put it in force at once; without it, it becomes the draft
        #[arg(long)]
        publish: bool,
        /// Why, for the release's record
        #[arg(long, default_value = "")]
        note: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Lay out the policies in a folder as Cedar's formatter does; comments and meaning stay
    #[command(after_help = "Example: cedargate rules format rules/ --check")]
    Format {
        /// The folder
        dir: PathBuf,
        /// Write nothing; exit code 1 when a file would change
        #[arg(long)]
        check: bool,
    },
    #[command(flatten)]
    Life(Life),
    #[command(flatten)]
    Inquiry(Inquiry),
}

/// The way from a draft to a release.
#[derive(Debug, Subcommand)]
pub enum Life {
    /// How the rules in a folder differ from the live release; exit code 1 when they do
    #[command(after_help = "Example: cedargate rules diff rules/")]
    Diff {
        /// The folder
        dir: PathBuf,
        #[command(flatten)]
        settings: Settings,
    },
    /// What the draft would change, in words and as Cedar, what of it is most likely not meant, and the content hash to publish
    #[command(after_help = "Example: cedargate rules review")]
    Review(Settings),
    /// Approve of the draft, where publishing needs a second person
    #[command(after_help = "Example: cedargate rules approve 9f86d08…")]
    Approve {
        /// The content hash that `rules review` shows
        content: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Publish the draft as it was reviewed
    #[command(after_help = "Example: cedargate rules publish 9f86d08… --note \"Open the reports\"")]
    Publish {
        /// The content hash that `rules review` shows
        content: String,
        /// Why, for the release's record
        #[arg(long, default_value = "")]
        note: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Publish an old release again, as a new one
    #[command(after_help = "Example: cedargate rules rollback 12 --note \"Payroll can't book\"")]
    Rollback {
        /// Its number
        release: i64,
        /// Why, for the release's record
        #[arg(long, default_value = "")]
        note: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Throw the edits of the draft away
    #[command(after_help = "Example: cedargate rules discard")]
    Discard(Settings),
    /// List the last hundred releases, newest first
    #[command(after_help = "Example: cedargate rules releases")]
    Releases(Settings),
}

/// Questions to the rules, beside reading and writing them.
#[derive(Debug, Subcommand)]
pub enum Inquiry {
    /// Compile rules, point at what is most likely not meant, and try all assertions; exit code 1 when one does not hold
    #[command(after_help = "Example: cedargate rules test rules/")]
    Test {
        /// The folder; the live release when none is given
        dir: Option<PathBuf>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Point at rules that are valid and most likely not meant; exit code 1 when there are any
    #[command(after_help = "Example: cedargate rules lint rules/")]
    Lint {
        /// The folder; the live release when none is given
        dir: Option<PathBuf>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Who can reach a route: always, under conditions, or never
    #[command(after_help = "Example: cedargate rules who --app intranet --path /finance/q3")]
    Who {
        /// A path on the route
        #[arg(long)]
        path: String,
        #[command(flatten)]
        scope: reach::Scope,
        #[command(flatten)]
        settings: Settings,
    },
    /// What somebody can reach: always, under conditions, or never
    #[command(after_help = "Example: cedargate rules what --app intranet --group Finance")]
    What {
        #[command(flatten)]
        whom: reach::Whom,
        #[command(flatten)]
        scope: reach::Scope,
        #[command(flatten)]
        settings: Settings,
    },
}

#[derive(Debug, Args)]
pub struct Settings {
    /// The settings file; `cedargate.toml` in this folder where it exists
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Settings {
    fn file(&self) -> Option<&Path> {
        self.config.as_deref()
    }
}

/// Does what was asked. A box that names no type, because what is named here would be compiled anew with the program.
///
/// # Errors
/// When it can't be done: exit code 2, and nothing was started or changed.
pub fn run(command: Command) -> LocalBoxFuture<'static, Result<ExitCode>> {
    answer(command).boxed_local()
}

async fn answer(command: Command) -> Result<ExitCode> {
    let succeeded = |()| ExitCode::SUCCESS;
    match command {
        Command::Serve(settings) => Box::pin(serve::run(settings.file())).await.map(succeeded),
        #[cfg(feature = "demo")]
        Command::Demo(options) => Box::pin(demo::run(options)).await.map(succeeded),
        Command::Check(settings) => check::run(settings.file()).await.map(succeeded),
        Command::Decide { options, settings } => decide::run(settings.file(), &options).await,
        Command::Rules(Rules::Format { dir, check }) => {
            let formatting =
                if check { format::Formatting::Check } else { format::Formatting::Write };
            format::run(&dir, formatting)
        }
        Command::Rules(Rules::Inquiry(inquiry)) => ask(inquiry).await,
        Command::Rules(Rules::Life(step)) => take(step).await,
        Command::Rules(Rules::Export { dir, settings }) => {
            rules::export(settings.file(), &dir).await.map(succeeded)
        }
        Command::Rules(Rules::Import { dir, publish, note, settings }) => {
            let purpose =
                if publish { rules::Purpose::Publish { note } } else { rules::Purpose::Draft };
            rules::import(settings.file(), &dir, purpose).await.map(succeeded)
        }
        Command::Audit(verb) => audit::run(&verb).await,
        Command::Backup { dir, settings } => {
            backup::run(settings.file(), &dir).await.map(succeeded)
        }
        Command::Healthcheck(settings) => healthcheck::run(settings.file()).await.map(succeeded),
    }
}

async fn take(step: Life) -> Result<ExitCode> {
    let done = match step {
        Life::Diff { dir, settings } => return rules::diff(settings.file(), &dir).await,
        Life::Review(settings) => return rules::review(settings.file()).await,
        Life::Approve { content, settings } => rules::approve(settings.file(), &content).await,
        Life::Publish { content, note, settings } => {
            rules::publish(settings.file(), &content, note).await
        }
        Life::Rollback { release, note, settings } => {
            rules::rollback(settings.file(), ReleaseNumber(release), note).await
        }
        Life::Discard(settings) => rules::discard(settings.file()).await,
        Life::Releases(settings) => rules::releases(settings.file()).await,
    };
    done.map(|()| ExitCode::SUCCESS)
}

async fn ask(inquiry: Inquiry) -> Result<ExitCode> {
    match inquiry {
        Inquiry::Lint { dir, settings } => lint::run(settings.file(), dir.as_deref()).await,
        Inquiry::Test { dir, settings } => rules::test(settings.file(), dir.as_deref()).await,
        Inquiry::Who { path, scope, settings } => {
            reach::who(settings.file(), &scope, &path).await.map(|()| ExitCode::SUCCESS)
        }
        Inquiry::What { whom, scope, settings } => {
            reach::what(settings.file(), &scope, &whom).await.map(|()| ExitCode::SUCCESS)
        }
    }
}
