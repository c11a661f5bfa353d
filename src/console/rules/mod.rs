//! The rules: routes, and who may open each.

use std::future::ready;

use axum::response::Response;

use super::answers::see_other;
use super::endpoints::Endpoint;
use super::urls;
use crate::authz::console::ConsoleAction::{EditDraft, ReadRules};

mod editing;
mod entry;
pub mod form;
pub mod route;
pub mod routes;

/// What is asked here.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(urls::BARE_HOME, ReadRules, |_, _| Box::pin(ready(Ok(home())))),
    Endpoint::get(urls::HOME, ReadRules, |_, _| Box::pin(ready(Ok(home())))),
    Endpoint::get(urls::ROUTES, ReadRules, |console, asked| Box::pin(routes::page(console, asked))),
    Endpoint::get(urls::ROUTE, ReadRules, |console, asked| Box::pin(route::page(console, asked))),
    Endpoint::post(urls::GRANTS, EditDraft, |console, asked| {
        Box::pin(route::add_grant(console, asked))
    }),
    Endpoint::post(urls::GRANT, EditDraft, |console, asked| {
        Box::pin(route::change_grant(console, asked))
    }),
    Endpoint::post(urls::GRANT_END, EditDraft, |console, asked| {
        Box::pin(route::end_grant(console, asked))
    }),
    Endpoint::post(urls::GRANT_REMOVE, EditDraft, |console, asked| {
        Box::pin(route::remove_grant(console, asked))
    }),
];

/// The console's door leads to the routes.
fn home() -> Response {
    see_other(&urls::routes())
}
