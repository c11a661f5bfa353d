//! The set-up: how Cedargate itself stands.

use super::endpoints::Endpoint;
use super::urls;
use crate::authz::console::ConsoleAction::{ReadRules, ReadSettings};

pub mod entra;
pub mod settings;

/// What is asked here.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(urls::ENTRA, ReadRules, |console, asked| Box::pin(entra::page(console, asked))),
    Endpoint::get(urls::SETTINGS, ReadSettings, |console, asked| {
        Box::pin(settings::page(console, asked))
    }),
];
