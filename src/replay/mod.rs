//! Recorded decisions, decided again.
//!
//! ```text
//! audit.db ── Walk ── a recorded decision ──┬── its own release ──> Check: the same, or a difference
//!                                           └── other rules ──────> Impact: who gains, who loses
//! ```
//!
//! A record holds everything that was decided on: the principal as they were, the canonical path, the method, the
//! circumstances with the clocks of that moment, the client's address and the release. Under that release the answer must
//! be the same again, in verdict, reason, rules and errors ([`Check`]); what isn't is a difference. Under other rules, a
//! draft or an old release, the same requests say who would gain and who would lose ([`Impact`]).
//!
//! Pages of the console are decided by rules that come with the program, on roles that the settings give; both are on
//! record with each such decision. The portal shows everybody their own. Neither depends on a release.
//!
//! What can't be put again (an unreadable record, a release that is gone or does not compile under the present settings)
//! is counted as such, with its reason, and never as the same.
//!
//! Nothing is written. The log is read in short pages, and releases are compiled one after the other, so that a replay of
//! any length takes a bounded amount of memory.

mod again;
mod check;
mod impact;
mod releases;
mod told;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub use self::check::{Check, Deviation, Difference};
pub use self::impact::{Against, Change, Impact, Key, Line, Trial};
pub use self::releases::Releases;
pub use self::told::{Tally, Untold, Who};
pub use self::walk::Scope;
use self::walk::{Found, Walk};
use crate::authz::console::{ConsoleFault, ConsoleRules};
use crate::model::id::{DecisionId, ReleaseNumber};
use crate::model::record::DecisionRecord;
use crate::store::StoreError;

/// Why a replay broke off.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rules that come with the program can't be used: a fault of ours.
    #[error(transparent)]
    Console(#[from] ConsoleFault),
    /// Deciding broke off: a fault of ours.
    #[error("deciding again broke off")]
    Panicked(#[from] tokio::task::JoinError),
}

/// A replay of the log, about to begin.
#[derive(Debug)]
pub struct Replay {
    walk: Walk,
}

type Records = Vec<(DecisionId, Box<DecisionRecord>)>;

impl Replay {
    /// Opens the log in `file`, which another process may be writing.
    ///
    /// # Errors
    /// When it is not there or can't be read.
    pub async fn open(file: &Path, scope: Scope) -> Result<Self, ReplayError> {
        Ok(Self { walk: Walk::open(file, scope).await? })
    }

    /// Decides again under the own releases. `progress` is told how many decisions are done.
    ///
    /// # Errors
    /// When the log can't be read. What can't be told of single decisions is in the answer.
    pub async fn check(
        mut self,
        mut releases: Releases,
        mut progress: impl FnMut(u64),
    ) -> Result<Check, ReplayError> {
        let console = Arc::new(ConsoleRules::new(Vec::new())?);
        let (mut check, mut done) = (Check::default(), 0);
        while let Some(found) = self.walk.next().await? {
            done += count(&found);
            let Page { records, erased, untold } = Page::of(found);
            check.erased += erased;
            check.untold.extend(&untold);
            for (number, records) in by_release(records) {
                let own = releases.get(number).await;
                let console = Arc::clone(&console);
                check = tokio::task::spawn_blocking(move || {
                    for (id, record) in &records {
                        check.add((*id, record), (own.as_ref(), &console));
                    }
                    check
                })
                .await?;
            }
            progress(done);
        }
        Ok(check)
    }

    /// Decides under other rules. `progress` is told how many decisions are done.
    ///
    /// # Errors
    /// When the log can't be read. What can't be told of single decisions is in the answer.
    pub async fn measure(
        mut self,
        trial: Trial,
        mut progress: impl FnMut(u64),
    ) -> Result<Impact, ReplayError> {
        let (mut impact, mut done) = (Impact::default(), 0);
        while let Some(found) = self.walk.next().await? {
            done += count(&found);
            let Page { records, erased, untold } = Page::of(found);
            impact.erased += erased;
            impact.untold.extend(&untold);
            let trial = trial.clone();
            impact = tokio::task::spawn_blocking(move || {
                for (id, record) in &records {
                    impact.add((*id, record), &trial);
                }
                impact
            })
            .await?;
            progress(done);
        }
        Ok(impact.sorted())
    }
}

fn count<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

/// What was found, apart.
#[derive(Debug, Default)]
struct Page {
    records: Records,
    erased: u64,
    untold: Vec<(DecisionId, String)>,
}

impl Page {
    fn of(found: Vec<Found>) -> Self {
        let mut page = Self::default();
        for found in found {
            match found {
                Found::Decision(id, record) => page.records.push((id, record)),
                Found::Erased => page.erased += 1,
                Found::Untold(unreadable) => {
                    page.untold.push((unreadable.id, unreadable.to_string()));
                }
            }
        }
        page
    }
}

fn by_release(records: Records) -> BTreeMap<ReleaseNumber, Records> {
    let mut all: BTreeMap<ReleaseNumber, Records> = BTreeMap::new();
    for (id, record) in records {
        all.entry(record.release).or_default().push((id, record));
    }
    all
}
