//! What one person can reach, as the engine says: which routes open to them, and how.

use std::sync::Arc;

use axum::response::Response;
use serde::Deserialize;

use super::compiled::in_force;
use crate::authz::assertions::Inquiry;
use crate::authz::entities::Unusable;
use crate::authz::reach::Survey;
use crate::authz::snapshot::Snapshot;
use crate::authz::telling::{Teller, ToldProspect};
use crate::console::Console;
use crate::console::guard::Admitted;
use crate::console::showing::Shown;
use crate::model::grant::Method;
use crate::model::id::RouteId;
use crate::model::principal::PrincipalSnapshot;
use crate::model::route::Route;
use crate::model::time::Timestamp;
use crate::web::link::Link;
use crate::web::stretch::Stretch;

/// Which routes are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Show {
    /// Those that open to the person, at least in some circumstances.
    #[default]
    Open,
    /// All of them.
    All,
}

/// What is to be told.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// All routes.
    Everything,
    /// A page of the list at this address.
    Page(Show, usize, Link),
}

/// What the engine said.
#[derive(Debug)]
pub(super) struct Surveyed {
    /// How many routes open to them, at least in some circumstances.
    pub(super) open: usize,
    /// How many routes there are.
    pub(super) all: usize,
    /// The routes that are told of, by app and path.
    pub(super) told: Vec<Told>,
    /// Which part of the list that is.
    pub(super) stretch: Option<Stretch>,
}

/// A route, and what somebody can do there with each method.
pub(super) type Told = (RouteId, Vec<(Method, Arc<ToldProspect>)>);

impl Surveyed {
    /// Asks the engine about a person, under the rules in force.
    ///
    /// # Errors
    /// With the answer, 503, when nothing can be decided.
    pub(super) async fn of(
        (console, asked): (&Arc<Console>, &Admitted),
        shown: &Shown,
        person: &Arc<PrincipalSnapshot>,
        wanted: Wanted,
    ) -> Result<Self, Box<Response>> {
        let snapshot = in_force(console, asked, shown).await?;
        let (rules, person, now) = (shown.clone(), Arc::clone(person), asked.exchange.at);
        asked.apart(move || survey((&rules, now), &person, &snapshot, wanted)).await
    }
}

fn survey(
    (shown, now): (&Shown, Timestamp),
    person: &Arc<PrincipalSnapshot>,
    snapshot: &Snapshot,
    wanted: Wanted,
) -> Result<Surveyed, Unusable> {
    let inquiry = Inquiry { book: &shown.book, snapshot, now };
    let teller = Teller { book: snapshot.book(), names: &shown.names };
    let mut survey = Survey::new(inquiry, teller, person);
    let mut routes: Vec<_> = shown.book.routes.iter().collect();
    routes.sort_by_key(|route| (route.id.app(), route.pattern.as_str()));
    let open = opening(&mut survey, &routes)?;
    let (open_count, all) = (open.len(), routes.len());
    let (listed, stretch) = match wanted {
        Wanted::Everything => (routes, None),
        Wanted::Page(Show::All, number, link) => Stretch::of(routes, number, &link),
        Wanted::Page(Show::Open, number, link) => Stretch::of(open, number, &link),
    };
    let told = listed.into_iter().map(|route| Ok((route.id.clone(), survey.on(route)?)));
    Ok(Surveyed { open: open_count, all, told: told.collect::<Result<_, Unusable>>()?, stretch })
}

fn opening<'a>(survey: &mut Survey<'_>, routes: &[&'a Route]) -> Result<Vec<&'a Route>, Unusable> {
    let mut open = Vec::new();
    for route in routes {
        if survey.opens(route)? {
            open.push(*route);
        }
    }
    Ok(open)
}
