//! Whom the draft would affect, by what people did ask for: recorded decisions, decided again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::trials::{Extent, Measure, Progress, Trying, Window};
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::count;
use crate::model::id::DecisionId;
use crate::model::indexed::IndexedBook;
use crate::replay::{Against, Change, Impact, Line, Trial};
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame};

/// Lines of each list; the rest is counted.
const SHOWN: usize = 200;

/// Who would gain and who would lose. The block `result` is what htmx swaps while it is found out.
#[derive(Debug, Clone, Template)]
#[template(path = "console/changes/impact.html", blocks = ["result"])]
pub struct ImpactPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The review.
    pub up: Link,
    /// How far back, to choose from.
    pub windows: Vec<Choosable>,
    /// How many, to choose from.
    pub extents: Vec<Choosable>,
    /// By route or by person, to choose from.
    pub views: Vec<Choosable>,
    /// This page again.
    pub again: Link,
    /// What came of it.
    pub state: State,
}

/// A choice that is a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choosable {
    /// What it says.
    pub label: &'static str,
    /// Where it leads; none when it is the one that is shown.
    pub link: Option<Link>,
}

/// What came of the replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// There is nothing to find out: why.
    Nothing(String),
    /// It is being found out: how far it is.
    Working(String),
    /// It was found out.
    Found(Found),
}

/// Who would gain and who would lose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The whole in one sentence.
    pub summary: String,
    /// Since when and until when.
    pub as_of: Moment,
    /// Who would be let in.
    pub gains: Vec<Row>,
    /// Who would be kept out.
    pub losses: Vec<Row>,
    /// What was not looked at, and why.
    pub notes: Vec<String>,
}

/// A line of either list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Who: a name, or how many.
    pub who: String,
    /// The account's id, for one person.
    pub subject: Option<String>,
    /// What they asked for.
    pub method: &'static str,
    /// Where.
    pub place: String,
    /// How often; none where that would tell what a single person did.
    pub count: Option<u64>,
    /// One of the decisions, for those who read the log.
    pub example: Option<Link>,
}

/// What the address says.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ImpactQuery {
    window: String,
    extent: String,
    by: String,
}

impl Default for ImpactQuery {
    fn default() -> Self {
        Self { window: "7d".to_owned(), extent: "sample".to_owned(), by: "route".to_owned() }
    }
}

/// How the answer is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Route,
    Person,
}

impl View {
    const ALL: [Self; 2] = [Self::Route, Self::Person];

    fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Person => "person",
        }
    }
}

/// Whether people are named: to those who read the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Shown,
    Hidden,
}

type Asked = (Window, Extent, View);

/// Answers with the page; who is named takes reading the log.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let query: ImpactQuery = asked.query()?;
    let reads_log = asked.may(&console, ConsoleAction::ReadLog);
    let names = if reads_log { Names::Shown } else { Names::Hidden };
    let open = |view| view == View::Route || names == Names::Shown;
    let wanted = read(&query).filter(|(_, _, view)| open(*view));
    let Some(wanted) = wanted else { return Err(Box::new(asked.said().unreadable())) };
    let shown = asked.shown(&console).await?;
    let state = state(&console, &asked, (&shown, wanted, names)).await?;
    let frame = asked.frame("Who gains, who loses", Section::Draft)?;
    let page = ImpactPage {
        frame: shown.framed_without_bar(frame),
        up: urls::draft(),
        windows: Window::ALL
            .map(|one| option(wanted, (one, wanted.1, wanted.2), one.as_str()))
            .into(),
        extents: Extent::ALL
            .map(|one| option(wanted, (wanted.0, one, wanted.2), extent(one)))
            .into(),
        views: if names == Names::Shown {
            View::ALL.map(|one| option(wanted, (wanted.0, wanted.1, one), view(one))).into()
        } else {
            Vec::new()
        },
        again: link(wanted),
        state,
    };
    if asked.hx.wants_fragment() {
        return Ok(page::console(StatusCode::OK, &page.frame, &page.as_result()));
    }
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

fn read(ImpactQuery { window, extent, by }: &ImpactQuery) -> Option<Asked> {
    let window = Window::ALL.into_iter().find(|one| one.as_str() == window)?;
    let extent = Extent::ALL.into_iter().find(|one| one.as_str() == extent)?;
    Some((window, extent, View::ALL.into_iter().find(|one| one.as_str() == by)?))
}

fn extent(extent: Extent) -> &'static str {
    match extent {
        Extent::Sample => "A sample of 10 000",
        Extent::Whole => "All decisions",
    }
}

fn view(view: View) -> &'static str {
    match view {
        View::Route => "By route",
        View::Person => "By person",
    }
}

fn link((window, extent, view): Asked) -> Link {
    urls::impact()
        .with_query("window", window.as_str())
        .with_query("extent", extent.as_str())
        .with_query("by", view.as_str())
}

fn option(here: Asked, there: Asked, label: &'static str) -> Choosable {
    Choosable { label, link: (here != there).then(|| link(there)) }
}

async fn state(
    console: &Console,
    asked: &Admitted,
    (shown, (window, extent, view), names): (&Shown, Asked, Names),
) -> Result<State, Box<Response>> {
    if shown.pending().is_empty() {
        return Ok(State::Nothing(
            "The draft changes nothing, so nobody gains or loses.".to_owned(),
        ));
    }
    let book = shown.drafted().book;
    let measure = Measure { content: book.content_hash(), based_on: shown.number, window, extent };
    let trying = match console.trials.find(&measure, console.clock.now()) {
        Some(trying) => trying,
        None => match begin(console, asked, (measure, book)).await? {
            Some(trying) => trying,
            None => return Ok(State::Nothing(CANT_TELL.to_owned())),
        },
    };
    Ok(match trying.progress().await {
        Progress::Working(done) => State::Working(format!(
            "{} done so far.",
            count(usize::try_from(done).unwrap_or(usize::MAX), "decision")
        )),
        Progress::Failed(why) => State::Nothing(format!("It can't be told: {why}.")),
        Progress::Done(impact) => State::Found(found(&impact, &trying, (view, names))),
    })
}

const CANT_TELL: &str = "It can't be told as long as the draft does not compile, or the live release does not under the present settings.";

async fn begin(
    console: &Console,
    asked: &Admitted,
    (measure, book): (Measure, Arc<IndexedBook>),
) -> Result<Option<Arc<Trying>>, Box<Response>> {
    let review = asked.review(console, book).await?;
    let (Some(live), Some(rules)) = (review.live, review.next) else { return Ok(None) };
    // What was compiled is what is measured, whatever was edited since the page was begun.
    let measure = Measure { content: review.content, based_on: review.based_on, ..measure };
    let trial = Trial { rules, against: Against::Rules(live) };
    Ok(Some(console.trials.begin(measure, (console.reader.file(), trial), console.clock.now())))
}

fn found(impact: &Impact, trying: &Trying, (view, names): (View, Names)) -> Found {
    let rows = |change: Change| {
        let lines = impact.lines.iter().filter(move |line| line.key.change == change);
        match view {
            View::Person => lines.take(SHOWN).map(|line| person(line, names)).collect(),
            View::Route => routes(lines, names),
        }
    };
    Found {
        summary: summary(impact, names),
        as_of: Moment::new(trying.begun()),
        gains: rows(Change::Gains),
        losses: rows(Change::Loses),
        notes: notes(impact),
    }
}

fn person(line: &Line, names: Names) -> Row {
    Row {
        who: line.key.who.name.clone(),
        subject: line.key.who.subject.clone(),
        method: line.key.method,
        place: line.key.place.clone(),
        count: Some(line.tally.count),
        example: example(&line.tally.example, names),
    }
}

fn example(id: &str, names: Names) -> Option<Link> {
    let id: DecisionId = id.parse().ok().filter(|_| names == Names::Shown)?;
    Some(urls::decision(&id))
}

fn routes<'a>(lines: impl Iterator<Item = &'a Line>, names: Names) -> Vec<Row> {
    let mut all: BTreeMap<(&str, &'static str), (BTreeSet<&crate::replay::Who>, u64, &str)> =
        BTreeMap::new();
    for line in lines {
        let place = all.entry((&line.key.place, line.key.method)).or_default();
        place.0.insert(&line.key.who);
        place.1 += line.tally.count;
        place.2 = &line.tally.example;
    }
    let row = |((place, method), (who, total, id)): ((&str, _), (BTreeSet<_>, u64, &str))| Row {
        who: people(who.len(), names),
        subject: None,
        method,
        place: place.to_owned(),
        count: (!is_few(who.len(), names)).then_some(total),
        example: example(id, names),
    };
    let mut rows: Vec<_> = all.into_iter().map(row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.count));
    rows.truncate(SHOWN);
    rows
}

/// So few people that a number tells what one of them did.
const FEW: usize = 5;

/// Whether so few are behind a number that only those who read the log may see it.
fn is_few(number: usize, names: Names) -> bool {
    names == Names::Hidden && (1..FEW).contains(&number)
}

/// `1 person`, `12 people`; services and nobody known count as well.
fn people(number: usize, names: Names) -> String {
    match number {
        _ if is_few(number, names) => format!("fewer than {FEW} people"),
        1 => "1 person".to_owned(),
        number => format!("{number} people"),
    }
}

/// "Of 9120 decisions, 37 would change: 31 would be refused (12 people), 6 would be let in (4 people)."
fn summary(impact: &Impact, names: Names) -> String {
    let side = |change: Change| {
        let lines: Vec<_> = impact.lines.iter().filter(|line| line.key.change == change).collect();
        let who: BTreeSet<_> = lines.iter().map(|line| &line.key.who).collect();
        (lines.iter().map(|line| line.tally.count).sum::<u64>(), who.len())
    };
    let ((gained, gainers), (lost, losers)) = (side(Change::Gains), side(Change::Loses));
    let all = count(usize::try_from(impact.decided).unwrap_or(usize::MAX), "decision");
    if gained + lost + impact.further == 0 {
        return format!("Of {all}, none would change.");
    }
    let told = |number: u64, who: usize| {
        if is_few(who, names) { "some".to_owned() } else { number.to_string() }
    };
    let fewest = [losers, gainers].into_iter().filter(|who| *who > 0).min().unwrap_or_default();
    let changed = told(gained + lost + impact.further, fewest);
    format!(
        "Of {all}, {changed} would change: {} would be refused ({}), {} would be let in ({}).",
        told(lost, losers),
        people(losers, names),
        told(gained, gainers),
        people(gainers, names)
    )
}

fn notes(impact: &Impact) -> Vec<String> {
    let mut notes = Vec::new();
    let mut say = |number: u64, what: &str| {
        if number > 0 {
            notes.push(format!("{number} {what}"));
        }
    };
    say(impact.further, "further changes, of too many people and routes to be told apart");
    say(impact.pages, "decisions were about Cedargate's own pages, on which no release decides");
    say(impact.erased, "records were erased");
    say(impact.untold.count, "decisions could not be decided again");
    let gone = impact.gone.iter();
    notes.extend(gone.map(|(route, tally)| {
        format!(
            "{} asked for {route}, which the draft has not",
            count(usize::try_from(tally.count).unwrap_or(usize::MAX), "decision")
        )
    }));
    notes
}
