//! The log: what was decided, and why; what was changed, and by whom.

use super::endpoints::Endpoint;
use super::urls;
use crate::authz::console::ConsoleAction::ReadLog;

pub mod asking;
pub mod chart;
pub mod decision;
pub mod decisions;
pub mod event;
pub mod events;
pub mod fact;
pub mod record;
pub mod told;

/// What is asked here.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(urls::DECISIONS, ReadLog, |console, asked| {
        Box::pin(decisions::page(console, asked))
    }),
    Endpoint::get(urls::DECISION, ReadLog, |console, asked| {
        Box::pin(decision::page(console, asked))
    }),
    Endpoint::get(urls::EVENTS, ReadLog, |console, asked| Box::pin(events::page(console, asked))),
    Endpoint::get(urls::EVENT, ReadLog, |console, asked| Box::pin(event::page(console, asked))),
];
