//! Throwing the draft away: a page that says what would go, and the form that does it.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::change::{Change, More, Telling};
use crate::console::Console;
use crate::console::answers::{Answer, see_other};
use crate::console::author::Accounts;
use crate::console::directory::known::known;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::urls;
use crate::store::StoreError;
use crate::web::link::Link;
use crate::web::page::{self, Frame, Notice, Tone};

/// What would be thrown away.
#[derive(Debug, Clone, Template)]
#[template(path = "console/changes/discard.html", blocks = ["ask"])]
pub struct DiscardPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Why nothing was done, after a form that came too late.
    pub outcome: Option<Notice>,
    /// What would go.
    pub changes: Vec<Change>,
    /// How many more there are.
    pub more: Option<More>,
    /// Names what is shown.
    pub content: String,
    /// Where the form is sent.
    pub action: Link,
    /// The review.
    pub back: Link,
}

/// Answers with the page that asks first.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    respond(&console, &asked, (StatusCode::OK, None)).await
}

/// The form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Discarding {
    #[serde(rename = "_csrf", default)]
    _csrf: Option<IgnoredAny>,
    content: String,
}

/// Throws the draft away, as it was seen.
pub(super) async fn discard(console: Arc<Console>, asked: Admitted) -> Answer {
    let form: Discarding = asked.form().await?;
    let author = asked.author(&console)?;
    match console.store.discard_draft(Some(&form.content), &author).await {
        Ok(_) => {
            console.doorkeeper.audit.changes_made();
            Ok(see_other(&urls::draft()))
        }
        Err(StoreError::DraftMoved) => {
            let text =
                "Nothing was discarded: the draft changed meanwhile. Look at what would go now.";
            let notice = Notice { tone: Tone::Bad, text: text.to_owned() };
            respond(&console, &asked, (StatusCode::CONFLICT, Some(notice))).await
        }
        Err(error) => Err(Box::new(asked.unavailable(&error))),
    }
}

async fn respond(
    console: &Console,
    asked: &Admitted,
    (status, outcome): (StatusCode, Option<Notice>),
) -> Answer {
    let shown = asked.shown(console).await?;
    let known = known(console).await.map_err(|error| Box::new(asked.unavailable(&error)))?;
    let accounts = Accounts::of(console, asked);
    let telling = Telling { names: &shown.names, known: &known, accounts };
    let (changes, more) = telling.first(&shown);
    let page = DiscardPage {
        changes,
        more,
        content: shown.drafted().book.content_hash(),
        frame: shown.framed_without_bar(asked.frame("Discard the draft", Section::Draft)?),
        outcome,
        action: urls::discard(),
        back: urls::draft(),
    };
    if asked.hx.wants_fragment() {
        return Ok(page::console(status, &page.frame, &page.as_ask()));
    }
    Ok(page::console(status, &page.frame, &page))
}
