//! The log of the process, on stderr.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::TryInitError;

/// Why the log could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The setting `log` can't be read.
    #[error(
        "`{filter}` is not a log filter; write info, debug or info,cedargate=debug (setting `log`)"
    )]
    Filter {
        /// The filter as it was given.
        filter: String,
        /// Why.
        #[source]
        source: ParseError,
    },
    /// Something else in this process has set up logging.
    #[error("the log was started twice")]
    Started(#[source] TryInitError),
}

/// Starts the log with a filter such as `info` or `info,cedargate=debug`: text on a terminal, JSON otherwise.
///
/// # Errors
/// When the filter can't be read or the log runs already.
pub fn start_log(filter: &str) -> Result<(), LogError> {
    use tracing_subscriber::util::SubscriberInitExt as _;

    let builder = tracing_subscriber::fmt().with_env_filter(read(filter)?).with_writer(stderr);
    let started = if stderr().is_terminal() {
        builder.finish().try_init()
    } else {
        builder.json().flatten_event(true).finish().try_init()
    };
    started.map_err(LogError::Started)
}

/// Reads a filter strictly: what can't be read is an error, not silence.
pub(super) fn read(filter: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|source| LogError::Filter { filter: filter.chars().take(120).collect(), source })
}
