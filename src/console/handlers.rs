//! What answers each row of the endpoint table: take the request apart, call one function, show what came of it.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;

use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::model::id::{DecisionId, GrantId, ReleaseNumber, RouteId};
use crate::model::record::Verdict;
use crate::model::route::Route;
use crate::store::StoreError;
use crate::store::audit::Show;
use crate::web::hx::HxOut;
use crate::web::moment::Moment;
use crate::web::page::{self, Notice, Tone};

use super::adding::{self, Adding, Outcome};
use super::answers::see_other;
use super::decisions::DecisionsPage;
use super::entra;
use super::entry::GrantEntry;
use super::guard::Admitted;
use super::record_view::{RecordView, Rules};
use super::route::RoutePage;
use super::showing::Shown;
use super::urls::{self, Section};

/// An answer, or one that comes instead.
type Answer = Result<Response, Box<Response>>;

/// Rows that the list of decisions shows.
const ROWS: usize = 100;
/// Records that are read for it.
const NEWEST: u32 = 100;
/// Records that a filter is applied to.
const SEARCHED: u32 = 1_000;

pub(super) fn home() -> Response {
    see_other(&urls::routes())
}

pub(super) async fn routes(console: Arc<Console>, asked: Admitted) -> Response {
    let answer = async || -> Answer {
        let shown = shown(&console, &asked).await?;
        let mut page = shown.routes_page(asked.frame("Routes", Section::Routes)?);
        page.frame.notice = entra::warning(&*console.entra, asked.exchange.at);
        Ok(page::console(StatusCode::OK, &page.frame, &page))
    };
    answer().await.unwrap_or_else(|other| *other)
}

/// What the address of a route's page may say besides the route.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RouteQuery {
    /// The grant that was just added.
    added: Option<String>,
}

pub(super) async fn route(console: Arc<Console>, asked: Admitted) -> Response {
    let answer = async || -> Answer {
        let query: RouteQuery = asked.query()?;
        let shown = shown(&console, &asked).await?;
        let route = find(&shown, &asked)?;
        let mut page = route_page(&console, &asked, (&shown, route))?;
        let added = query.added.and_then(|id| shown.grant(&id));
        if let Some(grant) = added.filter(|grant| grant.route == route.id) {
            page.outcome = Some(added_notice(&grant.id, shown.number));
        }
        Ok(page::console(StatusCode::OK, &page.frame, &page))
    };
    answer().await.unwrap_or_else(|other| *other)
}

pub(super) async fn add_grant(console: Arc<Console>, asked: Admitted) -> Response {
    let answer = async || -> Answer {
        let shown = shown(&console, &asked).await?;
        let route = find(&shown, &asked)?;
        let entry: GrantEntry = asked.form().await?;
        let by = asked.caller.principal.subject().ok_or_else(|| asked.said().no_page())?;
        let adding = Adding { shown: &shown, route, by };
        let outcome = adding::add(&console, adding, &entry).await;
        match outcome.map_err(|error| Box::new(unavailable(&asked, &error)))? {
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
    };
    answer().await.unwrap_or_else(|other| *other)
}

/// How the list of decisions is filtered.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DecisionsQuery {
    q: String,
    verdict: String,
}

pub(super) async fn decisions(console: Arc<Console>, asked: Admitted) -> Response {
    let answer = async || -> Answer {
        let DecisionsQuery { q, verdict } = asked.query()?;
        let shown = shown(&console, &asked).await?;
        let limit = if q.is_empty() && verdict.is_empty() { NEWEST } else { SEARCHED };
        let lines = console.reader.recent(Show::Requests, limit, None).await;
        let lines = lines.map_err(|error| Box::new(unavailable(&asked, &error)))?;
        let views = lines.iter().map(RecordView::of);
        let found = views.filter(|view| view.matches(&q, &verdict)).take(ROWS);
        let rules = Rules(&shown);
        let rows: Vec<_> = found.map(|view| view.row(rules)).collect();
        let at = Moment::new(asked.exchange.at).clock();
        let page = DecisionsPage {
            frame: shown.framed(asked.frame("Decisions", Section::Decisions)?),
            action: urls::decisions(),
            refresh: urls::decisions_where(&q, &verdict),
            summary: summary(rows.len(), &at),
            query: q,
            verdict,
            rows,
        };
        if asked.hx.wants_fragment() {
            let hx = HxOut::new().announce(&page.summary);
            let block = page::console(StatusCode::OK, &page.frame, &page.as_rows());
            return Ok((hx, block).into_response());
        }
        Ok(page::console(StatusCode::OK, &page.frame, &page))
    };
    answer().await.unwrap_or_else(|other| *other)
}

pub(super) async fn decision(console: Arc<Console>, asked: Admitted) -> Response {
    let answer = async || -> Answer {
        let nothing = || Box::new(asked.said().no_page());
        let id: DecisionId = asked.param("id").parse().map_err(|_| nothing())?;
        let line = console
            .reader
            .record(id)
            .await
            .map_err(|error| Box::new(unavailable(&asked, &error)))?;
        let view = line.as_ref().map(RecordView::of).filter(RecordView::is_request);
        let shown = shown(&console, &asked).await?;
        let frame = shown.framed(asked.frame("Decision", Section::Decisions)?);
        let page = view.ok_or_else(nothing)?.page(frame, Rules(&shown));
        Ok(page::console(StatusCode::OK, &page.frame, &page))
    };
    answer().await.unwrap_or_else(|other| *other)
}

pub(super) async fn entra(console: Arc<Console>, asked: Admitted) -> Response {
    let answer = async || -> Answer {
        let shown = shown(&console, &asked).await?;
        let frame = shown.framed(asked.frame("Entra", Section::Entra)?);
        let page = entra::page(&console, (&shown, frame), asked.exchange.at);
        Ok(page::console(StatusCode::OK, &page.frame, &page))
    };
    answer().await.unwrap_or_else(|other| *other)
}

async fn shown(console: &Console, asked: &Admitted) -> Result<Shown, Box<Response>> {
    let loaded = Shown::load(&console.store, &console.groups).await;
    loaded.map_err(|error| Box::new(unavailable(asked, &error)))
}

fn unavailable(asked: &Admitted, error: &StoreError) -> Response {
    tracing::error!(request.id = %asked.exchange.facts.request, error = %error, "The console could not read or write.");
    asked.said().unavailable()
}

/// The route that the address names; the whole id is looked up, so a route of one app is never found under another.
fn find<'a>(shown: &'a Shown, asked: &Admitted) -> Result<&'a Route, Box<Response>> {
    let id: Option<RouteId> =
        format!("{}/{}", asked.param("app"), asked.param("name")).parse().ok();
    id.and_then(|id| shown.route(&id)).ok_or_else(|| Box::new(asked.said().no_page()))
}

/// The page of a route, with the form for those who may use it.
fn route_page(
    console: &Console,
    asked: &Admitted,
    (shown, route): (&Shown, &Route),
) -> Result<RoutePage, Box<Response>> {
    let live = &console.doorkeeper.live;
    let frame = asked.frame(route.pattern.as_str(), Section::Routes)?;
    let mut page = shown.route_page(frame, route, &live.current());
    let may = console.rules.decide(&asked.caller.principal, ConsoleAction::ChangeRules);
    page.form = (may.verdict == Verdict::Allow).then(|| shown.empty_form(route, live));
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
fn send_back(
    page: &mut RoutePage,
    (entry, wrong): (&GrantEntry, &[super::entry::Wrong]),
    problem: String,
) {
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

fn summary(count: usize, at: &str) -> String {
    match count {
        0 => format!("No decision, as of {at} UTC."),
        1 => format!("1 decision, as of {at} UTC."),
        ROWS => format!("The newest {ROWS}, as of {at} UTC."),
        count => format!("{count} decisions, as of {at} UTC."),
    }
}
