//! Log lines and metrics.
//!
//! Log lines go to stderr: text for a person at a terminal, one JSON object per line otherwise. Metric names stand in
//! one table, [`Metrics`]. Nothing here holds tokens, cookies, query strings or names of people: labels are few and fixed.

mod log;
mod metrics;

pub use log::{LogError, start_log};
pub use metrics::{
    CredentialState, EntraState, Metrics, Outcome, Reachable, Refused, UpstreamClass,
};

#[cfg(test)]
mod tests;
