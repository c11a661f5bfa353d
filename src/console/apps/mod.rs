//! Apps and their routes: described in the draft, changed and removed there. Who gets in is the grants' to say.

use super::endpoints::Endpoint;
use super::urls;
use crate::authz::console::ConsoleAction::{EditDraft, ReadRules};

pub mod app;
pub mod app_form;
pub mod facts;
pub mod removal;
pub mod removing_app;
pub mod removing_route;
pub mod route;
pub mod route_form;
mod typed;

/// What is asked here.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(urls::NEW_APP, EditDraft, |console, asked| Box::pin(app::new(console, asked))),
    Endpoint::post(urls::NEW_APP, EditDraft, |console, asked| Box::pin(app::add(console, asked))),
    Endpoint::get(urls::APP, ReadRules, |console, asked| Box::pin(app::page(console, asked))),
    Endpoint::post(urls::APP, EditDraft, |console, asked| Box::pin(app::change(console, asked))),
    Endpoint::get(urls::REMOVE_APP, EditDraft, |console, asked| {
        Box::pin(removing_app::page(console, asked))
    }),
    Endpoint::post(urls::REMOVE_APP, EditDraft, |console, asked| {
        Box::pin(removing_app::remove(console, asked))
    }),
    Endpoint::get(urls::NEW_ROUTE, EditDraft, |console, asked| {
        Box::pin(route::new(console, asked))
    }),
    Endpoint::post(urls::NEW_ROUTE, EditDraft, |console, asked| {
        Box::pin(route::add(console, asked))
    }),
    Endpoint::get(urls::ROUTE_SETTINGS, ReadRules, |console, asked| {
        Box::pin(route::page(console, asked))
    }),
    Endpoint::post(urls::ROUTE_SETTINGS, EditDraft, |console, asked| {
        Box::pin(route::change(console, asked))
    }),
    Endpoint::get(urls::REMOVE_ROUTE, EditDraft, |console, asked| {
        Box::pin(removing_route::page(console, asked))
    }),
    Endpoint::post(urls::REMOVE_ROUTE, EditDraft, |console, asked| {
        Box::pin(removing_route::remove(console, asked))
    }),
];
