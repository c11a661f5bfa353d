//! The life of a change: what waits in the draft, its review, its publication.

use super::endpoints::Endpoint;
use super::urls;
use crate::authz::console::ConsoleAction::{Approve, EditDraft, Publish, ReadRules};

pub mod change;
pub mod discard;
pub mod draft;

/// What is asked here.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(urls::DRAFT, ReadRules, |console, asked| Box::pin(draft::page(console, asked))),
    Endpoint::post(urls::UNDO, EditDraft, |console, asked| Box::pin(draft::undo(console, asked))),
    Endpoint::get(urls::DISCARD, EditDraft, |console, asked| {
        Box::pin(discard::page(console, asked))
    }),
    Endpoint::post(urls::DISCARD, EditDraft, |console, asked| {
        Box::pin(discard::discard(console, asked))
    }),
    Endpoint::post(urls::APPROVE, Approve, |console, asked| {
        Box::pin(draft::approve(console, asked))
    }),
    Endpoint::post(urls::PUBLISH, Publish, |console, asked| {
        Box::pin(draft::publish(console, asked))
    }),
];
