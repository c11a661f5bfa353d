//! People and services who were here. Nobody is listed until somebody is looked for: a list of everybody serves no question.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;
use serde::Deserialize;

use super::known::{PersonCell, known, limit};
use super::membership::of_person;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::urls;
use crate::model::id::Subject;
use crate::model::known::{Known, KnownPrincipal};
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame};

/// People that are shown.
const ROWS: usize = 100;

/// People who match.
#[derive(Debug, Clone, Template)]
#[template(path = "console/directory/people.html")]
pub struct PeoplePage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where the search is sent.
    pub action: Link,
    /// `q`, as it was typed.
    pub query: String,
    /// How many there are, and how many match.
    pub summary: String,
    /// Those who match, by name; none while nobody is looked for.
    pub people: Option<Vec<KnownRow>>,
}

/// Somebody who was here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRow {
    /// Who.
    pub who: PersonCell,
    /// How many groups and roles, in words.
    pub memberships: String,
    /// When they were last seen.
    pub seen: Moment,
}

/// Who is looked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PeopleQuery {
    q: String,
}

/// Answers with the people who match.
pub(in crate::console) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let PeopleQuery { q } = asked.query()?;
    let shown = asked.shown(&console).await?;
    let known = known(&console).await.map_err(|error| Box::new(asked.unavailable(&error)))?;
    let frame = shown.framed(asked.frame("People", Section::People)?);
    let found = (!q.trim().is_empty()).then(|| known.named(&q));
    let page = PeoplePage {
        frame,
        action: urls::people(),
        query: q,
        summary: summary(&known, found.as_deref().map(<[_]>::len)),
        people: found.map(|all| all.into_iter().take(ROWS).map(row).collect()),
    };
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

fn row((subject, person): (&Subject, &KnownPrincipal)) -> KnownRow {
    KnownRow {
        who: PersonCell::of(subject, &person.content),
        memberships: match of_person(&person.content).len() {
            0 => "None".to_owned(),
            number => number.to_string(),
        },
        seen: Moment::new(person.seen_at),
    }
}

fn summary(known: &Known, found: Option<usize>) -> String {
    let all = match known.len() {
        1 => "1 person or service was here so far".to_owned(),
        all => format!("{all} people and services were here so far"),
    };
    let known = limit(known.len()).map_or_else(String::new, |limit| format!(" {limit}"));
    let matching = match found {
        None => String::new(),
        Some(found) if found > ROWS => format!("; {found} match, the first {ROWS} are shown"),
        Some(1) => "; 1 matches".to_owned(),
        Some(found) => format!("; {found} match"),
    };
    format!("{all}{matching}.{known}")
}
