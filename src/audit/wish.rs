//! Wishes that a person be forgotten: asked by a command, fulfilled by whoever writes the log ([`super::upkeep`]), and handed
//! over in the log's own file.
//!
//! Each is signed with the log's key. Whoever can write the file and not sign would else have the gate blank what stands
//! against them, and say that an operator asked for it.

use std::time::Duration;

use super::Ward;
use super::checkpoint::Checkpoint;
use super::error::AuditError;
use crate::keys::{LogKey, LogPublicKey};
use crate::model::id::Subject;
use crate::model::time::Timestamp;
use crate::store::audit::{AuditReader, Erasure, LogCopy, Wish};

/// How long a wish stands: one that was fulfilled and is put back later is refused.
const STANDS: Duration = Duration::from_hours(7 * 24);
/// How far the clocks of two processes may be apart.
const LEEWAY: Duration = Duration::from_mins(5);

/// Asks that a person be forgotten in the log.
///
/// # Errors
/// [`AuditError::NotItsKey`] when the key of the ward is not the one that signs the log; else when the file can't be read or
/// written.
pub async fn ask(reader: &AuditReader, ward: Ward, wish: &Wish) -> Result<(), AuditError> {
    let mut copy = LogCopy::open(&reader.file()).await?;
    let newest = match copy.origins().await?.last() {
        Some(origin) => copy.point_before(origin, u64::MAX >> 24).await?,
        None => None,
    };
    let note = newest.map(|point| point.note);
    let key = ward.at(note.as_deref()).key;
    if note.is_some_and(|note| Checkpoint::open(&note, &key.public()).is_err()) {
        return Err(AuditError::NotItsKey);
    }
    reader.ask_erasure(wish, &sign(wish, &key)).await?;
    Ok(())
}

fn sign(wish: &Wish, key: &LogKey) -> [u8; 64] {
    key.sign(&message(wish))
}

/// Who is to be forgotten now, if this key signed the wish, and not long ago.
pub(super) fn standing(erasure: &Erasure, key: &LogPublicKey, now: Timestamp) -> Option<Subject> {
    let Erasure { wish, signature, .. } = erasure;
    let signed = signature.is_some_and(|signature| key.has_signed(&message(wish), &signature));
    let stands = signed && wish.asked >= now.minus(STANDS) && wish.asked <= now.plus(LEEWAY);
    wish.subject.parse().ok().filter(|_| stands)
}

/// What is signed: a first line that no checkpoint has, and then all of the wish as JSON.
fn message(wish: &Wish) -> Vec<u8> {
    let Wish { subject, reason, asked_by, asked } = wish;
    let all = serde_json::json!([subject, reason, asked_by, asked.as_micros()]);
    format!("cedargate erasure of a person\n{all}").into_bytes()
}
