//! Records that an export leaves out: as few perfect subtrees as stand in for them.

use crate::audit::merkle::{Hash, node_hash};

/// Hashes of records one after the other, folded as they come.
#[derive(Debug, Default)]
pub(super) struct Gap {
    /// Level and root, in order. Each begins at a multiple of its size.
    trees: Vec<(u32, Hash)>,
    /// The number behind the last.
    end: u64,
}

impl Gap {
    /// Leaves out the record with this number, which follows the one before.
    pub(super) fn push(&mut self, seq: u64, leaf: Hash) {
        self.end = seq.saturating_add(1);
        let (mut level, mut hash) = (0, leaf);
        while let Some((left_level, left)) = self.trees.last().copied() {
            let wide = 1_u64.checked_shl(level + 1).unwrap_or(0);
            if left_level != level || wide == 0 || !self.end.is_multiple_of(wide) {
                break;
            }
            self.trees.pop();
            (level, hash) = (level + 1, node_hash(&left, &hash));
        }
        self.trees.push((level, hash));
    }

    /// What stands in for them, in order; then nothing is left out any more.
    pub(super) fn take(&mut self) -> Vec<(u32, Hash)> {
        std::mem::take(&mut self.trees)
    }
}
