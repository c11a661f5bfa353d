//! What is done to the log as a whole while nothing else writes it: accepting it as it is, and changing its key.

use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::anchors;
use super::checkpoint::{Checkpoint, verifier_key};
use super::drain::Outbox;
use super::error::AuditError;
use super::losses::{found, losses};
use super::{AuditSettings, Log, Ward, begun, fresh, wish};
use crate::keys::LogKey;
use crate::model::id::{OriginId, ReleaseNumber};
use crate::model::record::{Actor, Entry, Event, FoundLog};
use crate::model::time::Clock;
use crate::store::StoreError;
use crate::store::audit::{self as file, Begin, LogCopy};

/// How what is to be done first ended.
pub type Done = Result<(), StoreError>;

/// Who accepts a log as it is, and what they know.
#[derive(Debug, Clone)]
pub struct Order {
    /// Who.
    pub actor: Actor,
    /// Why.
    pub reason: String,
    /// Checkpoints that were kept elsewhere than in the places of the ward, as notes: what they vouch for and the file does not
    /// have is accepted as lost as well.
    pub checkpoints: Vec<String>,
    /// The newest release of the database of rules.
    pub release: ReleaseNumber,
}

/// Begins a new origin behind what the file holds, whatever that is; nothing of it is changed. The mark and the changes
/// that wait to be taken over follow. Gives the new origin.
///
/// `first` is done once nobody else can write the file, and before anything is accepted. The origin, its first record and
/// all that goes with it are one transaction. Cut off before it, only `first` was done, and the log is what it was; cut off
/// behind it, a mark still speaks of the origin before, and the log is refused until it is accepted anew.
///
/// # Errors
/// When the file can't be opened, another process writes it, what is to be done first can't be, or the mark can't be written.
pub async fn accept(
    url: &str,
    (clock, ward): (Clock, Ward),
    (source, outbox, first): (&'static str, &dyn Outbox, impl Future<Output = Done>),
    order: Order,
) -> Result<OriginId, AuditError> {
    let (mark, key) = (ward.places.mark.clone(), ward.key.public());
    let fresh = fresh(&ward.key, &clock, Begin::Anew)?;
    let mut file = file::open(url, &fresh).await?;
    let event = restored(&file.reader.file(), &ward, order).await?;
    first.await?;
    let taken = file.appender.taken(source).await?;
    if taken > 0 && outbox.after(taken.saturating_sub(1), 1).await?.is_empty() {
        file.appender.forget_taken(source);
    }
    let log = begun(file, AuditSettings::default(), clock, ward).await?;
    write(log, event).await?;
    let marked = anchors::known(&mark)?.and_then(|note| Checkpoint::open(&note, &key).ok());
    if marked.is_none_or(|marked| marked.origin != fresh.id) {
        return Err(AuditError::AcceptedUnmarked { path: mark });
    }
    Ok(fresh.id)
}

/// The first record of the new origin: what was known, what was found, and what that lacks.
async fn restored(file: &Path, ward: &Ward, order: Order) -> Result<Event, AuditError> {
    let Order { actor, reason, checkpoints, release } = order;
    let known = anchors::known(&ward.places.mark)?;
    let known = known.filter(|note| Checkpoint::unverified(note).is_ok());
    let notes = [ward.places.notes()?, checkpoints].concat();
    let keys = ward.keys();
    // A note that none of the keys signed says nothing.
    let signed = |note: &String| keys.iter().find_map(|key| Checkpoint::open(note, key).ok());
    let mut copy = LogCopy::open(file).await?;
    let lost = losses(&mut copy, notes.iter().filter_map(signed)).await?;
    let logs = found(&mut copy).await?;
    let newest = logs.iter().rfind(|log| log.records > 0);
    let root = newest.and_then(|log| log.root.clone());
    let found = newest.map(|FoundLog { origin, records, .. }| format!("{origin}-{records}"));
    Ok(Event::Restored { actor, reason, known, found, root, logs, lost, release })
}

/// Lets `successor` sign from here on. The record of it, and the checkpoint over that with both signatures, are durable
/// when this returns, and the mark says so. Where it signs already, since a change was cut off, nothing is to be done.
///
/// # Errors
/// As for [`super::open`], and when the mark could not be written.
pub async fn rotate(
    url: &str,
    (clock, ward): (Clock, Ward),
    successor: LogKey,
    actor: Actor,
) -> Result<String, AuditError> {
    let (before, mark) = (ward.key.public(), ward.places.mark.clone());
    let log = super::open(url, AuditSettings::default(), clock, ward).await?;
    let origin = log.audit.origin();
    let after = verifier_key(origin, &successor.public());
    if log.key == successor.public() {
        return Ok(after);
    }
    if wish::waits(&log.writer.remover(), &log.key).await? {
        return Err(AuditError::WishWaits);
    }
    let event =
        Event::KeyRotated { actor, before: verifier_key(origin, &before), after: after.clone() };
    let public = successor.public();
    let writer = log.writer.handing_over(successor);
    log.audit.note_ending(log.ending);
    write(Log { writer, ..log }, event).await?;
    let known = anchors::known(&mark)?.unwrap_or_default();
    match Checkpoint::open(&known, &public) {
        Ok(_) => Ok(after),
        Err(_) => Err(AuditError::Unmarked { path: mark }),
    }
}

/// Writes one record and ends.
async fn write(log: Log, event: Event) -> Result<(), AuditError> {
    let Log { audit, writer, .. } = log;
    let stop = CancellationToken::new();
    let note = async {
        let noted = audit.noted(Entry::Event(Box::new(event))).await;
        stop.cancel();
        noted
    };
    let (noted, ()) = tokio::join!(note, writer.run(stop.clone()));
    noted.map(|_receipt| ())
}
