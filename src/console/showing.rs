//! The rules as pages show them: the live release's rule book turned into rows and sentences.

use std::collections::BTreeMap;

use crate::authz::compile::MfaSetting;
use crate::authz::snapshot::Snapshot;
use crate::groups::Groups;
use crate::live::Live;
use crate::model::app::App;
use crate::model::grant::{Effect, Grant, Reach};
use crate::model::id::{AppId, ReleaseNumber, RouteId};
use crate::model::record::RuleId;
use crate::model::route::Route;
use crate::model::rule_book::{Release, RuleBook};
use crate::store::{Store, StoreError};
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::Frame;

use super::cedar_text::tokens;
use super::choice::{Badge, Field, Written};
use super::route::{GrantForm, GrantRow, Inherited, KnownGroup, RoutePage};
use super::routes::{AppRoutes, RouteRow, RoutesPage};
use super::urls;
use super::words::{Access, GroupNames};

/// The live release as pages show it.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// Its number; 0 when nothing was published yet.
    pub(super) number: ReleaseNumber,
    /// Its rule book.
    pub(super) book: RuleBook,
    /// What its groups are called.
    pub(super) names: GroupNames,
    words: String,
}

impl Shown {
    /// Reads the live release.
    ///
    /// # Errors
    /// When the database fails, or the release is not what was written.
    pub(super) async fn load(store: &Store, groups: &Groups) -> Result<Self, StoreError> {
        let live = store.live().await?;
        Ok(live.map_or_else(Self::nothing, |release| Self::of(release, groups)))
    }

    /// A release.
    pub(super) fn of(release: Release, groups: &Groups) -> Self {
        let names = groups.names(&release.rule_book.group_names);
        let day = Moment::new(release.published_at).day();
        let words = format!("Release {}, {day}", release.number);
        Self { number: release.number, book: release.rule_book, names, words }
    }

    fn nothing() -> Self {
        Self {
            number: ReleaseNumber::default(),
            book: RuleBook::default(),
            names: GroupNames::default(),
            words: "Nothing published yet".to_owned(),
        }
    }

    /// The route with this id.
    pub(super) fn route(&self, id: &RouteId) -> Option<&Route> {
        self.book.routes.iter().find(|route| route.id == *id)
    }

    /// The grant with this id.
    pub(super) fn grant(&self, id: &str) -> Option<&Grant> {
        self.book.grants.iter().find(|grant| grant.id.as_str() == id)
    }

    /// The number of the release that a change would become.
    pub(super) fn next(&self) -> ReleaseNumber {
        ReleaseNumber(self.number.0.saturating_add(1))
    }

    /// The frame, naming this release.
    pub(super) fn framed(&self, mut frame: Frame) -> Frame {
        frame.release = Some(self.words.clone());
        frame
    }

    fn written(&self) -> Written {
        if self.book.policies.is_empty() { Written::No } else { Written::Yes }
    }

    /// The routes that contain `route`, widest first.
    fn above(&self, route: &Route) -> Vec<&Route> {
        let wider = |other: &&Route| {
            other.id.app() == route.id.app() && other.pattern.contains(&route.pattern)
        };
        let mut above: Vec<_> = self.book.routes.iter().filter(wider).collect();
        let depth = |route: &Route| {
            self.book
                .routes
                .iter()
                .filter(|other| {
                    other.id.app() == route.id.app() && other.pattern.contains(&route.pattern)
                })
                .count()
        };
        above.sort_by_cached_key(|route| (depth(route), route.pattern.as_str().to_owned()));
        above
    }

    /// The grants that reach `route`: its own first, then those of wider routes.
    fn reaching(&self, route: &Route) -> Vec<&Grant> {
        let of = |id: &RouteId, wanted: fn(&Grant) -> bool| {
            let id = id.clone();
            self.book.grants.iter().filter(move |grant| grant.route == id && wanted(grant))
        };
        let own = of(&route.id, |_| true);
        let above = self.above(route).into_iter().rev();
        let inherited = above.flat_map(|wider| of(&wider.id, |grant| grant.reach == Reach::Below));
        own.chain(inherited).collect()
    }

    /// The page of all routes.
    pub(super) fn routes_page(&self, frame: Frame) -> RoutesPage {
        let mut by_app: BTreeMap<&AppId, Vec<&Route>> = BTreeMap::new();
        for route in &self.book.routes {
            by_app.entry(route.id.app()).or_default().push(route);
        }
        let apps = self.book.apps.iter();
        let apps: Vec<_> = apps
            .map(|app| self.app_routes(app, by_app.remove(&app.id).unwrap_or_default()))
            .collect();
        let summary = format!(
            "{} of {}. {}.",
            count(self.book.routes.len(), "route"),
            count(apps.len(), "app"),
            match self.number.0 {
                0 => "Nothing is published yet".to_owned(),
                number => format!("Release {number} is in force"),
            }
        );
        RoutesPage { frame: self.framed(frame), summary, apps }
    }

    fn app_routes(&self, app: &App, routes: Vec<&Route>) -> AppRoutes {
        let mut placed: Vec<_> = routes
            .into_iter()
            .map(|route| {
                let above = self.above(route);
                let mut place: Vec<_> = above.iter().map(|wider| wider.pattern.as_str()).collect();
                place.push(route.pattern.as_str());
                (place, route)
            })
            .collect();
        placed.sort_by(|(a, _), (b, _)| a.cmp(b));
        let rows = placed.into_iter().map(|(place, route)| RouteRow {
            link: urls::route(&route.id),
            pattern: route.pattern.to_string(),
            title: route.title.clone(),
            ancestors: place.len().saturating_sub(1),
            access: Access::new(&self.reaching(route), &self.names, self.written()),
        });
        let origin = app.origins.first();
        AppRoutes {
            id: app.id.to_string(),
            name: app.name.clone(),
            origin: origin.map(ToString::to_string).unwrap_or_default(),
            link: origin.and_then(|origin| Link::parse(&origin.url("/")).ok()),
            upstream: app.upstream.as_ref().map_or_else(
                || "another proxy carries the traffic".to_owned(),
                |upstream| format!("forwards to {}", upstream.0),
            ),
            routes: rows.collect(),
        }
    }

    /// The page of one route, without a form.
    pub(super) fn route_page(&self, frame: Frame, route: &Route, snapshot: &Snapshot) -> RoutePage {
        let grants = self.reaching(route);
        let rows = |effect: Effect| {
            let wanted = grants.iter().filter(move |grant| grant.effect == effect);
            wanted.map(|grant| self.grant_row(grant, route)).collect()
        };
        let app = self.book.apps.iter().find(|app| app.id == *route.id.app());
        let texts: Vec<_> = grants
            .iter()
            .filter_map(|grant| snapshot.cedar_of(&RuleId::Grant(grant.id.clone())))
            .collect();
        RoutePage {
            decisions: decisions_of(&frame, route),
            frame: self.framed(frame),
            up: urls::routes(),
            app: app.map_or_else(|| route.id.app().to_string(), |app| app.name.clone()),
            pattern: route.pattern.to_string(),
            title: route.title.clone(),
            badge: Badge::access(&grants, self.written()),
            outcome: None,
            moved: None,
            permits: rows(Effect::Permit),
            forbids: rows(Effect::Forbid),
            policies: self.book.policies.iter().map(|policy| policy.id.to_string()).collect(),
            form: None,
            cedar: tokens(&texts.join("\n\n")),
        }
    }

    fn grant_row(&self, grant: &Grant, route: &Route) -> GrantRow {
        let above = (grant.route != route.id).then(|| self.route(&grant.route)).flatten();
        let from = above.map(|wider| Inherited {
            name: wider.pattern.to_string(),
            link: urls::grant(&wider.id, &grant.id),
        });
        GrantRow::new(grant, &self.names, from)
    }

    /// The form that adds a grant to a route, empty.
    pub(super) fn empty_form(&self, route: &Route, live: &Live) -> GrantForm {
        let names = self.names.all().into_iter();
        let groups =
            names.map(|(id, name)| KnownGroup { name: name.to_owned(), id: id.to_string() });
        let mfa_hint = match live.terms().mfa {
            MfaSetting::Configured => {
                "Needed means: the session met the authentication context of the settings."
            }
            MfaSetting::Empty => {
                "Can't be asked for: the settings name no authentication context (entra.mfa_context)."
            }
        };
        GrantForm {
            action: urls::grants(&route.id),
            based_on: self.number.0,
            problem: None,
            who_kind: Field::of("group"),
            who: Field::default(),
            what: Field::of("read"),
            reach: Field::of("below"),
            networks: Field::default(),
            mfa: Field::of("optional"),
            mfa_hint: mfa_hint.to_owned(),
            until: Field::default(),
            reason: Field::default(),
            groups: groups.collect(),
            effect: format!("Takes effect at once, as release {}.", self.next()),
        }
    }
}

/// `1 route`, `2 routes`
fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// The log, filtered by this route, for those whose navigation leads there.
fn decisions_of(frame: &Frame, route: &Route) -> Option<Link> {
    let log = urls::decisions();
    let mut places = frame.nav.iter().flat_map(|group| &group.items);
    places.any(|place| place.link == log).then(|| log.with_query("q", route.id.as_str()))
}
