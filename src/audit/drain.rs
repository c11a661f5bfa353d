//! Taking changes over from the outbox of `cedargate.db`, each exactly once.
//!
//! The record and the note of how far the outbox was taken are one transaction of the log. So after a crash the next run
//! begins behind the last row that became a record, whatever the other file knows about it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::envelope::Envelope;
use super::queue::{Queue, Ties};
use crate::model::record::{Entry, Event};
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::audit::Taken;

/// One change, as its own transaction wrote it down.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxRow {
    /// 1, 2, 3, … in the order of commits.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who: a subject or `operator:<system user>`.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To which object.
    pub object: String,
    /// The object before; null when it is new.
    pub before: Value,
    /// The object after; null when it is gone.
    pub after: Value,
}

/// Rows of an outbox, or why they could not be read.
pub type OutboxFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<OutboxRow>, StoreError>> + Send + 'a>>;

/// Where changes wait to be taken over.
pub trait Outbox: fmt::Debug + Send + Sync {
    /// The rows with an id above `id`, by id, at most `limit`.
    ///
    /// Invariant: a row never appears below one that was seen already.
    fn after(&self, id: i64, limit: i64) -> OutboxFuture<'_>;
}

/// Rows that are read at once.
const PAGE: i64 = 64;

/// Changes made by another process are found at the next look.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Makes records of one outbox.
#[derive(Debug)]
pub(super) struct Drain {
    outbox: Box<dyn Outbox>,
    source: &'static str,
    taken: i64,
}

/// Why a drain can't go on.
struct WriterEnded;

impl Drain {
    /// `taken` is the highest row that is a record already.
    pub(super) fn new(outbox: Box<dyn Outbox>, source: &'static str, taken: i64) -> Self {
        Self { outbox, source, taken }
    }

    /// Takes rows over as they come, and once more when it is told to stop.
    pub(super) async fn run(mut self, queue: &Queue, stop: &CancellationToken) {
        let mut clock = tokio::time::interval(LOOK_EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !stop.is_cancelled() {
            tokio::select! {
                _ = clock.tick() => {}
                () = queue.changes.notified() => {}
                () = stop.cancelled() => {}
            }
            if self.take_all(queue).await.is_err() {
                return;
            }
        }
    }

    async fn take_all(&mut self, queue: &Queue) -> Result<(), WriterEnded> {
        loop {
            let rows = match self.outbox.after(self.taken, PAGE).await {
                Ok(rows) => rows,
                Err(error) => {
                    tracing::error!(%error, "could not read the outbox of changes");
                    return Ok(());
                }
            };
            let Some(last) = rows.last().map(|row| row.id) else { return Ok(()) };
            self.record(rows, queue).await?;
            self.taken = last;
        }
    }

    /// Queues all rows and waits until they are durable.
    async fn record(&self, rows: Vec<OutboxRow>, queue: &Queue) -> Result<(), WriterEnded> {
        let mut answers = Vec::with_capacity(rows.len());
        for row in rows {
            let taken = Taken { source: self.source, id: row.id };
            let envelope = Envelope::of(&change(row)).map_err(|error| {
                tracing::error!(%error, "could not take a change over from the outbox");
                WriterEnded
            })?;
            let (waiter, answer) = oneshot::channel();
            queue.push_own(envelope, Ties { waiter: Some(waiter), taken: Some(taken) });
            answers.push(answer);
        }
        for answer in answers {
            answer.await.map_err(|_| WriterEnded)?;
        }
        Ok(())
    }
}

fn change(row: OutboxRow) -> Entry {
    let OutboxRow { id, at, actor, action, object, before, after } = row;
    Entry::Event(Box::new(Event::Change { outbox: id, actor, action, object, before, after, at }))
}
