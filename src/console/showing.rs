//! The rules as pages show them: the live release, and what reaches a route.

use crate::groups::Groups;
use crate::model::difference::{Difference, ObjectKind};
use crate::model::grant::{Grant, Reach};
use crate::model::group::GroupNames;
use crate::model::id::{ReleaseNumber, RouteId};
use crate::model::route::Route;
use crate::model::rule_book::{Release, RuleBook};
use crate::store::{Draft, Pending, Store, StoreError};
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{DraftBar, Frame};

use super::urls;
use super::words::count;

/// The live release as pages show it.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// Its number; 0 when nothing was published yet.
    pub(super) number: ReleaseNumber,
    /// Its rule book.
    pub(super) book: RuleBook,
    /// What its groups are called.
    pub(super) names: GroupNames,
    /// What waits in the draft.
    pub(super) pending: Vec<Pending>,
    /// Where the draft is thrown away, for those who may.
    pub(super) discard: Option<Link>,
    draft: RuleBook,
    words: String,
}

impl Shown {
    /// Reads the live release.
    ///
    /// # Errors
    /// When the database fails, or the release is not what was written.
    pub(super) async fn load(store: &Store, groups: &Groups) -> Result<Self, StoreError> {
        let Draft { live, book, pending } = store.pending().await?;
        let shown = live.map_or_else(Self::nothing, |release| Self::of(release, groups));
        let names = groups.names(&book.group_names);
        Ok(Self { draft: book, pending, names, ..shown })
    }

    /// The same rules as they stand in the draft.
    pub(super) fn drafted(&self) -> Self {
        Self { book: self.draft.clone(), ..self.clone() }
    }

    /// What waits in the draft of one object.
    pub(super) fn waiting(&self, kind: ObjectKind, id: &str) -> Option<&Difference> {
        let differences = self.pending.iter().map(|pending| &pending.difference);
        differences.into_iter().find(|one| one.kind == kind && one.id == id)
    }

    /// A release.
    pub(super) fn of(release: Release, groups: &Groups) -> Self {
        let names = groups.names(&release.rule_book.group_names);
        let day = Moment::new(release.published_at).day();
        let words = format!("Release {}, {day}", release.number);
        let (draft, book) = (release.rule_book.clone(), release.rule_book);
        let (pending, discard) = (Vec::new(), None);
        Self { number: release.number, book, names, pending, discard, draft, words }
    }

    fn nothing() -> Self {
        Self {
            number: ReleaseNumber::default(),
            book: RuleBook::default(),
            names: GroupNames::default(),
            pending: Vec::new(),
            discard: None,
            draft: RuleBook::default(),
            words: "Nothing published yet".to_owned(),
        }
    }

    /// Which release, and since when ("Release 7, 24 Nov 2026").
    pub(super) fn words(&self) -> &str {
        &self.words
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
        frame.draft = (!self.pending.is_empty()).then(|| DraftBar {
            text: count(self.pending.len(), "change"),
            review: urls::draft(),
            discard: self.discard.clone(),
        });
        frame
    }

    /// The same on pages that are about the draft: they need no bar that leads there.
    pub(super) fn framed_without_bar(&self, frame: Frame) -> Frame {
        Frame { draft: None, ..self.framed(frame) }
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
