//! The life of a change: what waits in the draft, its review, its publication.

use std::future::ready;

use super::endpoints::Endpoint;
use super::urls;
use crate::authz::console::ConsoleAction::{Approve, EditDraft, Publish, ReadRules, SeeImpact};

pub mod between;
pub mod change;
pub mod discard;
pub mod draft;
pub mod impact;
pub mod releases;
pub mod restoring;
pub mod trials;

/// What is asked here.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(urls::DRAFT, ReadRules, |console, asked| Box::pin(draft::page(console, asked))),
    Endpoint::get(urls::IMPACT, SeeImpact, |console, asked| Box::pin(impact::page(console, asked))),
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
    Endpoint::get(urls::RELEASES, ReadRules, |console, asked| {
        Box::pin(releases::page(console, asked))
    }),
    Endpoint::get(urls::COMPARE, ReadRules, |_, asked| Box::pin(ready(releases::compare(&asked)))),
    Endpoint::get(urls::DIFFERENCE, ReadRules, |console, asked| {
        Box::pin(between::page(console, asked))
    }),
    Endpoint::get(urls::RESTORE, EditDraft, |console, asked| {
        Box::pin(restoring::page(console, asked))
    }),
    Endpoint::post(urls::RESTORE, EditDraft, |console, asked| {
        Box::pin(restoring::restore(console, asked))
    }),
];
