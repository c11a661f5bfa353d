//! The rules as pages show them: the live release, and what reaches a route.

use std::sync::Arc;

use crate::groups::Groups;
use crate::model::difference::{Difference, ObjectKind};
use crate::model::grant::Grant;
use crate::model::group::GroupNames;
use crate::model::id::{ReleaseNumber, RouteId};
use crate::model::indexed::IndexedBook;
use crate::model::route::Route;
use crate::model::rule_book::RuleBook;
use crate::model::time::Timestamp;
use crate::store::{Draft, Pending, Store, StoreError};
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{DraftBar, Frame};

use super::urls;
use super::words::count;

/// The live release as pages show it. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// Its number; 0 when nothing was published yet.
    pub(super) number: ReleaseNumber,
    /// Its rule book.
    pub(super) book: Arc<IndexedBook>,
    /// What its groups are called.
    pub(super) names: GroupNames,
    /// Where the draft is thrown away, for those who may.
    pub(super) discard: Option<Link>,
    draft: Arc<Draft>,
    words: String,
}

impl Shown {
    /// Reads the live release.
    ///
    /// # Errors
    /// When the database fails, or the release is not what was written.
    pub(super) async fn load(store: &Store, groups: &Groups) -> Result<Self, StoreError> {
        let draft = store.pending().await?;
        let words = match &draft.live {
            Some(live) => words_of(live.number, live.author.at),
            None => "Nothing published yet".to_owned(),
        };
        let names = groups.names(&draft.book.group_names);
        let (number, book) = (draft.based_on(), Arc::clone(&draft.in_force));
        Ok(Self { number, book, names, discard: None, draft, words })
    }

    /// The same rules as they stand in the draft.
    pub(super) fn drafted(&self) -> Self {
        Self { book: Arc::clone(&self.draft.book), ..self.clone() }
    }

    /// What waits in the draft.
    pub(super) fn pending(&self) -> &[Pending] {
        &self.draft.pending
    }

    /// What waits in the draft of one object.
    pub(super) fn waiting(&self, kind: ObjectKind, id: &str) -> Option<&Difference> {
        let differences = self.pending().iter().map(|pending| &pending.difference);
        differences.into_iter().find(|one| one.kind == kind && one.id == id)
    }

    /// Which release, and since when ("Release 7, 24 Nov 2026").
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// The same with other rules than those in force, and what their groups are called.
    pub(super) fn with_rules(self, book: RuleBook, names: GroupNames) -> Self {
        Self { book: Arc::new(IndexedBook::from(book)), names, ..self }
    }

    /// The route with this id.
    pub(super) fn route(&self, id: &RouteId) -> Option<&Route> {
        self.book.route(id)
    }

    /// The grant with this id.
    pub(super) fn grant(&self, id: &str) -> Option<&Grant> {
        id.parse().ok().and_then(|id| self.book.grant(&id))
    }

    /// The number of the release that a change would become.
    pub(super) fn next(&self) -> ReleaseNumber {
        ReleaseNumber(self.number.0.saturating_add(1))
    }

    /// The frame, naming this release.
    pub(super) fn framed(&self, mut frame: Frame) -> Frame {
        frame.release = Some(self.words.clone());
        frame.draft = (!self.pending().is_empty()).then(|| DraftBar {
            text: count(self.pending().len(), "change"),
            review: urls::draft(),
            discard: self.discard.clone(),
        });
        frame
    }

    /// The same on pages that are about the draft: they need no bar that leads there.
    pub(super) fn framed_without_bar(&self, frame: Frame) -> Frame {
        Frame { draft: None, ..self.framed(frame) }
    }
}

/// Which release, and since when ("Release 7, 24 Nov 2026").
fn words_of(number: ReleaseNumber, since: Timestamp) -> String {
    format!("Release {number}, {}", Moment::new(since).day())
}
