//! How old records are, by what they themselves say and was signed ([`super::vouched`]).

use std::time::Duration;

use super::error::AuditError;
use super::merkle::Peaks;
use super::trace::{is_beginning_explained, is_blank_explained};
use super::verify::Numbers;
use super::vouched::{found_by, is_signed, vouched, vouched_body};
use crate::keys::LogPublicKey;
use crate::model::body::Head;
use crate::model::record::FoundLog;
use crate::model::time::Timestamp;
use crate::store::audit::{CopyOrigin, CopyPoint, CopyRow, LogCopy};

/// Records that are proven at once, unless it takes more to the next checkpoint.
const RANGE: u64 = 65_536;
/// What an earlier key signed takes a look at all up to the change of keys, and so goes a day's worth at a time.
const DAY: Duration = Duration::from_hours(24);

/// What is too old, and the present.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// What was made before this.
    pub(super) before: Timestamp,
    pub(super) now: Timestamp,
}

/// The number up to which records of an origin may be old, by what they say, and are under a kept checkpoint.
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
/// all of them old. None when there are none. `key` signs the newest origin.
///
/// # Errors
/// When the file can't be read, or nothing vouches for what they are, or for what was removed before them.
pub(super) async fn old(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    (times, mut limit): (Times, u64),
    key: &LogPublicKey,
) -> Result<Option<Peaks>, AuditError> {
    let Some(first) = copy.first(origin).await? else { return Ok(None) };
    let unproven = || AuditError::Unproven { origin: origin.id };
    loop {
        let Some(point) = range(copy, origin, (first, limit)).await? else { return Ok(None) };
        let day = times.before.minus(DAY);
        if !is_signed(origin, &point, key) && copy.first_since(origin, day).await? <= first {
            return Ok(None);
        }
        let mut age = Age { times, upto: first, ended: None, blanks: Numbers::default() };
        let (span, shown) = ((first, point.size), |row: CopyRow| age.take(&row));
        let tree = vouched(copy, (origin, key), span, shown).await?.ok_or_else(unproven)?;
        if age.upto < point.size {
            limit = age.upto;
            continue;
        }
        let is_explained = is_beginning_explained(copy, (origin, key), first).await?
            && is_blank_explained(copy, (origin, key), &age.blanks).await?;
        return if is_explained { Ok(Some(tree)) } else { Err(unproven()) };
    }
}

/// Up to where records that are shown one after the other are old.
struct Age {
    times: Times,
    /// Behind the last that is.
    upto: u64,
    /// One was not.
    ended: Option<()>,
    /// Those that were erased: of these nothing is left that could be proven, and nothing that would be lost.
    blanks: Numbers,
}

impl Age {
    fn take(&mut self, row: &CopyRow) {
        let Times { before, now } = self.times;
        if row.body.is_none() {
            self.blanks.push(row.seq());
        }
        // A clock that went ahead says nothing: the record is as old as one behind it.
        match row.at() {
            Some(made) if made > now => {}
            Some(made) if made < before && self.ended.is_none() => {
                self.upto = row.seq().saturating_add(1);
            }
            Some(_) | None => self.ended = Some(()),
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

/// How a log was found by one of those that were begun behind it, where that was before `before`, and its own last record, as far as
/// anything vouches for that, does not say otherwise.
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
        match vouched_body(copy, (by, key), 0).await? {
            Some(first) if is_from_before(&first, before) => {
                if let Some(found) = found_by(&first, log) {
                    let last = found.records.saturating_sub(1);
                    let last = vouched_body(copy, (log, key), last).await?;
                    let is_young = last.is_some_and(|last| !is_from_before(&last, before));
                    return Ok(Some(found).filter(|_| !is_young));
                }
            }
            Some(_) => {}
            // One that was accepted as it is, and another begun behind it, may be anything.
            None if place + 1 < later.len() => {}
            None => return Err(AuditError::Unproven { origin: by.id }),
        }
    }
    Ok(None)
}

fn is_from_before(body: &[u8], before: Timestamp) -> bool {
    Head::read(body).and_then(|head| head.at()).is_some_and(|made| made < before)
}
