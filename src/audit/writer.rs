//! The one writer of the log: takes what has queued, commits it, wakes those who wait.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::anchors::{Anchors, Places};
use super::drain::{Drain, Outbox};
use super::envelope::{Envelope, Seal};
use super::error::AuditError;
use super::notary::Notary;
use super::queue::{Queue, Queued, Ties, Waiter};
use crate::keys::LogKey;
use crate::model::record::{Entry, Event};
use crate::store::audit::{Appender, AuditFile, AuditReader, Batch, Held, Remover, WalKeeper};

/// Entries of one transaction: enough to share a sync, few enough to keep the wait short.
const BATCH: usize = 256;

/// Pauses between attempts grow from the first to the second.
const PAUSE: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Attempts that a stopping process still makes before it leaves its last batch unwritten.
const LAST_ATTEMPTS: u32 = 3;

/// Writes the log. Nothing becomes durable unless [`Self::run`] is running.
#[derive(Debug)]
pub struct Writer {
    appender: Appender,
    wal_keeper: WalKeeper,
    desk: Desk,
    anchors: Anchors,
    drain: Option<Drain>,
}

impl Writer {
    /// What writes the file, and what reads it.
    pub(super) fn new(file: AuditFile, desk: Desk, places: Places) -> (Self, AuditReader) {
        let anchors = Anchors::new(places, desk.newest.subscribe());
        let AuditFile { appender, wal_keeper, reader } = file;
        (Self { appender, wal_keeper, desk, anchors, drain: None }, reader)
    }

    /// What removes content from the file.
    pub(super) fn remover(&self) -> Remover {
        self.appender.remover()
    }

    /// The newest checkpoint that is durable; empty before the first of this run, closed when the writer has ended.
    pub(super) fn newest(&self) -> watch::Receiver<String> {
        self.desk.newest.subscribe()
    }

    /// Lets another key sign from the next checkpoint on, which carries both signatures.
    #[must_use]
    pub(super) fn handing_over(mut self, successor: LogKey) -> Self {
        self.desk.notary.hand_over(successor);
        self
    }

    /// Also takes changes over from this outbox, going on behind the last one taken. `source` names it for good.
    ///
    /// # Errors
    /// When it can't be read how far it was taken, or the outbox has gone back behind that.
    pub async fn draining(
        mut self,
        source: &'static str,
        outbox: Box<dyn Outbox>,
    ) -> Result<Self, AuditError> {
        let taken = self.appender.taken(source).await?;
        self.drain = Some(Drain::new(outbox, source, taken).await?);
        Ok(self)
    }

    /// Writes until it is told to stop; then takes no more, writes what has queued, and ends.
    ///
    /// It also ends when the file holds records that it did not write: going on would make two records of one number.
    pub async fn run(self, stop: CancellationToken) {
        let Self { appender, wal_keeper, mut desk, mut anchors, drain } = self;
        let queue = Arc::clone(&desk.queue);
        let intake = async {
            match drain {
                Some(drain) => drain.run(&queue, &stop).await,
                None => stop.cancelled().await,
            }
            stop.cancelled().await;
            queue.close();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = desk.write_all(&appender, &stop) => {}
            () = intake => {}
            () = wal_keeper.run() => {}
            () = anchors.run(|| note(&queue, Event::Heartbeat)) => {}
        }
        Box::pin(anchors.anchor()).await;
        appender.close().await;
    }
}

/// Between queue and file. When it goes, the queue takes nothing more.
#[derive(Debug)]
pub(super) struct Desk {
    queue: Arc<Queue>,
    seal: Seal,
    notary: Notary,
    /// The newest checkpoint that is durable.
    newest: watch::Sender<String>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        let unwritten = self.queue.clear();
        if unwritten > 0 {
            tracing::error!(unwritten, "the audit log's writer ended before all was written");
        }
    }
}

/// How the writing of a batch ended.
enum Outcome {
    /// It is durable.
    Written,
    /// It is not: the process stops and the file can't be written.
    Unwritable,
    /// It is not and must not be: its places hold other records.
    Foreign,
}

impl Desk {
    pub(super) fn new(queue: Arc<Queue>, seal: Seal, notary: Notary) -> Self {
        Self { queue, seal, notary, newest: watch::Sender::new(String::new()) }
    }

    async fn write_all(&mut self, appender: &Appender, stop: &CancellationToken) {
        while let Some(queued) = self.queue.next(BATCH).await {
            let (mut batch, waiters) = self.compose(queued);
            let vouched = self.notary.vouch(&mut batch, self.queue.now());
            let batch = Arc::new(batch);
            match self.commit(appender, &batch, stop).await {
                Outcome::Written => {
                    self.newest.send_replace(self.notary.advance(vouched));
                    self.answer(batch.rows.len(), waiters);
                }
                Outcome::Unwritable => {
                    let lost = batch.rows.len();
                    tracing::error!(lost, "stopping, although the audit log can't be written");
                    return;
                }
                Outcome::Foreign => {
                    tracing::error!(
                        "the audit log holds records of another writer; it takes no more"
                    );
                    return;
                }
            }
        }
    }

    fn compose(&self, queued: Vec<Queued>) -> (Batch, Vec<(u64, Waiter)>) {
        let mut batch = Batch { rows: Vec::with_capacity(queued.len()), ..Batch::default() };
        let mut waiters = Vec::with_capacity(queued.len());
        for Queued { seq, at, envelope, ties: Ties { waiter, taken } } in queued {
            batch.taken = taken.or(batch.taken.take());
            waiters.extend(waiter.map(|waiter| (seq, waiter)));
            batch.rows.push(self.seal.row(seq, at, envelope));
        }
        (batch, waiters)
    }

    /// Writes the same bytes until they are durable.
    async fn commit(
        &self,
        appender: &Appender,
        batch: &Arc<Batch>,
        stop: &CancellationToken,
    ) -> Outcome {
        let mut pause = PAUSE;
        let mut last_attempts = 0;
        loop {
            let Err(error) = appender.append(Arc::clone(batch)).await else {
                return Outcome::Written;
            };
            self.queue.count_failure();
            tracing::error!(
                error = &error as &dyn std::error::Error,
                records = batch.rows.len(),
                "could not write to the audit log; requests are refused until it can be written"
            );
            match appender.held(batch).await {
                // Visible is not durable: the sync may be what failed. One more commit takes it along.
                Ok(Held::All) if appender.settle().await.is_ok() => return Outcome::Written,
                Ok(Held::Other) => return Outcome::Foreign,
                // Unknown is like nothing: writing again can't double a record, its place is taken once.
                Ok(Held::Nothing | Held::All) | Err(_) => {}
            }
            if stop.is_cancelled() {
                last_attempts += 1;
            }
            if last_attempts >= LAST_ATTEMPTS {
                return Outcome::Unwritable;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    fn answer(&self, records: usize, waiters: Vec<(u64, Waiter)>) {
        self.queue.count_commit(records);
        for (seq, waiter) in waiters {
            if waiter.send(()).is_err() {
                note(&self.queue, Event::Abandoned { entry: self.seal.id(seq).to_string() });
            }
        }
        let count = self.queue.take_overflow();
        if count > 0 {
            note(&self.queue, Event::LogOverflowed { count });
        }
    }
}

/// Records an event of the log itself.
pub(super) fn note(queue: &Queue, event: Event) {
    match Envelope::of(&Entry::Event(Box::new(event))) {
        Ok(envelope) => drop(queue.push_own(envelope, Ties::default())),
        Err(error) => tracing::error!(%error, "could not record an event of the log itself"),
    }
}
