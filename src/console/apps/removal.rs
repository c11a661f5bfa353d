//! The page that asks before something is removed: what it takes away, what comes of it, what stands in its way.

use std::sync::Arc;

use askama::Template;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::console::Console;
use crate::console::answers::{Answer, see_other};
use crate::console::guard::Admitted;
use crate::console::saving::{Unsaved, objections, save};
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::grant::Grant;
use crate::model::rule_book::RuleBook;
use crate::model::words::sentence;
use crate::publishing::Review;
use crate::web::link::Link;
use crate::web::page::{self, Frame, Notice, Tone};

use http::StatusCode;

/// What would be lost, and the form that removes it.
#[derive(Debug, Clone, Template)]
#[template(path = "console/apps/removal.html")]
pub struct RemovalPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The page of what is removed.
    pub back: Link,
    /// What that page is called.
    pub name: String,
    /// The question.
    pub heading: String,
    /// What came of the form just sent.
    pub outcome: Option<Notice>,
    /// What goes along, in words.
    pub lost: Vec<String>,
    /// What comes of it.
    pub after: Vec<Notice>,
    /// What has to be changed first.
    pub blocking: Vec<String>,
    /// Where the form is sent.
    pub action: Link,
    /// Of everything that goes, as it is shown.
    pub revision: String,
}

/// Something about to be removed.
#[derive(Debug)]
pub(super) struct Removal {
    /// Where it has its page, and what that is called.
    pub(super) place: (Link, String),
    /// The question.
    pub(super) heading: String,
    /// What goes along, in words.
    pub(super) lost: Vec<String>,
    /// What comes of it.
    pub(super) after: Vec<Notice>,
    /// Where the form is sent.
    pub(super) action: Link,
    /// Of everything that goes.
    pub(super) revision: String,
    /// The rule book without it.
    pub(super) to: RuleBook,
}

/// The form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Removing {
    #[serde(rename = "_csrf", default)]
    _csrf: Option<IgnoredAny>,
    revision: String,
}

/// Asks.
pub(super) async fn ask(
    console: &Console,
    asked: &Admitted,
    (drafted, removal): (&Shown, Removal),
) -> Answer {
    respond(console, asked, (drafted, removal), (StatusCode::OK, None)).await
}

/// Removes it, if it is still what was seen.
pub(super) async fn carry_out(
    console: &Console,
    asked: &Admitted,
    (drafted, removal): (&Shown, Removal),
) -> Answer {
    let form: Removing = asked.form().await?;
    let saving = if form.revision == removal.revision {
        save(console, asked, (&drafted.book, &removal.to)).await?.done()
    } else {
        let why = "Nothing was removed: somebody else changed something of this meanwhile. Below it stands as it is now.";
        Err(Unsaved { status: StatusCode::CONFLICT, why: why.to_owned() })
    };
    match saving {
        Ok(()) => Ok(see_other(&urls::routes())),
        Err(Unsaved { status, why }) => {
            let text = why.replace("Nothing was saved", "Nothing was removed");
            let notice = Notice { tone: Tone::Bad, text };
            respond(console, asked, (drafted, removal), (status, Some(notice))).await
        }
    }
}

async fn respond(
    console: &Console,
    asked: &Admitted,
    (drafted, removal): (&Shown, Removal),
    (status, outcome): (StatusCode, Option<Notice>),
) -> Answer {
    let review = asked.review(console, Arc::new(removal.to.clone().into())).await?;
    let blocking = match review.problems {
        Some(_) => objections(console, asked, (&drafted.book, &removal.to)).await?,
        None => Vec::new(),
    };
    let Removal { place: (back, name), heading, lost, mut after, action, revision, .. } = removal;
    after.extend(broken(&review));
    let page = RemovalPage {
        frame: drafted.framed(asked.frame(&heading, Section::Routes)?),
        back,
        name,
        heading,
        outcome,
        lost,
        after,
        blocking: blocking.into_iter().map(|problem| problem.hint(None).to_string()).collect(),
        action,
        revision,
    };
    Ok(page::console(status, &page.frame, &page))
}

/// The assertions that do not hold without it: they stay, and keep the draft from being published.
fn broken(review: &Review) -> Option<Notice> {
    let broken: Vec<_> = review.broken.iter().map(ToString::to_string).collect();
    let text = format!(
        "Nothing is published without it before these assertions hold or are removed too: {}.",
        broken.join("; ")
    );
    (!broken.is_empty()).then_some(Notice { tone: Tone::Careful, text })
}

/// Grants in words.
pub(super) fn grants_in_words(grants: &[&Grant], drafted: &Shown) -> Vec<String> {
    let line = |grant: &&Grant| format!("Grant {}: {}", grant.id, sentence(grant, &drafted.names));
    grants.iter().map(line).collect()
}
