//! The set-up: how Cedargate itself stands.

use super::endpoints::Endpoint;
use super::urls;
use crate::authz::console::ConsoleAction::ReadRules;

pub mod entra;

/// What is asked here.
pub(super) const ENDPOINTS: &[Endpoint] =
    &[Endpoint::get(urls::ENTRA, ReadRules, |console, asked| {
        Box::pin(entra::page(console, asked))
    })];
