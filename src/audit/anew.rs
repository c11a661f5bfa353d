//! What records that are removed with age say of other logs is said anew before they go: which losses were accepted, and
//! which logs were removed as a whole. So the log that is left explains itself at any moment.
//!
//! Nothing is said anew that is not vouched for: whoever can write the file and not sign would else have it signed here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::beginning::{Beginning, Grown, grow};
use super::checkpoint::Checkpoint;
use super::error::AuditError;
use super::merkle::{Hash, leaf_hash};
use super::verify::said::{Pruned, Restored};
use crate::keys::LogPublicKey;
use crate::model::body::Head;
use crate::model::id::OriginId;
use crate::model::record::Anew;
use crate::store::StoreError;
use crate::store::audit::{CopyOrigin, LogCopy};

/// What must stay known of an origin's records between two numbers. `key` signs the newest origin.
///
/// # Errors
/// When the file can't be read, or nothing vouches for what they say.
pub(super) async fn said_in(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    span: (u64, u64),
    key: &LogPublicKey,
) -> Result<Anew, AuditError> {
    let mut anew = Anew::default();
    let said = copy.said(origin, span).await?;
    for (_, body) in &said {
        add(&mut anew, origin.id, body);
    }
    let is_hashed = said.iter().all(|(hash, body)| leaf_hash(body) == *hash);
    if anew.is_empty() || (is_hashed && is_vouched_for(copy, origin, key).await?) {
        return Ok(anew);
    }
    Err(AuditError::Unproven { origin: origin.id })
}

/// What one record of the log `own` says. What it says of that log itself goes with it.
fn add(anew: &mut Anew, own: OriginId, body: &[u8]) {
    let Some(head) = Head::read(body) else { return };
    if let Ok(restored) = serde_json::from_slice::<Restored>(body) {
        anew.accept(restored.acceptance(head));
    } else if let Ok(Pruned { removal, anew: before }) = serde_json::from_slice(body) {
        before.accepted.into_iter().for_each(|acceptance| anew.accept(acceptance));
        let removed = std::iter::once(removal).chain(before.removed);
        removed.filter(|of| of.origin != own.to_string()).for_each(|removal| anew.remove(removal));
    }
}

/// Whether an origin is what `key` signed, or the first record of the newest one says that it was found.
async fn is_vouched_for(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    key: &LogPublicKey,
) -> Result<bool, StoreError> {
    let origins = copy.origins().await?;
    let Some(newest) = origins.last() else { return Ok(false) };
    let Some(point) = copy.point_before(newest, u64::MAX >> 24).await? else { return Ok(false) };
    let signed =
        Checkpoint::open(&point.note, key).ok().filter(|signed| signed.origin == newest.id);
    let tree = root(copy, (newest, point.size)).await?;
    if !signed.is_some_and(|signed| signed.size == point.size && Some(signed.root) == tree) {
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
