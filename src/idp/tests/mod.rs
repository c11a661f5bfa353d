//! The whole module against a small provider on a loopback port. One test per refusal.

mod bearer;
mod credentials;
mod graph;
mod op;
mod outage;
mod refresh;
mod sign_in;
mod token_checks;

mod settings;
