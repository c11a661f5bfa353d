//! Keeping the search index beside the writer: it trails the log by a moment, and holds nobody up.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::store::audit::search::{Indexer, Searcher, Step};

/// Between looks for new records.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Between pages, so that requests come in between.
const PAUSE: Duration = Duration::from_millis(2);
/// Looks between two removals of what is filed about records that are gone: ten minutes.
const LOOKS: u32 = 2_400;

/// Keeps the index.
#[derive(Debug)]
pub struct IndexKeeper {
    indexer: Indexer,
    state: State,
}

/// Whether the last attempt worked: said once each time it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Working,
    Failing,
}

impl IndexKeeper {
    /// A keeper for what this searcher searches. There may be one for a log.
    pub fn new(searcher: &Searcher) -> Self {
        Self { indexer: searcher.indexer(), state: State::Working }
    }

    /// Works until it is told to stop.
    pub async fn run(mut self, told: CancellationToken) {
        let mut looks = 0;
        while !told.is_cancelled() {
            looks = (looks + 1) % LOOKS;
            let tidying = (looks == 0).then_some(());
            // It reads and writes files, and may wait for them. A page is short, and finished even when told to stop.
            let done = tokio::task::spawn_blocking(move || {
                let step = self.look(tidying);
                (self, step)
            });
            let Ok((keeper, step)) = done.await else { return };
            self = keeper;
            let pause = match step {
                Step::Filed(_) | Step::BegunAnew => PAUSE,
                Step::Idle => LOOK_EVERY,
            };
            told.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    fn look(&mut self, tidying: Option<()>) -> Step {
        let tidied = tidying.map_or(Ok(()), |()| self.indexer.tidy());
        let (step, state) = match tidied.and_then(|()| self.indexer.step()) {
            Ok(step) => (step, State::Working),
            Err(error) => {
                if self.state == State::Working {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "The log's search index can't be kept; searching reads the log itself meanwhile."
                    );
                }
                (Step::Idle, State::Failing)
            }
        };
        self.state = state;
        step
    }
}
