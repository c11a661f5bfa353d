//! What somebody can reach: every route, with what they can do there and through which rule.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::lines::{Line, lines, text};
use super::surveying::{Show, Surveyed, Told, Wanted};
use crate::authz::telling::ToldProspect;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::{Named, Tab};
use crate::console::directory::known::{PersonCell, known};
use crate::console::guard::Admitted;
use crate::console::log::export::{CSV, stamp};
use crate::console::log::using;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::csv;
use crate::model::grant::{Method, What};
use crate::model::id::{RouteId, Subject};
use crate::model::known::{Known, KnownPrincipal};
use crate::model::record::LogUseKind;
use crate::model::time::Timestamp;
use crate::store::audit::search::LastUses;
use crate::web::download;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame};
use crate::web::stretch::Stretch;

/// The columns of the file, in an order that stays.
const COLUMNS: [&str; 9] =
    ["user_id", "user_name", "name", "app", "path", "title", "read", "change", "last_used"];

/// People that a search by name shows.
const MATCHES: usize = 50;

/// What somebody can reach.
#[derive(Debug, Clone, Template)]
#[template(path = "console/explore/what.html")]
pub struct WhatPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where the form is sent.
    pub action: Link,
    /// The question about one route instead.
    pub who: Link,
    /// `user`, as it was typed.
    pub user: String,
    /// What came of looking for the person.
    pub sought: Sought,
}

/// What came of looking for a person.
#[derive(Debug, Clone)]
pub enum Sought {
    /// Nobody was asked for.
    Nobody,
    /// Nobody whom we know fits.
    Missing,
    /// Several fit.
    Several(Vec<PersonCell>),
    /// One does.
    One(Box<Reach>),
}

/// What one person can reach.
#[derive(Debug, Clone)]
pub struct Reach {
    /// Who.
    pub who: PersonCell,
    /// How many routes, as a sentence.
    pub sentence: String,
    /// Those that open to them, and all.
    pub tabs: Vec<Tab>,
    /// The routes of the list, or those of a page of it.
    pub routes: Vec<RouteReach>,
    /// Which part of the routes that is.
    pub stretch: Option<Stretch>,
    /// How this was found out, as sentences.
    pub computed: Vec<String>,
}

/// What one person can do on one route.
#[derive(Debug, Clone)]
pub struct RouteReach {
    /// The app.
    pub app: String,
    /// The route.
    pub route: Named,
    /// What it is.
    pub title: String,
    /// Reading.
    pub read: Vec<Line>,
    /// Changing.
    pub write: Vec<Line>,
    /// When they last were let in there; none as far back as was looked.
    pub used: Option<Moment>,
}

/// Whose.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WhatQuery {
    /// Checked by the guard before the form is read.
    #[serde(rename = "_csrf")]
    csrf: Option<IgnoredAny>,
    user: String,
    show: Show,
    page: usize,
}

/// Answers with what somebody can reach.
pub(in crate::console) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let query: WhatQuery = asked.query()?;
    let shown = asked.shown(&console).await?;
    let frame = shown.framed(asked.frame("What somebody can reach", Section::Explorer)?);
    let known = known(&console).await.map_err(|error| Box::new(asked.unavailable(&error)))?;
    let sought = match seek(&known, &query.user) {
        Found::Nobody => Sought::Nobody,
        Found::Several(all) if all.is_empty() => Sought::Missing,
        Found::Several(all) => Sought::Several(all),
        Found::One(subject, person) => {
            let reach = reach((&console, &asked), &shown, (&subject, &person), &query).await?;
            Sought::One(Box::new(reach))
        }
    };
    let status = match sought {
        Sought::Missing => StatusCode::NOT_FOUND,
        Sought::Nobody | Sought::Several(_) | Sought::One(_) => StatusCode::OK,
    };
    let page = WhatPage { frame, action: urls::what(), who: urls::who(), user: query.user, sought };
    Ok(page::console(status, &page.frame, &page))
}

async fn reach(
    (console, asked): (&Arc<Console>, &Admitted),
    shown: &Shown,
    (subject, person): (&Subject, &KnownPrincipal),
    query: &WhatQuery,
) -> Result<Reach, Box<Response>> {
    let uses = used(console, asked, subject).await?;
    let link = urls::what().with_query("user", &query.user);
    let tabs = tabs(&link, query.show);
    let listed = match query.show {
        Show::Open => link,
        Show::All => link.with_query("show", "all"),
    };
    let wanted = Wanted::Page(query.show, query.page, listed);
    let Surveyed { open, all, told, stretch } =
        Surveyed::of((console, asked), shown, &person.content, wanted).await?;
    Ok(Reach {
        who: PersonCell::of(subject, &person.content),
        sentence: format!(
            "{open} of {all} routes open to them, under the conditions that are named."
        ),
        tabs,
        routes: rows((shown, &uses), &told),
        stretch,
        computed: computed((shown, &uses, asked.exchange.at), person),
    })
}

/// Answers with what one person can reach as a file.
pub(super) async fn csv(console: Arc<Console>, asked: Admitted) -> Answer {
    let query: WhatQuery = asked.form().await?;
    let shown = asked.shown(&console).await?;
    let known = known(&console).await.map_err(|error| Box::new(asked.unavailable(&error)))?;
    let Found::One(subject, person) = seek(&known, &query.user) else {
        return Err(Box::new(asked.no_page()));
    };
    let uses = used(&console, &asked, &subject).await?;
    let everything = Wanted::Everything;
    let surveyed = Surveyed::of((&console, &asked), &shown, &person.content, everything).await?;
    let who = PersonCell::of(&subject, &person.content);
    let detail = json!({ "report": "what", "format": "csv", "user": subject });
    using::note(&console, &asked, (LogUseKind::Exported, detail)).await?;
    let mut file = Vec::new();
    csv::header(&mut file, &COLUMNS);
    for RouteReach { app, route, title, read, write, used } in rows((&shown, &uses), &surveyed.told)
    {
        let PersonCell { id, user_name, name, .. } = &who;
        let last = used.map_or_else(String::new, |used| used.iso());
        let (read, write) = (text(&read), text(&write));
        let path = &route.name;
        csv::line(&mut file, &[id, user_name, name, &app, path, &title, &read, &write, &last]);
    }
    let name = format!("what_v1_{}.csv", stamp(&asked));
    Ok(download::file(&name, CSV, Body::from(file)))
}

/// When they last used what, with any method.
async fn used(
    console: &Console,
    asked: &Admitted,
    subject: &Subject,
) -> Result<LastUses<RouteId>, Box<Response>> {
    let uses = console.searcher.used_by(subject, &Method::ALL).await;
    uses.map_err(|error| Box::new(asked.unavailable(&error)))
}

enum Found {
    Nobody,
    Several(Vec<PersonCell>),
    One(Subject, KnownPrincipal),
}

/// By lasting identity, or by name where that fits one only.
fn seek(known: &Known, text: &str) -> Found {
    if text.trim().is_empty() {
        return Found::Nobody;
    }
    match known.named(text).as_slice() {
        [(subject, person)] => Found::One((*subject).clone(), (*person).clone()),
        several => {
            let cell = |(subject, person): &(&Subject, &KnownPrincipal)| PersonCell {
                link: urls::what_can(subject),
                ..PersonCell::of(subject, &person.content)
            };
            Found::Several(several.iter().take(MATCHES).map(cell).collect())
        }
    }
}

/// The two lists.
fn tabs(person: &Link, show: Show) -> Vec<Tab> {
    let tab = |(label, this, link)| Tab { label, link, is_here: (this == show).then_some("page") };
    [
        ("Open to them", Show::Open, person.clone()),
        ("All routes", Show::All, person.clone().with_query("show", "all")),
    ]
    .map(tab)
    .into()
}

/// How this was found out, as sentences.
fn computed(
    (shown, uses, now): (&Shown, &LastUses<RouteId>, Timestamp),
    person: &KnownPrincipal,
) -> Vec<String> {
    let seen = Moment::new(person.seen_at).minute();
    let mut computed = vec![
        format!(
            "Asked on {} of the engine that decides, with the rules of release {}. Nothing is known of the circumstances, so what depends on them is a condition.",
            Moment::new(now).minute(),
            shown.number
        ),
        format!("Groups and roles are those of {seen}, when they were last seen."),
    ];
    computed.extend(uses.since.map(|since| {
        format!("Use was looked for in the log back to {}.", Moment::new(since).minute())
    }));
    computed
}

fn rows(known: (&Shown, &LastUses<RouteId>), told: &[Told]) -> Vec<RouteReach> {
    told.iter().filter_map(|(id, told)| route_reach(known, id, told)).collect()
}

fn route_reach(
    (shown, uses): (&Shown, &LastUses<RouteId>),
    id: &RouteId,
    told: &[(Method, Arc<ToldProspect>)],
) -> Option<RouteReach> {
    let route = shown.route(id)?;
    let of = |what: &What| {
        let methods = what.methods();
        let own: Vec<_> =
            told.iter().filter(|(method, _)| methods.contains(method)).cloned().collect();
        lines(shown, &own)
    };
    Some(RouteReach {
        app: id.app().to_string(),
        route: Named {
            name: route.pattern.to_string(),
            link: Some(urls::who_can(id, &What::Read)),
        },
        title: route.title.clone(),
        read: of(&What::Read),
        write: of(&What::Write),
        used: uses.at.get(id).map(|at| Moment::new(*at)),
    })
}
