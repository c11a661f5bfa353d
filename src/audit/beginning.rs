//! Where what is left of a log begins, at its first record or behind what was removed with age, and the tree from there
//! on, by nothing but hashes.

use super::merkle::Peaks;
use crate::store::StoreError;
use crate::store::audit::{CopyOrigin, LogCopy};

/// Where a log begins.
#[derive(Debug)]
pub(super) struct Beginning {
    /// The first record that is there.
    pub(super) first: Option<u64>,
    /// The tree over all that was removed: what its first checkpoint keeps.
    pub(super) removed: Peaks,
}

impl Beginning {
    pub(super) async fn of(copy: &mut LogCopy, origin: &CopyOrigin) -> Result<Self, StoreError> {
        let first = copy.first(origin).await?;
        if first == Some(0) {
            return Ok(Self { first, removed: Peaks::default() });
        }
        let points = copy.points(origin, 0).await?;
        let removed = points.first().and_then(|point| Peaks::from_bytes(point.size, &point.peaks));
        Ok(Self { first, removed: removed.unwrap_or_default() })
    }
}

/// Whether a tree could be grown as far as it was to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grown {
    /// It could.
    Whole,
    /// A record is missing.
    CutOff,
}

/// Adds the records below a number to the tree, by the hashes that the file has of them.
pub(super) async fn grow(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    (tree, upto): (&mut Peaks, u64),
) -> Result<Grown, StoreError> {
    while tree.size() < upto {
        let page = copy.hashes(origin, (tree.size(), upto)).await?;
        if page.is_empty() {
            return Ok(Grown::CutOff);
        }
        for hash in page {
            tree.push(hash);
        }
    }
    Ok(Grown::Whole)
}

/// The tree over the first `size` records, from the nearest checkpoint below; none where records are missing that it takes.
pub(super) async fn tree_over(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    size: u64,
) -> Result<Option<Peaks>, StoreError> {
    let point = copy.point_before(origin, size).await?;
    let tree = point.map_or_else(
        || Some(Peaks::default()),
        |point| Peaks::from_bytes(point.size, &point.peaks),
    );
    let Some(mut tree) = tree else { return Ok(None) };
    let grown = grow(copy, origin, (&mut tree, size)).await?;
    Ok((grown == Grown::Whole).then_some(tree))
}
