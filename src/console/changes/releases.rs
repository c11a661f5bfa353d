//! All releases, newest first: what each changed, and the way back to it.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;
use serde::Deserialize;

use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::{Answer, see_other};
use crate::console::author::{Accounts, AuthorName};
use crate::console::directory::known::known;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::urls;
use crate::model::id::ReleaseNumber;
use crate::store::{ReleaseLine, StoreError, Tally};
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame};

/// Releases on one page.
const ROWS: u32 = 20;

/// The list of releases.
#[derive(Debug, Clone, Template)]
#[template(path = "console/changes/releases.html")]
pub struct ReleasesPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Newest first.
    pub rows: Vec<ReleaseRow>,
    /// Older ones.
    pub older: Option<Link>,
    /// The newest again, from a page of older ones.
    pub newest: Option<Link>,
    /// Where two are compared.
    pub compare: Link,
}

/// One release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseRow {
    /// Its number.
    pub number: i64,
    /// Whether it is in force.
    pub standing: Standing,
    /// When.
    pub at: Moment,
    /// By whom.
    pub by: AuthorName,
    /// What for.
    pub note: String,
    /// What it changed, in numbers ("+3 ~1 −2").
    pub counts: String,
    /// The same for those who hear the page.
    pub counted: String,
    /// What it changed.
    pub difference: Link,
    /// The beginning of its hash.
    pub hash: String,
    /// Where it is brought back, for those who may.
    pub restore: Option<Link>,
}

/// Whether a release is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Live,
    /// It was.
    Past,
}

impl ReleaseRow {
    /// Whether it is in force.
    pub fn is_live(&self) -> bool {
        self.standing == Standing::Live
    }
}

/// What the address says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ReleasesQuery {
    /// Only those with a lower number.
    before: Option<ReleaseNumber>,
}

/// Answers with the list.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let query: ReleasesQuery = asked.query()?;
    respond(&console, &asked, query.before).await
}

/// Two numbers to compare.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    from: ReleaseNumber,
    to: ReleaseNumber,
}

/// Leads to the difference between two releases.
pub(super) fn compare(asked: &Admitted) -> Answer {
    let Pair { from, to } = asked.query()?;
    Ok(see_other(&urls::difference(from, to)))
}

async fn respond(console: &Console, asked: &Admitted, before: Option<ReleaseNumber>) -> Answer {
    let shown = asked.shown(console).await?;
    let unread = |error: StoreError| Box::new(asked.unavailable(&error));
    let lines = console.store.releases(before, ROWS).await.map_err(unread)?;
    let known = known(console).await.map_err(unread)?;
    let last = lines.last().map(|line| line.number).filter(|number| number.0 > 1);
    let may = asked.may(console, ConsoleAction::EditDraft);
    let accounts = Accounts::of(console, asked);
    let mut rows = Vec::with_capacity(lines.len());
    for line in lines {
        let tally = console.store.tally(line.number).await;
        let tally = tally.map_err(|error| Box::new(asked.unavailable(&error)))?;
        let past = line.number != shown.number;
        let standing = if past { Standing::Past } else { Standing::Live };
        let restore = (may && past).then(|| urls::restore(line.number));
        let by = AuthorName::of(&line.author.by, (&known, accounts));
        rows.push(row((line, by), tally, (standing, restore)));
    }
    let page = ReleasesPage {
        frame: shown.framed(asked.frame("Releases", Section::Releases)?),
        rows,
        older: last.map(|number| urls::releases().with_query("before", &number.to_string())),
        newest: before.map(|_| urls::releases()),
        compare: urls::compare(),
    };
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

fn row(
    (line, by): (ReleaseLine, AuthorName),
    Tally { added, changed, removed }: Tally,
    (standing, restore): (Standing, Option<Link>),
) -> ReleaseRow {
    let ReleaseLine { number, author, note, sha256 } = line;
    ReleaseRow {
        number: number.0,
        standing,
        at: Moment::new(author.at),
        by,
        note,
        counts: format!("+{added} ~{changed} −{removed}"),
        counted: format!("{added} added, {changed} changed, {removed} removed"),
        difference: urls::difference(ReleaseNumber(number.0.saturating_sub(1)), number),
        hash: sha256.chars().take(8).collect(),
        restore,
    }
}
