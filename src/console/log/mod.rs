//! The log: what was decided, and why; what was changed, and by whom.

use super::endpoints::Endpoint;
use super::urls;
use crate::authz::console::ConsoleAction::ReadLog;

pub mod asking;
pub mod chart;
pub mod checked;
pub mod decision;
pub mod decisions;
pub(super) mod detail;
pub mod event;
pub mod events;
pub(super) mod export;
pub mod fact;
pub(super) mod gathering;
pub mod listing;
mod live;
pub mod missing;
mod proof;
pub mod record;
pub mod told;
pub(super) mod using;

/// What is asked here.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(urls::DECISIONS, ReadLog, |console, asked| {
        Box::pin(decisions::page(console, asked))
    }),
    Endpoint::get(urls::LIVE, ReadLog, |console, asked| Box::pin(live::page(console, asked))),
    Endpoint::post(urls::EXPORT, ReadLog, |console, asked| Box::pin(export::page(console, asked))),
    Endpoint::get(urls::DECISION, ReadLog, |console, asked| {
        Box::pin(decision::page(console, asked))
    }),
    Endpoint::get(urls::PROOF, ReadLog, |console, asked| Box::pin(proof::page(console, asked))),
    Endpoint::get(urls::EVENTS, ReadLog, |console, asked| Box::pin(events::page(console, asked))),
    Endpoint::get(urls::EVENT, ReadLog, |console, asked| Box::pin(event::page(console, asked))),
];
