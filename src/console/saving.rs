//! Edits on their way into the draft.

use http::StatusCode;

use axum::response::Response;

use crate::authz::problem::Problem;
use crate::console::Console;
use crate::model::difference::ObjectKind;
use crate::model::known::Known;
use crate::model::rule_book::RuleBook;
use crate::publishing::Refusal;
use crate::store::{Author, Collision, Edit, Pending, StoreError};
use crate::web::moment::Moment;

use super::author::name;
use super::directory::known::known;
use super::guard::Admitted;
use super::showing::Shown;

/// What came of an edit.
#[derive(Debug)]
pub(super) enum Saved {
    /// It is in the draft.
    Done,
    /// It would make something wrong. Nothing was changed.
    Wrong(Vec<Problem>),
    /// Somebody else changed the same meanwhile: who, what and when. Nothing was changed.
    Moved(String),
}

/// Why an edit is not in the draft, in words and as a status.
#[derive(Debug)]
pub(super) struct Unsaved {
    pub(super) status: StatusCode,
    pub(super) why: String,
}

impl Saved {
    /// Fails unless the edit is in the draft.
    pub(super) fn done(self) -> Result<(), Unsaved> {
        match self {
            Self::Done => Ok(()),
            Self::Wrong(problems) => {
                let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
                Err(Unsaved {
                    status: StatusCode::UNPROCESSABLE_ENTITY,
                    why: format!("Nothing was saved: {}.", said.join("; ")),
                })
            }
            Self::Moved(how) => Err(Unsaved {
                status: StatusCode::CONFLICT,
                why: format!("Nothing was saved: {how}. Look at how it is now, then save again."),
            }),
        }
    }
}

/// Brings what differs between two rule books into the draft.
///
/// # Errors
/// With the answer, 503, when the database fails.
pub(super) async fn save(
    console: &Console,
    asked: &Admitted,
    (from, to): (&RuleBook, &RuleBook),
) -> Result<Saved, Box<Response>> {
    let author = asked.author(console)?;
    match console.publishing.edit(Edit { from, to }, &author).await {
        Ok(_) => {
            console.doorkeeper.audit.changes_made();
            Ok(Saved::Done)
        }
        Err(refusal) => unsaved(console, asked, refusal).await,
    }
}

/// What an edit would make wrong, without making it.
///
/// # Errors
/// With the answer, 503, when that can't be told.
pub(super) async fn objections(
    console: &Console,
    asked: &Admitted,
    (from, to): (&RuleBook, &RuleBook),
) -> Result<Vec<Problem>, Box<Response>> {
    let author = asked.author(console)?;
    let worse = console.publishing.worse(Edit { from, to }, &author).await;
    worse.map_err(|error| {
        tracing::error!(error = %error, "What an edit would make wrong could not be told.");
        Box::new(asked.said().unavailable())
    })
}

/// How an object came not to be in the draft any more while somebody had its form open, as far as the draft knows.
///
/// # Errors
/// With the answer, 503, when the database fails.
pub(super) async fn removal(
    console: &Console,
    asked: &Admitted,
    (shown, kind, id): (&Shown, ObjectKind, &str),
) -> Result<String, Box<Response>> {
    let mut pending = shown.pending().iter();
    let removed = pending.find(|Pending { difference: one, .. }| {
        one.kind == kind && one.id == id && one.after.is_none()
    });
    let said = format!("The {} {id} was removed meanwhile", kind.as_str());
    let Some(Author { by, at }) = removed.and_then(|one| one.author.as_ref()) else {
        return Ok(said);
    };
    let known = known(console).await.map_err(|error| Box::new(asked.unavailable(&error)))?;
    Ok(format!("{said} by {} at {}", name(by, &known), Moment::new(*at).full()))
}

/// What is the author's to put right, and what is not.
pub(super) async fn unsaved(
    console: &Console,
    asked: &Admitted,
    refusal: Refusal,
) -> Result<Saved, Box<Response>> {
    match refusal {
        Refusal::Compile(error) => Ok(Saved::Wrong(error.problems)),
        Refusal::Store(StoreError::Collided(all)) => {
            let known = known(console).await;
            let known = known.map_err(|error| Box::new(asked.unavailable(&error)))?;
            let told: Vec<_> = all.iter().map(|one| collision(one, &known)).collect();
            Ok(Saved::Moved(told.join("; ")))
        }
        Refusal::Store(
            error @ (StoreError::Twice { .. } | StoreError::DraftMoved | StoreError::Stale { .. }),
        ) => Ok(Saved::Moved(error.to_string())),
        Refusal::Store(error) => Err(Box::new(asked.unavailable(&error))),
        refusal @ (Refusal::Broken(_) | Refusal::Second { .. } | Refusal::Unknown(_)) => {
            Ok(Saved::Moved(refusal.to_string()))
        }
        Refusal::Panicked(error) => {
            tracing::error!(error = %error, "Compiling an edit broke off.");
            Err(Box::new(asked.said().unavailable()))
        }
    }
}

/// What somebody else changed meanwhile, by the name of that person.
fn collision(one: &Collision, known: &Known) -> String {
    let what = if one.now.is_some() { "changed" } else { "removed" };
    let object = one.wanted.object();
    match &one.by {
        Some((by, at)) => {
            let (who, when) = (name(by, known), Moment::new(*at).full());
            format!("`{object}` was {what} by {who} at {when}")
        }
        None => format!("`{object}` was {what} in the meantime"),
    }
}
