//! Decisions, as auditors and admins find them: a query, a chart, and records, newest first.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use super::asking::{Address, Asked, Facet, List, Wrong, page_of};
use super::chart::{self, Chart};
use super::decision::Whole;
use super::listing::{self, Listing, ROWS};
use super::record::{DecisionRow, RecordView, Rules};
use crate::console::Console;
use crate::console::answers::{Answer, see_other};
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::words::grouped;
use crate::model::query::Present;
use crate::store::audit::search::{Counts, Found, Wanted};
use crate::web::hx::HxOut;
use crate::web::link::Link;
use crate::web::page::{self, Frame};

/// The index trails the log by a moment; from this many records on, a page says so.
const BEHIND: u64 = 20_000;

/// Decisions that match. The block `rows` is what htmx swaps while somebody types.
#[derive(Debug, Clone, Template)]
#[template(path = "console/log/decisions.html", blocks = ["rows", "beside"])]
pub struct DecisionsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The filter, its conditions, and where the rest is.
    pub listing: Listing,
    /// Links that narrow the list: by result, by place, by whether somebody was signed in.
    pub facets: Vec<Facet>,
    /// How many there were over time.
    pub chart: Option<Chart>,
    /// Newest first.
    pub rows: Vec<DecisionRow>,
    /// Where further ones come from as they are made.
    pub live: Option<Link>,
    /// What is to be said of the search itself.
    pub remark: Option<String>,
    /// The record that is shown beside the list.
    pub open: Option<Opened>,
    /// What becomes of one that the browser shows.
    pub kept: Kept,
}

/// What becomes of a record that the browser shows beside the list, when the rows alone are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// None is there.
    None,
    /// It stays, under links that lead back to what is listed now.
    Stays(Head),
    /// It goes.
    Goes,
}

/// What stands above a record beside the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What became of it, in a word.
    pub heading: &'static str,
    /// Which request it was.
    pub request: String,
    /// Its page.
    pub page: Link,
    /// Why it fell so, in the simulator.
    pub why: Option<Link>,
    /// The list without it.
    pub close: Link,
}

/// A record beside the list.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What stands above it.
    pub head: Head,
    /// The record.
    pub whole: Whole,
}

impl Opened {
    /// Of a record, with its page and the list without it.
    pub fn new(page: Link, mut whole: Whole, close: Link) -> Self {
        whole.row.link = page;
        Self { head: Head::of(&whole.row, whole.why.clone(), close), whole }
    }
}

impl Head {
    fn of(row: &DecisionRow, why: Option<Link>, close: Link) -> Self {
        let request = format!("{} {}", row.method, row.path);
        Self { heading: row.heading(), request, page: row.link.clone(), why, close }
    }
}

impl DecisionsPage {
    /// Whether a record that the browser shows beside the list is to go.
    pub fn shuts(&self) -> bool {
        self.kept == Kept::Goes
    }

    /// What stands above one that stays, as it is to be now.
    pub fn stays(&self) -> Option<&Head> {
        match &self.kept {
            Kept::Stays(head) => Some(head),
            Kept::None | Kept::Goes => None,
        }
    }

    /// Where the form is sent that takes them away.
    pub fn export(&self) -> Link {
        Link::path(&["console", "decisions", "export"])
    }

    /// The id of what grows: another one for another stream, so that htmx begins it anew.
    pub fn tail(&self) -> String {
        let mut hasher = DefaultHasher::new();
        (&self.listing.query, &self.listing.range).hash(&mut hasher);
        format!("tail-{:x}", hasher.finish())
    }

    /// What the empty page says.
    pub fn empty_title(&self) -> &'static str {
        if self.listing.is_filtered() { "No decision matches" } else { "No decisions in this time" }
    }

    /// What it says to do.
    pub fn empty_advice(&self) -> &'static str {
        if self.listing.is_filtered() {
            "Take a condition away, or look further back."
        } else {
            "Open a protected app, and what was decided appears here. Or look further back."
        }
    }
}

/// Answers with the decisions that match.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let address: Address = asked.query()?;
    let shown = asked.shown(&console).await?;
    let frame = shown.framed(asked.frame("Decisions", Section::Decisions)?);
    let page = match Asked::read(&address, List::Requests) {
        Ok(wanted) if asked.hx.wants_fragment() && asked.hx.target.as_deref() == Some(BESIDE) => {
            return beside((&console, &asked), (frame, &shown), &wanted).await;
        }
        Ok(wanted) if wanted.keep.is_some() => {
            return asked_anew((&console, &asked), (frame, &shown), wanted).await;
        }
        Ok(wanted) => {
            let (found, counts) = searched(&console, &asked, (&shown, &wanted)).await?;
            let open = opened((&console, &asked), &shown, &wanted).await?;
            let wanted = if open.is_some() { wanted } else { wanted.alone() };
            let page = filled(&asked, (frame, &shown), (&wanted, &found, &counts));
            DecisionsPage { open, ..page }
        }
        Err(wrong) => {
            let open = beside_refused((&console, &asked), &shown, &address).await?;
            let listing = Listing::refused(List::Requests, &address, wrong);
            DecisionsPage { open, ..empty(frame, listing) }
        }
    };
    Ok(listing::answer(&asked, (&page.frame, &page.listing), (&page, &page.as_rows())))
}

/// Answers a query that was asked while a record stood beside the list: it stays where it still matches, and is closed
/// where it does not. Either way the address says what is shown.
async fn asked_anew(
    (console, asked): (&Console, &Admitted),
    (frame, shown): (Frame, &Shown),
    wanted: Asked,
) -> Answer {
    let kept = kept((console, asked), shown, &wanted).await?;
    let wanted = if kept == Kept::Goes { wanted.alone() } else { wanted };
    let place = wanted.keep.map_or_else(|| wanted.here(), |id| wanted.beside(&id.to_string()));
    if !asked.hx.wants_fragment() {
        return Ok(see_other(&place));
    }
    let (found, counts) = searched(console, asked, (shown, &wanted)).await?;
    let mut page = filled(asked, (frame, shown), (&wanted, &found, &counts));
    page.kept = kept;
    if page.shuts() {
        page.listing
            .summary
            .push_str(" The record beside the list does not match, and was closed.");
    }
    let answer = listing::answer(asked, (&page.frame, &page.listing), (&page, &page.as_rows()));
    Ok((HxOut::new().push_url(place.as_str()), answer).into_response())
}

/// What becomes of the record that stood beside the list: it stays where the query finds it.
async fn kept(
    (console, asked): (&Console, &Admitted),
    shown: &Shown,
    wanted: &Asked,
) -> Result<Kept, Box<Response>> {
    let Some(id) = wanted.keep else { return Ok(Kept::None) };
    let known = Present { now: asked.exchange.at, names: shown.names.clone() };
    let query = wanted.query_of(id);
    let one = Wanted { query, known, before: None, after: None, limit: 1 };
    let found = console.searcher.find(one).await;
    let found = found.map_err(|error| Box::new(asked.unavailable(&error)))?;
    Ok(found.lines.first().map_or(Kept::Goes, |line| {
        let view = RecordView::of(line);
        let row = wanted.placed(view.row(Rules(shown)));
        Kept::Stays(Head::of(&row, view.simulated(), wanted.here()))
    }))
}

/// The element beside the list.
const BESIDE: &str = "beside";

/// Answers with what stands beside the list alone; its address is the one that shows the list with it.
async fn beside(
    (console, asked): (&Console, &Admitted),
    (frame, shown): (Frame, &Shown),
    wanted: &Asked,
) -> Answer {
    let open = opened((console, asked), shown, wanted).await?;
    let (said, place) = match &open {
        Some(Opened { head, whole }) => {
            (format!("{}: {}", head.heading, head.request), wanted.beside(&whole.row.id))
        }
        None => ("Closed.".to_owned(), wanted.here()),
    };
    let listing = Listing::refused(List::Requests, &Address::default(), Wrong(String::new()));
    let page = DecisionsPage { open, ..empty(frame, listing) };
    let hx = HxOut::new().announce(&said).push_url(place.as_str());
    Ok((hx, page::console(StatusCode::OK, &page.frame, &page.as_beside())).into_response())
}

async fn opened(
    (console, asked): (&Console, &Admitted),
    shown: &Shown,
    wanted: &Asked,
) -> Result<Option<Opened>, Box<Response>> {
    let Some(id) = wanted.record else { return Ok(None) };
    let whole = Whole::find((console, asked), shown, id).await?;
    Ok(whole.map(|whole| Opened::new(wanted.page_of(&whole.row.id), whole, wanted.here())))
}

/// The record that stood beside the list before a query was typed that can't be read: it stays without script too.
async fn beside_refused(
    (console, asked): (&Console, &Admitted),
    shown: &Shown,
    address: &Address,
) -> Result<Option<Opened>, Box<Response>> {
    let id = address.chosen().filter(|_| !asked.hx.wants_fragment());
    let Some(id) = id else { return Ok(None) };
    let whole = Whole::find((console, asked), shown, id).await?;
    let range = List::Requests.offered(&address.range);
    let close = List::Requests.over(&address.q, range);
    let page = |whole: &Whole| page_of(&whole.row.id, (&address.q, range));
    Ok(whole.map(|whole| Opened::new(page(&whole), whole, close)))
}

async fn searched(
    console: &Console,
    asked: &Admitted,
    (shown, wanted): (&Shown, &Asked),
) -> Result<(Found, Counts), Box<Response>> {
    let failed = |error| Box::new(asked.unavailable(&error));
    let known = Present { now: asked.exchange.at, names: shown.names.clone() };
    let (query, before) = (wanted.query(), wanted.before);
    let period = chart::period(&query, known.now);
    let counts = console.searcher.count(query.clone(), known.clone(), period).await;
    let wanted = Wanted { query, known, before, after: None, limit: ROWS };
    let found = console.searcher.find(wanted).await.map_err(failed)?;
    Ok((found, counts.map_err(failed)?))
}

fn filled(
    asked: &Admitted,
    (frame, shown): (Frame, &Shown),
    (wanted, found, counts): (&Asked, &Found, &Counts),
) -> DecisionsPage {
    let now = asked.exchange.at;
    let query = wanted.query();
    let drawn = (&query, chart::period(&query, now), now);
    let views = found.lines.iter().map(RecordView::of);
    let listing = Listing::of(asked, (wanted, found), &how_many(wanted, found));
    DecisionsPage {
        facets: wanted.facets(),
        chart: chart::of(counts, drawn, |from, to| wanted.within(from, to)),
        rows: views.map(|view| wanted.placed(view.row(Rules(shown)))).collect(),
        live: wanted.live(now),
        remark: remark(found),
        ..empty(frame, listing)
    }
}

fn empty(frame: Frame, listing: Listing) -> DecisionsPage {
    let (facets, rows) = (Vec::new(), Vec::new());
    let (chart, live, remark, open) = (None, None, None, None);
    DecisionsPage { frame, listing, facets, chart, rows, live, remark, open, kept: Kept::None }
}

fn how_many(wanted: &Asked, found: &Found) -> String {
    match (found.lines.len(), found.older, wanted.before) {
        (0, ..) => "No decision".to_owned(),
        (1, ..) => "1 decision".to_owned(),
        (count, Some(_), None) => format!("The newest {count}"),
        (count, ..) => format!("{count} decisions"),
    }
}

fn remark(found: &Found) -> Option<String> {
    let text = || {
        format!(
            "The search index is {} records behind the log and is catching up. Until then a search is slower, and the chart lacks the newest.",
            grouped(found.behind)
        )
    };
    (found.behind > BEHIND).then(text)
}
