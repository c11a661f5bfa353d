//! That somebody used the log from the console: on record before what they asked for leaves.

use axum::response::Response;

use crate::console::Console;
use crate::console::guard::Admitted;
use crate::model::record::{Actor, Entry, Event, LogUse, LogUseKind};

/// Leaves it on record.
///
/// # Errors
/// With the answer: 503 when it can't be recorded, 404 for whoever is nobody known.
pub(in crate::console) async fn note(
    console: &Console,
    asked: &Admitted,
    (how, detail): (LogUseKind, serde_json::Value),
) -> Result<(), Box<Response>> {
    let by = asked.caller.principal.subject().cloned().ok_or_else(|| Box::new(asked.no_page()))?;
    let used = LogUse { actor: Actor::Subject(by), how, detail, used_at: asked.exchange.at };
    let entry = Entry::Event(Box::new(Event::LogUsed(Box::new(used))));
    let noted = console.doorkeeper.audit.noted(entry).await;
    noted.map(|_receipt| ()).map_err(|error| {
        tracing::error!(error = %error, "That somebody used the log could not be recorded.");
        Box::new(asked.said().unavailable())
    })
}
