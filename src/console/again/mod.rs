//! What was sent under a sign-in too old for it: kept, and offered to be sent once the person has signed in again.

use super::endpoints::Endpoint;
use super::urls;
use crate::authz::console::ConsoleAction::ReadRules;

pub mod kept;
pub mod page;
pub(super) mod words;

/// What is asked here.
pub(super) const ENDPOINTS: &[Endpoint] =
    &[Endpoint::get(urls::AGAIN, ReadRules, |console, asked| Box::pin(page::page(console, asked)))];
