//! The Merkle tree over the records of one origin: RFC 6962 section 2.1, SHA-256.
//!
//! Leaves are `SHA-256(0x00 || body)`, inner nodes `SHA-256(0x01 || left || right)`. A tree of any size is kept as its
//! [`Peaks`]: the roots of the perfect trees that it consists of, largest first, at most one for each bit of the size.
//! That is all it takes to append, and to begin again in the middle of a log.

use sha2::{Digest, Sha256};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// Bytes of a hash.
const WIDTH: usize = 32;

/// The hash of a record.
pub fn leaf_hash(body: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(body).finalize().into()
}

pub(super) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// A tree, as the roots of its perfect subtrees.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Peaks {
    size: u64,
    /// Largest first.
    peaks: Vec<Hash>,
}

impl Peaks {
    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.merge(leaf, self.size.trailing_ones());
        self.size = self.size.saturating_add(1);
    }

    /// Appends a perfect tree of `2^level` leaves, whose root is `hash`. False, and nothing happens, where such a tree
    /// can't stand: its place must be a multiple of its size.
    #[must_use]
    pub fn push_subtree(&mut self, level: u32, hash: Hash) -> bool {
        let Some(width) = 1_u64.checked_shl(level) else { return false };
        let Some(size) = self.size.checked_add(width) else { return false };
        if !self.size.is_multiple_of(width) {
            return false;
        }
        self.merge(hash, (self.size >> level).trailing_ones());
        self.size = size;
        true
    }

    fn merge(&mut self, mut hash: Hash, times: u32) {
        for _ in 0..times {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
        }
        self.peaks.push(hash);
    }

    /// The root (RFC 6962 `MTH`); of the empty tree the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev().copied();
        let Some(last) = peaks.next() else { return Sha256::digest([]).into() };
        peaks.fold(last, |right, left| node_hash(&left, &right))
    }

    /// The perfect subtrees with their levels, largest first.
    pub fn subtrees(&self) -> impl Iterator<Item = (u32, Hash)> + '_ {
        let levels = (0..u64::BITS).rev().filter(|level| self.size >> level & 1 == 1);
        levels.zip(self.peaks.iter().copied())
    }

    /// The peaks, one after the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// The opposite of [`Self::to_bytes`]; none when the bytes are not the peaks of a tree of this size.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (peaks, rest) = bytes.as_chunks::<WIDTH>();
        let wanted = usize::try_from(size.count_ones()).ok()?;
        (rest.is_empty() && peaks.len() == wanted).then(|| Self { size, peaks: peaks.to_vec() })
    }
}

/// Part of a tree: the peaks before it, and all leaves after them. Proofs are made from it.
#[derive(Debug, Clone)]
pub struct Window {
    before: Peaks,
    leaves: Vec<Hash>,
}

impl Window {
    /// The tree that continues `before` by `leaves`.
    pub fn new(before: Peaks, leaves: Vec<Hash>) -> Self {
        Self { before, leaves }
    }

    fn size(&self) -> u64 {
        self.before.size.saturating_add(self.leaves.len() as u64)
    }

    /// The audit path (RFC 6962 section 2.1.1) of the leaf with this index; none when it lies outside of the window.
    pub fn inclusion(&self, index: u64) -> Option<Vec<Hash>> {
        (index >= self.before.size && index < self.size()).then_some(())?;
        let mut path = Vec::new();
        self.descend((0, self.size()), index, &mut path)?;
        path.reverse();
        Some(path)
    }

    /// From the root down to the leaf, noting the sibling at each fork.
    fn descend(&self, mut span: (u64, u64), index: u64, path: &mut Vec<Hash>) -> Option<()> {
        while span.1 - span.0 > 1 {
            let middle = span.0 + split(span.1 - span.0);
            let (inside, sibling) = if index < middle {
                ((span.0, middle), (middle, span.1))
            } else {
                ((middle, span.1), (span.0, middle))
            };
            path.push(self.hash(sibling)?);
            span = inside;
        }
        Some(())
    }

    /// The root over leaves `from..to`: read off the peaks where it lies before the window.
    fn hash(&self, (from, to): (u64, u64)) -> Option<Hash> {
        if to <= self.before.size {
            return self.peak(from, to);
        }
        if to - from == 1 {
            let at = usize::try_from(from.checked_sub(self.before.size)?).ok()?;
            return self.leaves.get(at).copied();
        }
        let middle = from + split(to - from);
        Some(node_hash(&self.hash((from, middle))?, &self.hash((middle, to))?))
    }

    fn peak(&self, from: u64, to: u64) -> Option<Hash> {
        let mut at = 0;
        for (level, hash) in self.before.subtrees() {
            let end = at + (1_u64 << level);
            if (at, end) == (from, to) {
                return Some(hash);
            }
            at = end;
        }
        // Several peaks together: the right edge of the tree before the window.
        let middle = from + split(to.checked_sub(from).filter(|width| *width > 1)?);
        Some(node_hash(&self.peak(from, middle)?, &self.peak(middle, to)?))
    }
}

/// The largest power of two below `width`, which is at least 2.
fn split(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}

/// The root that an audit path leads to (RFC 9162 section 2.1.3.2); none when the path does not fit index and size.
pub fn root_from_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}
