//! Records leave for another system, such as a SIEM, as JSON lines.
//!
//! ```text
//! audit.db ── LogCopy ──> Outlet ──> Hand ── lines ──> standard output, or the end of a file
//!                                      └──── then ───> audit.db.outlet: the last record that has left
//! ```
//!
//! A line is a record's exact bytes, as an export has them, in the order of the log. The position is noted once the lines
//! are flushed and durable: cut off in between, the same lines leave again. So each record leaves at least once, and
//! whoever takes them tells copies by `id`.
//!
//! **Invariant**: an outlet that fails or hangs holds up nobody. It reads what is committed, as any other reader does; what
//! it could not pass on waits in the log, and is tried again until it is taken.
//!
//! What was erased, or removed with age, before it left does not leave. Both are on record.

mod hand;
mod place;
mod position;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use self::hand::{Hand, Page, unable};
pub use self::place::Place;
use super::Log;
use super::checkpoint::Checkpoint;
use super::error::AuditError;
use crate::model::id::{DecisionId, OriginId};
use crate::store::audit::{self as file, CopyRow, LogCopy};

/// Between a commit and the look for what it brought, so that several leave together: each page is synced.
const GATHER: Duration = Duration::from_millis(200);
/// Between two pages, so that requests come in between.
const BREATH: Duration = Duration::from_millis(10);
/// Pauses between attempts grow from the first to the second.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How long what is left may take once the writer has ended. What has not left by then leaves after the next start.
const LAST: Duration = Duration::from_secs(5);
/// Behind the last number of any origin.
const END: u64 = u64::MAX >> 24;

/// Lets records leave. Nothing does unless [`Self::run`] is running.
#[derive(Debug)]
pub struct Outlet {
    log: PathBuf,
    place: Place,
    /// Open while there is more to read.
    copy: Option<LogCopy>,
    left: Option<DecisionId>,
    hand: Hand,
    /// The newest checkpoint: new with every commit, and closed when the writer ends.
    newest: watch::Receiver<String>,
    flow: Flow,
    known: Arc<Known>,
}

/// How many records have not left yet. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lag {
    known: Arc<Known>,
    newest: watch::Receiver<String>,
}

/// What was known at the last look.
#[derive(Debug, Default)]
struct Known {
    /// Records that had not left.
    waiting: AtomicU64,
    /// How many records the newest origin had.
    records: AtomicU64,
}

impl Lag {
    /// Records that are durable and have not left.
    pub fn records(&self) -> u64 {
        let newest = Checkpoint::unverified(&self.newest.borrow()).map_or(0, |point| point.size);
        let since = newest.saturating_sub(self.known.records.load(Ordering::Relaxed));
        self.known.waiting.load(Ordering::Relaxed).saturating_add(since)
    }
}

/// Whether records leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Free,
    Blocked,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A page has left, and there may be more.
    Left,
    /// There was nothing more.
    Nothing,
}

impl Outlet {
    /// The outlet of an opened log, behind the last record that is known to have left; from the oldest when none is.
    ///
    /// # Errors
    /// When the place takes no lines, or what was noted can't be read.
    pub fn of(log: &Log, url: &str, place: Place) -> Result<Self, AuditError> {
        Self::beside(file::path(url)?, place, log.writer.newest())
    }

    /// The outlet of the log in a file, whose writer tells its newest checkpoint.
    pub(super) fn beside(
        path: PathBuf,
        place: Place,
        newest: watch::Receiver<String>,
    ) -> Result<Self, AuditError> {
        let position = position::beside(&path);
        let left = position::known(&position)?;
        place.open().map_err(|source| unable(&place, source))?;
        say_where(&place, &position, left);
        let hand = Hand::start(place.clone(), position)?;
        let (copy, flow, known) = (None, Flow::Free, Arc::default());
        Ok(Self { log: path, place, copy, left, hand, newest, flow, known })
    }

    /// How far it is behind.
    pub fn lag(&self) -> Lag {
        Lag { known: Arc::clone(&self.known), newest: self.newest.clone() }
    }

    /// Lets records leave until the writer has ended and everything has left, or does not in time.
    pub async fn run(mut self) {
        let (mut writer, lag, place) = (self.newest.clone(), self.lag(), self.place.clone());
        let patience = async move {
            while writer.changed().await.is_ok() {}
            tokio::time::sleep(LAST).await;
        };
        tokio::select! {
            () = self.flow() => {}
            () = patience => {
                let records = lag.records();
                tracing::warn!(%place, records, "Records have not left; they do after the next start.");
            }
        }
    }

    /// Ends when there is nothing more to wait for.
    async fn flow(&mut self) {
        let mut pause = PAUSE;
        loop {
            let step = self.step().await;
            self.tell(step.as_ref().err());
            match step {
                Ok(Step::Left) => tokio::time::sleep(BREATH).await,
                Ok(Step::Nothing) if self.newest.changed().await.is_err() => return,
                Ok(Step::Nothing) => tokio::time::sleep(GATHER).await,
                Err(_) => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                    continue;
                }
            }
            pause = PAUSE;
        }
    }

    /// Says what is the matter when it begins, and when it ends.
    pub(super) fn tell(&mut self, failed: Option<&AuditError>) {
        let place = &self.place;
        match (self.flow, failed) {
            (Flow::Free, Some(error)) => tracing::error!(
                %place, error = error as &dyn std::error::Error,
                "Records can't leave; they wait in the log, and leave once they can."
            ),
            (Flow::Blocked, None) => tracing::info!(%place, "Records leave again."),
            (Flow::Free, None) | (Flow::Blocked, Some(_)) => {}
        }
        self.flow = failed.map_or(Flow::Free, |_| Flow::Blocked);
    }

    /// Lets the next page leave. The log is opened anew after each end and each failure.
    pub(super) async fn step(&mut self) -> Result<Step, AuditError> {
        let mut copy = match self.copy.take() {
            Some(copy) => copy,
            None => LogCopy::open(&self.log).await?,
        };
        let Some(ahead) = self.ahead(&mut copy).await? else { return Ok(Step::Nothing) };
        let last = ahead.page.last;
        self.hand.pass_on(ahead.page).await?;
        self.left = Some(last);
        self.known.waiting.store(ahead.behind, Ordering::Relaxed);
        self.copy = Some(copy);
        Ok(Step::Left)
    }

    /// The next page; none when everything has left.
    async fn ahead(&mut self, copy: &mut LogCopy) -> Result<Option<Ahead>, AuditError> {
        let origins = copy.origins().await?;
        let at = self.left.and_then(|left| origins.iter().position(|of| of.id == left.origin));
        let mut from = match (at, self.left) {
            (Some(_), Some(left)) => left.seq.saturating_add(1),
            (None, _) | (_, None) => 0,
        };
        let mut found = None;
        let mut waiting = 0_u64;
        for origin in origins.iter().skip(at.unwrap_or(0)) {
            let end = copy.last(origin).await?.map_or(0, |last| last.saturating_add(1));
            self.known.records.store(end, Ordering::Relaxed);
            if found.is_none() {
                found = page(origin.id, &copy.rows(origin, (from, END)).await?);
            }
            waiting = waiting.saturating_add(end.saturating_sub(from));
            from = 0;
        }
        self.known.waiting.store(waiting, Ordering::Relaxed);
        Ok(found.map(|(page, records)| Ahead { page, behind: waiting.saturating_sub(records) }))
    }
}

/// Says from where on records leave.
fn say_where(place: &Place, position: &Path, left: Option<DecisionId>) {
    if let Some(last) = left {
        tracing::info!(%place, %last, "Records leave behind the last one that did.");
        return;
    }
    let position = position.display();
    tracing::warn!(
        %place, %position,
        "It is not known which records have left already: all of them leave, from the oldest."
    );
}

/// A page, and how many records wait behind it.
struct Ahead {
    page: Page,
    behind: u64,
}

/// These rows as lines, and how many they are; none when there are none.
fn page(origin: OriginId, rows: &[CopyRow]) -> Option<(Page, u64)> {
    let last = DecisionId { origin, seq: rows.last()?.seq() };
    let mut lines = Vec::new();
    for body in rows.iter().filter_map(|row| row.body.as_deref()) {
        lines.extend_from_slice(body);
        lines.push(b'\n');
    }
    Some((Page { lines, last }, rows.len() as u64))
}
