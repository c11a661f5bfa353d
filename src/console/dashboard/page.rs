//! The page.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;

use super::card::{Card, Unread};
use super::denied::{self, Denied, Offered};
use super::ending::{self, Ending};
use super::health::{self, Part};
use super::lost::{self, Lost, Naming};
use super::now::{Now, Reads, Told};
use super::range::{Address, Range};
use super::steps::{self, Step};
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::Tab;
use crate::console::guard::Admitted;
use crate::console::log::events;
use crate::console::log::told::EventRow;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::time::Timestamp;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame};

/// Changes that are shown.
const CHANGES: usize = 5;

/// The first page of the console.
#[derive(Debug, Clone, Template)]
#[template(path = "console/dashboard/page.html")]
pub struct DashboardPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// How far back it looks.
    pub ranges: Vec<Tab>,
    /// The same, in words.
    pub range: &'static str,
    /// The same page again.
    pub refresh: Link,
    /// When this was so.
    pub at: Moment,
    /// How things stand.
    pub now: Now,
    /// Where that comes from as it changes.
    pub live: Link,
    /// The first steps, while any is open.
    pub steps: Vec<Step>,
    /// Who lost access.
    pub lost: Card<Lost>,
    /// Where people are denied.
    pub denied: Card<Denied>,
    /// What ends soon.
    pub ending: Vec<Ending>,
    /// What is said where nothing does.
    pub calm: &'static str,
    /// What was changed last, for those who may read the log.
    pub changes: Option<Card<Vec<EventRow>>>,
    /// All changes.
    pub all_changes: Link,
    /// How Cedargate itself stands.
    pub health: Vec<Part>,
}

impl DashboardPage {
    /// How many of the first steps were taken.
    pub fn steps_done(&self) -> usize {
        self.steps.iter().filter(|step| step.is_done()).count()
    }

    /// Whether this looks like a new installation: most steps are open.
    pub fn is_new(&self) -> bool {
        !self.steps.is_empty() && self.steps_done() < 3
    }
}

/// Answers with the page.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let Address { range } = asked.query()?;
    let shown = asked.shown(&console).await?;
    let now = asked.exchange.at;
    let mut frame = shown.framed(asked.frame("Dashboard", Section::Dashboard)?);
    frame.notice = ending::warning(&console, now);
    let reads = reads(&console, &asked);
    let (overview, lost, verified, changes) = tokio::join!(
        console.searcher.overview(range.span(now)),
        lost::read(&console, (&shown, naming(reads)), now),
        health::verified(&console, &shown, now),
        changes(&console, &shown, (now, reads)),
    );
    let overview = overview.map_err(|error| Unread::because(&error));
    let steps = steps::steps(
        (&console, &asked),
        &shown,
        verified.as_ref().ok().and_then(Option::as_ref).map(|_| ()),
    );
    let behind = overview.as_ref().map(|overview| overview.behind).map_err(|unread| *unread);
    let offered = Offered {
        log: (reads == Reads::Log).then_some(()),
        edit: asked.may(&console, ConsoleAction::EditDraft).then_some(()),
    };
    let told = Told { overview: &overview, lost: &lost, shown: &shown, range, reads };
    let page = DashboardPage {
        frame,
        ranges: range.tabs(),
        range: range.words(),
        refresh: address(urls::home(), range),
        at: Moment::new(now),
        now: Now::of(told),
        live: address(urls::numbers(), range),
        steps: if steps.iter().all(Step::is_done) { Vec::new() } else { steps },
        denied: denied::card(&overview, (&shown, range), offered),
        ending: ending::soon(&console, &shown, now),
        calm: ending::calm(&console),
        changes,
        all_changes: urls::events(),
        health: health::parts(&console, (&shown, &verified, reads), (behind, now)).await,
        lost,
    };
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// What was changed last, for those who may read the log.
async fn changes(
    console: &Arc<Console>,
    shown: &Shown,
    (now, reads): (Timestamp, Reads),
) -> Option<Card<Vec<EventRow>>> {
    match reads {
        Reads::Log => {
            let newest = events::newest(console, (shown, now), CHANGES).await;
            Some(newest.map_err(|error| Unread::because(&error)))
        }
        Reads::Numbers => None,
    }
}

fn address(link: Link, range: Range) -> Link {
    link.with_query("range", range.as_str())
}

/// Whether this person may follow numbers into the log.
pub(super) fn reads(console: &Console, asked: &Admitted) -> Reads {
    if asked.may(console, ConsoleAction::ReadLog) { Reads::Log } else { Reads::Numbers }
}

/// The log names people, so whoever reads it knows them.
pub(super) fn naming(reads: Reads) -> Naming {
    match reads {
        Reads::Log => Naming::Named,
        Reads::Numbers => Naming::Counted,
    }
}
