//! How old records are, by times that were signed: whoever can write the file and not sign would else have removed here, and
//! that signed, whatever they made look old.

use super::error::AuditError;
use super::merkle::Hash;
use super::vouched::{vouched_root, whole_row};
use crate::keys::LogPublicKey;
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::audit::{CopyOrigin, LogCopy};

/// The oldest records of an origin, as far as they may go.
#[derive(Debug)]
pub(super) struct Old {
    /// The number of the first that stays.
    pub(super) upto: u64,
    /// The root over all before it.
    pub(super) root: Hash,
}

/// Records from before `before`, up to a kept checkpoint, if there are any. `key` signs the newest origin.
///
/// # Errors
/// When the file can't be read, or nothing vouches for what they are.
pub(super) async fn old(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    (before, key): (Timestamp, &LogPublicKey),
) -> Result<Option<Old>, AuditError> {
    let Some(first) = copy.first(origin).await? else { return Ok(None) };
    let young = copy.first_since(origin, before).await?;
    let newest = copy.point_before(origin, u64::MAX >> 24).await?.map_or(0, |point| point.size);
    // The newest is not kept yet: the next commit may take its place.
    let mut limit = young.min(newest.saturating_sub(1));
    loop {
        let Some(point) = copy.point_before(origin, limit).await? else { return Ok(None) };
        if point.size <= first {
            return Ok(None);
        }
        let upto = point.size;
        limit = upto.saturating_sub(1);
        // One that was erased has no time that could be proven.
        if made(copy, origin, limit).await?.is_some_and(|made| made < before) {
            let root = vouched_root(copy, (origin, &point), key).await?;
            let unproven = AuditError::Unproven { origin: origin.id };
            return root.map(|root| Some(Old { upto, root })).ok_or(unproven);
        }
    }
}

/// Whether a log had ended before `before`: the first record of one of those that were begun behind it is older than that.
///
/// # Errors
/// When the file can't be read, or nothing vouches for what says so.
pub(super) async fn ended_before(
    copy: &mut LogCopy,
    later: &[CopyOrigin],
    (before, key): (Timestamp, &LogPublicKey),
) -> Result<bool, AuditError> {
    let mut unproven = None;
    for log in later {
        let Some(first) = copy.first(log).await? else { continue };
        // Where its first records are gone with age, all of those were older.
        let began = if first == 0 { made(copy, log, 0).await? } else { None };
        if first == 0 && began.is_none_or(|began| began >= before) {
            continue;
        }
        if is_beginning_vouched_for(copy, (log, first), key).await? {
            return Ok(true);
        }
        unproven = unproven.or(Some(AuditError::Unproven { origin: log.id }));
    }
    unproven.map_or(Ok(false), Err)
}

/// Whether a log begins with this record, by its first checkpoint.
async fn is_beginning_vouched_for(
    copy: &mut LogCopy,
    (log, first): (&CopyOrigin, u64),
    key: &LogPublicKey,
) -> Result<bool, StoreError> {
    let points = copy.points(log, first.saturating_add(1)).await?;
    let Some(point) = points.first() else { return Ok(false) };
    Ok(vouched_root(copy, (log, point), key).await?.is_some())
}

/// When a record was made, if it is what its hash says.
async fn made(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    seq: u64,
) -> Result<Option<Timestamp>, StoreError> {
    Ok(whole_row(copy, origin, seq).await?.and_then(|row| row.at()))
}
