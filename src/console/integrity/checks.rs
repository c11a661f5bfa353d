//! A check of the log, at work beside the gate: one at a time, in pages, on a thread that may wait.
//!
//! How it ended is a record of the log itself (`log_verified`), so that it outlives the session that asked and this process.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::audit::checkpoint::parse_verifier_key;
use crate::audit::verify::copy::{self, Outcome};
use crate::audit::verify::{Trust, Unable, Verdict, releases};
use crate::audit::{Audit, AuditError, Places};
use crate::model::id::{DecisionId, Subject};
use crate::model::record::{Actor, Entry, Event, LogUse, LogUseKind};
use crate::model::time::{Clock, Timestamp};
use crate::store::audit::LogCopy;

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many records were read.
    Reading(u64),
    /// It ended, and this is the record of it; none when that could not be written.
    Ended(Option<DecisionId>),
}

/// A check that was begun.
#[derive(Debug)]
pub struct Running {
    /// Who asked for it.
    pub by: Subject,
    /// When.
    pub begun: Timestamp,
    /// How many records there were then.
    pub records: u64,
    progress: watch::Receiver<Progress>,
    cancelled: CancellationToken,
}

impl Running {
    /// How far it is, now and from now on.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// How far it is.
    pub fn now(&self) -> Progress {
        *self.progress.borrow()
    }

    /// Ends it; that it was is on record.
    pub fn cancel(&self) {
        self.cancelled.cancel();
    }
}

/// What a check works with.
#[derive(Debug, Clone)]
pub struct Means {
    /// The log.
    pub file: PathBuf,
    /// The database of rules: it must have the releases that records name.
    pub rules: PathBuf,
    /// Where its checkpoints were told: they are compared.
    pub places: Places,
    /// Takes the record of how it ended, and names the key.
    pub audit: Audit,
    /// The time.
    pub clock: Clock,
}

/// The one check at a time. Cheap to clone; all clones share it.
#[derive(Debug, Clone)]
pub struct Checks {
    means: Arc<Means>,
    tasks: TaskTracker,
    stop: CancellationToken,
    newest: Arc<Mutex<Option<Arc<Running>>>>,
}

impl Checks {
    /// Whose work belongs to `tasks` and ends with `stop`.
    pub fn new(means: Means, tasks: TaskTracker, stop: CancellationToken) -> Self {
        Self { means: Arc::new(means), tasks, stop, newest: Arc::default() }
    }

    /// Where checkpoints are told.
    pub fn places(&self) -> &Places {
        &self.means.places
    }

    /// The one that is at work.
    pub fn running(&self) -> Option<Arc<Running>> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.clone().filter(|one| matches!(one.now(), Progress::Reading(_)))
    }

    /// Begins one over a log of so many records; while one is at work, that one.
    pub fn begin(&self, by: Subject, records: u64) -> Arc<Running> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = newest.as_ref()
            && matches!(running.now(), Progress::Reading(_))
        {
            return Arc::clone(running);
        }
        let (told, progress) = watch::channel(Progress::Reading(0));
        let (begun, cancelled) = (self.means.clock.now(), self.stop.child_token());
        let running = Running { by: by.clone(), begun, records, progress, cancelled };
        let work =
            Work { means: Arc::clone(&self.means), by, told, ended: running.cancelled.clone() };
        // Hashing takes the processor, and reading waits for the disk: neither on a thread that answers requests.
        let runtime = tokio::runtime::Handle::current();
        self.tasks.spawn_blocking(move || runtime.block_on(work.run()));
        let running = Arc::new(running);
        *newest = Some(Arc::clone(&running));
        running
    }
}

/// A check under way.
struct Work {
    means: Arc<Means>,
    by: Subject,
    told: watch::Sender<Progress>,
    ended: CancellationToken,
}

impl Work {
    async fn run(self) {
        let begun = self.means.clock.passed();
        let outcome = self.ended.run_until_cancelled(self.check()).await;
        let took = self.means.clock.passed().saturating_sub(begun);
        let verdict = match (&outcome, *self.told.borrow()) {
            (Some((outcome, beside_key)), _) => {
                Verdict::of(outcome, took).with_beside_key(*beside_key)
            }
            (None, Progress::Reading(read)) => Verdict::cancelled(read),
            (None, Progress::Ended(_)) => Verdict::cancelled(0),
        };
        if let Some(finding) = &verdict.finding {
            tracing::error!(finding, "A check of the audit log did not find it intact.");
        }
        let record = self.note(&verdict).await.map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "How a check of the audit log ended could not be recorded."
            );
        });
        self.told.send_replace(Progress::Ended(record.ok()));
    }

    /// What comes out, and with how many checkpoints beside the key the log was compared.
    async fn check(&self) -> (Result<Outcome, Unable>, u64) {
        // Before the log is opened: it only grows, so it must have all that was told elsewhere by now.
        match self.checkpoints() {
            Ok((checkpoints, beside_key)) => (self.compare(checkpoints).await, beside_key),
            Err(error) => (Err(error), 0),
        }
    }

    /// All that was told elsewhere, and how many of it is beside the key.
    fn checkpoints(&self) -> Result<(Vec<String>, u64), Unable> {
        let unread = |error: AuditError| Unable::Anchor(error.into());
        let beside_key = self.means.places.in_mark().map_err(unread)?.notes.len();
        Ok((self.means.places.notes().map_err(unread)?, beside_key as u64))
    }

    async fn compare(&self, checkpoints: Vec<String>) -> Result<Outcome, Unable> {
        let key = parse_verifier_key(self.means.audit.log_key()).map(|(_, key)| key);
        let trust = Trust { keys: key.into_iter().collect(), checkpoints };
        let mut log = LogCopy::open(&self.means.file).await?;
        let told = |read| {
            self.told.send_replace(Progress::Reading(read));
        };
        let outcome = copy::check(&mut log, trust, told).await?;
        releases::compare(outcome, &self.means.rules).await
    }

    async fn note(&self, verdict: &Verdict) -> Result<DecisionId, AuditError> {
        let used = LogUse {
            actor: Actor::Subject(self.by.clone()),
            how: LogUseKind::Verified,
            detail: serde_json::to_value(verdict).unwrap_or_default(),
            used_at: self.means.clock.now(),
        };
        let receipt =
            self.means.audit.noted(Entry::Event(Box::new(Event::LogUsed(Box::new(used))))).await?;
        Ok(receipt.id())
    }
}
