//! An app: described anew, shown to everybody in the console, changed by whoever may edit the draft.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::app_form::{AppEntry, AppForm, facts_of};
use super::facts::{Fact, Versions};
use super::route_form::NOT_SAVED;
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::{Answer, see_other};
use crate::console::choice::{Badge, Field, Standing};
use crate::console::guard::Admitted;
use crate::console::saving::{Saved, removal, save};
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::app::App;
use crate::model::difference::{ObjectKind, revision};
use crate::model::id::AppId;
use crate::model::rule_book::RuleBook;
use crate::web::link::Link;
use crate::web::page::{self, Frame, Notice, Tone};

/// An app as facts, and as a form for those who may edit.
#[derive(Debug, Clone, Template)]
#[template(path = "console/apps/app.html")]
pub struct AppPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The list of routes.
    pub up: Link,
    /// What it is about.
    pub heading: String,
    /// Its id; none for a new one.
    pub id: Option<String>,
    /// How it stands to what is in force.
    pub standing: Option<Badge>,
    /// What came of the form just sent.
    pub outcome: Option<Notice>,
    /// What is told of it, where there is no form.
    pub facts: Vec<Fact>,
    /// The form.
    pub form: Option<AppForm>,
    /// What somebody else made of it meanwhile, beside what was typed.
    pub versions: Vec<Versions>,
    /// Where it is given a route.
    pub new_route: Option<Link>,
    /// Where it can be removed.
    pub remove: Option<Link>,
}

/// What the address of an app's page may say besides the app.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AppQuery {
    /// Whether it was just saved.
    settings: Option<Settings>,
}

/// What was just done with an app.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Settings {
    Saved,
}

/// Answers with an empty form.
pub(super) async fn new(console: Arc<Console>, asked: Admitted) -> Answer {
    let drafted = asked.shown(&console).await?.drafted();
    adding(&asked, (StatusCode::OK, &drafted), AppForm::empty())
}

/// Adds an app to the draft.
pub(super) async fn add(console: Arc<Console>, asked: Admitted) -> Answer {
    let entry: AppEntry = asked.form().await?;
    if entry.id.is_none() {
        return Err(Box::new(asked.said().unreadable()));
    }
    let drafted = asked.shown(&console).await?.drafted();
    let mut form = AppForm::empty().typed(&entry);
    let Some(app) = form.read() else {
        form.problem = Some(NOT_SAVED.to_owned());
        return adding(&asked, (StatusCode::UNPROCESSABLE_ENTITY, &drafted), form);
    };
    if drafted.book.apps.iter().any(|other| other.id == app.id) {
        form.id.error = Some("There is an app of this id already.".to_owned());
        form.problem = Some(NOT_SAVED.to_owned());
        form.focus_first_wrong();
        return adding(&asked, (StatusCode::CONFLICT, &drafted), form);
    }
    let id = app.id.clone();
    let status = match save(&console, &asked, (&drafted.book, &with(&drafted.book, app))).await? {
        Saved::Done => return Ok(see_other(&urls::saved_app(&id))),
        Saved::Wrong(problems) => {
            form.blame(&problems);
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Saved::Moved(how) => {
            form.problem = Some(format!("Nothing was saved: {how}."));
            StatusCode::CONFLICT
        }
    };
    adding(&asked, (status, &drafted), form)
}

/// Answers with an app as it stands in the draft.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let AppQuery { settings } = asked.query()?;
    let drafted = asked.shown(&console).await?.drafted();
    let app = asked.app(&drafted)?;
    let mut page = of(&asked, (&drafted, app))?;
    if let Some(Settings::Saved) = settings {
        let text = "The app is saved to the draft. It is not in force yet.".to_owned();
        page.outcome = Some(Notice { tone: Tone::Good, text });
    }
    if asked.may(&console, ConsoleAction::EditDraft) {
        page = offering(page, app, AppForm::of(app));
    }
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// Changes an app as the form asks for.
pub(super) async fn change(console: Arc<Console>, asked: Admitted) -> Answer {
    let entry: AppEntry = asked.form().await?;
    if entry.id.is_some() {
        return Err(Box::new(asked.said().unreadable()));
    }
    let drafted = asked.shown(&console).await?.drafted();
    let Ok(app) = asked.app(&drafted) else {
        return gone(&console, &asked, (&drafted, &entry)).await;
    };
    if entry.revision != revision(app) {
        let why = format!("Nothing was saved: somebody else changed this app meanwhile. {BOTH}");
        return moved(&asked, (&drafted, &entry), why);
    }
    let mut form = AppForm::of(app).typed(&entry);
    let Some(wanted) = form.read() else {
        form.problem = Some(NOT_SAVED.to_owned());
        return changing(&asked, (&drafted, app), form);
    };
    match save(&console, &asked, (&drafted.book, &with(&drafted.book, wanted))).await? {
        Saved::Done => Ok(see_other(&urls::saved_app(&app.id))),
        Saved::Wrong(problems) => {
            form.blame(&problems);
            changing(&asked, (&drafted, app), form)
        }
        Saved::Moved(how) => {
            let now = asked.shown(&console).await?.drafted();
            if asked.app(&now).is_err() {
                return gone(&console, &asked, (&now, &entry)).await;
            }
            moved(&asked, (&now, &entry), format!("Nothing was saved: {how}. {BOTH}"))
        }
    }
}

const BOTH: &str =
    "Both versions stand beside each other; saving now puts yours in the place of theirs.";

/// Both versions, and the form with what was typed.
fn moved(asked: &Admitted, (now, entry): (&Shown, &AppEntry), why: String) -> Answer {
    let app = asked.app(now)?;
    let theirs = AppForm::of(app);
    let mut form = theirs.clone().typed(entry);
    form.problem = Some(why);
    let versions = Versions::beside(theirs.facts(), form.facts());
    let page = AppPage { versions, ..offering(of(asked, (now, app))?, app, form) };
    Ok(page::console(StatusCode::CONFLICT, &page.frame, &page))
}

/// What was typed, as a new app: the one that it was to change is not there any more.
async fn gone(console: &Console, asked: &Admitted, (now, entry): (&Shown, &AppEntry)) -> Answer {
    let id: AppId = asked.param("app").parse().map_err(|_| Box::new(asked.no_page()))?;
    let how = removal(console, asked, (now, ObjectKind::App, id.as_str())).await?;
    let mut form = AppForm::empty().typed(entry);
    form.id = Field::of(id.as_str());
    form.problem = Some(format!("{how}, so nothing was saved. Sending the form now adds it anew."));
    adding(asked, (StatusCode::CONFLICT, now), form)
}

/// The rule book with this app in the place of the one with its id, or added.
fn with(book: &RuleBook, app: App) -> RuleBook {
    let mut book = book.clone();
    book.apps.retain(|other| other.id != app.id);
    book.apps.push(app);
    book
}

fn adding(asked: &Admitted, (status, drafted): (StatusCode, &Shown), form: AppForm) -> Answer {
    let page = AppPage {
        frame: drafted.framed(asked.frame("New app", Section::Routes)?),
        up: urls::routes(),
        heading: "New app".to_owned(),
        id: None,
        standing: None,
        outcome: None,
        facts: Vec::new(),
        form: Some(form),
        versions: Vec::new(),
        new_route: None,
        remove: None,
    };
    Ok(page::console(status, &page.frame, &page))
}

/// The form again, with what is wrong.
fn changing(asked: &Admitted, (drafted, app): (&Shown, &App), form: AppForm) -> Answer {
    let page = offering(of(asked, (drafted, app))?, app, form);
    Ok(page::console(StatusCode::UNPROCESSABLE_ENTITY, &page.frame, &page))
}

/// The page for those who may edit.
fn offering(page: AppPage, app: &App, form: AppForm) -> AppPage {
    let (new_route, remove) = (Some(urls::new_route(&app.id)), Some(urls::remove_app(&app.id)));
    AppPage { form: Some(form), new_route, remove, ..page }
}

/// As facts.
fn of(asked: &Admitted, (drafted, app): (&Shown, &App)) -> Result<AppPage, Box<Response>> {
    let waiting = drafted.waiting(ObjectKind::App, app.id.as_str());
    Ok(AppPage {
        frame: drafted.framed(asked.frame(&app.name, Section::Routes)?),
        up: urls::routes(),
        heading: app.name.clone(),
        id: Some(app.id.to_string()),
        standing: Standing::of(waiting).badge(),
        outcome: None,
        facts: facts_of(app),
        form: None,
        versions: Vec::new(),
        new_route: None,
        remove: None,
    })
}
