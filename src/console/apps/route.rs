//! A route but for its grants: described anew, shown to everybody in the console, changed by whoever may edit the draft.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::facts::{Fact, Versions};
use super::route_form::{NOT_SAVED, RouteEntry, RouteForm, facts_of};
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::{Answer, see_other};
use crate::console::choice::{Badge, Field, Named, Standing};
use crate::console::guard::Admitted;
use crate::console::saving::{Saved, removal, save};
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::app::App;
use crate::model::difference::{ObjectKind, revision};
use crate::model::id::RouteId;
use crate::model::route::Route;
use crate::model::rule_book::RuleBook;
use crate::web::link::Link;
use crate::web::page::{self, Frame};

/// A route as facts, and as a form for those who may edit.
#[derive(Debug, Clone, Template)]
#[template(path = "console/apps/route.html")]
pub struct RouteSettingsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where it belongs: the routes, its app, and itself once there is one.
    pub crumbs: Vec<Named>,
    /// What it is about.
    pub heading: String,
    /// How it stands to what is in force.
    pub standing: Option<Badge>,
    /// What is told of it, where there is no form.
    pub facts: Vec<Fact>,
    /// The form.
    pub form: Option<RouteForm>,
    /// What somebody else made of it meanwhile, beside what was typed.
    pub versions: Vec<Versions>,
    /// Where it can be removed.
    pub remove: Option<Link>,
}

/// Answers with an empty form.
pub(super) async fn new(console: Arc<Console>, asked: Admitted) -> Answer {
    let drafted = asked.shown(&console).await?.drafted();
    let app = asked.app(&drafted)?;
    adding(&asked, (StatusCode::OK, &drafted), (app, RouteForm::empty(app)))
}

/// Adds a route to the draft.
pub(super) async fn add(console: Arc<Console>, asked: Admitted) -> Answer {
    let entry: RouteEntry = asked.form().await?;
    if entry.name.is_none() {
        return Err(Box::new(asked.said().unreadable()));
    }
    let drafted = asked.shown(&console).await?.drafted();
    let app = asked.app(&drafted)?;
    let mut form = RouteForm::empty(app).typed(&entry);
    let Some(route) = form.read(&app.id) else {
        form.problem = Some(NOT_SAVED.to_owned());
        return adding(&asked, (StatusCode::UNPROCESSABLE_ENTITY, &drafted), (app, form));
    };
    if drafted.route(&route.id).is_some() {
        form.name.error = Some("There is a route of this name already.".to_owned());
        form.problem = Some(NOT_SAVED.to_owned());
        form.focus_first_wrong();
        return adding(&asked, (StatusCode::CONFLICT, &drafted), (app, form));
    }
    let id = route.id.clone();
    let status = match save(&console, &asked, (&drafted.book, &with(&drafted.book, route))).await? {
        Saved::Done => return Ok(see_other(&urls::saved_route(&id))),
        Saved::Wrong(problems) => {
            form.blame(&problems);
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Saved::Moved(how) => {
            form.problem = Some(format!("Nothing was saved: {how}."));
            StatusCode::CONFLICT
        }
    };
    adding(&asked, (status, &drafted), (app, form))
}

/// Answers with a route as it stands in the draft.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let drafted = asked.shown(&console).await?.drafted();
    let route = asked.route(&drafted)?;
    if asked.may(&console, ConsoleAction::EditDraft) {
        return changing(&asked, (StatusCode::OK, &drafted), (route, RouteForm::of(route)));
    }
    let page = of(&asked, (&drafted, route))?;
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// Changes a route as the form asks for.
pub(super) async fn change(console: Arc<Console>, asked: Admitted) -> Answer {
    let entry: RouteEntry = asked.form().await?;
    if entry.name.is_some() {
        return Err(Box::new(asked.said().unreadable()));
    }
    let drafted = asked.shown(&console).await?.drafted();
    let Ok(route) = asked.route(&drafted) else {
        return gone(&console, &asked, (&drafted, &entry)).await;
    };
    if entry.revision != revision(route) {
        let why = format!("Nothing was saved: somebody else changed this route meanwhile. {BOTH}");
        return moved(&asked, (&drafted, &entry), why);
    }
    let mut form = RouteForm::of(route).typed(&entry);
    let Some(wanted) = form.read(route.id.app()) else {
        form.problem = Some(NOT_SAVED.to_owned());
        return changing(&asked, (StatusCode::UNPROCESSABLE_ENTITY, &drafted), (route, form));
    };
    match save(&console, &asked, (&drafted.book, &with(&drafted.book, wanted))).await? {
        Saved::Done => Ok(see_other(&urls::saved_route(&route.id))),
        Saved::Wrong(problems) => {
            form.blame(&problems);
            changing(&asked, (StatusCode::UNPROCESSABLE_ENTITY, &drafted), (route, form))
        }
        Saved::Moved(how) => {
            let now = asked.shown(&console).await?.drafted();
            if asked.route(&now).is_err() {
                return gone(&console, &asked, (&now, &entry)).await;
            }
            moved(&asked, (&now, &entry), format!("Nothing was saved: {how}. {BOTH}"))
        }
    }
}

const BOTH: &str =
    "Both versions stand beside each other; saving now puts yours in the place of theirs.";

/// Both versions, and the form with what was typed.
fn moved(asked: &Admitted, (now, entry): (&Shown, &RouteEntry), why: String) -> Answer {
    let route = asked.route(now)?;
    let theirs = RouteForm::of(route);
    let mut form = theirs.clone().typed(entry);
    form.problem = Some(why);
    let versions = Versions::beside(theirs.facts(), form.facts());
    let page = of(asked, (now, route))?;
    let remove = Some(urls::remove_route(&route.id));
    let page = RouteSettingsPage { form: Some(form), versions, remove, ..page };
    Ok(page::console(StatusCode::CONFLICT, &page.frame, &page))
}

/// What was typed, as a new route: the one that it was to change is not there any more, and perhaps not even its app.
async fn gone(console: &Console, asked: &Admitted, (now, entry): (&Shown, &RouteEntry)) -> Answer {
    let id = format!("{}/{}", asked.param("app"), asked.param("name"));
    let id: RouteId = id.parse().map_err(|_| Box::new(asked.no_page()))?;
    let Ok(app) = asked.app(now) else {
        now.waiting(ObjectKind::App, id.app().as_str()).ok_or_else(|| Box::new(asked.no_page()))?;
        let how = removal(console, asked, (now, ObjectKind::App, id.app().as_str())).await?;
        return Err(Box::new(asked.said().gone(&how)));
    };
    let how = removal(console, asked, (now, ObjectKind::Route, id.as_str())).await?;
    let mut form = RouteForm::empty(app).typed(entry);
    form.name = Field::of(id.name());
    form.problem = Some(format!("{how}, so nothing was saved. Sending the form now adds it anew."));
    adding(asked, (StatusCode::CONFLICT, now), (app, form))
}

/// The rule book with this route in the place of the one with its id, or added.
fn with(book: &RuleBook, route: Route) -> RuleBook {
    let mut book = book.clone();
    book.routes.retain(|other| other.id != route.id);
    book.routes.push(route);
    book
}

fn adding(
    asked: &Admitted,
    (status, drafted): (StatusCode, &Shown),
    (app, form): (&App, RouteForm),
) -> Answer {
    let page = RouteSettingsPage {
        frame: drafted.framed(asked.frame("New route", Section::Routes)?),
        crumbs: crumbs(app, None),
        heading: "New route".to_owned(),
        standing: None,
        facts: Vec::new(),
        form: Some(form),
        versions: Vec::new(),
        remove: None,
    };
    Ok(page::console(status, &page.frame, &page))
}

fn changing(
    asked: &Admitted,
    (status, drafted): (StatusCode, &Shown),
    (route, form): (&Route, RouteForm),
) -> Answer {
    let remove = Some(urls::remove_route(&route.id));
    let page = RouteSettingsPage { form: Some(form), remove, ..of(asked, (drafted, route))? };
    Ok(page::console(status, &page.frame, &page))
}

/// As facts.
fn of(
    asked: &Admitted,
    (drafted, route): (&Shown, &Route),
) -> Result<RouteSettingsPage, Box<Response>> {
    let app = asked.app(drafted)?;
    let title = format!("Settings of {}", route.pattern);
    let waiting = drafted.waiting(ObjectKind::Route, route.id.as_str());
    Ok(RouteSettingsPage {
        frame: drafted.framed(asked.frame(&title, Section::Routes)?),
        crumbs: crumbs(app, Some((&route.id, route.pattern.as_str()))),
        heading: "Settings".to_owned(),
        standing: Standing::of(waiting).badge(),
        facts: facts_of(route),
        form: None,
        versions: Vec::new(),
        remove: None,
    })
}

fn crumbs(app: &App, route: Option<(&RouteId, &str)>) -> Vec<Named> {
    let named = |name: &str, link| Named { name: name.to_owned(), link: Some(link) };
    let mut crumbs = vec![named("Routes", urls::routes()), named(&app.name, urls::app(&app.id))];
    crumbs.extend(route.map(|(id, pattern)| named(pattern, urls::route(id))));
    crumbs
}
