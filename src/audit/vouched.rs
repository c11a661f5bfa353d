//! What vouches for records that the file has: a checkpoint that the gate signed, over the tree by their hashes.
//!
//! Before the gate removes records, or says anew what they say, it asks this: whoever can write the file and not sign would
//! else have that signed here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::beginning::{Beginning, Grown, grow};
use super::checkpoint::Checkpoint;
use super::merkle::{Hash, leaf_hash};
use super::verify::said::Restored;
use crate::keys::LogPublicKey;
use crate::store::StoreError;
use crate::store::audit::{CopyOrigin, CopyPoint, CopyRow, LogCopy};

/// The root over the records below a checkpoint, if those are what was signed: by `key` in the checkpoint itself, or, where
/// another key signed that one, as a part of an origin that is vouched for as a whole.
///
/// # Errors
/// When the file can't be read.
pub(super) async fn vouched_root(
    copy: &mut LogCopy,
    (origin, point): (&CopyOrigin, &CopyPoint),
    key: &LogPublicKey,
) -> Result<Option<Hash>, StoreError> {
    let tree = root(copy, (origin, point.size)).await?;
    let holds = match signed(origin, point, key) {
        Some(root) => tree == Some(root),
        None => is_vouched_for(copy, origin, key).await?,
    };
    Ok(tree.filter(|_| holds))
}

/// The root that `key` signed in a checkpoint of this origin.
fn signed(origin: &CopyOrigin, point: &CopyPoint, key: &LogPublicKey) -> Option<Hash> {
    let signed = Checkpoint::open(&point.note, key).ok()?;
    ((signed.origin, signed.size) == (origin.id, point.size)).then_some(signed.root)
}

/// A record, if its content is what was hashed.
///
/// # Errors
/// When the file can't be read.
pub(super) async fn whole_row(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    seq: u64,
) -> Result<Option<CopyRow>, StoreError> {
    let row = copy.rows(origin, (seq, seq.saturating_add(1))).await?.into_iter().next();
    let is_hashed =
        |row: &CopyRow| row.body.as_deref().is_some_and(|body| leaf_hash(body) == row.leaf_hash);
    Ok(row.filter(is_hashed))
}

/// Whether an origin is what `key` signed, or the first record of the newest one says that it was found.
pub(super) async fn is_vouched_for(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    key: &LogPublicKey,
) -> Result<bool, StoreError> {
    let origins = copy.origins().await?;
    let Some(newest) = origins.last() else { return Ok(false) };
    let Some(point) = copy.point_before(newest, u64::MAX >> 24).await? else { return Ok(false) };
    let signed = signed(newest, &point, key);
    if signed.is_none() || root(copy, (newest, point.size)).await? != signed {
        return Ok(false);
    }
    Ok(origin.id == newest.id || is_found(copy, origin, newest).await?)
}

async fn is_found(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    by: &CopyOrigin,
) -> Result<bool, StoreError> {
    let first = copy.said(by, (0, 1)).await?.into_iter().next();
    let restored = first.filter(|(hash, body)| leaf_hash(body) == *hash);
    let restored: Option<Restored> =
        restored.and_then(|(_, body)| serde_json::from_slice(&body).ok());
    let size = copy.last(origin).await?.map_or(0, |last| last.saturating_add(1));
    let root = root(copy, (origin, size)).await?.map(|root| STANDARD.encode(root));
    let found = restored.map(|restored| restored.found()).unwrap_or_default();
    let named = found.iter().find(|found| found.origin == origin.id.to_string());
    Ok(named.is_some_and(|named| root.is_some() && named.root == root))
}

/// The root over the first `size` records, by their hashes; none where some are missing.
async fn root(
    copy: &mut LogCopy,
    (origin, size): (&CopyOrigin, u64),
) -> Result<Option<Hash>, StoreError> {
    let mut tree = Beginning::of(copy, origin).await?.removed;
    let grown = grow(copy, origin, (&mut tree, size)).await?;
    Ok((grown == Grown::Whole && tree.size() == size).then(|| tree.root()))
}
