//! Who can reach which route and why, route by route: what an access review rests on.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::response::Response;

use crate::authz::entities::Unusable;
use crate::authz::snapshot::Snapshot;
use crate::authz::telling::{Certainty, ToldProspect};
use crate::console::Console;
use crate::console::choice::Named;
use crate::console::directory::known::{PersonCell, known};
use crate::console::explore::compiled::in_force;
use crate::console::explore::lines::{Line, lines};
use crate::console::explore::reaching::Reaching;
use crate::console::guard::Admitted;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::grant::{Method, What};
use crate::model::id::Subject;
use crate::model::known::Known;
use crate::model::record::RuleId;
use crate::model::route::Route;
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::audit::search::{LastUses, Searcher};
use crate::web::moment::Moment;
use crate::web::page::{Notice, Tone};

/// What is reviewed, and what it takes.
pub(super) struct Review {
    pub(super) shown: Shown,
    pub(super) known: Known,
    pub(super) routes: Vec<Route>,
    snapshot: Arc<Snapshot>,
    searcher: Searcher,
    now: Timestamp,
}

/// Who can reach one route.
#[derive(Debug, Clone)]
pub struct RouteReview {
    /// Its app.
    pub app: String,
    /// The route, leading to its page.
    pub route: Named,
    /// Its id, which stays.
    pub id: String,
    /// What it is.
    pub title: String,
    /// Whom to ask for access.
    pub owner: String,
    /// What is true of everybody: such people are not listed one by one.
    pub open: Vec<Notice>,
    /// Everybody else who can, by name.
    pub rows: Vec<ReviewRow>,
    /// How many more there are than are listed.
    pub more: usize,
    /// How far back use was looked for; none where the log is empty.
    pub since: Option<Timestamp>,
}

/// What somebody can do on a route.
#[derive(Debug, Clone)]
pub struct ReviewRow {
    /// Who.
    pub who: PersonCell,
    /// Reading.
    pub read: Vec<Line>,
    /// Changing.
    pub write: Vec<Line>,
    /// When they were last let in there; none as far back as was looked.
    pub used: Option<Moment>,
    /// When their groups and roles were last seen.
    pub seen: Moment,
}

impl Review {
    /// Of these routes, in the order of their paths.
    pub(super) async fn of(
        console: &Arc<Console>,
        asked: &Admitted,
        is_wanted: impl Fn(&Route) -> bool,
    ) -> Result<Self, Box<Response>> {
        let failed = |error: StoreError| Box::new(asked.unavailable(&error));
        let shown = asked.shown(console).await?;
        let known = known(console).await.map_err(failed)?;
        let snapshot = in_force(console, asked, &shown).await?;
        let mut routes: Vec<_> =
            shown.book.routes.iter().filter(|route| is_wanted(route)).cloned().collect();
        routes.sort_by_key(|route| (route.id.app().to_string(), route.pattern.to_string()));
        let searcher = console.searcher.clone();
        Ok(Self { shown, known, routes, snapshot, searcher, now: asked.exchange.at })
    }

    /// Asks the engine and the log about one of them. It takes a while: for a thread that may wait.
    ///
    /// # Errors
    /// When nothing can be decided there, or the log can't be read.
    pub(super) fn route(&self, route: &Route) -> Result<RouteReview, Unusable> {
        let asked = (&self.shown, route, Method::ALL.as_slice(), self.now);
        let reaching = Reaching::of(asked, &self.known, &self.snapshot)?;
        let runtime = tokio::runtime::Handle::current();
        let uses = runtime.block_on(self.searcher.users_of(&route.id, &Method::ALL));
        let uses = uses.map_err(|error| Unusable(error.to_string()))?;
        let people = reaching.people.iter();
        let row = |(subject, told): &(Subject, Vec<(Method, ToldProspect)>)| {
            self.row(&uses, (subject, told), &reaching.open)
        };
        let mut rows: Vec<_> = people.filter_map(row).collect();
        rows.sort_by_cached_key(|row| (row.who.name.to_lowercase(), row.who.id.clone()));
        Ok(RouteReview {
            app: route.id.app().to_string(),
            route: Named { name: route.pattern.to_string(), link: Some(urls::route(&route.id)) },
            id: route.id.to_string(),
            title: route.title.clone(),
            owner: route.owner.clone(),
            open: open(&reaching),
            rows,
            more: 0,
            since: uses.since,
        })
    }

    /// None for whoever gets in only where everybody does.
    fn row(
        &self,
        uses: &LastUses<Subject>,
        (subject, told): (&Subject, &[(Method, ToldProspect)]),
        open: &BTreeSet<RuleId>,
    ) -> Option<ReviewRow> {
        let person = self.known.get(subject)?;
        let of = |what: &What| {
            let methods = what.methods();
            let own = told.iter().filter(|(method, _)| methods.contains(method)).cloned();
            let mut own = lines(&self.shown, &own.collect::<Vec<_>>());
            own.retain(|line| line.rule().is_some_and(|rule| !open.contains(rule)));
            own
        };
        let (read, write) = (of(&What::Read), of(&What::Write));
        (!read.is_empty() || !write.is_empty()).then(|| ReviewRow {
            who: PersonCell::of(subject, &person.content),
            read,
            write,
            used: uses.at.get(subject).map(|at| Moment::new(*at)),
            seen: Moment::new(person.seen_at),
        })
    }
}

/// What is true of everybody.
fn open(reaching: &Reaching) -> Vec<Notice> {
    let of = |certainty: Certainty, who: &str| {
        let how = match certainty {
            Certainty::Never => return None,
            Certainty::Always => "can reach it",
            Certainty::If => "may reach it under conditions, or with some methods only",
        };
        let rules: Vec<_> = reaching.open.iter().map(ToString::to_string).collect();
        let text = format!("{who} {how}: {}. They are not listed one by one.", rules.join(", "));
        Some(Notice { tone: Tone::Careful, text })
    };
    let everyone = of(reaching.everyone, "Everyone, signed in or not,");
    everyone.or_else(|| of(reaching.signed_in, "Everybody who signs in")).into_iter().collect()
}
