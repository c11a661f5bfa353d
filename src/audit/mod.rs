//! The audit log: what happened is on record, durably, before anything follows from it.
//!
//! ```text
//! doors ── decided / noted ──> Queue ── Writer ──> audit.db
//!                 ^              ^         │ one transaction, one sync, one signed checkpoint per batch
//!                 └── Receipt ───┼─────────┘
//!          cedargate.db ── Outbox ── Drain          audit.db ── Outlet ──> a SIEM
//! ```
//!
//! A door hands an entry to [`Audit`] and waits. The entry gets its number when it is queued, so its decision id is known
//! at once; the one [`Writer`] takes all that has queued, writes it in one transaction with a sync, and only then wakes
//! those who wait. There is no time window: while one batch is being synced, the next one gathers.
//!
//! **Invariant**: a [`Permit`] is made only from the [`Receipt`] of a recorded allow. No permit, no forwarding.
//!
//! **Invariant**: a number that was given is written or the process ends; a retry writes identical bytes. When the log
//! can't take an entry within [`AuditSettings::patience`], the door answers 503; should the entry become durable after
//! all, an `abandoned` record follows it.
//!
//! **Invariant**: every commit carries a checkpoint, signed, over all records of its origin ([`checkpoint`]): there is no
//! record that nothing vouches for. Checkpoints are told to places outside of the database ([`Places`]).
//!
//! **Invariant**: one process writes one log. The lock beside the file refuses a second.
//!
//! Changes of rules and ends of sessions are made in another file. Each writes an outbox row in its own transaction, and the
//! [drain] makes a record of each exactly once.

mod age;
mod anchors;
mod anew;
mod beginning;
pub mod checkpoint;
pub mod custody;
mod drain;
mod envelope;
mod error;
pub mod export;
mod losses;
pub mod merkle;
mod notary;
pub mod outlet;
mod permit;
pub mod proof;
mod queue;
pub mod search;
mod tail;
mod trace;
pub mod upkeep;
pub mod verify;
mod vouched;
pub mod wish;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

pub use self::anchors::{Kept, Places};
use self::checkpoint::{Checkpoint, verifier_key};
pub use self::drain::{Outbox, OutboxFuture};
use self::envelope::{Envelope, Seal};
pub use self::error::AuditError;
use self::notary::Notary;
pub use self::permit::{Permit, Receipt, Recorded};
use self::queue::Queue;
use self::writer::Desk;
pub use self::writer::Writer;
use crate::keys::{LogKey, LogPublicKey};
use crate::model::id::{DecisionId, OriginId};
use crate::model::record::{DecisionRecord, Entry, Event, STOPPED, Verdict};
use crate::model::time::Clock;
use crate::store::audit::{self as file, AuditFile, AuditReader, Begin, Fresh};

/// Who waits for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// Every answer waits until its record is durable.
    #[default]
    Strict,
    /// Refusals go out while their record is still queued; allows wait.
    StrictAllow,
}

/// How the log is kept.
#[derive(Debug, Clone)]
pub struct AuditSettings {
    /// Who waits.
    pub strictness: Strictness,
    /// How long a door waits before it answers 503.
    pub patience: Duration,
    /// Entries that may queue.
    pub queue_entries: usize,
    /// Bytes that may queue.
    pub queue_bytes: usize,
}

impl Default for AuditSettings {
    /// Strict; two seconds; 16,384 entries or 32 MiB.
    fn default() -> Self {
        Self {
            strictness: Strictness::Strict,
            patience: Duration::from_secs(2),
            queue_entries: 16_384,
            queue_bytes: 32 << 20,
        }
    }
}

/// An opened log: the handle that doors share, the writer that `app` runs, the reader that pages use.
#[derive(Debug)]
pub struct Log {
    /// Takes entries.
    pub audit: Audit,
    /// Must run, or nothing becomes durable.
    pub writer: Writer,
    /// Reads what was recorded.
    pub reader: AuditReader,
    /// How the run before ended.
    pub ending: Ending,
    /// Checks what is signed from here on.
    pub key: LogPublicKey,
}

/// How the run before this one ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// There was none, or it stopped in order.
    InOrder,
    /// It was cut off.
    CutOff {
        /// Records at that time.
        records: u64,
    },
}

/// What makes the log tamper-evident: who signs it, and where its checkpoints are told.
#[derive(Debug, Clone)]
pub struct Ward {
    /// Signs checkpoints.
    pub key: LogKey,
    /// The key that was to take over when a change of keys was cut off.
    pub successor: Option<LogKey>,
    /// The key that signed before the last change of keys: the mark may still be its.
    pub before: Option<LogPublicKey>,
    /// Where they are told.
    pub places: Places,
}

/// Opens the log at `url` (`sqlite://data/audit.db`), making it where it is missing. Numbers go on where they ended.
///
/// # Errors
/// When the file can't be opened, another process writes it, its newest checkpoint does not hold, or it has gone back
/// behind what was known of it or does not continue that; the message names the remedy.
pub async fn open(
    url: &str,
    settings: AuditSettings,
    clock: Clock,
    ward: Ward,
) -> Result<Log, AuditError> {
    let fresh = fresh(&ward.key, &clock, Begin::WhereEmpty)?;
    let file = file::open(url, &fresh).await?;
    let head = file.appender.newest_head().await?;
    let (keys, ward) = (ward.keys(), ward.at(head.as_ref().map(|head| &*head.note)));
    let found = (file.appender.origin(), head.as_ref());
    anchors::check(&ward.places.mark, &keys, &file.reader.file(), found).await?;
    begun(file, settings, clock, ward).await
}

/// What a file becomes once it may be written on.
async fn begun(
    file: AuditFile,
    settings: AuditSettings,
    clock: Clock,
    ward: Ward,
) -> Result<Log, AuditError> {
    let origin = file.appender.origin();
    let records = file.appender.next_seq();
    let head = file.appender.newest_head().await?;
    let ending = match file.appender.last_kind().await? {
        Some(kind) if !ENDINGS.contains(&&*kind) => Ending::CutOff { records },
        Some(_) | None => Ending::InOrder,
    };
    let public = ward.key.public();
    let notary = Notary::resume(origin, ward.key, records, head.as_ref())?;
    let seal = Seal::new(origin, random()?);
    let queue = Arc::new(Queue::new(records, &settings, clock));
    let audit = Audit {
        queue: Arc::clone(&queue),
        origin,
        log_key: verifier_key(origin, &public).into(),
        strictness: settings.strictness,
        patience: settings.patience,
    };
    let (writer, reader) = Writer::new(file, Desk::new(queue, seal, notary), ward.places);
    Ok(Log { audit, writer, reader, ending, key: public })
}

/// Kinds of the last record of a run that ended in order.
const ENDINGS: [&str; 3] = [STOPPED, "restored", "key_rotated"];

impl Ward {
    /// Whoever may have signed the mark.
    fn keys(&self) -> Vec<LogPublicKey> {
        let successor = self.successor.as_ref().map(LogKey::public);
        [Some(self.key.public()), successor, self.before].into_iter().flatten().collect()
    }

    /// The ward whose key signed the newest checkpoint: the successor's, where a change of keys was cut off behind it.
    fn at(self, newest: Option<&str>) -> Self {
        let signed =
            |key: &LogKey| newest.is_some_and(|note| Checkpoint::open(note, &key.public()).is_ok());
        match self.successor {
            Some(successor) if signed(&successor) => {
                let before = Some(self.key.public());
                Self { key: successor, successor: None, before, places: self.places }
            }
            Some(_) | None => self,
        }
    }
}

/// An origin of its own name.
fn fresh(key: &LogKey, clock: &Clock, begin: Begin) -> Result<Fresh, AuditError> {
    let id = OriginId::from_bytes(random()?);
    Ok(Fresh { id, log_key: verifier_key(id, &key.public()), at: clock.now(), begin })
}

fn random<const N: usize>() -> Result<[u8; N], AuditError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| AuditError::Randomness)?;
    Ok(bytes)
}

/// Takes entries for the log. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Audit {
    queue: Arc<Queue>,
    origin: OriginId,
    log_key: Arc<str>,
    strictness: Strictness,
    patience: Duration,
}

/// What the log has done since the process started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditCounters {
    /// Records that are durable.
    pub records: u64,
    /// Transactions that made them so.
    pub commits: u64,
    /// Attempts that failed and were, or will be, repeated.
    pub failures: u64,
    /// Entries that were refused because the queue was full.
    pub refused: u64,
    /// Entries that wait to be written.
    pub queued: u64,
}

impl Audit {
    /// Records a decision and gives what follows from it: a permit for an allow, a receipt for a deny.
    ///
    /// # Errors
    /// When the log did not take it; the request must be answered 503.
    pub async fn decided(&self, record: DecisionRecord) -> Result<Recorded, AuditError> {
        let verdict = record.verdict;
        let entry = Entry::Decision(Box::new(record));
        let receipt = match (self.strictness, verdict) {
            (Strictness::StrictAllow, Verdict::Deny) => self.pass_on(&entry)?,
            (Strictness::Strict, _) | (Strictness::StrictAllow, Verdict::Allow) => {
                self.wait_for(&entry).await?
            }
        };
        Ok(Recorded::new(verdict, receipt))
    }

    /// Records anything else. Nothing may be forwarded on its receipt.
    ///
    /// # Errors
    /// As for [`Self::decided`].
    pub async fn noted(&self, entry: Entry) -> Result<Receipt, AuditError> {
        match (self.strictness, &entry) {
            (Strictness::StrictAllow, Entry::Refusal(_)) => self.pass_on(&entry),
            (Strictness::Strict, _)
            | (Strictness::StrictAllow, Entry::Decision(_) | Entry::Event(_)) => {
                self.wait_for(&entry).await
            }
        }
    }

    /// Says that the outbox has new rows, so that they are on record soon and not at the next look.
    pub fn changes_made(&self) {
        self.queue.changes.notify_one();
    }

    /// Who writes this log.
    pub fn origin(&self) -> OriginId {
        self.origin
    }

    /// Records that the run before was cut off, where it was, before anything else of this one.
    pub fn note_ending(&self, ending: Ending) {
        match ending {
            Ending::InOrder => {}
            Ending::CutOff { records } => writer::note(&self.queue, Event::CrashFound { records }),
        }
    }

    /// The key that signs this log, as C2SP verifier key: all that an auditor needs to check it.
    pub fn log_key(&self) -> &str {
        &self.log_key
    }

    /// Whether the log takes entries, the last attempt to write some did not fail, and none is overdue.
    pub fn is_writing(&self) -> bool {
        self.queue.is_flowing()
    }

    /// What the log has done so far.
    pub fn counters(&self) -> AuditCounters {
        self.queue.counters()
    }

    fn receipt(&self, seq: u64) -> Receipt {
        Receipt::new(DecisionId { origin: self.origin, seq })
    }

    fn pass_on(&self, entry: &Entry) -> Result<Receipt, AuditError> {
        let seq = self.queue.push(Envelope::of(entry)?, None)?;
        Ok(self.receipt(seq))
    }

    async fn wait_for(&self, entry: &Entry) -> Result<Receipt, AuditError> {
        let (waiter, mut answer) = oneshot::channel();
        let seq = self.queue.push(Envelope::of(entry)?, Some(waiter))?;
        match tokio::time::timeout(self.patience, &mut answer).await {
            Ok(Ok(())) => Ok(self.receipt(seq)),
            Ok(Err(_)) => Err(AuditError::Stopped),
            Err(_) => {
                // Closing first leaves no gap: either the writer's answer is here, or it learns that nobody waits.
                answer.close();
                if answer.try_recv().is_ok() {
                    return Ok(self.receipt(seq));
                }
                self.queue.note_stall();
                Err(AuditError::Unavailable { waited: self.patience })
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
