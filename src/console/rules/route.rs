//! One route: who gets in, as sentences, and a form that adds a grant.
//!
//! The Cedar text is for reading. There is no way back from text to grants, by design.

use std::sync::Arc;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;

use super::form::{Account, GrantForm, WHO_BY_NAME, account, somebody};
use super::written::WrittenRules;
use crate::authz::console::ConsoleAction;
use crate::authz::grants::to_policy;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::cedar_text::{Token, tokens};
use crate::console::choice::{Badge, Field, Standing};
use crate::console::guard::Admitted;
use crate::console::people::names_of_all;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::{self, Condition, GroupNames, GroupNote};
use crate::model::difference::{Act, ObjectKind, revision};
use crate::model::grant::{Effect, Grant};
use crate::model::group::PeopleNames;
use crate::model::id::{GrantId, RouteId};
use crate::model::policy::Policy;
use crate::model::route::Route;
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
    /// Hand-written policies whose scope holds this route.
    pub policies: Vec<WrittenRule>,
    /// The form, for people who may change the draft.
    pub form: Option<GrantForm>,
    /// What the grants are compiled to.
    pub cedar: Vec<Token>,
}

/// A hand-written policy that may apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenRule {
    /// Its id.
    pub id: String,
    /// Its page.
    pub link: Link,
    /// Whether it opens or closes.
    pub effect: &'static str,
}

impl WrittenRule {
    fn new(policy: &Policy, effect: Effect) -> Self {
        let effect = match effect {
            Effect::Permit => "may open it",
            Effect::Forbid => "may close it",
        };
        Self { id: policy.id.to_string(), link: urls::policy(&policy.id), effect }
    }
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
    /// Whether to begin reading at the heading: something is said above it, and no row says it.
    pub fn begins_at_heading(&self) -> bool {
        self.part == Part::Access && self.outcome.is_some()
    }

    /// Says what was just done with a grant, at its row where it has one; gives the words.
    pub(super) fn tell(&mut self, deed: Deed, id: &GrantId) -> String {
        let mut rows = self.permits.iter_mut().chain(&mut self.forbids);
        let row = rows.find(|row| row.id == id.as_str() && row.from.is_none());
        let text = deed.told(id, row.as_deref());
        match row {
            Some(row) => row.news = Some(text.clone()),
            None => self.outcome = Some(Notice { tone: Tone::Good, text: text.clone() }),
        }
        text
    }

    /// Whether the draft's bar goes along.
    pub fn brings_bar(&self) -> bool {
        self.part == Part::Access
    }
}

/// What was just done with a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// It was added or changed.
    Saved,
    /// It was ended.
    Ended,
    /// It was removed.
    Removed,
}

impl Deed {
    fn told(self, id: &GrantId, row: Option<&GrantRow>) -> String {
        match (self, row) {
            (Self::Saved, _) => {
                format!("The grant {id} is saved to the draft. It is not in force yet.")
            }
            (Self::Ended, _) => {
                format!(
                    "The grant {id} ends now, in the draft. What is in force stays until the draft is published."
                )
            }
            (Self::Removed, Some(_)) => {
                format!(
                    "The grant {id} is removed from the draft. It stays in force until the draft is published."
                )
            }
            (Self::Removed, None) => {
                format!("The grant {id} is gone from the draft. It never was in force.")
            }
        }
    }

    /// The page that says so, for browsers without script.
    pub(super) fn link(self, route: &RouteId, id: &GrantId) -> Link {
        let page = |name: &str| urls::route(route).with_query(name, id.as_str());
        match self {
            Self::Saved => urls::saved(route, id),
            Self::Ended => page("ended").with_fragment(&format!("grant-{id}")),
            Self::Removed => page("removed").with_fragment("access"),
        }
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
    /// The object id of a group, or the account id of a person.
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
    /// What was just done with it.
    pub news: Option<String>,
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
            news: None,
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
    /// The grant that was just ended.
    ended: Option<String>,
    /// The grant that was just removed.
    removed: Option<String>,
    /// Whom a new grant is for: a value of the form's first field, and of its second.
    who_kind: Option<String>,
    who: Option<String>,
    /// The grant that is shown as a form.
    edit: Option<String>,
    /// Whether its settings were just saved.
    settings: Option<Settings>,
}

impl RouteQuery {
    fn deed(&self) -> Option<(Deed, GrantId)> {
        let saved = self.saved.as_ref().map(|id| (Deed::Saved, id));
        let ended = || self.ended.as_ref().map(|id| (Deed::Ended, id));
        let removed = || self.removed.as_ref().map(|id| (Deed::Removed, id));
        let (deed, id) = saved.or_else(ended).or_else(removed)?;
        Some((deed, id.parse().ok()?))
    }
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
    if let Some((deed, id)) = query.deed()
        && own(id.as_str()).is_some() == (deed != Deed::Removed)
    {
        page.tell(deed, &id);
    }
    if let (Some(kind), Some(form)) = (&query.who_kind, &mut page.form) {
        form.who_kind = Field::of(kind);
        let typed = query.who.as_deref().unwrap_or_default();
        form.who = Field::of(&named((&console, &asked), &drafted, typed).await?);
    }
    if let Some(Settings::Saved) = query.settings {
        let text = "The route is saved to the draft. It is not in force yet.".to_owned();
        page.outcome = Some(Notice { tone: Tone::Good, text });
    }
    if let Some(grant) = query.edit.as_deref().and_then(own) {
        page.form = page.form.map(|form| GrantForm::of(grant, &drafted.names, form));
    }
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// Whom an address opens the form for, by name where the reader may know it. Where no rule names anybody, nobody was looked
/// up so far.
async fn named(
    (console, asked): (&Console, &Admitted),
    drafted: &Shown,
    typed: &str,
) -> Result<String, Box<Response>> {
    let Some(Account { subject, .. }) = account(typed) else { return Ok(typed.to_owned()) };
    let mut names = drafted.names.clone();
    if asked.may(console, ConsoleAction::ReadPeople)
        && !matches!(names.people(), PeopleNames::Known(_))
    {
        let all = names_of_all(console).await;
        names = names.with_people(all.map_err(|error| Box::new(asked.unavailable(&error)))?);
    }
    Ok(somebody(&subject, &names))
}

/// The page of a route, with the form for those who may use it.
pub(super) fn route_page(
    console: &Console,
    asked: &Admitted,
    (drafted, route): (&Shown, &Route),
) -> Result<RoutePage, Box<Response>> {
    let live = &console.doorkeeper.live;
    let frame = asked.frame(route.pattern.as_str(), Section::Routes)?;
    let mut page = filled(drafted, frame, route);
    if asked.may(console, ConsoleAction::EditDraft) {
        let mut form = GrantForm::empty(drafted, route, live);
        if asked.may(console, ConsoleAction::ReadPeople) {
            form.who_hint = WHO_BY_NAME;
        }
        page.form = Some(form);
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

/// The page, or its part that htmx replaces.
pub(super) fn block(asked: &Admitted, status: StatusCode, page: &RoutePage) -> Response {
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
    let grants = drafted.book.reaching(route);
    let gone = gone(drafted, route);
    let rows = |effect: Effect| {
        let standing = grants.iter().map(|grant| grant_row(drafted, grant, route));
        let removed = gone.iter().map(|grant| GrantRow {
            standing: Standing::Removed,
            ..GrantRow::new(grant, &drafted.names, None)
        });
        standing.chain(removed).filter(move |row| row.effect == effect).collect()
    };
    let written = WrittenRules::of(drafted);
    let about = written.about(route).into_iter();
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
        badge: Badge::access(&grants, written.opening(route)),
        standing: Standing::of(drafted.waiting(ObjectKind::Route, route.id.as_str())),
        settings: urls::route_settings(&route.id),
        outcome: None,
        part: Part::Page,
        permits: rows(Effect::Permit),
        forbids: rows(Effect::Forbid),
        policies: about.map(|(policy, effect)| WrittenRule::new(policy, effect)).collect(),
        form: None,
        cedar: tokens(&texts.join("\n\n")),
    }
}

/// Grants of this route that are in force, and not in the draft any more.
fn gone(drafted: &Shown, route: &Route) -> Vec<Grant> {
    let removed = drafted.pending().iter().map(|pending| &pending.difference);
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
