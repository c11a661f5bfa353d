//! What somebody can reach: every route, with what they can do there and through which rule.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::compiled::in_force;
use super::lines::{Line, lines, text};
use crate::authz::assertions::Inquiry;
use crate::authz::entities::Unusable;
use crate::authz::reach::Survey;
use crate::authz::snapshot::Snapshot;
use crate::authz::telling::{Certainty, Teller, ToldProspect};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::Named;
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
use crate::model::principal::PrincipalSnapshot;
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
    /// Every route, or those of a page of them.
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
            let surveyed = surveyed(&console, &asked, (&shown, &subject, &person)).await?;
            let sentence = surveyed.sentence();
            let narrowed = urls::what().with_query("user", &query.user);
            let (told, stretch) = Stretch::of(surveyed.told, query.page, &narrowed);
            Sought::One(Box::new(Reach {
                who: PersonCell::of(&subject, &person.content),
                sentence,
                routes: rows((&shown, &surveyed.uses), &told),
                stretch,
                computed: computed((&shown, &surveyed.uses, asked.exchange.at), &person),
            }))
        }
    };
    let status = match sought {
        Sought::Missing => StatusCode::NOT_FOUND,
        Sought::Nobody | Sought::Several(_) | Sought::One(_) => StatusCode::OK,
    };
    let page = WhatPage { frame, action: urls::what(), who: urls::who(), user: query.user, sought };
    Ok(page::console(status, &page.frame, &page))
}

/// Answers with what one person can reach as a file.
pub(super) async fn csv(console: Arc<Console>, asked: Admitted) -> Answer {
    let query: WhatQuery = asked.form().await?;
    let shown = asked.shown(&console).await?;
    let known = known(&console).await.map_err(|error| Box::new(asked.unavailable(&error)))?;
    let Found::One(subject, person) = seek(&known, &query.user) else {
        return Err(Box::new(asked.no_page()));
    };
    let surveyed = surveyed(&console, &asked, (&shown, &subject, &person)).await?;
    let who = PersonCell::of(&subject, &person.content);
    let detail = json!({ "report": "what", "format": "csv", "user": subject });
    using::note(&console, &asked, (LogUseKind::Exported, detail)).await?;
    let mut file = Vec::new();
    csv::header(&mut file, &COLUMNS);
    for RouteReach { app, route, title, read, write, used } in
        rows((&shown, &surveyed.uses), &surveyed.told)
    {
        let PersonCell { id, user_name, name, .. } = &who;
        let used = used.map_or_else(String::new, |used| used.iso());
        let (read, write) = (text(&read), text(&write));
        let path = &route.name;
        csv::line(&mut file, &[id, user_name, name, &app, path, &title, &read, &write, &used]);
    }
    let name = format!("what_v1_{}.csv", stamp(&asked));
    Ok(download::file(&name, CSV, Body::from(file)))
}

/// What the engine said of every route, and what the log knows of their use.
struct Surveyed {
    told: Vec<Told>,
    uses: LastUses<RouteId>,
}

/// A route, and what somebody can do there with each method.
type Told = (RouteId, Vec<(Method, Arc<ToldProspect>)>);

impl Surveyed {
    fn sentence(&self) -> String {
        let opens =
            |told: &&Told| told.1.iter().any(|(_, told)| told.certainty != Certainty::Never);
        let open = self.told.iter().filter(opens).count();
        format!("{open} of {} routes, under the conditions that are named.", self.told.len())
    }
}

async fn surveyed(
    console: &Arc<Console>,
    asked: &Admitted,
    (shown, subject, person): (&Shown, &Subject, &KnownPrincipal),
) -> Result<Surveyed, Box<Response>> {
    let uses = console.searcher.used_by(subject, &Method::ALL).await;
    let uses = uses.map_err(|error| Box::new(asked.unavailable(&error)))?;
    let snapshot = in_force(console, asked, shown).await?;
    let (rules, content, now) = (shown.clone(), Arc::clone(&person.content), asked.exchange.at);
    let told = asked.apart(move || told((&rules, now), &content, &snapshot)).await?;
    Ok(Surveyed { told, uses })
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

/// What the engine says of each route and method, in the order in which routes are listed.
fn told(
    (shown, now): (&Shown, Timestamp),
    person: &Arc<PrincipalSnapshot>,
    snapshot: &Snapshot,
) -> Result<Vec<Told>, Unusable> {
    let inquiry = Inquiry { book: &shown.book, snapshot, now };
    let teller = Teller { book: snapshot.book(), names: &shown.names };
    let mut survey = Survey::new(inquiry, teller, person);
    let mut routes: Vec<_> = shown.book.routes.iter().collect();
    routes.sort_by_key(|route| (route.id.app(), route.pattern.as_str()));
    routes.into_iter().map(|route| Ok((route.id.clone(), survey.on(route)?))).collect()
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
