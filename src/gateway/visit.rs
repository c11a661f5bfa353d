//! A request on its way through the gateway: what every step of it looks at.

use std::sync::Arc;

use crate::authz::snapshot::Snapshot;
use crate::model::app::App;
use crate::web::caller::Caller;
use crate::web::exchange::Exchange;
use crate::web::flood::Source;

/// A request on its way through the gateway.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit<'a> {
    pub(super) app: &'a Arc<App>,
    pub(super) snapshot: &'a Snapshot,
    pub(super) exchange: &'a Arc<Exchange>,
    pub(super) caller: &'a Arc<Caller>,
}

impl Visit<'_> {
    /// Whose refusals its refusal counts with.
    pub(super) fn source(self) -> Source {
        match (&self.caller.session, self.caller.principal.subject()) {
            (Some(session), _) => Source::Session(session.id.clone()),
            (None, Some(subject)) => Source::Bearer(subject.clone()),
            (None, None) => Source::Address(self.exchange.facts.client),
        }
    }
}
