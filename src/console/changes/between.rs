//! What differs between two releases.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::change::{Change, Telling, TextLine};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::author::Accounts;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::urls;
use crate::console::words::count;
use crate::model::difference;
use crate::model::group::GroupNames;
use crate::model::id::ReleaseNumber;
use crate::model::known::Known;
use crate::model::rule_book::{Release, RuleBook};
use crate::publishing::changed_lines;
use crate::web::link::Link;
use crate::web::page::{self, Frame};

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
    /// Object by object.
    pub changes: Vec<Change>,
    /// Line by line.
    pub cedar: Vec<TextLine>,
    /// The change before.
    pub earlier: Option<Link>,
    /// The change after.
    pub later: Option<Link>,
}

/// Answers with the page.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
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
    let mut page = filled(((from, &before), (to, &after)), &names, frame);
    let previous = ReleaseNumber(from.0.saturating_sub(1));
    page.earlier = (from.0 > 0).then(|| urls::difference(previous, from));
    page.later = next.map(|next| urls::difference(to, next));
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
    frame: Frame,
) -> BetweenPage {
    let telling = Telling { names, known: &Known::default(), accounts: Accounts::Hidden };
    let changes: Vec<_> = difference::between(&before.0, &after.0)
        .iter()
        .map(|one| Change { link: None, ..Change::new(one, None, telling) })
        .collect();
    BetweenPage {
        frame,
        up: urls::releases(),
        pair: [from.0, to.0],
        summary: match changes.len() {
            0 => "They are the same.".to_owned(),
            number => format!("{} from release {from} to release {to}.", count(number, "change")),
        },
        changes,
        cedar: changed_lines(&before.1, &after.1).into_iter().map(TextLine::new).collect(),
        earlier: None,
        later: None,
    }
}
