//! What was told elsewhere and is not in the file: found when a log is accepted as it is, so that the record of it says what
//! was lost. What can't be read is not there.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::beginning::{Beginning, Grown, grow, tree_over};
use super::checkpoint::Checkpoint;
use super::merkle::Hash;
use super::verify::said::Restored;
use crate::model::id::OriginId;
use crate::model::record::{FoundLog, Lost};
use crate::store::StoreError;
use crate::store::audit::{CopyOrigin, LogCopy};

/// What was told of one log: the roots that each size was told with.
type Told = BTreeMap<u64, BTreeSet<Hash>>;

/// What these checkpoints vouch for, and what an acceptance before found, and the file does not have, log by log.
///
/// # Errors
/// When the file does not name its logs.
pub(super) async fn losses(
    copy: &mut LogCopy,
    points: impl IntoIterator<Item = Checkpoint>,
) -> Result<Vec<Lost>, StoreError> {
    let origins = copy.origins().await?;
    let before = found_before(copy, &origins).await;
    let mut logs: BTreeMap<OriginId, Told> = BTreeMap::new();
    for Checkpoint { origin, size, root } in points.into_iter().chain(before) {
        logs.entry(origin).or_default().entry(size).or_default().insert(root);
    }
    let mut all = Vec::new();
    for (origin, told) in logs {
        let found = origins.iter().find(|found| found.id == origin);
        let lost = match found {
            Some(found) => compared(copy, found, told).await.lost(),
            None => told.into_keys().next_back().map(|told| (0, told)),
        };
        all.extend(lost.map(|(kept, told)| Lost { origin: origin.to_string(), kept, told }));
    }
    Ok(all)
}

/// What acceptances before say of the logs that they found.
async fn found_before(copy: &mut LogCopy, origins: &[CopyOrigin]) -> Vec<Checkpoint> {
    let mut all = Vec::new();
    for origin in origins {
        let first = copy.said(origin, (0, 1)).await.unwrap_or_default();
        let said =
            first.first().and_then(|(_, body)| serde_json::from_slice::<Restored>(body).ok());
        all.extend(said.iter().flat_map(Restored::found).filter_map(as_told));
    }
    all
}

fn as_told(found: FoundLog) -> Option<Checkpoint> {
    let FoundLog { origin, records: size, root, .. } = found;
    let root = STANDARD.decode(root?).ok()?.try_into().ok()?;
    Some(Checkpoint { origin: origin.parse().ok()?, size, root })
}

/// What a log is, beside what was told of it.
struct Compared {
    /// How many records it has.
    records: u64,
    /// How many of them were removed with age.
    removed: u64,
    /// Each size that was told, with what the log has there, smallest first.
    sizes: Vec<(u64, Fits)>,
}

/// Whether the log is what a checkpoint vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fits {
    Yes,
    No,
}

impl Compared {
    /// The size up to which nothing says otherwise, and the largest that does not fit; none where all of them fit.
    fn lost(&self) -> Option<(u64, u64)> {
        let first = self.sizes.iter().position(|(_, fits)| *fits == Fits::No)?;
        let (told, _) = self.sizes.iter().rfind(|(_, fits)| *fits == Fits::No)?;
        let (size, _) = self.sizes.get(first)?;
        if *size > self.records {
            // What is there is what it was, as far as anybody says.
            return Some((self.records, *told));
        }
        // Behind a record that is another one nothing is what it was. What was removed with age is not lost.
        let kept = self.sizes.get(..first)?.last().map_or(self.removed, |(size, _)| *size);
        Some((kept, *told))
    }
}

/// Compares a log with what was told of it. What was removed with age says nothing.
async fn compared(copy: &mut LogCopy, log: &CopyOrigin, told: Told) -> Compared {
    let last = copy.last(log).await.unwrap_or_default();
    let records = last.map_or(0, |last| last.saturating_add(1));
    let beginning = Beginning::of(copy, log).await;
    let mut tree = beginning.map(|beginning| beginning.removed).unwrap_or_default();
    let (removed, mut sizes) = (tree.size(), Vec::with_capacity(told.len()));
    for (size, roots) in told {
        if size < tree.size() {
            continue;
        }
        let grown = grow(copy, log, (&mut tree, size)).await;
        let is_whole = grown.is_ok_and(|grown| grown == Grown::Whole);
        let fits = is_whole && roots.iter().all(|root| *root == tree.root());
        sizes.push((size, if fits { Fits::Yes } else { Fits::No }));
    }
    Compared { records, removed, sizes }
}

/// All logs of the file that have records, as they are.
///
/// # Errors
/// When the file does not name its logs.
pub(super) async fn found(copy: &mut LogCopy) -> Result<Vec<FoundLog>, StoreError> {
    let mut all = Vec::new();
    for log in copy.origins().await? {
        let (records, tree) = match copy.last(&log).await {
            Ok(None) => continue,
            Ok(Some(last)) => {
                let records = last.saturating_add(1);
                (records, tree_over(copy, &log, records).await)
            }
            Err(error) => (0, Err(error)),
        };
        let (root, trouble) = match tree {
            Ok(tree) => (tree.map(|tree| STANDARD.encode(tree.root())), None),
            Err(error) => (None, Some(error.to_string())),
        };
        all.push(FoundLog { origin: log.id.to_string(), records, root, trouble });
    }
    Ok(all)
}
