//! One route: who gets in, as sentences, and a form that adds a grant.
//!
//! The Cedar text is for reading. There is no way back from text to grants, by design.

use std::sync::Arc;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;

use super::editing::{self, Editing, Outcome};
use super::entry::{GrantEntry, Wrong};
use super::form::GrantForm;
use crate::authz::console::ConsoleAction;
use crate::authz::grants::to_policy;
use crate::console::Console;
use crate::console::answers::{Answer, see_other};
use crate::console::cedar_text::{Token, tokens};
use crate::console::choice::{Badge, Standing};
use crate::console::guard::Admitted;
use crate::console::saving::{Unsaved, removal, save};
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::{self, Condition, GroupNames, GroupNote};
use crate::model::difference::{Act, ObjectKind, revision};
use crate::model::grant::{Effect, Grant};
use crate::model::id::GrantId;
use crate::model::route::Route;
use crate::model::rule_book::RuleBook;
use crate::model::time::{Instant, Timestamp};
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
    /// How it stands to what is in force.
    pub standing: Standing,
    /// Everything about it that is no grant.
    pub settings: Link,
    /// The decisions made on this route.
    pub decisions: Option<Link>,
    /// What came of the form just sent; inside the block, so that both ways of sending show it.
    pub outcome: Option<Notice>,
    /// Whether only the block goes out: the draft's bar already on the screen tells less then.
    pub part: Part,
    /// Grants that open it, own ones first.
    pub permits: Vec<GrantRow>,
    /// Grants that close it.
    pub forbids: Vec<GrantRow>,
    /// Ids of hand-written policies that may apply.
    pub policies: Vec<String>,
    /// The form, for people who may change the draft.
    pub form: Option<GrantForm>,
    /// What the grants are compiled to.
    pub cedar: Vec<Token>,
}

/// How much of the page goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Page,
    /// The block `access`, with the draft's bar beside it.
    Access,
}

impl RoutePage {
    /// Whether the draft's bar goes along.
    pub fn brings_bar(&self) -> bool {
        self.part == Part::Access
    }
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
    /// Where it was agreed.
    pub ticket: Option<String>,
    /// The route above that it comes from, when it is inherited.
    pub from: Option<Inherited>,
    /// How it stands to what is in force.
    pub standing: Standing,
    /// What is in force in its place.
    pub in_force: Option<String>,
    /// What may be done with it.
    pub tools: Option<Tools>,
}

/// What an editor can do with a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    /// The page with it as a form.
    pub edit: Link,
    /// Where it is ended; none when it has ended.
    pub end: Option<Link>,
    /// Where it is removed.
    pub remove: Link,
    /// Of the grant as it is shown.
    pub revision: String,
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
            ticket: (!grant.ticket.is_empty()).then(|| grant.ticket.clone()),
            from,
            standing: Standing::InForce,
            in_force: None,
            tools: None,
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
        if self.standing.is_removed() {
            return "trash-2";
        }
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
    /// The grant that was just saved.
    saved: Option<String>,
    /// The grant that is shown as a form.
    edit: Option<String>,
    /// Whether its settings were just saved.
    settings: Option<Settings>,
}

/// What was just done with the settings of a route.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Settings {
    Saved,
}

/// Answers with the page of one route, as it stands in the draft.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let query: RouteQuery = asked.query()?;
    let shown = asked.shown(&console).await?;
    let drafted = shown.drafted();
    let route = asked.route(&drafted)?;
    let mut page = route_page(&console, &asked, (&drafted, route))?;
    let own = |id: &str| drafted.grant(id).filter(|grant| grant.route == route.id);
    if let Some(grant) = query.saved.as_deref().and_then(own) {
        page.outcome = Some(saved_notice(&grant.id));
    }
    if let Some(Settings::Saved) = query.settings {
        let text = "The route is saved to the draft. It is not in force yet.".to_owned();
        page.outcome = Some(Notice { tone: Tone::Good, text });
    }
    if let Some(grant) = query.edit.as_deref().and_then(own) {
        page.form = page.form.map(|form| GrantForm::of(grant, form));
    }
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

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
    let entry: GrantEntry = asked.form().await?;
    let (status, wrong, problem) = match editing::edit(console, asked, (editing, &entry)).await? {
        Outcome::Saved(id) => return saved(console, asked, &id).await,
        Outcome::Moved(why) => (StatusCode::CONFLICT, Vec::new(), why),
        Outcome::Wrong(wrong, why) => (StatusCode::UNPROCESSABLE_ENTITY, wrong, why),
    };
    // As it is now: whoever moved it did so since this request began, or before.
    let drafted = asked.shown(console).await?.drafted();
    let route = asked.route(&drafted)?;
    let mut page = route_page(console, asked, (&drafted, route))?;
    if let Some(grant) = editing.grant {
        let grant = drafted.grant(grant.id.as_str()).unwrap_or(grant);
        page.form = page.form.map(|form| GrantForm::of(grant, form));
    }
    send_back(&mut page, (&entry, &wrong), problem);
    Ok(block(asked, status, &page))
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
    pointed(&console, &asked, ended).await
}

/// Removes a grant.
pub(super) async fn remove_grant(console: Arc<Console>, asked: Admitted) -> Answer {
    let removed = |book: &RuleBook, grant: &Grant| editing::without(book, &grant.id);
    pointed(&console, &asked, removed).await
}

async fn pointed(
    console: &Console,
    asked: &Admitted,
    change: impl Fn(&RuleBook, &Grant) -> RuleBook,
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
        Ok(()) => saved(console, asked, &grant.id).await,
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

/// The page of a route, with the form for those who may use it.
fn route_page(
    console: &Console,
    asked: &Admitted,
    (drafted, route): (&Shown, &Route),
) -> Result<RoutePage, Box<Response>> {
    let live = &console.doorkeeper.live;
    let frame = asked.frame(route.pattern.as_str(), Section::Routes)?;
    let mut page = filled(drafted, frame, route);
    if asked.may(console, ConsoleAction::EditDraft) {
        page.form = Some(GrantForm::empty(drafted, route, live));
        let now = console.clock.now();
        for row in page.permits.iter_mut().chain(&mut page.forbids) {
            let own = drafted.grant(&row.id).filter(|grant| grant.route == route.id);
            row.tools = own.map(|grant| Tools::of(grant, now));
        }
    }
    Ok(page)
}

impl Tools {
    fn of(grant: &Grant, now: Timestamp) -> Self {
        let ended = grant.when.until.is_some_and(|Instant(end)| end <= now);
        Self {
            edit: urls::edit_grant(&grant.route, &grant.id),
            end: (!ended).then(|| urls::end_grant(&grant.route, &grant.id)),
            remove: urls::remove_grant(&grant.route, &grant.id),
            revision: revision(grant),
        }
    }
}

async fn saved(console: &Console, asked: &Admitted, id: &GrantId) -> Answer {
    let drafted = asked.shown(console).await?.drafted();
    let route = asked.route(&drafted)?;
    if !asked.hx.wants_fragment() {
        return Ok(see_other(&urls::saved(&route.id, id)));
    }
    let mut page = route_page(console, asked, (&drafted, route))?;
    let notice = saved_notice(id);
    let hx = HxOut::new().announce(&notice.text);
    page.outcome = Some(notice);
    Ok((hx, block(asked, StatusCode::OK, &page)).into_response())
}

fn saved_notice(id: &GrantId) -> Notice {
    let text = format!("The grant {id} is saved to the draft. It is not in force yet.");
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
        let part = RoutePage { part: Part::Access, ..page.clone() };
        return (hx, page::console(status, &page.frame, &part.as_access())).into_response();
    }
    page::console(status, &page.frame, page)
}

/// What the page shows, without a form.
fn filled(drafted: &Shown, frame: Frame, route: &Route) -> RoutePage {
    let grants = drafted.reaching(route);
    let gone = gone(drafted, route);
    let rows = |effect: Effect| {
        let standing = grants.iter().map(|grant| grant_row(drafted, grant, route));
        let removed = gone.iter().map(|grant| GrantRow {
            standing: Standing::Removed,
            ..GrantRow::new(grant, &drafted.names, None)
        });
        standing.chain(removed).filter(move |row| row.effect == effect).collect()
    };
    let app = drafted.book.apps.iter().find(|app| app.id == *route.id.app());
    let texts: Vec<_> =
        grants.iter().filter_map(|grant| to_policy(grant).ok()?.to_cedar()).collect();
    RoutePage {
        decisions: decisions_of(&frame, route),
        frame: drafted.framed(frame),
        up: urls::routes(),
        app: app.map_or_else(|| route.id.app().to_string(), |app| app.name.clone()),
        pattern: route.pattern.to_string(),
        title: route.title.clone(),
        badge: Badge::access(&grants, drafted.written()),
        standing: Standing::of(drafted.waiting(ObjectKind::Route, route.id.as_str())),
        settings: urls::route_settings(&route.id),
        outcome: None,
        part: Part::Page,
        permits: rows(Effect::Permit),
        forbids: rows(Effect::Forbid),
        policies: drafted.book.policies.iter().map(|policy| policy.id.to_string()).collect(),
        form: None,
        cedar: tokens(&texts.join("\n\n")),
    }
}

/// Grants of this route that are in force, and not in the draft any more.
fn gone(drafted: &Shown, route: &Route) -> Vec<Grant> {
    let removed = drafted.pending.iter().map(|pending| &pending.difference);
    let removed = removed.filter(|one| one.kind == ObjectKind::Grant && one.act() == Act::Removed);
    let grant = |before: &serde_json::Value| serde_json::from_value::<Grant>(before.clone()).ok();
    let grants = removed.filter_map(|one| one.before.as_ref().and_then(grant));
    grants.filter(|grant| grant.route == route.id).collect()
}

fn grant_row(drafted: &Shown, grant: &Grant, route: &Route) -> GrantRow {
    let above = (grant.route != route.id).then(|| drafted.route(&grant.route)).flatten();
    let from = above.map(|wider| Inherited {
        name: wider.pattern.to_string(),
        link: urls::grant(&wider.id, &grant.id),
    });
    let waiting = drafted.waiting(ObjectKind::Grant, grant.id.as_str());
    GrantRow {
        standing: Standing::of(waiting),
        in_force: waiting.and_then(|one| one.before_in_words(&drafted.names)),
        ..GrantRow::new(grant, &drafted.names, from)
    }
}

/// The log, filtered by this route, for those whose navigation leads there.
fn decisions_of(frame: &Frame, route: &Route) -> Option<Link> {
    let log = urls::decisions();
    let mut places = frame.nav.iter().flat_map(|group| &group.items);
    places
        .any(|place| place.link == log)
        .then(|| urls::decisions_where(&format!("route:{}", route.id)))
}
