//! The console: routes, who may open them, and what was decided.
//!
//! [`endpoints`] is the one table of what can be asked here, each row with the action that it takes. The router is built
//! from it and `guard` stands before every row, so an endpoint that nobody decides on can't be written. It answers on
//! Cedargate's own origin only.

use std::sync::Arc;

use axum::Router;
use tokio_util::sync::CancellationToken;

use crate::authz::console::ConsoleRules;
use crate::config::{InForce, Shown};
use crate::groups::Groups;
use crate::model::time::{Clock, Timestamp};
use crate::publishing::Publishing;
use crate::store::Store;
use crate::store::audit::AuditReader;
use crate::store::audit::search::Searcher;
use crate::web::doorkeeper::Doorkeeper;

use self::again::kept::Kept;
use self::changes::trials::Trials;
use self::integrity::checks::Checks;
use self::setup::entra::AtEntra;

pub mod again;
mod answers;
pub mod apps;
pub mod author;
pub mod cedar_text;
pub mod changes;
pub mod choice;
pub mod claims;
pub mod dashboard;
pub mod directory;
pub mod endpoints;
pub mod explore;
mod guard;
pub mod integrity;
pub mod log;
mod people;
pub mod printed;
pub mod reports;
mod route_picker;
pub mod rules;
mod saving;
pub mod sections;
pub mod setup;
mod showing;
mod streamed;
mod streaming;
pub mod urls;
pub mod words;

#[cfg(test)]
mod tests;

/// The console and all it was given.
#[derive(Debug)]
pub struct Console {
    /// Who asks, what was decided, the record of it.
    pub doorkeeper: Doorkeeper,
    /// Who may do what in the console.
    pub rules: Arc<ConsoleRules>,
    /// Releases: what pages show.
    pub store: Store,
    /// The way to the next release.
    pub publishing: Publishing,
    /// The log, for reading.
    pub reader: AuditReader,
    /// The log, for searching.
    pub searcher: Searcher,
    /// Ends what is streamed when the gate stops.
    pub stop: CancellationToken,
    /// Replays of the log under drafts.
    pub trials: Trials,
    /// The check of the log, while there is one.
    pub checks: Checks,
    /// Forms that wait until their sender has signed in again.
    pub kept: Kept,
    /// What groups are called.
    pub groups: Groups,
    /// How Cedargate itself stands at Entra.
    pub entra: Arc<dyn AtEntra>,
    /// When the certificate of our own listener ends; none where another program ends TLS.
    pub certificate_ends: Option<Timestamp>,
    /// The settings, without secrets.
    pub settings: Arc<[InForce]>,
    /// The time.
    pub clock: Clock,
}

impl Console {
    /// Whom people can ask, as the settings name them.
    fn contact(&self) -> Option<&str> {
        let setting = self.settings.iter().find(|setting| setting.key == "contact")?;
        match &setting.value {
            Shown::Text(text) => Some(text),
            Shown::List(_) | Shown::Secret | Shown::NotSet => None,
        }
    }

    /// The console's endpoints.
    pub fn router(self) -> Router {
        endpoints::router(self)
    }
}
