//! Whether the log is whole: what vouches for it, what is gone from it and why, and checking it from here.

use super::endpoints::Endpoint;
use super::urls;
use crate::authz::console::ConsoleAction::ReadLog;

pub mod certificate;
pub mod checks;
mod evidence;
mod live;
pub mod page;
pub mod told;
mod verdict;

/// What is asked here.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(urls::INTEGRITY, ReadLog, |console, asked| Box::pin(page::page(console, asked))),
    Endpoint::post(urls::CHECK, ReadLog, |console, asked| Box::pin(page::check(console, asked))),
    Endpoint::post(urls::CHECK_CANCEL, ReadLog, |console, _asked| {
        Box::pin(std::future::ready(Ok(page::cancel(&console))))
    }),
    Endpoint::get(urls::CHECK_PROGRESS, ReadLog, |console, asked| {
        Box::pin(std::future::ready(live::page(console, &asked)))
    }),
    Endpoint::get(urls::CERTIFICATE, ReadLog, |console, asked| {
        Box::pin(certificate::page(console, asked))
    }),
];
