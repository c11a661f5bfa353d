//! How old records are, by what they themselves say and was signed ([`super::vouched`]).

use std::time::Duration;

use super::error::AuditError;
use super::merkle::Peaks;
use super::vouched::{found_by, is_signed, vouched};
use crate::keys::LogPublicKey;
use crate::model::body::Head;
use crate::model::record::FoundLog;
use crate::model::time::Timestamp;
use crate::store::audit::{CopyOrigin, CopyPoint, LogCopy};

/// Records that are proven at once, unless it takes more to the next checkpoint.
const RANGE: u64 = 65_536;
/// What an earlier key signed takes a look at all up to the change of keys, and so goes a day's worth at a time.
const DAY: Duration = Duration::from_hours(24);

/// The number up to which records of an origin may be from before `before`, by what they say, and are under a kept checkpoint.
///
/// # Errors
/// When the file can't be read.
pub(super) async fn limit(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    before: Timestamp,
) -> Result<u64, AuditError> {
    let newest = copy.point_before(origin, u64::MAX >> 24).await?.map_or(0, |point| point.size);
    // The newest is not kept yet: the next commit may take its place.
    Ok(copy.first_since(origin, before).await?.min(newest.saturating_sub(1)))
}

/// The tree over the oldest records of an origin, as far as they may go: up to a kept checkpoint over at most `limit` of them, and
/// all from before `before`. None when there are none. `key` signs the newest origin.
///
/// # Errors
/// When the file can't be read, or nothing vouches for what they are.
pub(super) async fn old(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    (before, mut limit): (Timestamp, u64),
    key: &LogPublicKey,
) -> Result<Option<Peaks>, AuditError> {
    let Some(first) = copy.first(origin).await? else { return Ok(None) };
    loop {
        let Some(point) = range(copy, origin, (first, limit)).await? else { return Ok(None) };
        if !is_signed(origin, &point, key) && !is_older(copy, origin, before.minus(DAY)).await? {
            return Ok(None);
        }
        let mut age = Age { before, upto: first, ended: None };
        let span = (first, point.size);
        let shown = |seq, body: Option<Vec<u8>>| age.take(seq, body.as_deref());
        let Some(tree) = vouched(copy, (origin, key), span, shown).await? else {
            return Err(AuditError::Unproven { origin: origin.id });
        };
        if age.upto == point.size {
            return Ok(Some(tree));
        }
        limit = age.upto;
    }
}

/// Up to where records that are shown one after the other are old.
struct Age {
    before: Timestamp,
    /// Behind the last that is.
    upto: u64,
    /// One was not.
    ended: Option<()>,
}

impl Age {
    /// One that was erased has no time that could be proven; it is as old as one behind it.
    fn take(&mut self, seq: u64, body: Option<&[u8]>) {
        let Some(body) = body else { return };
        let made = Head::read(body).and_then(|head| head.at());
        match (self.ended, made.is_some_and(|made| made < self.before)) {
            (None, true) => self.upto = seq.saturating_add(1),
            (None, false) => self.ended = Some(()),
            (Some(()), _) => {}
        }
    }
}

/// The kept checkpoint up to which records go next: within a range, and over no more than `limit` of them.
async fn range(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    (first, limit): (u64, u64),
) -> Result<Option<CopyPoint>, AuditError> {
    let near = copy.point_before(origin, limit.min(first.saturating_add(RANGE))).await?;
    if let Some(near) = near.filter(|near| near.size > first) {
        return Ok(Some(near));
    }
    let next = copy.points(origin, first.saturating_add(1)).await?.into_iter().next();
    Ok(next.filter(|next| next.size <= limit))
}

/// Whether the first record says that it is older than that. Nothing goes on the word of it.
async fn is_older(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    than: Timestamp,
) -> Result<bool, AuditError> {
    Ok(copy.first_since(origin, than).await? > copy.first(origin).await?.unwrap_or(0))
}

/// How a log was found by one of those that were begun behind it, where that was before `before`.
///
/// # Errors
/// When the file can't be read, or nothing vouches for what the newest of them says.
pub(super) async fn ended(
    copy: &mut LogCopy,
    (log, later): (&CopyOrigin, &[CopyOrigin]),
    (before, key): (Timestamp, &LogPublicKey),
) -> Result<Option<FoundLog>, AuditError> {
    for (place, by) in later.iter().enumerate() {
        if copy.first_since(by, before).await? == 0 {
            continue;
        }
        let mut first = None;
        let is_vouched = vouched(copy, (by, key), (0, 1), |_, body| first = body).await?.is_some();
        let made = |body: &[u8]| Head::read(body).and_then(|head| head.at());
        match first.filter(|_| is_vouched) {
            Some(first) => {
                let found = found_by(&first, log);
                if let Some(found) = found.filter(|_| made(&first).is_some_and(|at| at < before)) {
                    return Ok(Some(found));
                }
            }
            // One that was accepted as it is, and another begun behind it, may be anything.
            None if place + 1 < later.len() => {}
            None => return Err(AuditError::Unproven { origin: by.id }),
        }
    }
    Ok(None)
}
