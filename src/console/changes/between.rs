//! What differs between two releases.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::change::{Cedar, Change, Parts, Telling};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::author::Accounts;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::urls;
use crate::console::words::count;
use crate::model::difference::{self, Difference};
use crate::model::group::GroupNames;
use crate::model::id::ReleaseNumber;
use crate::model::known::Known;
use crate::model::rule_book::{Release, RuleBook};
use crate::publishing::changed_lines;
use crate::web::link::Link;
use crate::web::page::{self, Frame};
use crate::web::stretch::Stretch;

/// What differs between two releases.
#[derive(Debug, Clone, Template)]
#[template(path = "console/changes/between.html")]
pub struct BetweenPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The list of releases.
    pub up: Link,
    /// The numbers.
    pub pair: [i64; 2],
    /// The whole in one line.
    pub summary: String,
    /// Object by object, or a page of them.
    pub changes: Vec<Change>,
    /// Which part of them that is.
    pub stretch: Option<Stretch>,
    /// Line by line.
    pub cedar: Cedar,
    /// The change before.
    pub previous: Option<Link>,
    /// The change after.
    pub next: Option<Link>,
}

/// Which part of it is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct BetweenQuery {
    page: usize,
    cedar: usize,
}

/// Answers with the page.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let BetweenQuery { page, cedar } = asked.query()?;
    let parts = Parts { page, cedar };
    let [from, to] = pair(asked.param("pair")).ok_or_else(|| Box::new(asked.no_page()))?;
    let shown = asked.shown(&console).await?;
    let (before, after) = (read(&console, &asked, from).await?, read(&console, &asked, to).await?);
    let names = console.groups.names(
        &[&before.0.group_names, &after.0.group_names]
            .into_iter()
            .flatten()
            .map(|(id, name)| (id.clone(), name.clone()))
            .collect(),
    );
    let names = names.with_people(shown.names.people().clone());
    let next = (to < shown.number).then(|| ReleaseNumber(to.0.saturating_add(1)));
    let frame = shown.framed(asked.frame("Difference", Section::Releases)?);
    let mut page = filled(((from, &before), (to, &after)), &names, parts, frame);
    let previous = ReleaseNumber(from.0.saturating_sub(1));
    page.previous = (from.0 > 0).then(|| urls::difference(previous, from));
    page.next = next.map(|next| urls::difference(to, next));
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// `3...5`
fn pair(text: &str) -> Option<[ReleaseNumber; 2]> {
    let (from, to) = text.split_once("...")?;
    let number = |text: &str| {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| plain).map(ReleaseNumber)
    };
    Some([number(from)?, number(to)?])
}

type Content = (RuleBook, String);

/// 0 stands for the time before the first release.
async fn read(
    console: &Console,
    asked: &Admitted,
    number: ReleaseNumber,
) -> Result<Content, Box<Response>> {
    if number.0 == 0 {
        return Ok((RuleBook::default(), String::new()));
    }
    let release = console.store.release(number).await;
    let release = release.map_err(|error| Box::new(asked.unavailable(&error)))?;
    let Release { rule_book, cedar, .. } = release.ok_or_else(|| Box::new(asked.no_page()))?;
    Ok((rule_book, cedar))
}

fn filled(
    ((from, before), (to, after)): ((ReleaseNumber, &Content), (ReleaseNumber, &Content)),
    names: &GroupNames,
    parts: Parts,
    frame: Frame,
) -> BetweenPage {
    let telling = Telling { names, known: &Known::default(), accounts: Accounts::Hidden };
    let (all, link) = (difference::between(&before.0, &after.0), urls::difference(from, to));
    let number = all.len();
    let (changes, stretch) = parts.of_changes(all, &link);
    let told = |one: &Difference| Change { link: None, ..Change::new(one, None, telling) };
    BetweenPage {
        frame,
        up: urls::releases(),
        pair: [from.0, to.0],
        summary: match number {
            0 => "They are the same.".to_owned(),
            number => format!("{} from release {from} to release {to}.", count(number, "change")),
        },
        changes: changes.iter().map(told).collect(),
        stretch,
        cedar: parts.of_cedar(changed_lines(&before.1, &after.1), &link),
        previous: None,
        next: None,
    }
}
