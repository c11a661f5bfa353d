//! What was changed and what else happened besides requests: who did it, to what and why, newest first.

use std::sync::Arc;

use askama::Template;

use super::asking::{Address, Asked, List};
use super::listing::{self, Listing, ROWS};
use super::told::{EventRow, EventView, Names};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::directory::known::known;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::words::count;
use crate::model::query::Present;
use crate::store::StoreError;
use crate::store::audit::search::Wanted;
use crate::web::page::Frame;

/// Events that match.
#[derive(Debug, Clone, Template)]
#[template(path = "console/log/events.html", blocks = ["rows"])]
pub struct EventsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The filter, its conditions, and where the rest is.
    pub listing: Listing,
    /// Newest first.
    pub rows: Vec<EventRow>,
}

impl EventsPage {
    /// What the empty page says.
    pub fn empty_title(&self) -> &'static str {
        if self.listing.is_filtered() {
            "Nothing matches"
        } else {
            "Nothing was changed in this time"
        }
    }

    /// What it says to do.
    pub fn empty_advice(&self) -> &'static str {
        if self.listing.is_filtered() {
            "Take a condition away, or look further back."
        } else {
            "Whatever somebody changes from now on appears here. Or look further back."
        }
    }
}

/// Answers with the events that match.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let address: Address = asked.query()?;
    let shown = asked.shown(&console).await?;
    let frame = shown.framed(asked.frame("Changes", Section::Changes)?);
    let page = match Asked::read(&address, List::Events) {
        Ok(wanted) => {
            let failed = |error: StoreError| Box::new(asked.unavailable(&error));
            let present = Present { now: asked.exchange.at, names: shown.names.clone() };
            let (query, before) = (wanted.query(), wanted.before);
            let search = Wanted { query, known: present, before, after: None, limit: ROWS };
            let found = console.searcher.find(search).await.map_err(failed)?;
            let known = known(&console).await.map_err(failed)?;
            let names = Names { shown: &shown, known: &known };
            let rows = found.lines.iter().map(|line| EventView::of(line).row(names)).collect();
            let what = count(found.lines.len(), "event");
            EventsPage { frame, listing: Listing::of(&asked, (&wanted, &found), &what), rows }
        }
        Err(wrong) => {
            let listing = Listing::refused(List::Events, &address, wrong);
            EventsPage { frame, listing, rows: Vec::new() }
        }
    };
    Ok(listing::answer(&asked, (&page.frame, &page.listing), (&page, &page.as_rows())))
}
