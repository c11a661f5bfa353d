//! Decisions, as auditors and admins find them: a query, a chart, and records, newest first.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::asking::{Address, Asked, Chip, List, RANGES, Tab, Wrong};
use super::chart::{self, Chart, grouped};
use super::record::{DecisionRow, RecordView, Rules};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::Choice;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::query::Present;
use crate::store::audit::search::{Counts, Found, Wanted};
use crate::web::hx::HxOut;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame};

/// Rows of a page: with the chart, what 60 kB hold.
const ROWS: usize = 40;
/// The index trails the log by a moment; from this many records on, a page says so.
const BEHIND: u64 = 20_000;

/// Decisions that match. The block `rows` is what htmx swaps while somebody types.
#[derive(Debug, Clone, Template)]
#[template(path = "console/log/decisions.html", blocks = ["rows"])]
pub struct DecisionsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where the filter is sent, and the page without any filter.
    pub action: Link,
    /// The same from its beginning.
    pub newest: Link,
    /// `q`, as it was typed.
    pub query: String,
    /// `range`: one of [`RANGES`].
    pub range: String,
    /// What is wrong with the query.
    pub wrong: Option<String>,
    /// All, allowed, denied, refused.
    pub effects: Vec<Tab>,
    /// Conditions that can be taken away.
    pub chips: Vec<Chip>,
    /// How many there were over time.
    pub chart: Option<Chart>,
    /// Newest first.
    pub rows: Vec<DecisionRow>,
    /// Where further ones come from as they are made.
    pub live: Option<Link>,
    /// The page behind this one.
    pub older: Option<Link>,
    /// What is shown, in one line ("The newest 100, as of 09:15:02").
    pub summary: String,
    /// What is to be said of the search itself.
    pub remark: Option<String>,
}

impl DecisionsPage {
    /// Options of `range`.
    pub fn ranges(&self) -> Vec<Choice> {
        Choice::list(&RANGES, &self.range)
    }

    /// Where the form is sent that takes them away.
    pub fn export(&self) -> Link {
        Link::path(&["console", "decisions", "export"])
    }

    /// The id of what grows: another one for another stream, so that htmx begins it anew.
    pub fn tail(&self) -> String {
        let mut hasher = DefaultHasher::new();
        (&self.query, &self.range).hash(&mut hasher);
        format!("tail-{:x}", hasher.finish())
    }

    /// Whether anything is filtered.
    pub fn is_filtered(&self) -> bool {
        !self.query.is_empty()
    }

    /// What the empty page says.
    pub fn empty_title(&self) -> &'static str {
        if self.is_filtered() { "No decision matches" } else { "No decisions in this time" }
    }

    /// What it says to do.
    pub fn empty_advice(&self) -> &'static str {
        if self.is_filtered() {
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
    let wanted = match Asked::read(&address, List::Requests) {
        Ok(wanted) => wanted,
        Err(wrong) => return refused(&asked, &shown, (&address, wrong)),
    };
    let (found, counts) = searched(&console, &asked, (&shown, &wanted)).await?;
    let page = filled(&asked, &shown, (&wanted, &found, &counts))?;
    if asked.hx.wants_fragment() {
        let hx = HxOut::new().announce(&page.summary);
        let block = page::console(StatusCode::OK, &page.frame, &page.as_rows());
        return Ok((hx, block).into_response());
    }
    Ok(page::console(StatusCode::OK, &page.frame, &page))
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
    shown: &Shown,
    (wanted, found, counts): (&Asked, &Found, &Counts),
) -> Result<DecisionsPage, Box<Response>> {
    let now = asked.exchange.at;
    let query = wanted.query();
    let drawn = (&query, chart::period(&query, now), now);
    let views = found.lines.iter().map(RecordView::of);
    Ok(DecisionsPage {
        frame: shown.framed(asked.frame("Decisions", Section::Decisions)?),
        action: urls::decisions(),
        newest: wanted.newest(),
        query: wanted.text.clone(),
        range: wanted.range.to_owned(),
        wrong: None,
        effects: wanted.effects(),
        chips: wanted.chips(),
        chart: chart::of(counts, drawn, |from, to| wanted.within(from, to)),
        rows: views.map(|view| view.row(Rules(shown))).collect(),
        live: wanted.live(now),
        older: found.older.map(|id| wanted.older(id)),
        summary: summary(wanted, found, &Moment::new(now).clock()),
        remark: remark(found),
    })
}

/// The page with what is wrong beside the box. Nothing was searched, and what is on the screen stays there.
fn refused(asked: &Admitted, shown: &Shown, (address, Wrong(text)): (&Address, Wrong)) -> Answer {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let page = DecisionsPage {
        frame: shown.framed(asked.frame("Decisions", Section::Decisions)?),
        action: urls::decisions(),
        newest: urls::decisions(),
        query: address.q.clone(),
        range: List::Requests.offered(&address.range).to_owned(),
        wrong: Some(text),
        effects: Vec::new(),
        chips: Vec::new(),
        chart: None,
        rows: Vec::new(),
        live: None,
        older: None,
        summary: "Nothing was searched.".to_owned(),
        remark: None,
    };
    if asked.hx.wants_fragment() {
        let message = Message { text: page.wrong.as_deref().unwrap_or_default() };
        let hx = HxOut::new().announce(message.text).retarget("#q-err").reswap("innerHTML");
        return Ok((hx, page::console(status, &page.frame, &message)).into_response());
    }
    Ok(page::console(status, &page.frame, &page))
}

/// What is wrong with the query, alone.
#[derive(Debug, Template)]
#[template(source = "{{ text }}", ext = "html")]
struct Message<'a> {
    text: &'a str,
}

fn summary(wanted: &Asked, found: &Found, at: &str) -> String {
    let what = match (found.lines.len(), found.older, wanted.before) {
        (0, ..) => "No decision".to_owned(),
        (1, ..) => "1 decision".to_owned(),
        (count, Some(_), None) => format!("The newest {count}"),
        (count, ..) => format!("{count} decisions"),
    };
    let searched =
        found.looked_to.map(|to| format!("; searched back to {} so far", Moment::new(to).minute()));
    format!("{what}, as of {at} UTC{}.", searched.unwrap_or_default())
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
