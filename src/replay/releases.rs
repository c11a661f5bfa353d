//! Releases, compiled for deciding again: a few at once, each loaded when a decision of it turns up.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::authz::compile::{Terms, compile};
use crate::authz::snapshot::Snapshot;
use crate::model::id::ReleaseNumber;
use crate::model::rule_book::RuleBook;
use crate::store::Store;

/// Compiled releases that are kept: a large one takes 400 MB, and the log goes through them in order.
const KEPT: usize = 2;

/// Releases by their number.
#[derive(Debug)]
pub struct Releases {
    store: Store,
    terms: Terms,
    /// The one that was used last is last.
    kept: Vec<Arc<Snapshot>>,
    /// Why the others can't be used.
    faulty: BTreeMap<ReleaseNumber, String>,
}

impl Releases {
    /// Those in `store`, which must fit `terms`.
    pub fn new(store: Store, terms: Terms) -> Self {
        Self { store, terms, kept: Vec::new(), faulty: BTreeMap::new() }
    }

    /// The release with this number; 0 is the empty one.
    ///
    /// # Errors
    /// In words that name it, when it is not there, can't be read, or does not compile under the present settings.
    pub async fn get(&mut self, number: ReleaseNumber) -> Result<Arc<Snapshot>, String> {
        if let Some(at) = self.kept.iter().position(|snapshot| snapshot.number() == number) {
            let snapshot = self.kept.remove(at);
            self.kept.push(Arc::clone(&snapshot));
            return Ok(snapshot);
        }
        if let Some(fault) = self.faulty.get(&number) {
            return Err(fault.clone());
        }
        match self.load(number).await {
            Ok(snapshot) => {
                if self.kept.len() >= KEPT {
                    self.kept.remove(0);
                }
                self.kept.push(Arc::clone(&snapshot));
                Ok(snapshot)
            }
            Err(fault) => {
                self.faulty.insert(number, fault.clone());
                Err(fault)
            }
        }
    }

    async fn load(&self, number: ReleaseNumber) -> Result<Arc<Snapshot>, String> {
        if number == ReleaseNumber::default() {
            return self.compiled(RuleBook::default(), number).await;
        }
        let release = self.store.release(number).await;
        let release =
            release.map_err(|error| format!("release {number} can't be read: {error}"))?;
        let release = release.ok_or_else(|| format!("there is no release {number}"))?;
        self.compiled(release.rule_book, number).await
    }

    /// A rule book under the same settings, such as a draft.
    ///
    /// # Errors
    /// In words, when it does not compile.
    pub async fn compiled(
        &self,
        book: RuleBook,
        number: ReleaseNumber,
    ) -> Result<Arc<Snapshot>, String> {
        let terms = self.terms.clone();
        // Off the threads that answer requests: a large book takes seconds.
        let compiled = tokio::task::spawn_blocking(move || compile(&book, number, &terms)).await;
        let unusable = |error: &dyn std::fmt::Display| {
            format!("release {number} can't be used under the present settings: {error}")
        };
        compiled.map_err(|error| unusable(&error))?.map(Arc::new).map_err(|error| unusable(&error))
    }
}
