//! What was told elsewhere and is not in the file: found when a log is accepted as it is, so that the record of it says what
//! was lost.

use std::collections::{BTreeMap, BTreeSet};

use super::beginning::{Beginning, Grown, grow};
use super::checkpoint::Checkpoint;
use super::merkle::Hash;
use crate::keys::LogPublicKey;
use crate::model::id::OriginId;
use crate::model::record::Lost;
use crate::store::StoreError;
use crate::store::audit::LogCopy;

/// Checkpoints of one log that its keys signed: the roots that each size was told with.
type Told = BTreeMap<u64, BTreeSet<Hash>>;

/// What these notes vouch for and the file does not have, log by log. A note that none of the keys signed says nothing.
///
/// # Errors
/// When the file can't be read.
pub(super) async fn losses(
    copy: &mut LogCopy,
    notes: &[String],
    keys: &[LogPublicKey],
) -> Result<Vec<Lost>, StoreError> {
    let mut logs: BTreeMap<OriginId, Told> = BTreeMap::new();
    for note in notes {
        if let Some(point) = keys.iter().find_map(|key| Checkpoint::open(note, key).ok()) {
            logs.entry(point.origin).or_default().entry(point.size).or_default().insert(point.root);
        }
    }
    let mut all = Vec::new();
    for (origin, told) in logs {
        let (records, compared) = compared(copy, origin, told).await?;
        let of_this = |(kept, told)| Lost { origin: origin.to_string(), kept, told };
        all.extend(contradicted(records, &compared).map(of_this));
    }
    Ok(all)
}

/// The size up to which nothing says otherwise, and the largest that does not fit; none where all of them fit.
fn contradicted(records: u64, compared: &[(u64, Fits)]) -> Option<(u64, u64)> {
    let first = compared.iter().position(|(_, fits)| *fits == Fits::No)?;
    let (told, _) = compared.iter().rfind(|(_, fits)| *fits == Fits::No)?;
    let (size, _) = compared.get(first)?;
    if *size > records {
        // What is there is what it was, as far as anybody says.
        return Some((records, *told));
    }
    // Behind a record that is another one nothing is what it was.
    let kept = compared.get(..first)?.last().map_or(0, |(size, _)| *size);
    Some((kept, *told))
}

/// Whether the log is what a checkpoint vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fits {
    Yes,
    No,
}

/// How many records the file has, and each size with what it has there, smallest first. What was removed with age says nothing.
async fn compared(
    copy: &mut LogCopy,
    origin: OriginId,
    told: Told,
) -> Result<(u64, Vec<(u64, Fits)>), StoreError> {
    let found = copy.origins().await?.into_iter().find(|found| found.id == origin);
    let Some(found) = found else {
        return Ok((0, told.into_keys().map(|size| (size, Fits::No)).collect()));
    };
    let records = copy.last(&found).await?.map_or(0, |last| last.saturating_add(1));
    let mut tree = Beginning::of(copy, &found).await?.removed;
    let mut compared = Vec::with_capacity(told.len());
    for (size, roots) in told {
        if size < tree.size() {
            continue;
        }
        let grown = grow(copy, &found, (&mut tree, size)).await?;
        let fits = grown == Grown::Whole && roots.iter().all(|root| *root == tree.root());
        compared.push((size, if fits { Fits::Yes } else { Fits::No }));
    }
    Ok((records, compared))
}
