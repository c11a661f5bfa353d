//! What groups are called: kept in memory for pages, and asked of Entra in the background.
//!
//! [`Groups`] is what pages read. [`Refresher`] fills it: everything that rules, settings and the people of late bring up
//! is asked about every four hours, and what comes up anew within minutes. It asks for many at once, waits longer after
//! each failure, and works without the permission to ask: names are then those that an admin typed.
//! A name that changed and a group that is gone are recorded as changes of the gate's own.
//!
//! Nothing is ever decided on a name.

mod adapters;
mod refresher;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use self::refresher::Refresher;
use crate::model::group::{GroupNames, KnownGroup};
use crate::model::id::GroupId;
use crate::model::time::Timestamp;
use crate::store::{Store, StoreError};

/// For so long a page says what a group was called before. 90 days.
const NEWS: Duration = Duration::from_hours(90 * 24);

/// Groups by their ids.
type Known = BTreeMap<GroupId, KnownGroup>;

/// Somebody who can tell what groups are called.
pub trait NameSource: Send + Sync + std::fmt::Debug {
    /// The names of those that exist; a group that is missing in the answer does not.
    fn names<'a>(&'a self, groups: &'a [GroupId]) -> Answer<'a>;
}

/// An answer that takes time.
pub type Answer<'a> =
    Pin<Box<dyn Future<Output = Result<BTreeMap<GroupId, String>, Unnamed>> + Send + 'a>>;

/// Why there are no names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unnamed {
    /// The registration may not read them; the text says what it would take.
    #[error("{0}")]
    NoPermission(String),
    /// Not now.
    #[error("{0}")]
    Unavailable(String),
}

/// How reading names goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum NamesStanding {
    /// It was not tried since the start.
    #[default]
    Untried,
    /// It worked.
    Read {
        /// When last.
        at: Timestamp,
    },
    /// The registration may not read them.
    NoPermission {
        /// What it would take.
        detail: String,
    },
    /// It failed the last time. Names are as old as they say.
    Failing {
        /// When last.
        at: Timestamp,
        /// How.
        detail: String,
    },
}

/// What groups are called, as far as is known. Cheap to clone; all clones see the same.
#[derive(Debug, Clone, Default)]
pub struct Groups(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    known: Mutex<Arc<Known>>,
    standing: Mutex<NamesStanding>,
}

impl Groups {
    /// What was kept before the start.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn load(store: &Store, now: Timestamp) -> Result<Self, StoreError> {
        let groups = Self::default();
        groups.reload(store, now).await?;
        Ok(groups)
    }

    /// Names for pages: those of Entra, and those that an admin typed into the rule book.
    pub fn names(&self, typed: &BTreeMap<GroupId, String>) -> GroupNames {
        GroupNames::new(typed.clone(), self.known())
    }

    /// Every group that came up.
    pub fn known(&self) -> Arc<Known> {
        Arc::clone(&self.0.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How reading names goes.
    pub fn standing(&self) -> NamesStanding {
        self.0.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn stands(&self, standing: NamesStanding) {
        *self.0.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }

    async fn reload(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let mut known = store.known_groups().await?;
        for group in known.values_mut() {
            if group.renamed_at.is_some_and(|at| now.since(at) > NEWS) {
                group.former_name = None;
            }
        }
        *self.0.known.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
        Ok(())
    }
}
