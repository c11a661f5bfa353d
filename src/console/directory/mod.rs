//! The directory: who was here, in which groups and roles, and with which sessions.
//!
//! It is ours and no copy of Entra's. Whoever never came is not in it, and what it says of people is as old as their last
//! visit.

use super::endpoints::Endpoint;
use super::urls;
use crate::authz::console::ConsoleAction::{EndSessions, ReadPeople, ReadRules};

pub mod ending;
pub mod group;
pub mod groups;
pub mod known;
mod membership;
pub mod people;
pub mod person;
pub mod sessions;

/// What is asked here.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(urls::GROUPS, ReadRules, |console, asked| Box::pin(groups::page(console, asked))),
    Endpoint::get(urls::ROLE, ReadRules, |console, asked| Box::pin(group::role(console, asked))),
    Endpoint::get(urls::GROUP, ReadRules, |console, asked| Box::pin(group::group(console, asked))),
    Endpoint::get(urls::PEOPLE, ReadPeople, |console, asked| {
        Box::pin(people::page(console, asked))
    }),
    Endpoint::get(urls::PERSON, ReadPeople, |console, asked| {
        Box::pin(person::page(console, asked))
    }),
    Endpoint::get(urls::SESSIONS, ReadPeople, |console, asked| {
        Box::pin(sessions::page(console, asked))
    }),
    Endpoint::get(urls::ENDING, EndSessions, |console, asked| {
        Box::pin(ending::page(console, asked))
    }),
    Endpoint::post(urls::ENDING, EndSessions, |console, asked| {
        Box::pin(ending::end(console, asked))
    }),
];
