//! The `cedargate` command: one match, and what it says when something can't be done.

use std::path::PathBuf;
use std::process::ExitCode;

use cedargate::authz::limits::STACK_OF_DECIDING;
use cedargate::commands::{check, healthcheck, rules, serve};
#[cfg(feature = "demo")]
use cedargate::demo;
use clap::{Args, Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Entra sign-in and Cedar rules for web applications that were written without either.
#[derive(Debug, Parser)]
#[command(version, after_help = "Example: cedargate demo")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
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
    /// For containers: succeeds when the gate is ready
    #[command(after_help = "Example: cedargate healthcheck --config /etc/cedargate.toml")]
    Healthcheck(Settings),
}

#[derive(Debug, Subcommand)]
enum Rules {
    /// Write the live rule book into a folder
    #[command(after_help = "Example: cedargate rules export rules/")]
    Export {
        /// The folder; made where it is missing
        dir: PathBuf,
        #[command(flatten)]
        settings: Settings,
    },
    /// Compile the rule book in a folder and publish it as the next release
    #[command(
        after_help = "Example: cedargate rules import rules/ --publish --note \"Open the reports\""
    )]
    Import {
        /// The folder
        dir: PathBuf,
        /// Put it in force at once; without it the rules are only checked
        #[arg(long)]
        publish: bool,
        /// Why, for the release's record
        #[arg(long, default_value = "")]
        note: String,
        #[command(flatten)]
        settings: Settings,
    },
}

#[derive(Debug, Args)]
struct Settings {
    /// The settings file; `cedargate.toml` in this folder where it exists
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

fn main() -> ExitCode {
    let threads = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK_OF_DECIDING)
        .build();
    match threads {
        Ok(threads) => threads.block_on(run(Cli::parse().command)),
        Err(error) => complain(error.into()),
    }
}

async fn run(command: Command) -> ExitCode {
    let done = match command {
        Command::Serve(settings) => Box::pin(serve::run(settings.config.as_deref())).await,
        #[cfg(feature = "demo")]
        Command::Demo(options) => Box::pin(demo::run(options)).await,
        Command::Check(settings) => check::run(settings.config.as_deref()).await,
        Command::Rules(Rules::Export { dir, settings }) => {
            rules::export(settings.config.as_deref(), &dir).await
        }
        Command::Rules(Rules::Import { dir, publish, note, settings }) => {
            let purpose =
                if publish { rules::Purpose::Publish { note } } else { rules::Purpose::Check };
            rules::import(settings.config.as_deref(), &dir, purpose).await
        }
        Command::Healthcheck(settings) => healthcheck::run(settings.config.as_deref()).await,
    };
    done.map_or_else(complain, |()| ExitCode::SUCCESS)
}

/// Each problem on a line of its own, with its causes; exit code 2: nothing was started or changed.
#[expect(clippy::print_stderr, reason = "this is where errors end up")]
#[expect(clippy::needless_pass_by_value, reason = "the end of the error's way")]
fn complain(error: anyhow::Error) -> ExitCode {
    eprintln!("cedargate: {error:#}");
    ExitCode::from(2)
}
