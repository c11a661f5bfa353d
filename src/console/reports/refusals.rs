//! What was refused in a period: how often, to whom, where and why, and the list itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::period::Period;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::{Named, Tab};
use crate::console::guard::Admitted;
use crate::console::log::asking::sentence;
use crate::console::log::checked::Checked;
use crate::console::log::export::{self, FormatEntry};
use crate::console::log::fact::Fact;
use crate::console::log::gathering::{Gathered, gather};
use crate::console::log::record::{DecisionRow, RecordView, Rules};
use crate::console::log::using;
use crate::console::printed::PrintHead;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::grouped;
use crate::model::query::{Present, Query};
use crate::model::record::LogUseKind;
use crate::model::time::Timestamp;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame, Notice, PersonName, Tone};

/// Refusals that are counted: some ten megabytes of records.
const COUNTED: usize = 10_000;
/// Rows of the counts.
const SUMS: usize = 300;
/// Refusals that are listed one by one.
const LISTED: usize = 500;
/// What the report is about.
const REFUSED: &str = "kind:decision,refusal effect:deny,refused";

/// What was refused.
#[derive(Debug, Clone, Template)]
#[template(path = "console/reports/refusals.html")]
pub struct RefusalsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The reports.
    pub up: Link,
    /// This report.
    pub action: Link,
    /// What is wrong with what was asked.
    pub problem: Option<String>,
    /// The query besides, as it was typed.
    pub query: String,
    /// The first day.
    pub from: String,
    /// The last day.
    pub to: String,
    /// The same over periods that people ask for.
    pub presets: Vec<Tab>,
    /// What is printed above it; none while something is wrong.
    pub head: Option<PrintHead>,
    /// How the log was found when it was checked last; none while something is wrong.
    pub checked: Option<Checked>,
    /// Those that were only sent to sign in: how many, and the list of them.
    pub unsigned: Option<(String, Link)>,
    /// What it lacks, and how to get it.
    pub bounds: Vec<Notice>,
    /// How often, the most frequent first.
    pub sums: Vec<Sum>,
    /// One by one, newest first.
    pub rows: Vec<DecisionRow>,
    /// All of them, to look through.
    pub list: Link,
}

/// Refusals that are alike.
#[derive(Debug, Clone)]
pub struct Sum {
    /// Where; the host where no route covers it.
    pub place: Named,
    /// Who.
    pub who: PersonName,
    /// Why.
    pub reason: String,
    /// How often.
    pub count: u64,
    /// When last.
    pub last: Moment,
    /// The last one.
    pub example: Link,
}

/// What is asked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RefusalsQuery {
    /// Checked by the guard before the form is read.
    #[serde(rename = "_csrf")]
    csrf: Option<IgnoredAny>,
    from: String,
    to: String,
    q: String,
    /// As which file; the page asks for none.
    format: FormatEntry,
}

impl RefusalsQuery {
    /// The period, and what is looked for in it.
    ///
    /// # Errors
    /// With what is wrong, as a sentence.
    fn read(&self, asked: &Admitted) -> Result<(Period, Query), String> {
        let period = Period::read([&self.from, &self.to], asked.exchange.at)?;
        let mut query: Query = self.q.parse().map_err(|error| sentence(&error))?;
        // It is ours; what can't be read would be no condition at all.
        query.terms.extend(REFUSED.parse::<Query>().unwrap_or_default().terms);
        Ok((period, period.of(query)))
    }
}

/// Answers with the report.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let entry: RefusalsQuery = asked.query()?;
    let shown = asked.shown(&console).await?;
    let frame = shown.framed(asked.frame("Refusals", Section::Reports)?);
    let (period, query) = match entry.read(&asked) {
        Ok(read) => read,
        Err(wrong) => return Ok(refused(frame, entry, wrong)),
    };
    let known = Present { now: asked.exchange.at, names: shown.names.clone() };
    let found = gather(&console.searcher, (&query, &known), COUNTED).await;
    let failed = |error| Box::new(asked.unavailable(&error));
    let found = found.map_err(failed)?;
    let checked = Checked::log(&console, &known).await.map_err(failed)?;
    let [from, to] = period.fields();
    let detail = json!({ "report": "refusals", "format": "page", "from": from, "to": to, "query": entry.q, "records": found.lines.len() });
    using::note(&console, &asked, (LogUseKind::Read, detail)).await?;
    let filter = if entry.q.is_empty() { "All refusals" } else { entry.q.as_str() };
    let (unsigned, told): (Vec<_>, Vec<_>) =
        found.lines.iter().map(RecordView::of).partition(RecordView::is_unsigned);
    let covers = vec![
        Fact::prose("Filter", filter),
        Fact::prose("Period", &period.words()),
        Fact::prose("Rules now", shown.words()),
        Fact::prose("Refusals", &counted(&found)),
        Fact::prose("At apps", &grouped(of_apps(&told))),
        Fact::prose("At Cedargate’s own pages", &grouped(told.len() as u64 - of_apps(&told))),
        Fact::prose("Only sent to sign in", &grouped(unsigned.len() as u64)),
    ];
    let sums = sums(&told, &shown);
    let rows = told.iter().take(LISTED).map(|view| view.row(Rules(&shown)));
    let page = RefusalsPage {
        frame,
        up: urls::reports(),
        action: urls::refusals_report(),
        problem: None,
        presets: presets(&entry.q, (period, asked.exchange.at)),
        from,
        to,
        head: Some(PrintHead::new(&console, &asked, ("Refusals", covers))),
        checked: Some(checked),
        unsigned: (!unsigned.is_empty()).then(|| to_sign_in(unsigned.len(), &query)),
        bounds: bounds(&found, (told.len(), sums.len())),
        sums: sums.into_iter().take(SUMS).collect(),
        rows: rows.collect(),
        list: urls::decisions_where(&query.to_string()),
        query: entry.q,
    };
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// Answers with all of them as a file: the same columns, or the same lines, as every export of decisions.
pub(super) async fn file(console: Arc<Console>, asked: Admitted) -> Answer {
    let entry: RefusalsQuery = asked.form().await?;
    let read = entry.read(&asked).map_err(|_wrong| Box::new(asked.said().unreadable()));
    let (_, query) = read?;
    export::taken(console, &asked, (query, entry.format.into(), "refusals")).await
}

/// The form again, with what is wrong.
fn refused(frame: Frame, entry: RefusalsQuery, wrong: String) -> Response {
    let page = RefusalsPage {
        frame,
        up: urls::reports(),
        action: urls::refusals_report(),
        problem: Some(wrong),
        query: entry.q,
        from: entry.from,
        to: entry.to,
        presets: Vec::new(),
        head: None,
        checked: None,
        unsigned: None,
        bounds: Vec::new(),
        sums: Vec::new(),
        rows: Vec::new(),
        list: urls::decisions(),
    };
    page::console(StatusCode::UNPROCESSABLE_ENTITY, &page.frame, &page)
}

fn presets(query: &str, (here, now): (Period, Timestamp)) -> Vec<Tab> {
    let all = Period::presets(now).into_iter().map(|(label, period)| {
        let [from, to] = period.fields();
        let link = urls::refusals_report().with_query("from", &from).with_query("to", &to);
        let link = if query.is_empty() { link } else { link.with_query("q", query) };
        Tab { label, link, is_here: (period == here).then_some("page") }
    });
    all.collect()
}

fn counted(found: &Gathered) -> String {
    let number = grouped(found.lines.len() as u64);
    match found.rest {
        Some(_) => format!("The newest {number}"),
        None => number,
    }
}

/// How many were about an app.
fn of_apps(told: &[RecordView]) -> u64 {
    told.iter().filter(|view| view.is_of_app()).count() as u64
}

/// Somebody who is sent to sign in is kept out of nothing yet.
fn to_sign_in(number: usize, query: &Query) -> (String, Link) {
    let text = match number {
        1 => "1 request of nobody signed in was sent to sign in; it is in the files alone."
            .to_owned(),
        all => format!(
            "{} requests of nobody signed in were sent to sign in; they are in the files alone.",
            grouped(all as u64)
        ),
    };
    (text, urls::decisions_where(&format!("{query} reason:not_signed_in")))
}

/// What is not in it, in words.
fn bounds(found: &Gathered, (told, sums): (usize, usize)) -> Vec<Notice> {
    let mut bounds = Vec::new();
    let mut say = |text: String| bounds.push(Notice { tone: Tone::Careful, text });
    if found.rest.is_some() {
        let oldest =
            found.lines.last().map_or_else(String::new, |line| Moment::new(line.at).full());
        say(format!(
            "There are more than the newest {}, which go back to {oldest}. Take a shorter period, or the file, which has all of them.",
            grouped(found.lines.len() as u64)
        ));
    }
    if sums > SUMS {
        say(format!("The {SUMS} most frequent kinds of {} are shown.", grouped(sums as u64)));
    }
    if told > LISTED {
        say(format!("The newest {LISTED} are listed one by one; the file has all of them."));
    }
    bounds
}

/// What tells refusals apart: place, who, why.
type Kind = (String, String, String, String);

fn sums(told: &[RecordView], shown: &Shown) -> Vec<Sum> {
    let mut sums: BTreeMap<Kind, Sum> = BTreeMap::new();
    for view in told {
        let row = view.row(Rules(shown));
        let place = row.route.unwrap_or(Named { name: row.host, link: None });
        let PersonName { name, user_name } = row.who.clone();
        let kind = (place.name.clone(), name, user_name, row.reason.clone());
        // Newest first: the first of a kind is its last.
        let sum = sums.entry(kind).or_insert_with(|| Sum {
            place,
            who: row.who,
            reason: row.reason,
            count: 0,
            last: row.at,
            example: row.link,
        });
        sum.count += 1;
    }
    let mut sums: Vec<_> = sums.into_values().collect();
    sums.sort_by_key(|sum| std::cmp::Reverse(sum.count));
    sums
}
