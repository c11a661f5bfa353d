//! The rules: routes, and who may open each.

use super::endpoints::Endpoint;
use super::urls;
use crate::authz::console::ConsoleAction::{EditDraft, ReadRules};

pub mod assertions;
mod editing;
mod entry;
pub mod form;
mod granting;
pub mod policies;
pub mod policy;
pub mod route;
pub mod routes;
mod written;

/// What is asked here.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(urls::ROUTES, ReadRules, |console, asked| Box::pin(routes::page(console, asked))),
    Endpoint::get(urls::ROUTE, ReadRules, |console, asked| Box::pin(route::page(console, asked))),
    Endpoint::post(urls::GRANTS, EditDraft, |console, asked| {
        Box::pin(granting::add_grant(console, asked))
    }),
    Endpoint::post(urls::GRANT, EditDraft, |console, asked| {
        Box::pin(granting::change_grant(console, asked))
    }),
    Endpoint::post(urls::GRANT_END, EditDraft, |console, asked| {
        Box::pin(granting::end_grant(console, asked))
    }),
    Endpoint::post(urls::GRANT_REMOVE, EditDraft, |console, asked| {
        Box::pin(granting::remove_grant(console, asked))
    }),
    Endpoint::get(urls::POLICIES, ReadRules, |console, asked| {
        Box::pin(policies::page(console, asked))
    }),
    Endpoint::get(urls::NEW_POLICY, EditDraft, |console, asked| {
        Box::pin(policy::new(console, asked))
    }),
    Endpoint::post(urls::NEW_POLICY, EditDraft, |console, asked| {
        Box::pin(policy::add(console, asked))
    }),
    Endpoint::get(urls::POLICY, ReadRules, |console, asked| Box::pin(policy::page(console, asked))),
    Endpoint::post(urls::POLICY, EditDraft, |console, asked| {
        Box::pin(policy::change(console, asked))
    }),
    Endpoint::post(urls::REMOVE_POLICY, EditDraft, |console, asked| {
        Box::pin(policy::remove(console, asked))
    }),
    Endpoint::get(urls::ASSERTIONS, ReadRules, |console, asked| {
        Box::pin(assertions::page(console, asked))
    }),
    Endpoint::post(urls::ASSERTIONS, EditDraft, |console, asked| {
        Box::pin(assertions::add(console, asked))
    }),
    Endpoint::post(urls::REMOVE_ASSERTION, EditDraft, |console, asked| {
        Box::pin(assertions::remove(console, asked))
    }),
];
