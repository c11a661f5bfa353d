//! Keeping the search index beside the writer: it trails the log by a moment, and holds nobody up.

use std::convert::Infallible;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::oneshot;
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

    /// Works until it is told to stop, on a thread of its own.
    pub async fn run(self, told: CancellationToken) {
        let (stop, stopped) = mpsc::channel();
        let (ending, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("audit-index".to_owned()).spawn(move || {
            stand_back();
            self.keep(&stopped);
            drop(ending);
        });
        if let Err(error) = thread {
            tracing::warn!(%error, "The log's search index is not kept; searching reads the log itself.");
            return;
        }
        told.cancelled().await;
        drop::<mpsc::Sender<Infallible>>(stop);
        // Never sent, dropped at the end.
        let _: Result<Infallible, _> = ended.await;
    }

    /// Files what is new, until the other end is gone.
    fn keep(mut self, stopped: &mpsc::Receiver<Infallible>) {
        let mut looks = 0;
        loop {
            looks = (looks + 1) % LOOKS;
            let pause = match self.look((looks == 0).then_some(())) {
                Step::Filed(_) | Step::BegunAnew => PAUSE,
                Step::Idle => LOOK_EVERY,
            };
            if let Err(RecvTimeoutError::Disconnected) = stopped.recv_timeout(pause) {
                return;
            }
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

/// Lets whatever answers requests go first where cores are short: the index may be late, and says so.
fn stand_back() {
    #[cfg(target_os = "linux")]
    {
        use thread_priority::{
            NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
            set_thread_priority_and_policy, thread_native_id,
        };
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        // Nothing is lost where it is refused.
        drop(set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle));
    }
}
