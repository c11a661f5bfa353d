//! Taking changes over from the outbox of `cedargate.db`, each exactly once.
//!
//! The record and the note of how far the outbox was taken are one transaction of the log. So after a crash the next run
//! begins behind the last row that became a record, whatever the other file knows about it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::envelope::Envelope;
use super::error::AuditError;
use super::queue::{Queue, Ties};
use crate::model::record::{Actor, Entry, Event, LogUse, LogUseKind, SessionEnd};
use crate::model::time::Timestamp;
use crate::store::audit::Taken;
use crate::store::{Author, Change, OutboxRow, SESSION_ENDED, Store, StoreError};

/// What an outbox answers, later.
pub type OutboxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Where changes wait to be taken over.
pub trait Outbox: fmt::Debug + Send + Sync {
    /// The rows with an id above `id`, by id, at most `limit`.
    ///
    /// Invariant: a row never appears below one that was seen already, and the newest row stays.
    fn after(&self, id: i64, limit: u32) -> OutboxFuture<'_, Vec<OutboxRow>>;

    /// Learns that all rows up to and including `last` are on record. Only tidying depends on it.
    fn taken(&self, last: i64, at: Timestamp) -> OutboxFuture<'_, ()>;
}

impl Outbox for Store {
    fn after(&self, id: i64, limit: u32) -> OutboxFuture<'_, Vec<OutboxRow>> {
        Box::pin(self.outbox_after(id, limit))
    }

    fn taken(&self, last: i64, at: Timestamp) -> OutboxFuture<'_, ()> {
        Box::pin(self.outbox_taken(last, at))
    }
}

/// Rows that are read at once.
const PAGE: u32 = 64;

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
    ///
    /// # Errors
    /// When the outbox ends before that row: an older copy of its file took its place, and would give numbers again that
    /// the log has seen. Its changes would be skipped in silence.
    pub(super) async fn new(
        outbox: Box<dyn Outbox>,
        source: &'static str,
        taken: i64,
    ) -> Result<Self, AuditError> {
        if taken > 0 && outbox.after(taken.saturating_sub(1), 1).await?.is_empty() {
            return Err(AuditError::OutboxWentBack { source_name: source, taken });
        }
        Ok(Self { outbox, source, taken })
    }

    /// Takes rows over as they come, and once more when it is told to stop.
    pub(super) async fn run(mut self, queue: &Queue, stop: &CancellationToken) {
        loop {
            // Asked before taking: what was there when it was told to stop is taken.
            let last_time = stop.is_cancelled();
            if self.take_all(queue).await.is_err() || last_time {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = queue.changes.notified() => {}
                () = stop.cancelled() => {}
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
            if let Err(error) = self.outbox.taken(last, queue.now()).await {
                tracing::warn!(%error, "could not mark changes as taken over; they are on record");
            }
        }
    }

    /// Queues all rows and waits until they are durable.
    async fn record(&self, rows: Vec<OutboxRow>, queue: &Queue) -> Result<(), WriterEnded> {
        let mut answers = Vec::with_capacity(rows.len());
        for row in rows {
            let taken = Taken { source: self.source, id: row.id };
            let envelope = Envelope::of(&Entry::Event(Box::new(event(row)))).map_err(|error| {
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

/// The event that a row stands for. An end of a session and a use of the log have their own; what can't be read as one is kept as it is.
fn event(row: OutboxRow) -> Event {
    if row.change.action == SESSION_ENDED
        && let Some(ended) = ended(&row)
    {
        return ended;
    }
    if let Some(used) = used(&row) {
        return Event::LogUsed(Box::new(used));
    }
    let OutboxRow { id, author: Author { by, at }, change } = row;
    let Change { action, object, before, after } = change;
    Event::Change { outbox: id, actor: by, action, object, before, after, at }
}

fn used(row: &OutboxRow) -> Option<LogUse> {
    Some(LogUse {
        how: LogUseKind::from_kind(&row.change.action)?,
        actor: actor(&row.author.by)?,
        detail: row.change.after.clone(),
        used_at: row.author.at,
    })
}

fn ended(row: &OutboxRow) -> Option<Event> {
    let text = |name: &str| row.change.after.get(name)?.as_str();
    Some(Event::SessionEnded {
        actor: actor(&row.author.by)?,
        session: row.change.object.strip_prefix("session:")?.parse().ok()?,
        subject: text("subject")?.parse().ok()?,
        why: SessionEnd::from_word(text("why")?)?,
        detail: text("detail")?.to_owned(),
        ended_at: row.author.at,
    })
}

/// The opposite of how an actor prints.
fn actor(text: &str) -> Option<Actor> {
    match text {
        "gate" => Some(Actor::Gate),
        "nobody" => Some(Actor::Nobody),
        other => match other.strip_prefix("operator:") {
            Some(name) => Some(Actor::Operator(name.to_owned())),
            None => other.parse().ok().map(Actor::Subject),
        },
    }
}
