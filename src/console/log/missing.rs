//! What somebody lacked who was refused, and how they are let in.
//!
//! Asked of the rules in force now, about the person and the circumstances that are on record: what was missing then under
//! other rules helps nobody any more. Nothing follows from the answer but words.

use std::sync::Arc;

use axum::response::Response;

use crate::authz::access::{Access, Extent, Lack, Way};
use crate::authz::console::ConsoleAction;
use crate::authz::decision::Question;
use crate::authz::entities::Unusable;
use crate::authz::snapshot::Snapshot;
use crate::authz::tree::RouteMatch;
use crate::console::Console;
use crate::console::choice::Named;
use crate::console::guard::Admitted;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::grant::{Effect, Method};
use crate::model::principal::Principal;
use crate::model::record::{Circumstances, DecisionRecord, Reason, RecordLine, RuleId};
use crate::model::recorded::{Recorded, read_principal};
use crate::model::words::{listed, who};
use crate::web::link::Link;

/// Grants that are named where none leads there.
const NAMED: usize = 4;

/// What is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// In words.
    pub sentence: String,
    /// The grant that comes nearest.
    pub nearest: Option<Named>,
    /// The form of the route that lets this person in, for those who may.
    pub let_in: Option<Link>,
}

/// What the person of a record lacks; none for what no grant could open.
///
/// # Errors
/// With the answer, 503, when the rules can't be asked.
pub(super) async fn of(
    console: &Console,
    asked: &Admitted,
    (shown, line): (&Shown, &RecordLine),
) -> Result<Option<Missing>, Box<Response>> {
    let Some(record) = refused(line) else { return Ok(None) };
    let snapshot = console.doorkeeper.live.current();
    let found = record.app.as_ref().and_then(|app| snapshot.find(app, &record.facts.path));
    let Some(found) = found else { return Ok(None) };
    let route = found.route.id.clone();
    let form = form(&urls::route(&route), &record.principal);
    let access = asked.apart(move || access(&snapshot, &record, &found)).await?;
    let Some(access) = access else { return Ok(None) };
    let Some(asked_for) = shown.route(&route) else { return Ok(None) };
    let (sentence, nearest) = match access {
        Access::Open(_) | Access::Partly(_) => {
            ("Under the rules in force now it opens to them.".to_owned(), None)
        }
        Access::If(ways) => ways.first().map_or_else(Default::default, |way| told(shown, way)),
        Access::Never => {
            let grants = shown.book.reaching(asked_for);
            let opening = grants.iter().filter(|grant| grant.effect == Effect::Permit);
            let mut names: Vec<_> = opening.map(|grant| who(&grant.who, &shown.names)).collect();
            names.dedup();
            (to_others(&names), None)
        }
    };
    let let_in = form.filter(|_| asked.may(console, ConsoleAction::EditDraft));
    Ok(Some(Missing { sentence, nearest, let_in }))
}

/// The record of somebody known whom no grant let in; none for everything else.
fn refused(line: &RecordLine) -> Option<DecisionRecord> {
    let recorded = Recorded::read(line.id, line.body.as_bytes()).ok()?;
    let content = read_principal(recorded.principal, line.principal.as_deref()?).ok()?;
    let record = recorded.with(content).ok()?;
    let lacking = matches!(record.reason, Reason::NoGrant | Reason::Forbidden);
    (lacking && record.principal.is_known()).then_some(record)
}

/// How they stand with the route now; none where the record does not say what was asked.
fn access(
    snapshot: &Arc<Snapshot>,
    record: &DecisionRecord,
    found: &RouteMatch,
) -> Result<Option<Access>, Unusable> {
    let (Some(host), Some(method)) = (&record.facts.host, Method::from_name(&record.action)) else {
        return Ok(None);
    };
    let local = snapshot.local(record.circumstances.now);
    let circumstances =
        Circumstances { params: found.params.clone(), local, ..record.circumstances.clone() };
    let question = Question {
        principal: &record.principal,
        route: &found.route,
        method,
        host,
        path: &record.facts.path,
        client: record.facts.client,
        circumstances: &circumstances,
    };
    snapshot.access(&question, Extent::Path).map(Some)
}

/// The nearest way: what it lacks, and the grant that is it.
fn told(shown: &Shown, way: &Way) -> (String, Option<Named>) {
    let lacks: Vec<_> = way.lacks.iter().map(lack).collect();
    let sentence = format!("It would open to them {}.", listed(&lacks, "and"));
    let grant = match &way.rule {
        RuleId::Grant(id) => shown.grant(id.as_str()),
        RuleId::Policy(_) | RuleId::Console(_) => None,
    };
    let link = grant.map(|grant| urls::grant(&grant.route, &grant.id));
    (sentence, Some(Named { name: way.rule.to_string(), link }))
}

fn lack(lack: &Lack) -> String {
    match lack {
        Lack::Condition(condition) => condition.text.clone(),
        Lack::Written => "under a condition that is written in Cedar".to_owned(),
        Lack::Closed => "if no other rule closed it".to_owned(),
    }
}

fn to_others(names: &[String]) -> String {
    let mut all: Vec<_> = names.iter().take(NAMED).cloned().collect();
    let more = names.len().saturating_sub(all.len());
    if more > 0 {
        all.push(format!("{more} more"));
    }
    if all.is_empty() {
        return "No grant opens it to anybody.".to_owned();
    }
    format!("No grant opens it to them. It opens to {}.", listed(&all, "and"))
}

/// The form of a route, filled in for whoever was refused.
fn form(route: &Link, principal: &Principal) -> Option<Link> {
    let (kind, subject) = match principal {
        Principal::User(user) => ("person", &user.subject),
        Principal::Workload(workload) => ("workload", &workload.subject),
        Principal::Anonymous => return None,
    };
    let form = route.clone().with_query("who_kind", kind);
    Some(form.with_query("who", &subject.to_string()).with_fragment("grant-form"))
}
