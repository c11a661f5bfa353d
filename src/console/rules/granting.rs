//! What editors do with the grants of a route: added, changed, ended, removed, each in the draft and as it was seen.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;

use super::editing::{self, Editing, Outcome};
use super::entry::{GrantEntry, Wrong};
use super::form::GrantForm;
use super::route::{Deed, RoutePage, block, route_page};
use crate::console::Console;
use crate::console::answers::{Answer, see_other};
use crate::console::guard::Admitted;
use crate::console::saving::{Unsaved, removal, save};
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::difference::{ObjectKind, revision};
use crate::model::grant::Grant;
use crate::model::id::GrantId;
use crate::model::route::Route;
use crate::model::rule_book::RuleBook;
use crate::model::time::{Instant, Timestamp};
use crate::web::hx::HxOut;
use crate::web::page::{Notice, Tone};

/// Adds the grant that the form asks for to the draft.
pub(super) async fn add_grant(console: Arc<Console>, asked: Admitted) -> Answer {
    let drafted = asked.shown(&console).await?.drafted();
    let route = find_route(&console, &asked, &drafted).await?;
    let editing = Editing { drafted: &drafted, route, grant: None };
    edited(&console, &asked, editing).await
}

/// Changes a grant as the form asks for.
pub(super) async fn change_grant(console: Arc<Console>, asked: Admitted) -> Answer {
    let drafted = asked.shown(&console).await?.drafted();
    let route = find_route(&console, &asked, &drafted).await?;
    let Some(grant) = find_grant(&drafted, route, &asked)? else {
        let entry: GrantEntry = asked.form().await?;
        let how = removed_grant(&console, &asked, &drafted).await?;
        let mut page = route_page(&console, &asked, (&drafted, route))?;
        let problem = format!("{how}, so nothing was saved. Sending the form now adds it anew.");
        send_back(&mut page, (&entry, &[]), problem);
        return Ok(block(&asked, StatusCode::CONFLICT, &page));
    };
    edited(&console, &asked, Editing { drafted: &drafted, route, grant: Some(grant) }).await
}

async fn edited(console: &Console, asked: &Admitted, editing: Editing<'_>) -> Answer {
    let mut entry: GrantEntry = asked.form().await?;
    if entry.fill_end(console.clock.now()) {
        return ending(console, asked, (editing, &entry));
    }
    let (status, wrong, problem) = match editing::edit(console, asked, (editing, &entry)).await? {
        Outcome::Saved(id) => return done(console, asked, (Deed::Saved, &id)).await,
        Outcome::Moved(why) => (StatusCode::CONFLICT, Vec::new(), why),
        Outcome::Wrong(wrong, why) => (StatusCode::UNPROCESSABLE_ENTITY, wrong, why),
    };
    // As it is now: whoever moved it did so since this request began, or before.
    let drafted = asked.shown(console).await?.drafted();
    let route = asked.route(&drafted)?;
    let mut page = route_page(console, asked, (&drafted, route))?;
    if let Some(grant) = editing.grant {
        let grant = drafted.grant(grant.id.as_str()).unwrap_or(grant);
        page.form = page.form.map(|form| GrantForm::of(grant, &drafted.names, form));
    }
    send_back(&mut page, (&entry, &wrong), problem);
    Ok(block(asked, status, &page))
}

/// The form again with the end filled in. Where there is script, the page does that by itself.
fn ending(
    console: &Console,
    asked: &Admitted,
    (Editing { drafted, route, grant }, entry): (Editing<'_>, &GrantEntry),
) -> Answer {
    let mut page = route_page(console, asked, (drafted, route))?;
    if let Some(grant) = grant {
        page.form = page.form.map(|form| GrantForm::of(grant, &drafted.names, form));
    }
    if let Some(form) = &mut page.form {
        entry.fill(form, &[]);
        form.until = std::mem::take(&mut form.until).focused();
    }
    Ok(block(asked, StatusCode::OK, &page))
}

/// A form that says of which grant it was made, and nothing else.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pointed {
    #[serde(rename = "_csrf", default)]
    _csrf: Option<serde::de::IgnoredAny>,
    revision: String,
}

/// Ends a grant now.
pub(super) async fn end_grant(console: Arc<Console>, asked: Admitted) -> Answer {
    let now = Timestamp::from_seconds(console.clock.now().as_micros().div_euclid(1_000_000));
    let ended = |book: &RuleBook, grant: &Grant| {
        let mut ended = grant.clone();
        ended.when.until = Some(Instant(now));
        editing::with(book, ended)
    };
    pointed(&console, &asked, (Deed::Ended, ended)).await
}

/// Removes a grant.
pub(super) async fn remove_grant(console: Arc<Console>, asked: Admitted) -> Answer {
    let removed = |book: &RuleBook, grant: &Grant| editing::without(book, &grant.id);
    pointed(&console, &asked, (Deed::Removed, removed)).await
}

async fn pointed(
    console: &Console,
    asked: &Admitted,
    (deed, change): (Deed, impl Fn(&RuleBook, &Grant) -> RuleBook),
) -> Answer {
    let drafted = asked.shown(console).await?.drafted();
    let route = find_route(console, asked, &drafted).await?;
    let form: Pointed = asked.form().await?;
    let Some(grant) = find_grant(&drafted, route, asked)? else {
        let how = removed_grant(console, asked, &drafted).await?;
        let mut page = route_page(console, asked, (&drafted, route))?;
        page.outcome = Some(Notice { tone: Tone::Bad, text: format!("{how}.") });
        return Ok(block(asked, StatusCode::CONFLICT, &page));
    };
    let saving = if form.revision == revision(grant) {
        let to = change(&drafted.book, grant);
        save(console, asked, (&drafted.book, &to)).await?.done()
    } else {
        let why = "Somebody else changed this grant meanwhile, so nothing was done. Look at it as it is now.";
        Err(Unsaved { status: StatusCode::CONFLICT, why: why.to_owned() })
    };
    match saving {
        Ok(()) => done(console, asked, (deed, &grant.id)).await,
        Err(Unsaved { status, why }) => {
            let mut page = route_page(console, asked, (&drafted, route))?;
            page.outcome = Some(Notice { tone: Tone::Bad, text: why });
            Ok(block(asked, status, &page))
        }
    }
}

/// The route that the address names, for a form that was sent to it.
///
/// # Errors
/// With the answer, 409, when it was removed from the draft, and 404 when there never was one.
async fn find_route<'a>(
    console: &Console,
    asked: &Admitted,
    drafted: &'a Shown,
) -> Result<&'a Route, Box<Response>> {
    let no_page = match asked.route(drafted) {
        Ok(route) => return Ok(route),
        Err(no_page) => no_page,
    };
    let id = format!("{}/{}", asked.param("app"), asked.param("name"));
    if drafted.waiting(ObjectKind::Route, &id).is_none() {
        return Err(no_page);
    }
    let how = removal(console, asked, (drafted, ObjectKind::Route, &id)).await?;
    Err(Box::new(asked.said().gone(&how)))
}

/// The grant that the address names, on this route and no other; none when it is not in the draft any more.
///
/// # Errors
/// With the answer, 404, when it is a grant of another route.
fn find_grant<'a>(
    drafted: &'a Shown,
    route: &Route,
    asked: &Admitted,
) -> Result<Option<&'a Grant>, Box<Response>> {
    match drafted.grant(asked.param("grant")) {
        Some(grant) if grant.route != route.id => Err(Box::new(asked.no_page())),
        found => Ok(found),
    }
}

/// Who removed the grant that the address names, as the beginning of a sentence.
async fn removed_grant(
    console: &Console,
    asked: &Admitted,
    drafted: &Shown,
) -> Result<String, Box<Response>> {
    let id: GrantId = asked.param("grant").parse().map_err(|_| Box::new(asked.no_page()))?;
    removal(console, asked, (drafted, ObjectKind::Grant, id.as_str())).await
}

/// Leads to the grant, saying what was done with it.
async fn done(console: &Console, asked: &Admitted, (deed, id): (Deed, &GrantId)) -> Answer {
    let drafted = asked.shown(console).await?.drafted();
    let route = asked.route(&drafted)?;
    if !asked.hx.wants_fragment() {
        return Ok(see_other(&deed.link(&route.id, id)));
    }
    let mut page = route_page(console, asked, (&drafted, route))?;
    let text = page.tell(deed, id);
    // The form is empty again, so the address is no longer that of a grant that is edited.
    let hx = HxOut::new().announce(&text).replace_url(urls::route(&route.id).as_str());
    Ok((hx, block(asked, StatusCode::OK, &page)).into_response())
}

/// Shows the form again with what was typed, what is wrong with each field, and what is wrong with the whole.
fn send_back(page: &mut RoutePage, (entry, wrong): (&GrantEntry, &[Wrong]), problem: String) {
    if let Some(form) = &mut page.form {
        entry.fill(form, wrong);
        form.problem = Some(problem);
    }
}
