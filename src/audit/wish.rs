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
use crate::store::audit::{AuditReader, CopyOrigin, Erasure, LogCopy, Wish};

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
    origin: OriginId,
    size: u64,
}

impl Scope {
    /// The first record of a log that stays, where all logs of the file are these, oldest first.
    pub(super) fn end(&self, log: &CopyOrigin, all: &[CopyOrigin]) -> u64 {
        let place = |id: OriginId| all.iter().position(|one| one.id == id);
        match (place(log.id), place(self.origin)) {
            (Some(log), Some(newest)) if log < newest => u64::MAX >> 24,
            (Some(log), Some(newest)) if log == newest => self.size,
            (_, _) => 0,
        }
    }

    /// The log that was the newest.
    pub(super) fn newest<'a>(&self, all: &'a [CopyOrigin]) -> Option<(&'a CopyOrigin, u64)> {
        all.iter().find(|one| one.id == self.origin).map(|log| (log, self.size))
    }
}

/// Asks that all be forgotten that the log holds about a person by now.
///
/// # Errors
/// [`AuditError::NotItsKey`] when the key of the ward is not the one that signs the log, or nothing was recorded in it; else when
/// the file can't be read or written.
pub async fn ask(reader: &AuditReader, ward: Ward, request: Request) -> Result<Asked, AuditError> {
    let mut copy = LogCopy::open(&reader.file()).await?;
    let newest = match copy.origins().await?.pop() {
        Some(log) => copy.point_before(&log, u64::MAX >> 24).await?.map(|point| (log, point)),
        None => None,
    };
    let Some((log, point)) = newest else { return Err(AuditError::NotItsKey) };
    let key = ward.at(Some(&point.note)).key;
    let signed = Checkpoint::open(&point.note, &key.public()).map_err(|_| AuditError::NotItsKey)?;
    let Request { subject, reason, asked_by, asked } = request;
    let wish = Wish {
        subject: subject.to_string(),
        reason,
        asked_by,
        asked_us: asked.as_micros(),
        origin: signed.origin.to_string(),
        size: signed.size.cast_signed(),
    };
    let id = reader.ask_erasure(&wish, &key.sign(&message(&wish))).await?;
    Ok(Asked { id, scope: Scope { subject, origin: log.id, size: signed.size } })
}

/// Whether the log still holds something of what was to be forgotten.
///
/// # Errors
/// When the file can't be read.
pub async fn is_left(reader: &AuditReader, asked: &Asked) -> Result<bool, AuditError> {
    let mut copy = LogCopy::open(&reader.file()).await?;
    let logs = copy.origins().await?;
    for log in &logs {
        let (found, _) = copy.about(log, &asked.scope.subject, 0).await?;
        let end = asked.scope.end(log, &logs);
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
        let (subject, origin) = (wish.subject.parse().ok()?, wish.origin.parse().ok()?);
        Some(Scope { subject, origin, size: wish.size.try_into().ok()? })
    };
    scope().filter(|_| signed)
}

/// What is signed: a first line that no checkpoint has, and then all of the wish as JSON.
pub(super) fn message(wish: &Wish) -> Vec<u8> {
    let Wish { subject, reason, asked_by, asked_us, origin, size } = wish;
    let all = serde_json::json!([subject, reason, asked_by, asked_us, origin, size]);
    format!("cedargate erasure of a person\n{all}").into_bytes()
}
