//! The live release and the draft, compiled once for all who look at them.
//!
//! Compiling a large rule book takes a second, and every page about the draft needs it compiled. What was made of the two
//! is kept for as long as they are the ones that the store gives; anything else is compiled for the one who asks.

use std::sync::{Arc, Mutex, PoisonError};

use super::Refusal;
use crate::authz::assertions::{self, Broken};
use crate::authz::compile::{CompileError, Terms, compile};
use crate::authz::lints::{Lint, lint};
use crate::authz::snapshot::Snapshot;
use crate::model::group::GroupNames;
use crate::model::id::ReleaseNumber;
use crate::model::indexed::IndexedBook;
use crate::model::time::Timestamp;
use crate::store::Draft;

/// What was made of the live release and the draft. Cheap to clone; all clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Compilations(Arc<Mutex<Vec<Arc<Compilation>>>>);

/// A rule book, compiled as no release in particular.
#[derive(Debug)]
pub(super) struct Compilation {
    /// Of what.
    pub(super) book: Arc<IndexedBook>,
    /// Its content hash.
    pub(super) content: String,
    /// All its policies; empty when it does not compile.
    pub(super) cedar: String,
    /// What decides by it, or all that is wrong with it.
    pub(super) snapshot: Result<Arc<Snapshot>, CompileError>,
    lints: Mutex<Option<Linted>>,
    tried: Mutex<Option<(i64, Arc<[Broken]>)>>,
}

/// What there is to look at, while groups are called so and in this minute.
#[derive(Debug)]
struct Linted {
    names: GroupNames,
    minute: i64,
    found: Arc<[Lint]>,
}

impl Compilation {
    /// The assertions that do not hold, as of this minute; none are tried of what does not compile.
    ///
    /// # Errors
    /// When trying them breaks off.
    pub(super) async fn broken(self: &Arc<Self>, now: Timestamp) -> Result<Arc<[Broken]>, Refusal> {
        let Ok(snapshot) = &self.snapshot else { return Ok(Arc::default()) };
        let minute = minute(now);
        let tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, broken)) = tried.filter(|(of, _)| *of == minute) {
            return Ok(broken);
        }
        let (compilation, snapshot) = (Arc::clone(self), Arc::clone(snapshot));
        let run = move || assertions::run(&compilation.book, &snapshot, now);
        let broken: Arc<[Broken]> =
            tokio::task::spawn_blocking(run).await.map_err(Refusal::Panicked)?.into();
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        *tried = Some((minute, Arc::clone(&broken)));
        Ok(broken)
    }

    /// What to look at before it is published, sorted; nothing can be told of what does not compile. What time changes in
    /// it is as of this minute.
    pub(super) fn lints(&self, names: &GroupNames, now: Timestamp) -> Arc<[Lint]> {
        let Ok(snapshot) = &self.snapshot else { return Arc::default() };
        let minute = minute(now);
        let mut kept = self.lints.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(linted) if linted.minute == minute && linted.names.calls_groups_as(names) => {
                Arc::clone(&linted.found)
            }
            Some(_) | None => {
                let found: Arc<[Lint]> = lint(&self.book, snapshot, names, now).into();
                let names = names.clone();
                *kept = Some(Linted { names, minute, found: Arc::clone(&found) });
                found
            }
        }
    }
}

impl Compilations {
    /// A rule book, compiled under these terms.
    ///
    /// # Errors
    /// When compiling breaks off.
    pub(super) async fn of(
        &self,
        book: &Arc<IndexedBook>,
        draft: &Draft,
        terms: &Terms,
    ) -> Result<Arc<Compilation>, Refusal> {
        let lasts = |book: &Arc<IndexedBook>| {
            Arc::ptr_eq(book, &draft.in_force) || Arc::ptr_eq(book, &draft.book)
        };
        if let Some(found) = self.find(book) {
            return Ok(found);
        }
        let compiled = Arc::new(compiled(Arc::clone(book), terms.clone()).await?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| lasts(&one.book) && !Arc::ptr_eq(&one.book, book));
        if lasts(book) {
            kept.push(Arc::clone(&compiled));
        }
        Ok(compiled)
    }

    fn find(&self, book: &Arc<IndexedBook>) -> Option<Arc<Compilation>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|one| Arc::ptr_eq(&one.book, book)).map(Arc::clone)
    }
}

fn minute(now: Timestamp) -> i64 {
    now.as_micros().div_euclid(60_000_000)
}

/// Off the threads that answer requests: a large book takes seconds.
async fn compiled(book: Arc<IndexedBook>, terms: Terms) -> Result<Compilation, Refusal> {
    let work = move || {
        let snapshot = compile(&book, ReleaseNumber::default(), &terms).map(Arc::new);
        let cedar = snapshot.as_ref().map_or_else(|_| String::new(), |snapshot| snapshot.cedar());
        let (lints, tried) = (Mutex::default(), Mutex::default());
        Compilation { content: book.content_hash(), book, cedar, snapshot, lints, tried }
    };
    tokio::task::spawn_blocking(work).await.map_err(Refusal::Panicked)
}
