//! The queue before the writer: gives numbers, keeps order, and says no when it is full.
//!
//! Number and place in the queue are given under one lock, so the order of the queue is the order of the log. Once a
//! number was given, its entry is never dropped while the process runs: the log has no gaps.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use super::envelope::Envelope;
use super::error::AuditError;
use super::{AuditCounters, AuditSettings};
use crate::model::time::{Clock, Timestamp};
use crate::store::audit::Taken;

/// Rounds of all that is ready which are let go first once there is something to write. No time passes in them when the
/// gate is idle, and under full load they save every third commit.
const ROUNDS: usize = 4;

/// Wakes whoever waits for one entry. Dropped unsent, it says that the entry will never be written.
pub(super) type Waiter = oneshot::Sender<()>;

/// What is to be done once an entry is durable, and with it.
#[derive(Debug, Default)]
pub(super) struct Ties {
    /// None when nobody waits.
    pub(super) waiter: Option<Waiter>,
    /// The outbox row that the entry was made of.
    pub(super) taken: Option<Taken>,
}

/// An entry with its number.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) envelope: Envelope,
    pub(super) ties: Ties,
}

/// What doors and drain hand to the writer.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Notify,
    clock: Clock,
    max_entries: usize,
    max_bytes: usize,
    records: AtomicU64,
    commits: AtomicU64,
    failures: AtomicU64,
    refused: AtomicU64,
    /// Failures when the last commit succeeded: more since then mean that the log is not being written.
    overcome: AtomicU64,
    /// A door gave up waiting since the last commit: the disk may hang without failing.
    stalled: AtomicBool,
    /// The outbox has new rows.
    pub(super) changes: Notify,
}

#[derive(Debug)]
struct State {
    next: u64,
    entries: VecDeque<Queued>,
    bytes: usize,
    /// Refused since it was last recorded that entries were.
    overflow: u64,
    gate: Gate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Closed,
}

impl Queue {
    pub(super) fn new(next: u64, settings: &AuditSettings, clock: Clock) -> Self {
        let state =
            State { next, entries: VecDeque::new(), bytes: 0, overflow: 0, gate: Gate::Open };
        Self {
            state: Mutex::new(state),
            arrived: Notify::new(),
            clock,
            max_entries: settings.queue_entries,
            max_bytes: settings.queue_bytes,
            records: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            overcome: AtomicU64::new(0),
            stalled: AtomicBool::new(false),
            changes: Notify::new(),
        }
    }

    /// Queues an entry of a door and gives its number.
    ///
    /// # Errors
    /// Full or stopped; then no number was used.
    pub(super) fn push(
        &self,
        envelope: Envelope,
        waiter: Option<Waiter>,
    ) -> Result<u64, AuditError> {
        let mut state = self.lock();
        if state.gate == Gate::Closed {
            return Err(AuditError::Stopped);
        }
        let (entries, bytes) = (state.entries.len(), state.bytes);
        if entries >= self.max_entries || bytes.saturating_add(envelope.size()) > self.max_bytes {
            state.overflow = state.overflow.saturating_add(1);
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(AuditError::Full { entries, bytes });
        }
        Ok(self.add(&mut state, envelope, Ties { waiter, taken: None }))
    }

    /// Queues an entry of the log's own. Those are few, and have room when others have none.
    pub(super) fn push_own(&self, envelope: Envelope, ties: Ties) -> u64 {
        self.add(&mut self.lock(), envelope, ties)
    }

    fn add(&self, state: &mut State, envelope: Envelope, ties: Ties) -> u64 {
        let seq = state.next;
        state.next = state.next.saturating_add(1);
        state.bytes = state.bytes.saturating_add(envelope.size());
        let at = self.clock.now();
        state.entries.push_back(Queued { seq, at, envelope, ties });
        self.arrived.notify_one();
        seq
    }

    /// The next entries, at most `max`; waits for the first. None when the queue is closed and empty.
    pub(super) async fn next(&self, max: usize) -> Option<Vec<Queued>> {
        loop {
            {
                let mut state = self.lock();
                if !state.entries.is_empty() {
                    return Some(take(&mut state, max));
                }
                if state.gate == Gate::Closed {
                    return None;
                }
            }
            self.arrived.notified().await;
            // Whoever is ready on this thread, or becomes so meanwhile, adds its entry first: fewer and fuller batches.
            for _ in 0..ROUNDS {
                tokio::task::yield_now().await;
            }
        }
    }

    /// The present, by the clock of the log.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Takes no more entries of doors. What is queued stays.
    pub(super) fn close(&self) {
        self.lock().gate = Gate::Closed;
        self.arrived.notify_one();
    }

    /// Drops what is queued and says how many that were; their waiters learn it.
    pub(super) fn clear(&self) -> usize {
        let mut state = self.lock();
        state.gate = Gate::Closed;
        state.bytes = 0;
        std::mem::take(&mut state.entries).len()
    }

    /// Entries refused since this was last asked.
    pub(super) fn take_overflow(&self) -> u64 {
        std::mem::take(&mut self.lock().overflow)
    }

    pub(super) fn count_commit(&self, records: usize) {
        self.records.fetch_add(records as u64, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.overcome.store(self.failures.load(Ordering::Relaxed), Ordering::Relaxed);
        self.stalled.store(false, Ordering::Relaxed);
    }

    /// Whether entries are taken, the last attempt to write some did not fail, and none is overdue.
    pub(super) fn is_flowing(&self) -> bool {
        let failing = self.failures.load(Ordering::Relaxed) > self.overcome.load(Ordering::Relaxed);
        !failing && !self.stalled.load(Ordering::Relaxed) && self.lock().gate == Gate::Open
    }

    /// Somebody waited for as long as a door waits, and nothing was durable.
    pub(super) fn note_stall(&self) {
        self.stalled.store(true, Ordering::Relaxed);
    }

    pub(super) fn count_failure(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counters(&self) -> AuditCounters {
        AuditCounters {
            records: self.records.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            queued: self.lock().entries.len() as u64,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take(state: &mut State, max: usize) -> Vec<Queued> {
    let count = state.entries.len().min(max);
    let batch: Vec<_> = state.entries.drain(..count).collect();
    let bytes: usize = batch.iter().map(|queued| queued.envelope.size()).sum();
    state.bytes = state.bytes.saturating_sub(bytes);
    batch
}
