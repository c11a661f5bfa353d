//! How things stand at this moment: one sentence and four numbers. What is streamed to a page that is open.

use askama::Template;

use super::card::Card;
use super::lost::Lost;
use super::range::Range;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::{count, grouped};
use crate::model::id::ReleaseNumber;
use crate::store::audit::search::{Overview, Sums};
use crate::web::link::Link;
use crate::web::page::{Notice, Tone};

/// Denials of people who are signed in.
const DENIED: &str = "door:proxy effect:deny -reason:not_signed_in";
/// The index trails the log by a moment; from this many records on, the page says so.
const BEHIND: u64 = 20_000;

/// The sentence and the numbers.
#[derive(Debug, Clone, Template)]
#[template(path = "console/dashboard/now.html")]
pub struct Now {
    /// How things stand.
    pub note: Notice,
    /// What can be done about it.
    pub remedies: Vec<(String, Link)>,
    /// Four numbers.
    pub numbers: Vec<Number>,
    /// What is to be said of the numbers themselves.
    pub remark: Option<String>,
}

/// A number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// What it counts.
    pub label: &'static str,
    /// The number, with its unit.
    pub value: String,
    /// What it was before.
    pub compared: String,
    /// What it is made of, for those who may see that.
    pub link: Option<Link>,
}

/// What it is told from.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) overview: &'a Card<Overview>,
    pub(super) lost: &'a Card<Lost>,
    pub(super) shown: &'a Shown,
    pub(super) range: Range,
    /// Whether the reader may follow the numbers into the log.
    pub(super) reads: Reads,
}

/// Whether somebody may read the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    Log,
    Numbers,
}

impl Now {
    pub(super) fn of(told: Told<'_>) -> Self {
        let (note, remedies) = health(told);
        let mut numbers =
            told.overview.as_ref().map_or_else(|_| Vec::new(), |of| traffic(of, told));
        numbers.push(waiting(told.shown));
        let remark = told.overview.as_ref().ok().and_then(remark);
        Self { note, remedies, numbers, remark }
    }

    /// The sentence alone, by which a page knows whether there is something new to say.
    pub fn said(&self) -> &str {
        &self.note.text
    }
}

fn health(Told { lost, shown, reads, .. }: Told<'_>) -> (Notice, Vec<(String, Link)>) {
    let note = |tone, text: &str| Notice { tone, text: text.to_owned() };
    let Ok(lost) = lost else {
        let text = "Whether somebody lost access could not be read.";
        return (note(Tone::Careful, text), Vec::new());
    };
    if lost.number == 0 {
        let text = "Everything was decided normally: nobody was denied in the last hour what they had been let into in the 7 days before.";
        return (note(Tone::Good, text), Vec::new());
    }
    let text = format!(
        "{} lost access in the last hour to what they used in the 7 days before{}.",
        lost.people,
        lost.release.map_or_else(String::new, |(release, people)| blamed(lost, (release, people)))
    );
    let mut remedies: Vec<(String, Link)> = Vec::new();
    if let Some((release, _)) = lost.release {
        let before = ReleaseNumber(release.0.saturating_sub(1));
        remedies.push((format!("Review release {release}"), urls::difference(before, release)));
        if release == shown.number {
            remedies.push(("Roll back".to_owned(), urls::releases()));
        }
    }
    if reads == Reads::Log {
        remedies.push(("See who".to_owned(), urls::home().with_fragment("lost")));
    }
    (note(Tone::Careful, &text), remedies)
}

/// `, after release 8`, or how many of them.
fn blamed(lost: &Lost, (release, people): (ReleaseNumber, usize)) -> String {
    if people == lost.number {
        format!(", after release {release}")
    } else {
        format!(", {people} of them after release {release}")
    }
}

fn traffic(overview: &Overview, Told { range, reads, .. }: Told<'_>) -> Vec<Number> {
    let Overview { now, before, looked_to, .. } = overview;
    // What was not read to its end is nothing to compare with.
    let was = |value: String| match looked_to {
        None => format!("{value} in {}", range.before()),
        Some(_) => "Nothing to compare with".to_owned(),
    };
    let link = |query: &str| (reads == Reads::Log).then(|| range.decisions(query));
    let slow = now.within_ms.map_or_else(
        || "door:proxy".to_owned(),
        |ms| format!("door:proxy ms:>={}", ms.saturating_sub(1)),
    );
    vec![
        Number {
            label: "Requests to apps",
            value: grouped(now.requests),
            compared: was(grouped(before.requests)),
            link: link("door:proxy"),
        },
        Number {
            label: "Denied though signed in",
            value: share(*now),
            compared: was(share(*before)),
            link: link(DENIED),
        },
        Number {
            label: "99 of 100 decided within",
            value: within(*now),
            compared: was(within(*before)),
            link: link(&slow),
        },
    ]
}

fn share(sums: Sums) -> String {
    match sums.requests {
        0 => "None".to_owned(),
        all => {
            let tenths = (sums.denied * 1_000 + all / 2) / all;
            match (sums.denied, tenths) {
                (0, _) => "0 %".to_owned(),
                (_, 0) => "under 0.1 %".to_owned(),
                (_, tenths) => format!("{}.{} %", tenths / 10, tenths % 10),
            }
        }
    }
}

fn within(sums: Sums) -> String {
    sums.within_ms.map_or_else(|| "None".to_owned(), |ms| format!("{} ms", grouped(ms)))
}

fn waiting(shown: &Shown) -> Number {
    let newest =
        shown.pending().iter().filter_map(|one| one.author.as_ref()).map(|author| author.at);
    let compared = match newest.max() {
        Some(at) => format!("Last edited {}", crate::web::moment::Moment::new(at).minute()),
        None => "Rules in force and draft are the same".to_owned(),
    };
    Number {
        label: "Waiting in the draft",
        value: count(shown.pending().len(), "change"),
        compared,
        link: Some(urls::draft()),
    }
}

fn remark(overview: &Overview) -> Option<String> {
    if overview.behind > BEHIND {
        return Some(format!(
            "The search index is {} records behind the log and is catching up; the numbers lack the newest.",
            grouped(overview.behind)
        ));
    }
    let to = crate::web::moment::Moment::new(overview.looked_to?).minute();
    Some(format!("There was too much to sum up at once: the numbers go back to {to} only."))
}
