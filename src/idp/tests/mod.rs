//! The whole module against a small provider on a loopback port. One test per refusal.

mod bearer;
mod certification;
mod credentials;
mod graph;
mod mutated;
mod op;
mod outage;
mod refresh;
mod shapes;
mod sign_in;
mod token_checks;
mod token_keys;

mod settings;
