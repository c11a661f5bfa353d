//! Whether what is missing from a log was taken out in order: by records of it that were signed ([`super::vouched`]).

use super::verify::Numbers;
use super::verify::said::{Erased, Pruned};
use super::vouched::vouched_body;
use crate::keys::LogPublicKey;
use crate::store::StoreError;
use crate::store::audit::{CopyOrigin, LogCopy};

/// Records that are searched at once.
const STRETCH: u64 = 65_536;

/// Whether a log begins at its first record, or a record of it, or of the newest log, says that all before `first` was removed with
/// age.
///
/// # Errors
/// When the file can't be read.
pub(super) async fn is_beginning_explained(
    copy: &mut LogCopy,
    (log, key): (&CopyOrigin, &LogPublicKey),
    first: u64,
) -> Result<bool, StoreError> {
    if first == 0 {
        return Ok(true);
    }
    let newest = copy.origins().await?.pop().filter(|newest| newest.id != log.id);
    for by in newest.iter().chain([log]) {
        if is_removal_said(copy, (by, key), (log, first)).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether `by` says it. The last removal is the nearest to the end.
async fn is_removal_said(
    copy: &mut LogCopy,
    (by, key): (&CopyOrigin, &LogPublicKey),
    (log, first): (&CopyOrigin, u64),
) -> Result<bool, StoreError> {
    let mut end = copy.last(by).await?.map_or(0, |last| last.saturating_add(1));
    let begin = copy.first(by).await?.unwrap_or(0);
    while end > begin {
        let from = end.saturating_sub(STRETCH).max(begin);
        for (seq, body) in copy.said(by, (from, end)).await?.into_iter().rev() {
            if reaches(&body, log, first)
                && let Some(body) = vouched_body(copy, (by, key), seq).await?
                && reaches(&body, log, first)
            {
                return Ok(true);
            }
        }
        end = from;
    }
    Ok(false)
}

fn reaches(body: &[u8], log: &CopyOrigin, first: u64) -> bool {
    let pruned: Option<Pruned> = serde_json::from_slice(body).ok();
    pruned.is_some_and(|pruned| {
        pruned.removal.origin == log.id.to_string() && pruned.removal.upto >= first
    })
}

/// Whether records say of each of these numbers that it was erased.
///
/// # Errors
/// When the file can't be read.
pub(super) async fn is_blank_explained(
    copy: &mut LogCopy,
    (log, key): (&CopyOrigin, &LogPublicKey),
    blanks: &Numbers,
) -> Result<bool, StoreError> {
    if blanks.count() == 0 {
        return Ok(true);
    }
    let mut erased = Vec::new();
    for by in copy.origins().await? {
        let mut from = copy.first(&by).await?.unwrap_or(0);
        let end = copy.last(&by).await?.map_or(0, |last| last.saturating_add(1));
        while from < end {
            let to = end.min(from.saturating_add(STRETCH));
            for seq in copy.said_erased(&by, (from, to)).await? {
                let body = vouched_body(copy, (&by, key), seq).await?;
                erased.extend(body.and_then(|body| numbers(&body, log)));
            }
            if blanks.first_outside(&erased).is_none() {
                return Ok(true);
            }
            from = to;
        }
    }
    Ok(false)
}

fn numbers(body: &[u8], log: &CopyOrigin) -> Option<Numbers> {
    let erased: Erased = serde_json::from_slice(body).ok()?;
    (erased.origin == log.id.to_string()).then(|| Numbers::parse(&erased.records)).flatten()
}
