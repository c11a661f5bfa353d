//! The rules as pages show them: the live release, and what reaches a route.

use crate::groups::Groups;
use crate::model::grant::{Grant, Reach};
use crate::model::group::GroupNames;
use crate::model::id::{ReleaseNumber, RouteId};
use crate::model::route::Route;
use crate::model::rule_book::{Release, RuleBook};
use crate::store::{Store, StoreError};
use crate::web::moment::Moment;
use crate::web::page::Frame;

use super::choice::Written;

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

    /// The same with other rules than those in force, and what their groups are called.
    pub(super) fn with_rules(self, book: RuleBook, names: GroupNames) -> Self {
        Self { book, names, ..self }
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

    /// Whether hand-written policies may apply.
    pub(super) fn written(&self) -> Written {
        if self.book.policies.is_empty() { Written::No } else { Written::Yes }
    }

    /// The routes that contain `route`, widest first.
    pub(super) fn above(&self, route: &Route) -> Vec<&Route> {
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
    pub(super) fn reaching(&self, route: &Route) -> Vec<&Grant> {
        let of = |id: &RouteId, wanted: fn(&Grant) -> bool| {
            let id = id.clone();
            self.book.grants.iter().filter(move |grant| grant.route == id && wanted(grant))
        };
        let own = of(&route.id, |_| true);
        let above = self.above(route).into_iter().rev();
        let inherited = above.flat_map(|wider| of(&wider.id, |grant| grant.reach == Reach::Below));
        own.chain(inherited).collect()
    }
}
