//! The explorer: who can reach a route, what somebody can reach, and what would happen if.
//!
//! The engine that decides answers here too, with the rules in force; nothing is decided anew, and nothing asked here is
//! recorded as a decision about a route. That somebody asked is on record like every request to the console.

use super::endpoints::Endpoint;
use super::urls;
use crate::authz::console::ConsoleAction::{ReadPeople, ReadRules};

pub(super) mod compiled;
pub mod lines;
pub mod outcome;
mod question;
pub(super) mod reaching;
pub mod simulate;
mod surveying;
pub mod what;
pub mod who;

/// What is asked here.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(urls::WHO, ReadPeople, |console, asked| Box::pin(who::page(console, asked))),
    Endpoint::get(urls::WHAT, ReadPeople, |console, asked| Box::pin(what::page(console, asked))),
    Endpoint::post(urls::WHO, ReadPeople, |console, asked| Box::pin(who::csv(console, asked))),
    Endpoint::post(urls::WHAT, ReadPeople, |console, asked| Box::pin(what::csv(console, asked))),
    Endpoint::get(urls::SIMULATE, ReadRules, |console, asked| {
        Box::pin(simulate::page(console, asked))
    }),
];
