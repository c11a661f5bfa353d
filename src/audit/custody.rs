//! What is done to the log as a whole while nothing else writes it: accepting it as it is, and changing its key.

use tokio_util::sync::CancellationToken;

use super::anchors;
use super::checkpoint::{Checkpoint, verifier_key};
use super::drain::Outbox;
use super::error::AuditError;
use super::{AuditSettings, Log, Ward, begun, fresh};
use crate::keys::LogKey;
use crate::model::id::{DecisionId, OriginId};
use crate::model::record::{Actor, Entry, Event};
use crate::model::time::Clock;
use crate::store::StoreError;
use crate::store::audit::{self as file, Begin, LogCopy};

/// How what is to be done first ended.
pub type Done = Result<(), StoreError>;

/// Who does something to the log, and why.
#[derive(Debug, Clone)]
pub struct Order {
    /// Who.
    pub actor: Actor,
    /// Why.
    pub reason: String,
}

/// Begins a new origin behind what the file holds, whatever that is; nothing of it is changed. The mark and the changes
/// that wait to be taken over follow. Gives the new origin. `first` is done once nobody else can write the file, and before
/// anything is accepted: should it fail or be cut off, the log is refused as before.
///
/// # Errors
/// When the file can't be opened, another process writes it, or what is to be done first can't be.
pub async fn accept(
    url: &str,
    (clock, ward): (Clock, Ward),
    (source, outbox, first): (&'static str, &dyn Outbox, impl Future<Output = Done>),
    order: Order,
) -> Result<OriginId, AuditError> {
    let known = anchors::known(&ward.places.mark)?;
    let found = newest(url).await?;
    let fresh = fresh(&ward.key, &clock, Begin::Anew)?;
    let file = file::open(url, &fresh).await?;
    first.await?;
    let taken = file.appender.taken(source).await?;
    if taken > 0 && outbox.after(taken.saturating_sub(1), 1).await?.is_empty() {
        file.appender.forget_taken(source).await?;
    }
    let log = begun(file, AuditSettings::default(), clock, ward).await?;
    let Order { actor, reason } = order;
    let found = found.map(|id| id.to_string());
    write(log, Event::Restored { actor, reason, known, found }).await?;
    Ok(fresh.id)
}

/// The newest origin of a file, and the number behind its last record; none when there is no log.
async fn newest(url: &str) -> Result<Option<DecisionId>, AuditError> {
    let path = file::path(url)?;
    if !path.exists() {
        return Ok(None);
    }
    // A file that was made by nobody yet has no tables.
    let Ok(mut copy) = LogCopy::open(&path).await else { return Ok(None) };
    let Some(origin) = copy.origins().await?.pop() else { return Ok(None) };
    let seq = copy.last(&origin).await?.map_or(0, |last| last.saturating_add(1));
    Ok(Some(DecisionId { origin: origin.id, seq }))
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
