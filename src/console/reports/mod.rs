//! Reports that are printed or taken away: fixed, told apart by their addresses, and on record whenever one is made.
//!
//! A report says what it covers, and where it is bounded what is missing and how to get it. The same address gives the same
//! report again, as of the day that it is asked for.

use super::endpoints::Endpoint;
use super::urls;
use crate::authz::console::ConsoleAction::{ReadLog, ReadPeople};

pub mod access;
pub mod changes;
pub mod index;
mod period;
pub mod publications;
pub mod refusals;
pub mod review;

/// What is asked here.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(urls::REPORTS, ReadLog, |console, asked| Box::pin(index::page(console, asked))),
    Endpoint::get(urls::ACCESS_REPORT, ReadPeople, |console, asked| {
        Box::pin(access::page(console, asked))
    }),
    Endpoint::post(urls::ACCESS_REPORT, ReadPeople, |console, asked| {
        Box::pin(access::csv(console, asked))
    }),
    Endpoint::get(urls::REFUSALS_REPORT, ReadLog, |console, asked| {
        Box::pin(refusals::page(console, asked))
    }),
    Endpoint::post(urls::REFUSALS_REPORT, ReadLog, |console, asked| {
        Box::pin(refusals::file(console, asked))
    }),
    Endpoint::get(urls::CHANGES_REPORT, ReadLog, |console, asked| {
        Box::pin(changes::page(console, asked))
    }),
    Endpoint::post(urls::CHANGES_REPORT, ReadLog, |console, asked| {
        Box::pin(changes::csv(console, asked))
    }),
];
