//! Checking the log in a database: a copy, or that of a running gate.

use super::{Check, Finding, Item, Report, Stored, Trust, Unable};
use crate::audit::checkpoint::parse_verifier_key;
use crate::audit::merkle::Peaks;
use crate::store::audit::{CopyOrigin, CopyPoint, CopyRow, LogCopy};

/// How a check ended.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing is wrong.
    Intact(Report),
    /// Something is.
    Tampered(Finding),
}

/// Checks all origins and principals of a log. `progress` learns how many records were read.
///
/// # Errors
/// When it can't be read, or there is no log in it.
pub async fn check(
    copy: &mut LogCopy,
    trust: Trust,
    mut progress: impl FnMut(u64),
) -> Result<Outcome, Unable> {
    let mut check = Check::new(trust)?;
    let origins = copy.origins().await?;
    if origins.is_empty() {
        return Err(Unable::Nothing);
    }
    let mut before = 0;
    for origin in &origins {
        let mut read = 0;
        let mut told = |records| {
            read = records;
            progress(before + records);
        };
        let checked = one_log(copy, origin, &mut check, &mut told).await?;
        before += read;
        if let Err(finding) = checked {
            return Ok(Outcome::Tampered(finding));
        }
    }
    if let Err(finding) = check.end() {
        return Ok(Outcome::Tampered(finding));
    }
    let checked = match principals(copy, &mut check).await? {
        Ok(()) => check.finish(),
        Err(finding) => Err(finding),
    };
    Ok(checked.map_or_else(Outcome::Tampered, Outcome::Intact))
}

/// What is wrong is the inner result: the outer one says that it can't be told.
type Step = Result<Result<(), Finding>, Unable>;

macro_rules! sound {
    ($checked:expr) => {
        if let Err(finding) = $checked {
            return Ok(Err(finding));
        }
    };
}

async fn one_log(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    check: &mut Check,
    progress: &mut impl FnMut(u64),
) -> Step {
    // The newest checkpoint first: a running gate replaces it, and records come after it, while this one stays true.
    let newest = copy.point_before(origin, u64::MAX >> 24).await?;
    let base = base(copy, origin).await?;
    let (mut at, begin) = (base.size(), base.size());
    let hint = parse_verifier_key(&origin.log_key).map(|(_, key)| key);
    sound!(check.begin(origin.id, base, hint));
    let mut points = copy.points(origin, at.saturating_add(1)).await?.into_iter();
    loop {
        if points.as_slice().is_empty() {
            points = copy.points(origin, at.saturating_add(1)).await?.into_iter();
        }
        let point = points.next();
        let Some(point) = nearer(point, newest.as_ref(), at) else { break };
        while at < point.size {
            let rows = copy.rows(origin, (at, point.size)).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                sound!(take(check, &row));
                at = row.seq().saturating_add(1);
            }
            progress(at.saturating_sub(begin));
        }
        sound!(check.take(Item::Checkpoint(&point.note)));
        if newest.as_ref().is_some_and(|newest| newest.size <= at) {
            break;
        }
    }
    behind(copy, origin, (check, at)).await
}

/// The next checkpoint: the stored one, or the newest as it was at the beginning, should that be the nearer.
fn nearer(stored: Option<CopyPoint>, newest: Option<&CopyPoint>, at: u64) -> Option<CopyPoint> {
    let newest = newest.filter(|newest| newest.size > at);
    match (stored, newest) {
        (Some(stored), Some(newest)) if newest.size < stored.size => Some(newest.clone()),
        (Some(stored), _) => Some(stored),
        (None, newest) => newest.cloned(),
    }
}

/// Records behind the newest checkpoint: in a log that nobody writes there are none.
async fn behind(copy: &mut LogCopy, origin: &CopyOrigin, (check, at): (&mut Check, u64)) -> Step {
    let vouched = copy.point_before(origin, u64::MAX >> 24).await?.map_or(0, |point| point.size);
    let end = copy.last(origin).await?.map_or(0, |last| last.saturating_add(1));
    // A commit between the two looks brings both.
    let again = copy.point_before(origin, u64::MAX >> 24).await?.map_or(0, |point| point.size);
    if end <= vouched.max(again).max(at) {
        return Ok(Ok(()));
    }
    for row in copy.rows(origin, (at, end)).await? {
        sound!(take(check, &row));
    }
    Ok(Ok(()))
}

/// Where the log begins: at its first record, or behind what was removed with age.
async fn base(copy: &mut LogCopy, origin: &CopyOrigin) -> Result<Peaks, Unable> {
    if copy.first(origin).await? == Some(0) {
        return Ok(Peaks::default());
    }
    let points = copy.points(origin, 0).await?;
    let first = points.first();
    let peaks = first.and_then(|point| Peaks::from_bytes(point.size, &point.peaks));
    Ok(peaks.unwrap_or_default())
}

fn take(check: &mut Check, row: &CopyRow) -> Result<(), Finding> {
    let (seq, leaf_hash) = (row.seq(), row.leaf_hash);
    let Some(body) = &row.body else { return check.take(Item::Blank { seq, leaf_hash }) };
    let stored = Stored { leaf_hash, asked: row.asked };
    check.take(Item::Record { seq: Some(seq), body, stored: Some(stored) })
}

async fn principals(copy: &mut LogCopy, check: &mut Check) -> Step {
    let mut after = Vec::new();
    loop {
        let page = copy.principals(&after).await?;
        let Some((last, _)) = page.last() else { return Ok(Ok(())) };
        after.clone_from(last);
        for (hash, content) in page {
            let Ok(hash) = hash.as_slice().try_into() else { continue };
            sound!(check.principal(hash, content.as_bytes()));
        }
    }
}
