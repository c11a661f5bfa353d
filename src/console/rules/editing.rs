//! A grant from a form: read, put into the draft, and never over somebody else's change.

use axum::response::Response;
use http::StatusCode;

use super::entry::{GrantEntry, Wanted, Wrong, names_somebody};
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::guard::Admitted;
use crate::console::people::known;
use crate::console::saving::save;
use crate::console::showing::Shown;
use crate::console::words::GroupNames;
use crate::model::difference::{ObjectKind, revision};
use crate::model::grant::{Grant, What, Who};
use crate::model::id::{GrantId, ReleaseNumber};
use crate::model::known::Known;
use crate::model::route::Route;
use crate::model::rule_book::RuleBook;

/// What came of a form.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The grant is in the draft.
    Saved(GrantId),
    /// The grant is not what the form was made from. Nothing was changed.
    Moved(String),
    /// Something is wrong with the form. Nothing was changed.
    Wrong(Vec<Wrong>, String),
}

/// What is edited.
#[derive(Debug, Clone, Copy)]
pub(super) struct Editing<'a> {
    /// The rules as they stand in the draft.
    pub(super) drafted: &'a Shown,
    /// On which route.
    pub(super) route: &'a Route,
    /// The grant; none when one is added.
    pub(super) grant: Option<&'a Grant>,
}

/// Saves the grant that a form asks for.
///
/// # Errors
/// With the answer, 503, when the database fails.
pub(super) async fn edit(
    console: &Console,
    asked: &Admitted,
    (editing, entry): (Editing<'_>, &GrantEntry),
) -> Result<Outcome, Box<Response>> {
    let Editing { drafted, grant, .. } = editing;
    if entry.revision() != grant.map(revision).unwrap_or_default() {
        return Ok(Outcome::Moved(
            "Somebody else changed this grant meanwhile, so nothing was saved. Above it stands as it is now; below is what you typed."
                .to_owned(),
        ));
    }
    let people = people(console, asked, entry.about()).await?;
    let ended = grant.and_then(|grant| grant.when.until);
    let moments = (console.clock.now(), ended);
    let wanted = match entry.read((&drafted.names, people.as_ref()), moments) {
        Ok(wanted) => wanted,
        Err(wrong) => return Ok(Outcome::Wrong(wrong, NOT_SAVED.to_owned())),
    };
    let Some(grant) = made(wanted, editing) else {
        return Ok(Outcome::Wrong(Vec::new(), "No id could be made for the grant.".to_owned()));
    };
    let id = grant.id.clone();
    let to = with(&drafted.book, grant);
    Ok(match save(console, asked, (&drafted.book, &to)).await?.done() {
        Ok(()) => Outcome::Saved(id),
        Err(unsaved) if unsaved.status == StatusCode::CONFLICT => Outcome::Moved(unsaved.why),
        Err(unsaved) => Outcome::Wrong(Vec::new(), unsaved.why),
    })
}

/// Who was here, where two fields of a form name one of them and its sender may read people.
pub(super) async fn people(
    console: &Console,
    asked: &Admitted,
    who: (&str, &str),
) -> Result<Option<Known>, Box<Response>> {
    if !names_somebody(who) || !asked.may(console, ConsoleAction::ReadPeople) {
        return Ok(None);
    }
    known(console).await.map(Some).map_err(|error| Box::new(asked.unavailable(&error)))
}

const NOT_SAVED: &str = "The grant was not saved. Correct what is marked below.";

/// The rule book with this grant in the place of the one with its id, or added.
pub(super) fn with(book: &RuleBook, grant: Grant) -> RuleBook {
    let mut book = without(book, &grant.id);
    book.grants.push(grant);
    book
}

/// The rule book without the grant.
pub(super) fn without(book: &RuleBook, id: &GrantId) -> RuleBook {
    let mut book = book.clone();
    book.grants.retain(|grant| grant.id != *id);
    book
}

/// What the form does not show stays as it was.
fn made(wanted: Wanted, Editing { drafted, route, grant }: Editing<'_>) -> Option<Grant> {
    let Wanted { effect, who, what, reach, networks, mfa, until, reason, ticket } = wanted;
    let old = if let Some(grant) = grant {
        grant.clone()
    } else {
        let id = new_id(&who, &what, drafted)?;
        Grant::new(id, who.clone(), what.clone(), route.id.clone())
    };
    let mut when = old.when.clone();
    (when.networks, when.mfa, when.until) = (networks, mfa, until);
    Some(Grant { effect, who, what, reach, when, reason, ticket, ..old })
}

/// `g-finance-read-8`: readable, with the number of the release that it is to be in.
fn new_id(who: &Who, what: &What, drafted: &Shown) -> Option<GrantId> {
    let who = whom(who, &drafted.names);
    let what = match what {
        What::Read => "read",
        What::Write => "write",
        What::All => "all",
        What::Methods(_) => "some",
    };
    let ReleaseNumber(first) = drafted.next();
    let taken = |id: &GrantId| {
        drafted.grant(id.as_str()).is_some()
            || drafted.waiting(ObjectKind::Grant, id.as_str()).is_some()
    };
    // Several may be added before the next release, and whoever wrote the rule book by hand may have used the very name.
    let numbers = first..first.saturating_add(1_000);
    let mut ids = numbers.filter_map(|n| format!("g-{who}-{what}-{n}").parse().ok());
    ids.find(|id| !taken(id))
}

fn whom(who: &Who, names: &GroupNames) -> String {
    let text = match who {
        Who::Group(id) => names.name(id).unwrap_or("group"),
        Who::Role(role) => role.as_str(),
        Who::Person(_) => "person",
        Who::Workload(_) => "service",
        Who::Tenants(_) => "tenant",
        Who::SignedIn => "signed-in",
        Who::Everyone => "everyone",
    };
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase).take(40) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "group".to_owned() } else { slug.to_owned() }
}
