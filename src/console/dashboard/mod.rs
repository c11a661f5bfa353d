//! The first page: how things stand, who lost access by mistake, and what needs somebody soon.
//!
//! Everything comes from the search index and a bounded number of records, and says so where there was no time for all.
//! Each card fails on its own. People are named to those who may read the log; everybody else sees how many they are.

use std::future::ready;

use super::answers::see_other;
use super::endpoints::Endpoint;
use super::urls;
use crate::authz::console::ConsoleAction::ReadRules;

pub mod card;
pub mod cause;
pub mod denied;
pub mod ending;
pub mod health;
mod live;
pub mod lost;
pub mod now;
pub mod page;
pub mod range;
pub mod steps;

/// What is asked here.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(urls::BARE_HOME, ReadRules, |_, _| Box::pin(ready(Ok(see_other(&urls::home()))))),
    Endpoint::get(urls::HOME, ReadRules, |console, asked| Box::pin(page::page(console, asked))),
    Endpoint::get(urls::NUMBERS, ReadRules, |console, asked| {
        Box::pin(ready(live::page(console, &asked)))
    }),
];
