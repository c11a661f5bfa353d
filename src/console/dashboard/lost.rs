//! Who is denied now what they were let into before, by cause.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::card::{Card, Unread};
use super::cause::{Cause, Causes, Told};
use crate::console::Console;
use crate::console::choice::Named;
use crate::console::directory::known::PersonCell;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::count;
use crate::model::id::{ReleaseNumber, RouteId, Subject};
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::audit::search::{self, Losses, Since};
use crate::web::link::Link;
use crate::web::moment::Moment;

/// Denied within this time.
const DENIED: Duration = Duration::from_hours(1);
/// And let in within this time.
const ALLOWED: Duration = Duration::from_hours(7 * 24);

/// Whether people may be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// The reader may read the log.
    Named,
    /// The reader sees how many there are.
    Counted,
}

/// Who lost access.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lost {
    /// How many people: "38 people", "At least 38 people".
    pub people: String,
    /// How many, as far as they were read.
    pub number: usize,
    /// The release that most of them lost it with, and how many these are.
    pub release: Option<(ReleaseNumber, usize)>,
    /// By cause.
    pub groups: Vec<LostGroup>,
    /// What could not be looked at.
    pub partial: Option<&'static str>,
}

/// Those who lost access for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostGroup {
    /// Why, as a heading.
    pub cause: String,
    /// Where it is looked at.
    pub remedy: Option<(String, Link)>,
    /// What was lost, the newest first.
    pub rows: Vec<LostRow>,
    /// How many more there are.
    pub more: usize,
}

/// What somebody lost, or what several did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostRow {
    /// Who; none where people are only counted.
    pub who: Option<PersonCell>,
    /// How many people, in words.
    pub people: String,
    /// The method.
    pub method: String,
    /// The route.
    pub route: Named,
    /// When they were last let in.
    pub allowed_at: Moment,
    /// When they were last denied.
    pub denied_at: Moment,
    /// How often, in words.
    pub times: String,
    /// The newest denial.
    pub link: Option<Link>,
}

/// Rows that are shown of one cause.
const ROWS: usize = 10;

/// Reads who lost access.
pub(super) async fn read(
    console: &Console,
    (shown, naming): (&Shown, Naming),
    now: Timestamp,
) -> Card<Lost> {
    let since = Since { denied: now.minus(DENIED), allowed: now.minus(ALLOWED) };
    let read = async {
        let losses = console.searcher.losses(since).await?;
        sorted(console, (shown, naming), losses).await
    };
    read.await.map_err(|error: StoreError| Unread::because(&error))
}

async fn sorted(
    console: &Console,
    (shown, naming): (&Shown, Naming),
    Losses { lost, count: all, unread }: Losses,
) -> Result<Lost, StoreError> {
    let mut causes = Causes::new(&console.store);
    let mut by_cause: BTreeMap<Cause, Vec<Told>> = BTreeMap::new();
    let read = lost.len();
    for told in lost.into_iter().filter_map(Told::of) {
        if let Some(cause) = causes.of(&told).await? {
            by_cause.entry(cause).or_default().push(told);
        }
    }
    let everybody = people(by_cause.values().flatten());
    let releases = by_cause.iter().filter_map(|(cause, told)| match cause {
        Cause::Release(number) => Some((*number, people(told).len())),
        Cause::Failed
        | Cause::Membership
        | Cause::Ended(_)
        | Cause::Forbidden
        | Cause::Condition => None,
    });
    let more = unread.is_some() || all > read;
    let counted = of_people(everybody.len());
    Ok(Lost {
        people: if more { format!("At least {counted}") } else { counted },
        number: everybody.len(),
        release: releases.max_by_key(|(_, people)| *people),
        groups: by_cause
            .iter()
            .map(|(cause, told)| group((cause, told), (shown, naming)))
            .collect(),
        partial: unread.map(|unread| match unread {
            search::Unread::Denials => "There were too many denials to read all of them.",
            search::Unread::Allows => "There was no time to look through all of the last 7 days.",
        }),
    })
}

/// `1 person`, `2 people`
pub(super) fn of_people(number: usize) -> String {
    if number == 1 { "1 person".to_owned() } else { format!("{number} people") }
}

fn people<'a>(told: impl IntoIterator<Item = &'a Told>) -> BTreeSet<&'a Subject> {
    told.into_iter().filter_map(|told| told.denied.principal.subject()).collect()
}

fn group((cause, told): (&Cause, &[Told]), (shown, naming): (&Shown, Naming)) -> LostGroup {
    let mut rows = match naming {
        Naming::Named => told.iter().filter_map(|told| named(told, shown)).collect(),
        Naming::Counted => counted(told, shown),
    };
    let more = rows.len().saturating_sub(ROWS);
    rows.truncate(ROWS);
    LostGroup { cause: cause.words(), remedy: cause.remedy(&shown.book), rows, more }
}

fn named(told: &Told, shown: &Shown) -> Option<LostRow> {
    let subject = told.denied.principal.subject()?;
    Some(LostRow {
        who: Some(PersonCell::of(subject, &told.denied.principal)),
        people: of_people(1),
        method: told.denied.facts.method.clone(),
        route: route(told.denied.route.as_ref()?, shown),
        allowed_at: Moment::new(told.allowed_at),
        denied_at: Moment::new(told.denied_line.at),
        times: count(usize::try_from(told.times).unwrap_or(usize::MAX), "time"),
        link: Some(urls::decision(&told.denied_line.id)),
    })
}

/// One row for each route and method, since nobody may be told apart.
fn counted(told: &[Told], shown: &Shown) -> Vec<LostRow> {
    let mut by_deed: BTreeMap<(&RouteId, &str), Vec<&Told>> = BTreeMap::new();
    for one in told {
        let Some(route) = &one.denied.route else { continue };
        by_deed.entry((route, one.denied.facts.method.as_str())).or_default().push(one);
    }
    let row = |((id, method), told): ((&RouteId, &str), Vec<&Told>)| {
        let times: u64 = told.iter().map(|one| one.times).sum();
        Some(LostRow {
            who: None,
            people: of_people(people(told.iter().copied()).len()),
            method: method.to_owned(),
            route: route(id, shown),
            allowed_at: Moment::new(told.iter().map(|one| one.allowed_at).max()?),
            denied_at: Moment::new(told.iter().map(|one| one.denied_line.at).max()?),
            times: count(usize::try_from(times).unwrap_or(usize::MAX), "time"),
            link: None,
        })
    };
    by_deed.into_iter().filter_map(row).collect()
}

fn route(id: &RouteId, shown: &Shown) -> Named {
    let link = shown.route(id).map(|_| urls::route(id));
    Named { name: id.to_string(), link }
}
