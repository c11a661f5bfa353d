//! One route: who gets in, as sentences, and a form that adds a grant.
//!
//! The Cedar text is for reading. There is no way back from text to grants, by design.

use std::sync::Arc;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;

use super::adding::{self, Adding, Outcome};
use super::entry::{GrantEntry, Wrong};
use super::form::GrantForm;
use crate::authz::console::ConsoleAction;
use crate::authz::snapshot::Snapshot;
use crate::console::Console;
use crate::console::answers::{Answer, see_other};
use crate::console::cedar_text::{Token, tokens};
use crate::console::choice::Badge;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::{self, Condition, GroupNames, GroupNote};
use crate::model::grant::{Effect, Grant};
use crate::model::id::{GrantId, ReleaseNumber, RouteId};
use crate::model::record::RuleId;
use crate::model::route::Route;
use crate::web::hx::HxOut;
use crate::web::link::Link;
use crate::web::page::{self, Frame, Notice, Tone};

/// One route. The block `access` is what htmx swaps after the form was sent.
#[derive(Debug, Clone, Template)]
#[template(path = "console/rules/route.html", blocks = ["access"])]
pub struct RoutePage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The list of routes.
    pub up: Link,
    /// The app's name.
    pub app: String,
    /// The path pattern.
    pub pattern: String,
    /// What it is.
    pub title: String,
    /// A warning: public, or nobody.
    pub badge: Option<Badge>,
    /// The decisions made on this route.
    pub decisions: Option<Link>,
    /// What came of the form just sent; inside the block, so that both ways of sending show it.
    pub outcome: Option<Notice>,
    /// The release in force, when only the block goes out: the frame already on the screen names an older one.
    pub moved: Option<String>,
    /// Grants that open it, own ones first.
    pub permits: Vec<GrantRow>,
    /// Grants that close it.
    pub forbids: Vec<GrantRow>,
    /// Ids of hand-written policies that may apply.
    pub policies: Vec<String>,
    /// The form, for people who may add grants.
    pub form: Option<GrantForm>,
    /// What the grants are compiled to.
    pub cedar: Vec<Token>,
}

/// One grant as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRow {
    /// Its id.
    pub id: String,
    /// Whether it opens or closes.
    pub effect: Effect,
    /// Whom it speaks of.
    pub who: String,
    /// The object id, for a group.
    pub group: Option<String>,
    /// What is to be said of the group.
    pub note: Option<GroupNote>,
    /// What kind of principal that is.
    pub kind: &'static str,
    /// What they may do.
    pub what: String,
    /// Under which conditions.
    pub conditions: Vec<Condition>,
    /// How far it reaches.
    pub reach: &'static str,
    /// Why it exists.
    pub reason: Option<String>,
    /// The route above that it comes from, when it is inherited.
    pub from: Option<Inherited>,
}

/// A route above that a grant comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inherited {
    /// Its path pattern.
    pub name: String,
    /// Its page.
    pub link: Link,
}

impl GrantRow {
    /// The grant in words; `from` is the route it comes from when that is another one.
    pub fn new(grant: &Grant, names: &GroupNames, from: Option<Inherited>) -> Self {
        let (group, note) = words::group(&grant.who, names);
        Self {
            id: grant.id.to_string(),
            effect: grant.effect,
            who: words::who(&grant.who, names),
            group,
            note,
            kind: words::kind(&grant.who),
            what: words::what(&grant.what, grant.effect),
            conditions: words::conditions(&grant.when),
            reach: words::reach(grant.reach),
            reason: (!grant.reason.is_empty()).then(|| grant.reason.clone()),
            from,
        }
    }

    /// The id of its element, which records link to.
    pub fn anchor(&self) -> String {
        format!("grant-{}", self.id)
    }

    /// Between who and what.
    pub fn verb(&self) -> &'static str {
        words::verb(self.effect)
    }

    /// Name of its icon in the sprite.
    pub fn icon(&self) -> &'static str {
        match self.effect {
            Effect::Permit => "circle-check",
            Effect::Forbid => "circle-x",
        }
    }
}

/// What the address of a route's page may say besides the route.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RouteQuery {
    /// The grant that was just added.
    added: Option<String>,
}

/// Answers with the page of one route.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let query: RouteQuery = asked.query()?;
    let shown = asked.shown(&console).await?;
    let route = find(&shown, &asked)?;
    let mut page = route_page(&console, &asked, (&shown, route))?;
    let added = query.added.and_then(|id| shown.grant(&id));
    if let Some(grant) = added.filter(|grant| grant.route == route.id) {
        page.outcome = Some(added_notice(&grant.id, shown.number));
    }
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// Adds the grant that the form asks for.
pub(super) async fn add_grant(console: Arc<Console>, asked: Admitted) -> Answer {
    let shown = asked.shown(&console).await?;
    let route = find(&shown, &asked)?;
    let entry: GrantEntry = asked.form().await?;
    let by = asked.caller.principal.subject().ok_or_else(|| Box::new(asked.no_page()))?;
    let adding = Adding { shown: &shown, route, by };
    let outcome = adding::add(&console, adding, &entry).await;
    match outcome.map_err(|error| Box::new(asked.unavailable(&error)))? {
        Outcome::Added(id, now) => added(&console, &asked, (&id, &now)),
        Outcome::Stale(now) => {
            let mut page = route_page(&console, &asked, (&now, find(&now, &asked)?))?;
            let problem = format!(
                "Release {} was published meanwhile, so the grant was not added. Look at who gets in now, then send it again.",
                now.number
            );
            send_back(&mut page, (&entry, &[]), problem);
            Ok(block(&asked, StatusCode::CONFLICT, &page))
        }
        Outcome::Wrong(wrong, problem) => {
            let mut page = route_page(&console, &asked, (&shown, route))?;
            send_back(&mut page, (&entry, &wrong), problem);
            Ok(block(&asked, StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

/// The route that the address names; the whole id is looked up, so a route of one app is never found under another.
fn find<'a>(shown: &'a Shown, asked: &Admitted) -> Result<&'a Route, Box<Response>> {
    let id: Option<RouteId> =
        format!("{}/{}", asked.param("app"), asked.param("name")).parse().ok();
    id.and_then(|id| shown.route(&id)).ok_or_else(|| Box::new(asked.no_page()))
}

/// The page of a route, with the form for those who may use it.
fn route_page(
    console: &Console,
    asked: &Admitted,
    (shown, route): (&Shown, &Route),
) -> Result<RoutePage, Box<Response>> {
    let live = &console.doorkeeper.live;
    let frame = asked.frame(route.pattern.as_str(), Section::Routes)?;
    let mut page = filled(shown, frame, route, &live.current());
    let may = asked.may(console, ConsoleAction::ChangeRules);
    page.form = may.then(|| GrantForm::empty(shown, route, live));
    Ok(page)
}

fn added(console: &Console, asked: &Admitted, (id, now): (&GrantId, &Shown)) -> Answer {
    let route = find(now, asked)?;
    if !asked.hx.wants_fragment() {
        return Ok(see_other(&urls::added(&route.id, id)));
    }
    let mut page = route_page(console, asked, (now, route))?;
    let notice = added_notice(id, now.number);
    let hx = HxOut::new().announce(&notice.text);
    page.outcome = Some(notice);
    Ok((hx, block(asked, StatusCode::OK, &page)).into_response())
}

fn added_notice(id: &GrantId, number: ReleaseNumber) -> Notice {
    let text = format!("The grant {id} was added. Release {number} is in force.");
    Notice { tone: Tone::Good, text }
}

/// Shows the form again with what was typed, what is wrong with each field, and what is wrong with the whole.
fn send_back(page: &mut RoutePage, (entry, wrong): (&GrantEntry, &[Wrong]), problem: String) {
    if let Some(form) = &mut page.form {
        entry.fill(form, wrong);
        form.problem = Some(problem);
    }
}

/// The page, or its part that htmx replaces.
fn block(asked: &Admitted, status: StatusCode, page: &RoutePage) -> Response {
    if asked.hx.wants_fragment() {
        let problem = page.form.as_ref().and_then(|form| form.problem.clone());
        let hx = problem.map_or_else(HxOut::new, |text| HxOut::new().announce(&text));
        let part = RoutePage { moved: page.frame.release.clone(), ..page.clone() };
        return (hx, page::console(status, &page.frame, &part.as_access())).into_response();
    }
    page::console(status, &page.frame, page)
}

/// What the page shows, without a form.
fn filled(shown: &Shown, frame: Frame, route: &Route, snapshot: &Snapshot) -> RoutePage {
    let grants = shown.reaching(route);
    let rows = |effect: Effect| {
        let wanted = grants.iter().filter(move |grant| grant.effect == effect);
        wanted.map(|grant| grant_row(shown, grant, route)).collect()
    };
    let app = shown.book.apps.iter().find(|app| app.id == *route.id.app());
    let texts: Vec<_> = grants
        .iter()
        .filter_map(|grant| snapshot.cedar_of(&RuleId::Grant(grant.id.clone())))
        .collect();
    RoutePage {
        decisions: decisions_of(&frame, route),
        frame: shown.framed(frame),
        up: urls::routes(),
        app: app.map_or_else(|| route.id.app().to_string(), |app| app.name.clone()),
        pattern: route.pattern.to_string(),
        title: route.title.clone(),
        badge: Badge::access(&grants, shown.written()),
        outcome: None,
        moved: None,
        permits: rows(Effect::Permit),
        forbids: rows(Effect::Forbid),
        policies: shown.book.policies.iter().map(|policy| policy.id.to_string()).collect(),
        form: None,
        cedar: tokens(&texts.join("\n\n")),
    }
}

fn grant_row(shown: &Shown, grant: &Grant, route: &Route) -> GrantRow {
    let above = (grant.route != route.id).then(|| shown.route(&grant.route)).flatten();
    let from = above.map(|wider| Inherited {
        name: wider.pattern.to_string(),
        link: urls::grant(&wider.id, &grant.id),
    });
    GrantRow::new(grant, &shown.names, from)
}

/// The log, filtered by this route, for those whose navigation leads there.
fn decisions_of(frame: &Frame, route: &Route) -> Option<Link> {
    let log = urls::decisions();
    let mut places = frame.nav.iter().flat_map(|group| &group.items);
    places.any(|place| place.link == log).then(|| log.with_query("q", route.id.as_str()))
}
