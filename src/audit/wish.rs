//! Wishes that what the log holds about a person be forgotten: asked by a command, fulfilled by whoever writes the log
//! ([`super::upkeep`]), and handed over in the log's own file.
//!
//! Each is signed with the log's key. Whoever can write the file and not sign would else have the gate blank what stands
//! against them, and say that an operator asked for it. It is about what the log holds when it is asked: one that was
//! fulfilled and is put back finds nothing more.

use super::Ward;
use super::checkpoint::Checkpoint;
use super::error::AuditError;
use crate::keys::LogPublicKey;
use crate::model::id::{OriginId, Subject};
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::audit::{AuditReader, CopyOrigin, Erasure, LogCopy, Remover, Wish};

/// Whom to forget, why, and who asks.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whom.
    pub subject: Subject,
    /// Why: at most 1,000 characters.
    pub reason: String,
    /// Who asks: `operator:<system user>`.
    pub asked_by: String,
    /// When.
    pub asked: Timestamp,
}

/// What was asked, and how far it goes.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its number.
    pub id: i64,
    scope: Scope,
}

/// What is to be forgotten of whom.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) subject: Subject,
    /// Each log, and how many records it had, oldest first.
    logs: Vec<(OriginId, u64)>,
}

impl Scope {
    /// The first record of a log that stays: all of one that was not there.
    pub(super) fn end(&self, log: OriginId) -> u64 {
        self.logs.iter().find(|(id, _)| *id == log).map_or(0, |(_, size)| *size)
    }

    /// The newest of the logs, of those that are there, and its first record that stays.
    pub(super) fn newest<'a>(&self, all: &'a [CopyOrigin]) -> Option<(&'a CopyOrigin, u64)> {
        let log = all.iter().rfind(|log| self.end(log.id) > 0)?;
        Some((log, self.end(log.id)))
    }
}

/// Asks that all be forgotten that the log holds about a person by now.
///
/// # Errors
/// [`AuditError::NotItsKey`] when the key of the ward is not the one that signs the log, or nothing was recorded in it; else when
/// the file can't be read or written.
pub async fn ask(reader: &AuditReader, ward: Ward, request: Request) -> Result<Asked, AuditError> {
    let mut copy = LogCopy::open(&reader.file()).await?;
    let (mut logs, mut newest) = (Vec::new(), None);
    for log in copy.origins().await? {
        let point = copy.point_before(&log, u64::MAX >> 24).await?;
        logs.push((log.id, point.as_ref().map_or(0, |point| point.size)));
        newest = point;
    }
    let note = newest.map(|point| point.note).ok_or(AuditError::NotItsKey)?;
    let key = ward.at(Some(&note)).key;
    let signed = Checkpoint::open(&note, &key.public()).map_err(|_| AuditError::NotItsKey)?;
    // Where the file puts the checkpoint is not signed, and a later place would have the wish go further than the log does.
    let end = logs.last_mut().filter(|(id, _)| *id == signed.origin);
    end.ok_or(AuditError::NotItsKey)?.1 = signed.size;
    let Request { subject, reason, asked_by, asked } = request;
    let wish = Wish {
        subject: subject.to_string(),
        reason,
        asked_by,
        asked_us: asked.as_micros(),
        logs: spell(&logs),
    };
    let id = reader.ask_erasure(&wish, &key.sign(&message(&wish))).await?;
    Ok(Asked { id, scope: Scope { subject, logs } })
}

fn spell(logs: &[(OriginId, u64)]) -> String {
    let logs: Vec<_> = logs.iter().map(|(id, size)| (id.to_string(), size)).collect();
    serde_json::json!(logs).to_string()
}

fn read(logs: &str) -> Option<Vec<(OriginId, u64)>> {
    let logs: Vec<(String, u64)> = serde_json::from_str(logs).ok()?;
    logs.into_iter().map(|(id, size)| Some((id.parse().ok()?, size))).collect()
}

/// Whether the log still holds something of what was to be forgotten.
///
/// # Errors
/// When the file can't be read.
pub async fn is_left(reader: &AuditReader, asked: &Asked) -> Result<bool, AuditError> {
    let mut copy = LogCopy::open(&reader.file()).await?;
    for log in copy.origins().await? {
        let (found, _) = copy.about(&log, &asked.scope.subject, 0).await?;
        let end = asked.scope.end(log.id);
        if found.first().is_some_and(|first| *first < end) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is to be forgotten, if this key signed the wish.
pub(super) fn standing(erasure: &Erasure, key: &LogPublicKey) -> Option<Scope> {
    let Erasure { wish, signature, .. } = erasure;
    let signed = signature.is_some_and(|signature| key.has_signed(&message(wish), &signature));
    let scope = || {
        let (subject, logs) = (wish.subject.parse().ok()?, read(&wish.logs)?);
        Some(Scope { subject, logs })
    };
    scope().filter(|_| signed)
}

/// Whether a wish waits that this key signed.
///
/// # Errors
/// When the file can't be read.
pub(super) async fn waits(remover: &Remover, key: &LogPublicKey) -> Result<bool, StoreError> {
    let mut after = i64::MIN;
    loop {
        let erasures = remover.erasures(after).await?;
        let Some(last) = erasures.last() else { return Ok(false) };
        after = last.id;
        if erasures.iter().any(|erasure| standing(erasure, key).is_some()) {
            return Ok(true);
        }
    }
}

/// What is signed: a first line that no checkpoint has, and then all of the wish as JSON.
pub(super) fn message(wish: &Wish) -> Vec<u8> {
    let Wish { subject, reason, asked_by, asked_us, logs } = wish;
    let all = serde_json::json!([subject, reason, asked_by, asked_us, logs]);
    format!("cedargate erasure of a person\n{all}").into_bytes()
}
