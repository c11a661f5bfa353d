//! Whether the log is whole: one sentence first, and then everything that it rests on.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::checks::{Progress, Running};
use super::evidence::Evidence;
use super::told::{AnchorRow, CheckRow, GapRow, HeadView, KeyRow, Teller, VerdictView};
use crate::console::Console;
use crate::console::answers::{Answer, see_other};
use crate::console::directory::known::known;
use crate::console::guard::Admitted;
use crate::console::log::fact::Fact;
use crate::console::log::told::{EventRow, EventView, Names};
use crate::console::sections::Section;
use crate::console::urls;
use crate::console::words::grouped;
use crate::model::query::Present;
use crate::store::StoreError;
use crate::store::audit::LogCopy;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame};

/// How the log stands. The block `standing` is what htmx swaps once a check has ended.
#[derive(Debug, Clone, Template)]
#[template(path = "console/integrity/page.html", blocks = ["standing"])]
pub struct IntegrityPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// This page again.
    pub again: Link,
    /// Where a check is begun.
    pub check: Link,
    /// The check that is at work.
    pub running: Option<RunningView>,
    /// Whether the log is whole, as far as is known.
    pub verdict: VerdictView,
    /// The newest checkpoint; none before the first record.
    pub head: Option<HeadView>,
    /// Keys that sign or signed the log.
    pub keys: Vec<KeyRow>,
    /// Where its checkpoints are told.
    pub anchors: Vec<AnchorRow>,
    /// When nothing was recorded.
    pub gaps: Vec<GapRow>,
    /// All starts and stops.
    pub all_gaps: Link,
    /// What was removed or erased, and beginnings behind another log.
    pub removals: Vec<EventRow>,
    /// Checks, newest first.
    pub checks: Vec<CheckRow>,
    /// How long records are kept, and what they take.
    pub keeping: Vec<Fact>,
    /// The same check, without this gate.
    pub command: String,
}

/// A check that is at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningView {
    /// Who asked, and when.
    pub sentence: String,
    /// How far it is.
    pub done: String,
    /// The same as it goes on.
    pub live: Link,
    /// Where it is ended.
    pub cancel: Link,
}

/// Answers with the page.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let shown = asked.shown(&console).await?;
    let frame = shown.framed(asked.frame("Integrity", Section::Integrity)?);
    let failed = |error: StoreError| Box::new(asked.unavailable(&error));
    let present = Present { now: asked.exchange.at, names: shown.names.clone() };
    // Looked at first: a check that ends meanwhile is on record by then, and on this page at least once.
    let running = console.checks.running();
    let evidence = Evidence::read(&console, &present).await.map_err(failed)?;
    let known = known(&console).await.map_err(failed)?;
    let names = Names { shown: &shown, known: &known };
    let running = running.map(|running| at_work(&running, names));
    let page = IntegrityPage { running, ..filled((&console, frame), &evidence, names) };
    if asked.hx.wants_fragment() {
        return Ok(page::console(StatusCode::OK, &page.frame, &page.as_standing()));
    }
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// Begins a check, and leads to the page that says how far it is.
pub(super) async fn check(console: Arc<Console>, asked: Admitted) -> Answer {
    let by = asked.caller.principal.subject().cloned().ok_or_else(|| Box::new(asked.no_page()))?;
    let records = records(&console).await.map_err(|error| Box::new(asked.unavailable(&error)))?;
    let _ = console.checks.begin(by, records);
    Ok(see_other(&urls::integrity()))
}

/// Ends the check that is at work; where none is, nothing has to be done.
pub(super) fn cancel(console: &Console) -> Response {
    if let Some(running) = console.checks.running() {
        running.cancel();
    }
    see_other(&urls::integrity())
}

/// How many records there are to read.
async fn records(console: &Console) -> Result<u64, StoreError> {
    let mut copy = LogCopy::open(console.searcher.log()).await?;
    let mut records = 0;
    for origin in copy.origins().await? {
        let first = copy.first(&origin).await?.unwrap_or(0);
        let end = copy.last(&origin).await?.map_or(0, |last| last.saturating_add(1));
        records += end.saturating_sub(first);
    }
    Ok(records)
}

fn filled(
    (console, frame): (&Console, Frame),
    evidence: &Evidence,
    names: Names<'_>,
) -> IntegrityPage {
    let teller = Teller { console, evidence, names };
    let removals = evidence.removals.iter().map(|line| EventView::of(line).row(names));
    IntegrityPage {
        frame,
        again: urls::integrity(),
        check: urls::check(),
        running: None,
        verdict: teller.verdict(),
        head: teller.head(),
        keys: teller.keys(),
        anchors: teller.anchors(),
        gaps: teller.gaps(),
        all_gaps: urls::events_where("kind:started,stopped,crash_found"),
        removals: removals.collect(),
        checks: evidence.checks.iter().map(|check| CheckRow::of(check, names)).collect(),
        keeping: teller.keeping(),
        command: teller.command(),
    }
}

fn at_work(running: &Running, names: Names<'_>) -> RunningView {
    let who = names.who(&running.by.to_string()).name;
    let read = match running.now() {
        Progress::Reading(read) => read,
        Progress::Ended(_) => running.records,
    };
    RunningView {
        sentence: format!("Begun by {who} on {}.", Moment::new(running.begun).full()),
        done: read_so_far(read, running.records),
        live: urls::check_progress(),
        cancel: urls::check_cancel(),
    }
}

/// `12 000 of 1 000 000 records read.`
pub(super) fn read_so_far(read: u64, records: u64) -> String {
    // Those that came since the beginning are read too.
    format!("{} of {} records read.", grouped(read), grouped(records.max(read)))
}
