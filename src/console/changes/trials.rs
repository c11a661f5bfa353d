//! Replays of recorded decisions under a draft, at work or done.
//!
//! A long one outlives the request that began it: the page says how far it is, and has the answer when it is asked again.
//! Only a few are kept; the oldest ends when one more begins.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::model::id::ReleaseNumber;
use crate::model::time::Timestamp;
use crate::replay::{Impact, Replay, ReplayError, Scope, Trial};

/// How many are kept at once.
const KEPT: usize = 4;
/// How long a page waits before it says how far one is.
const PATIENCE: Duration = Duration::from_secs(2);
/// How old an answer may be before it is found anew.
const FRESH: Duration = Duration::from_mins(10);
/// What a sample holds at most: a second's work.
const SAMPLE: NonZeroU64 = NonZeroU64::new(10_000).expect("not zero");

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// The draft's content hash.
    pub content: String,
    /// The release that it is compared with.
    pub based_on: ReleaseNumber,
    /// How far back.
    pub window: Window,
    /// How many.
    pub extent: Extent,
}

/// How far back decisions are replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// One hour.
    Hour,
    /// A day.
    Day,
    /// A week.
    Week,
    /// Thirty days.
    Month,
}

impl Window {
    /// Every window.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The word in addresses and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    fn length(self) -> Duration {
        Duration::from_hours(match self {
            Self::Hour => 1,
            Self::Day => 24,
            Self::Week => 7 * 24,
            Self::Month => 30 * 24,
        })
    }
}

/// How many of the decisions are replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// An even sample.
    Sample,
    /// All.
    Whole,
}

impl Extent {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sample, Self::Whole];

    /// The word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::Whole => "whole",
        }
    }
}

/// How far a replay is.
#[derive(Debug, Clone)]
pub enum Progress {
    /// So many decisions are done.
    Working(u64),
    /// All are.
    Done(Arc<Impact>),
    /// It broke off: why.
    Failed(String),
}

/// A replay that was begun.
#[derive(Debug)]
pub struct Trying {
    measure: Measure,
    begun: Timestamp,
    progress: watch::Receiver<Progress>,
    task: AbortHandle,
}

impl Drop for Trying {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Trying {
    /// When it was begun: what was decided later is not in it.
    pub fn begun(&self) -> Timestamp {
        self.begun
    }

    /// How far it is, after waiting a moment for its end.
    pub async fn progress(&self) -> Progress {
        let mut progress = self.progress.clone();
        let ended = progress.wait_for(|now| !matches!(now, Progress::Working(_)));
        match tokio::time::timeout(PATIENCE, ended).await {
            Ok(Ok(now)) => now.clone(),
            Ok(Err(_)) => Progress::Failed("it broke off".to_owned()),
            Err(_) => self.progress.borrow().clone(),
        }
    }
}

/// The replays that are kept. Cheap to clone; all clones share them.
#[derive(Debug, Clone, Default)]
pub struct Trials {
    tasks: TaskTracker,
    stop: CancellationToken,
    kept: Arc<Mutex<VecDeque<Arc<Trying>>>>,
}

impl Trials {
    /// Whose work belongs to `tasks` and ends with `stop`.
    pub fn new(tasks: TaskTracker, stop: CancellationToken) -> Self {
        Self { tasks, stop, kept: Arc::default() }
    }

    /// The one for this measure that is not too old.
    pub fn find(&self, measure: &Measure, now: Timestamp) -> Option<Arc<Trying>> {
        let oldest = now.minus(FRESH);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|one| one.measure == *measure && one.begun >= oldest).cloned()
    }

    /// Begins one.
    pub fn begin(
        &self,
        measure: Measure,
        (file, trial): (PathBuf, Trial),
        now: Timestamp,
    ) -> Arc<Trying> {
        let scope = Scope {
            from: Some(now.minus(measure.window.length())),
            to: None,
            sample: match measure.extent {
                Extent::Sample => Some(SAMPLE),
                Extent::Whole => None,
            },
        };
        let (told, progress) = watch::channel(Progress::Working(0));
        let (stop, work) = (self.stop.clone(), run(file, (scope, trial), told));
        let task = self.tasks.spawn(async move { stop.run_until_cancelled(work).await });
        let task = task.abort_handle();
        let trying = Arc::new(Trying { measure, begun: now, progress, task });
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| one.measure != trying.measure);
        kept.push_front(Arc::clone(&trying));
        kept.truncate(KEPT);
        trying
    }
}

async fn run(file: PathBuf, (scope, trial): (Scope, Trial), told: watch::Sender<Progress>) {
    let measured: Result<Impact, ReplayError> = async {
        let replay = Replay::open(&file, scope).await?;
        replay.measure(trial, |done| drop(told.send_replace(Progress::Working(done)))).await
    }
    .await;
    let end = match measured {
        Ok(impact) => Progress::Done(Arc::new(impact)),
        Err(error) => {
            tracing::error!(error = %error, "The impact of a draft could not be measured.");
            Progress::Failed(error.to_string())
        }
    };
    told.send_replace(end);
}
