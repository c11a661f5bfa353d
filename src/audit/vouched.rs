//! What vouches for records that the file has: a checkpoint that the gate signed, over the tree that they are leaves of.
//!
//! Before the gate removes records or their content, or says anew what they say, it asks this: whoever can write the file and not
//! sign would else have that signed here. What is read is hashed as it is read, and counts once the tree over it is the one
//! that was signed; so nothing depends on the file being the same when it is read again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::beginning::{Grown, grow};
use super::checkpoint::Checkpoint;
use super::merkle::{Hash, Peaks, leaf_hash};
use super::verify::said::Restored;
use crate::keys::LogPublicKey;
use crate::model::record::FoundLog;
use crate::store::StoreError;
use crate::store::audit::{CopyOrigin, CopyPoint, CopyRow, LogCopy};

/// Shows records to `take`: those from the first number up to, and without, the second. Of those that have their content that
/// counts, and not what stands beside it. Gives the tree over all before the second, if they are what was signed; only then does anything that
/// was shown count.
///
/// They are, where a checkpoint behind them that `key` signed has the root of the tree that they lead to; or, where an earlier key
/// signed the log, where all of it is what the first record of the newest log says that was found.
///
/// # Errors
/// When the file can't be read.
pub(super) async fn vouched(
    copy: &mut LogCopy,
    (log, key): (&CopyOrigin, &LogPublicKey),
    span: (u64, u64),
    take: impl FnMut(CopyRow),
) -> Result<Option<Peaks>, StoreError> {
    let Some(tree) = read(copy, log, span, take).await? else { return Ok(None) };
    let is_vouched = match signed_behind(copy, (log, key), tree.size()).await? {
        Some((size, root)) => leads_to(copy, log, (&tree, size, root)).await?,
        None => is_found(copy, (log, key), &tree).await?,
    };
    Ok(Some(tree).filter(|_| is_vouched))
}

/// The content of one record, if it is what was signed; none where it was erased, too.
///
/// # Errors
/// When the file can't be read.
pub(super) async fn vouched_body(
    copy: &mut LogCopy,
    (log, key): (&CopyOrigin, &LogPublicKey),
    seq: u64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let mut body = None;
    let span = (seq, seq.saturating_add(1));
    let is_vouched = vouched(copy, (log, key), span, |row| body = row.body).await?.is_some();
    Ok(body.filter(|_| is_vouched))
}

/// Reads records from the nearest checkpoint on, whose peaks need no signature: with others no root behind them would fit.
async fn read(
    copy: &mut LogCopy,
    log: &CopyOrigin,
    (from, to): (u64, u64),
    mut take: impl FnMut(CopyRow),
) -> Result<Option<Peaks>, StoreError> {
    let point = copy.point_before(log, from).await?;
    let base = point.map_or_else(
        || Some(Peaks::default()),
        |point| Peaks::from_bytes(point.size, &point.peaks),
    );
    let Some(mut tree) = base else { return Ok(None) };
    while tree.size() < to {
        let rows = copy.rows(log, (tree.size(), to)).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        for row in rows {
            let seq = row.seq();
            if seq != tree.size() {
                return Ok(None);
            }
            tree.push(row.body.as_deref().map_or(row.leaf_hash, leaf_hash));
            if seq >= from {
                take(row);
            }
        }
    }
    Ok(Some(tree))
}

/// The size and the root of the nearest checkpoint over at least `size` records that `key` signed. Where keys changed, it signed
/// all from some checkpoint on.
async fn signed_behind(
    copy: &mut LogCopy,
    (log, key): (&CopyOrigin, &LogPublicKey),
    size: u64,
) -> Result<Option<(u64, Hash)>, StoreError> {
    let nearest = copy.points(log, size).await?.into_iter().next();
    if let Some(signed) = nearest.as_ref().and_then(|point| signed(log, point, key)) {
        return Ok(Some(signed));
    }
    let newest = copy.point_before(log, u64::MAX >> 24).await?;
    let Some(mut found) = newest.as_ref().and_then(|point| signed(log, point, key)) else {
        return Ok(None);
    };
    let mut low = size;
    while low < found.0 {
        let middle = low + (found.0 - low) / 2;
        let point = copy.point_before(log, middle).await?.filter(|point| point.size >= low);
        match point.as_ref().and_then(|point| signed(log, point, key)) {
            Some(nearer) => found = nearer,
            None => low = middle.saturating_add(1),
        }
    }
    Ok(Some(found))
}

/// What `key` signed in a checkpoint of this log.
fn signed(log: &CopyOrigin, point: &CopyPoint, key: &LogPublicKey) -> Option<(u64, Hash)> {
    let signed = Checkpoint::open(&point.note, key).ok()?;
    ((signed.origin, signed.size) == (log.id, point.size)).then_some((signed.size, signed.root))
}

/// Whether `key` itself signed a checkpoint.
pub(super) fn is_signed(log: &CopyOrigin, point: &CopyPoint, key: &LogPublicKey) -> bool {
    signed(log, point, key).is_some()
}

async fn leads_to(
    copy: &mut LogCopy,
    log: &CopyOrigin,
    (tree, size, root): (&Peaks, u64, Hash),
) -> Result<bool, StoreError> {
    let mut tree = tree.clone();
    let grown = grow(copy, log, (&mut tree, size)).await?;
    Ok(grown == Grown::Whole && tree.size() == size && tree.root() == root)
}

/// Whether all of a log is what the newest one found when it was begun behind it.
async fn is_found(
    copy: &mut LogCopy,
    (log, key): (&CopyOrigin, &LogPublicKey),
    tree: &Peaks,
) -> Result<bool, StoreError> {
    let origins = copy.origins().await?;
    let Some(newest) = origins.last().filter(|newest| newest.id != log.id) else {
        return Ok(false);
    };
    let mut first = None;
    let Some(begun) = read(copy, newest, (0, 1), |row| first = row.body).await? else {
        return Ok(false);
    };
    let Some((size, root)) = signed_behind(copy, (newest, key), begun.size()).await? else {
        return Ok(false);
    };
    if !leads_to(copy, newest, (&begun, size, root)).await? {
        return Ok(false);
    }
    let found = first.and_then(|body| found_by(&body, log));
    let root = found.as_ref().and_then(|found| STANDARD.decode(found.root.as_deref()?).ok());
    match found.zip(root.and_then(|root| root.try_into().ok())) {
        Some((found, root)) => leads_to(copy, log, (tree, found.records, root)).await,
        None => Ok(false),
    }
}

/// What a log's first record says of another that it was begun behind.
pub(super) fn found_by(first: &[u8], log: &CopyOrigin) -> Option<FoundLog> {
    let restored: Restored = serde_json::from_slice(first).ok()?;
    restored.found().into_iter().find(|found| found.origin == log.id.to_string())
}
