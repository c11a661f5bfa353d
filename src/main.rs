//! The `cedargate` command: the thread and the runtime it runs in, and what it says when something can't be done.

use std::num::NonZeroUsize;
use std::process::ExitCode;

use cedargate::authz::limits::STACK_OF_DECIDING;
use cedargate::commands::line::{self, Command};
use clap::Parser;
use tokio::runtime::{Builder, Runtime};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Entra sign-in and Cedar rules for web applications that were written without either.
#[derive(Debug, Parser)]
#[command(version, after_help = "Example: cedargate demo")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    // A thread of our own, because the size of the main thread's stack is not ours to say.
    let thread = std::thread::Builder::new().stack_size(STACK_OF_DECIDING);
    let done = thread.name("main".to_owned()).spawn(move || match threads() {
        Ok(threads) => threads.block_on(line::run(command)).unwrap_or_else(complain),
        Err(error) => complain(error.into()),
    });
    match done.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        // The panic has been printed.
        Ok(Err(_panic)) => ExitCode::from(101),
        Err(error) => complain(error.into()),
    }
}

/// One thread on one core: threads that share a core only hand work to each other.
fn threads() -> std::io::Result<Runtime> {
    let one = NonZeroUsize::MIN;
    let mut threads = match std::thread::available_parallelism() {
        Ok(cores) if cores > one => Builder::new_multi_thread(),
        Ok(_) | Err(_) => Builder::new_current_thread(),
    };
    threads.enable_all().thread_stack_size(STACK_OF_DECIDING).build()
}

/// Each problem on a line of its own, with its causes; exit code 2: nothing was started or changed.
#[expect(clippy::print_stderr, reason = "this is where errors end up")]
#[expect(clippy::needless_pass_by_value, reason = "the end of the error's way")]
fn complain(error: anyhow::Error) -> ExitCode {
    eprintln!("cedargate: {error:#}");
    ExitCode::from(2)
}
