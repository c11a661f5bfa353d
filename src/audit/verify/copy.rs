//! Checking the log in a database: a copy, or that of a running gate.

use super::{Cause, Check, Extent, Finding, Item, Oddity, Report, Stored, Trust, Unable};
use crate::audit::beginning::Beginning;
use crate::audit::checkpoint::parse_verifier_key;
use crate::model::id::OriginId;
use crate::store::audit::{CopyOrigin, CopyPoint, CopyRow, LogCopy};

/// How a check ended.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing is wrong.
    Intact(Report),
    /// Something is.
    Tampered(Finding),
}

/// Checks of a log from which somebody else removes what they may, before it is said that there is no telling.
const ATTEMPTS: u32 = 5;

/// Checks all origins and principals of a log. `progress` learns how many records were read.
///
/// What is removed in order while it is read may look as if it was taken: the record that explains it came too late to be
/// read. Then it is checked again; so it is where a gate began to write a file that nobody wrote before.
///
/// # Errors
/// When it can't be read, or there is no log in it.
pub async fn check(
    copy: &mut LogCopy,
    trust: Trust,
    mut progress: impl FnMut(u64),
) -> Result<Outcome, Unable> {
    for _attempt in 0..ATTEMPTS {
        let outcome = settled(copy, trust.clone(), &mut progress).await;
        // Whatever came out was read as if nobody wrote it.
        if copy.is_overtaken() {
            continue;
        }
        if let Some(outcome) = outcome? {
            return Ok(outcome);
        }
    }
    Err(Unable::Removed)
}

/// Checks once; none where what was removed meanwhile may be all that is wrong, or odd.
async fn settled(
    copy: &mut LogCopy,
    trust: Trust,
    progress: &mut impl FnMut(u64),
) -> Result<Option<Outcome>, Unable> {
    let before = copy.removals().await?;
    let outcome = once(copy, trust, progress).await?;
    let stands = match &outcome {
        Outcome::Intact(report) => report.warnings.iter().all(|odd| odd.what != Oddity::NotErased),
        Outcome::Tampered(_) => false,
    };
    Ok((stands || !copy.removed_since(&before).await?).then_some(outcome))
}

async fn once(
    copy: &mut LogCopy,
    trust: Trust,
    progress: &mut impl FnMut(u64),
) -> Result<Outcome, Unable> {
    let mut check = Check::new(Extent::Whole, trust)?;
    let origins = copy.origins().await?;
    if origins.is_empty() {
        return Err(Unable::Nothing);
    }
    if let Some(seq) = copy.stray().await? {
        let origin = OriginId::from_bytes([0; 5]);
        let finding =
            Finding { origin, first: seq, last: seq, after: None, cause: Cause::Unvouched };
        return Ok(Outcome::Tampered(finding));
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
    let Beginning { first, removed } = Beginning::of(copy, origin).await?;
    let (mut at, begin) = (removed.size(), removed.size());
    if let Some(first) = first.filter(|first| *first < begin) {
        let (origin, last, cause) = (origin.id, begin - 1, Cause::Unvouched);
        return Ok(Err(Finding { origin, first, last, after: None, cause }));
    }
    let hint = parse_verifier_key(&origin.log_key).map(|(_, key)| key);
    sound!(check.begin(origin.id, removed, hint));
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
        let (size, peaks) = (Some(point.size), Some(&*point.peaks));
        sound!(check.take(Item::Checkpoint { size, note: &point.note, peaks }));
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
