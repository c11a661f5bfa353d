//! Rules, compiled for asking: those in force where they are the ones that a page shows, else made for it.

use std::sync::Arc;

use axum::response::Response;

use crate::authz::compile::CompileError;
use crate::authz::entities::Unusable;
use crate::authz::snapshot::Snapshot;
use crate::console::Console;
use crate::console::guard::Admitted;
use crate::console::showing::Shown;
use crate::model::id::ReleaseNumber;

/// The snapshot of the release that a page shows: the one in force, unless it was replaced a moment ago.
///
/// # Errors
/// With the answer, 503, when it can't be compiled.
pub(in crate::console) async fn in_force(
    console: &Arc<Console>,
    asked: &Admitted,
    shown: &Shown,
) -> Result<Arc<Snapshot>, Box<Response>> {
    let current = console.doorkeeper.live.current();
    if current.number() == shown.number {
        return Ok(current);
    }
    let compiled = compiled(console, asked, (shown, shown.number)).await?;
    compiled.map_err(|error| Box::new(asked.cannot_ask(&error)))
}

/// These rules as release `number` would be, or everything that is wrong with them.
///
/// # Errors
/// With the answer, 503, when compiling breaks off.
pub(super) async fn compiled(
    console: &Arc<Console>,
    asked: &Admitted,
    (shown, number): (&Shown, ReleaseNumber),
) -> Result<Result<Arc<Snapshot>, CompileError>, Box<Response>> {
    let (console, book) = (Arc::clone(console), shown.book.clone());
    let compile = move || {
        let compiled = console.doorkeeper.live.compile(&book, number);
        Ok::<_, Unusable>(compiled.map(Arc::new))
    };
    asked.apart(compile).await
}
