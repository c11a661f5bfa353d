//! Bringing an old release back: a page that asks first, as somebody's work may wait in the draft, and the form that does it.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::change::{Change, More, Telling};
use crate::console::Console;
use crate::console::answers::{Answer, see_other};
use crate::console::author::Accounts;
use crate::console::directory::known::known;
use crate::console::guard::Admitted;
use crate::console::saving::{Unsaved, save};
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::id::ReleaseNumber;
use crate::model::rule_book::RuleBook;
use crate::store::StoreError;
use crate::web::link::Link;
use crate::web::page::{self, Frame, Notice, Tone};

/// What would come back, and what waits beside it.
#[derive(Debug, Clone, Template)]
#[template(path = "console/changes/restore.html", blocks = ["ask"])]
pub struct RestorePage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The release.
    pub number: ReleaseNumber,
    /// Why nothing was done.
    pub outcome: Option<Notice>,
    /// What waits in the draft.
    pub changes: Vec<Change>,
    /// How many more there are.
    pub more: Option<More>,
    /// Names what waits.
    pub content: String,
    /// Where the form is sent.
    pub action: Link,
    /// All releases.
    pub back: Link,
}

/// The form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Restoring {
    #[serde(rename = "_csrf", default)]
    _csrf: Option<IgnoredAny>,
    /// The draft as it was seen; not sent where nothing waited.
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    others: Option<Others>,
}

/// What becomes of all else that waits in the draft.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Others {
    /// It waits on.
    Keep,
    /// It goes, so that the draft is the release and nothing else.
    Discard,
}

/// Answers with the page that asks first.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let number = number(&asked)?;
    rule_book(&console, &asked, number).await?;
    let shown = asked.shown(&console).await?;
    respond(&console, &asked, (&shown, number), (StatusCode::OK, None)).await
}

/// Brings an old release into the draft.
pub(super) async fn restore(console: Arc<Console>, asked: Admitted) -> Answer {
    let form: Restoring = asked.form().await?;
    let number = number(&asked)?;
    let old = rule_book(&console, &asked, number).await?;
    let shown = asked.shown(&console).await?;
    let draft = shown.drafted().book;
    let seen = form.content.is_some_and(|content| content == draft.content_hash());
    let from = match form.others {
        Some(Others::Keep) if seen => &shown.book,
        Some(Others::Discard) if seen => &draft,
        None if shown.pending().is_empty() => &shown.book,
        None | Some(Others::Keep | Others::Discard) => {
            let why = "Nothing was done yet. This is what waits in the draft now.".to_owned();
            let moved = Unsaved { status: StatusCode::CONFLICT, why };
            return failed(&console, &asked, (&shown, number, moved)).await;
        }
    };
    match save(&console, &asked, (from.book(), &old)).await?.done() {
        Ok(()) => Ok(see_other(&urls::draft().with_query("restored", &number.to_string()))),
        Err(unsaved) => failed(&console, &asked, (&shown, number, unsaved)).await,
    }
}

fn number(asked: &Admitted) -> Result<ReleaseNumber, Box<Response>> {
    asked.param("number").parse().map(ReleaseNumber).map_err(|_| Box::new(asked.no_page()))
}

/// What a release held.
async fn rule_book(
    console: &Console,
    asked: &Admitted,
    number: ReleaseNumber,
) -> Result<RuleBook, Box<Response>> {
    let release = console.store.release(number).await;
    let release = release.map_err(|error| Box::new(asked.unavailable(&error)))?;
    release.map(|release| release.rule_book).ok_or_else(|| Box::new(asked.no_page()))
}

async fn failed(
    console: &Console,
    asked: &Admitted,
    (shown, number, Unsaved { status, why }): (&Shown, ReleaseNumber, Unsaved),
) -> Answer {
    let notice = Notice { tone: Tone::Bad, text: why };
    respond(console, asked, (shown, number), (status, Some(notice))).await
}

async fn respond(
    console: &Console,
    asked: &Admitted,
    (shown, number): (&Shown, ReleaseNumber),
    (status, outcome): (StatusCode, Option<Notice>),
) -> Answer {
    let unread = |error: StoreError| Box::new(asked.unavailable(&error));
    let known = known(console).await.map_err(unread)?;
    let accounts = Accounts::of(console, asked);
    let telling = Telling { names: &shown.names, known: &known, accounts };
    let title = format!("Bring back release {number}");
    let (changes, more) = telling.first(shown);
    let page = RestorePage {
        changes,
        more,
        content: shown.drafted().book.content_hash(),
        frame: shown.framed_without_bar(asked.frame(&title, Section::Releases)?),
        number,
        outcome,
        action: urls::restore(number),
        back: urls::releases(),
    };
    if asked.hx.wants_fragment() {
        return Ok(page::console(status, &page.frame, &page.as_ask()));
    }
    Ok(page::console(status, &page.frame, &page))
}
