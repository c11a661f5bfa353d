//! Adding a grant: read, compiled, published as the next release, and in force before the answer goes out.

use crate::authz::problem::Problem;
use crate::console::Console;
use crate::model::grant::{Effect, Grant, What, Who};
use crate::model::id::{GrantId, ReleaseNumber, Subject};
use crate::model::route::Route;
use crate::model::time::Timestamp;
use crate::publishing::{Content, Order, Refusal};
use crate::store::{Author, StoreError};

use super::entry::{GrantEntry, Wanted, Wrong};
use crate::console::showing::Shown;
use crate::console::words::GroupNames;

/// What came of a form.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The grant is in force.
    Added(GrantId, Box<Shown>),
    /// Another release went live since the form was made. Nothing was changed.
    Stale(Box<Shown>),
    /// Something is wrong with the form. Nothing was changed.
    Wrong(Vec<Wrong>, String),
}

/// Who adds a grant, and to what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Adding<'a> {
    /// The live release, as it was read for this request.
    pub(super) shown: &'a Shown,
    /// Where.
    pub(super) route: &'a Route,
    /// Who.
    pub(super) by: &'a Subject,
}

/// Adds the grant that a form asks for.
///
/// # Errors
/// When the database fails; nothing is changed then.
pub(super) async fn add(
    console: &Console,
    adding: Adding<'_>,
    entry: &GrantEntry,
) -> Result<Outcome, StoreError> {
    let Adding { shown, route, .. } = adding;
    if entry.based_on() != shown.number {
        return Ok(Outcome::Stale(Box::new(shown.clone())));
    }
    let now = console.clock.now();
    let wanted = match entry.read(&shown.names, now) {
        Ok(wanted) => wanted,
        Err(wrong) => return Ok(Outcome::Wrong(wrong, not_added(&[]))),
    };
    match grant(wanted, route, shown) {
        Some(grant) => publish(console, adding, (grant, now)).await,
        None => {
            Ok(Outcome::Wrong(Vec::new(), not_added(&["no id could be made for it".to_owned()])))
        }
    }
}

async fn publish(
    console: &Console,
    Adding { shown, by, .. }: Adding<'_>,
    (grant, at): (Grant, Timestamp),
) -> Result<Outcome, StoreError> {
    let mut rule_book = shown.book.clone();
    rule_book.grants.push(grant.clone());
    let order = Order {
        content: Content::Book(Box::new(rule_book)),
        based_on: shown.number,
        note: format!("Added the grant {}: {}", grant.id, grant.reason),
        author: Author { by: by.to_string(), at },
    };
    let problems = match console.publishing.publish(order).await {
        Ok((release, snapshot)) => {
            console.doorkeeper.audit.changes_made();
            console.doorkeeper.live.install(snapshot);
            return Ok(Outcome::Added(grant.id, Box::new(Shown::of(release, &console.groups))));
        }
        Err(Refusal::Store(StoreError::Stale { .. })) => {
            let shown = Shown::load(&console.store, &console.groups).await?;
            return Ok(Outcome::Stale(Box::new(shown)));
        }
        Err(Refusal::Compile(error)) => error.problems.iter().map(Problem::what).collect(),
        // Nothing else is wrong with the form than what is said.
        Err(Refusal::Store(error)) if !matches!(error, StoreError::Collided(_)) => {
            return Err(error);
        }
        Err(refusal) => vec![refusal.to_string()],
    };
    Ok(Outcome::Wrong(Vec::new(), not_added(&problems)))
}

/// What stands above the form when it comes back.
fn not_added(problems: &[String]) -> String {
    match problems {
        [] => "The grant was not added. Correct what is marked below.".to_owned(),
        problems => format!("The grant was not added: {}.", problems.join("; ")),
    }
}

fn grant(wanted: Wanted, route: &Route, shown: &Shown) -> Option<Grant> {
    let Wanted { who, what, reach, when, reason } = wanted;
    let id = new_id(&who, &what, shown)?;
    let route = route.id.clone();
    let (effect, ticket) = (Effect::Permit, String::new());
    Some(Grant { id, effect, who, what, route, reach, when, reason, ticket })
}

/// `g-finance-read-8`: readable, and never used before, because no release number comes twice.
fn new_id(who: &Who, what: &What, shown: &Shown) -> Option<GrantId> {
    let who = whom(who, &shown.names);
    let what = match what {
        What::Read => "read",
        What::Write => "write",
        What::All => "all",
        What::Methods(_) => "some",
    };
    let ReleaseNumber(first) = shown.next();
    let taken = |id: &GrantId| shown.book.grants.iter().any(|grant| grant.id == *id);
    // Whoever wrote the rule book by hand may have used the very name.
    let numbers = first..first.saturating_add(1_000);
    let mut ids = numbers.filter_map(|n| format!("g-{who}-{what}-{n}").parse().ok());
    ids.find(|id| !taken(id))
}

fn whom(who: &Who, names: &GroupNames) -> String {
    let text = match who {
        Who::Group(id) => names.name(id).unwrap_or("group"),
        Who::Role(role) => role.as_str(),
        Who::Person(_) => "person",
        Who::Workload(_) => "service",
        Who::Tenants(_) => "tenant",
        Who::SignedIn => "signed-in",
        Who::Everyone => "everyone",
    };
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase).take(40) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "group".to_owned() } else { slug.to_owned() }
}
