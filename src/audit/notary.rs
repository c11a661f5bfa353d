//! Vouching for every commit: the tree over the origin's records, and the key that signs it.
//!
//! The tree is kept in memory and never read from the file again while the process runs: what somebody does to old rows
//! meanwhile shows at the next check. It advances only once a batch is durable, so a batch that must be written again is
//! vouched for by the same bytes.

use super::checkpoint::Checkpoint;
use super::error::AuditError;
use super::merkle::Peaks;
use crate::keys::LogKey;
use crate::model::id::OriginId;
use crate::model::time::Timestamp;
use crate::store::audit::{Batch, Head};

const MINUTE_US: i64 = 60_000_000;

/// Signs the log.
#[derive(Debug)]
pub(super) struct Notary {
    origin: OriginId,
    key: LogKey,
    /// Signs beside the key while it takes over from it.
    successor: Option<LogKey>,
    tree: Peaks,
    newest: Option<Newest>,
}

/// The newest checkpoint: its size, and the minute that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Newest {
    size: u64,
    minute: Option<i64>,
}

/// What [`Notary::advance`] takes once the batch is durable.
#[derive(Debug)]
pub(super) struct Vouched {
    tree: Peaks,
    minute: i64,
    /// The signed note.
    pub(super) note: String,
}

impl Notary {
    /// Goes on where the file ends.
    ///
    /// # Errors
    /// When the newest checkpoint is not this key's for exactly the records that are there.
    pub(super) fn resume(
        origin: OriginId,
        key: LogKey,
        records: u64,
        newest: Option<&Head>,
    ) -> Result<Self, AuditError> {
        let vouched = newest.map_or(0, |head| head.size);
        if vouched != records {
            return Err(AuditError::Unvouched { records, vouched });
        }
        let tree = newest.map_or_else(|| Ok(Peaks::default()), |head| tree(origin, &key, head))?;
        let newest = newest.map(|head| Newest { size: head.size, minute: None });
        Ok(Self { origin, key, successor: None, tree, newest })
    }

    /// Lets another key sign from the next checkpoint on, which carries both signatures.
    pub(super) fn hand_over(&mut self, successor: LogKey) {
        self.successor = Some(successor);
    }

    /// Puts the checkpoint over a batch into it. Nothing changes here before [`Self::advance`].
    pub(super) fn vouch(&self, batch: &mut Batch, at: Timestamp) -> Vouched {
        let mut tree = self.tree.clone();
        for row in &batch.rows {
            tree.push(row.leaf_hash);
        }
        let checkpoint = Checkpoint { origin: self.origin, size: tree.size(), root: tree.root() };
        let keys: Vec<&LogKey> = std::iter::once(&self.key).chain(&self.successor).collect();
        let note = checkpoint.note(&keys);
        let minute = at.as_micros().div_euclid(MINUTE_US);
        let replaces = self.newest.filter(|newest| newest.minute == Some(minute));
        batch.head = Some(Head {
            size: tree.size(),
            note: note.clone(),
            peaks: tree.to_bytes(),
            replaces: replaces.map(|newest| newest.size),
        });
        Vouched { tree, minute, note }
    }

    /// The batch is durable. Gives its checkpoint.
    pub(super) fn advance(&mut self, vouched: Vouched) -> String {
        let Vouched { tree, minute, note } = vouched;
        if let Some(successor) = self.successor.take() {
            self.key = successor;
            // The checkpoint with both signatures must stay.
            self.newest = None;
        } else {
            self.newest = Some(Newest { size: tree.size(), minute: Some(minute) });
        }
        self.tree = tree;
        note
    }
}

/// The tree that a stored checkpoint stands for, if its note is the key's for it.
fn tree(origin: OriginId, key: &LogKey, head: &Head) -> Result<Peaks, AuditError> {
    let bad = |why: &str| AuditError::BadCheckpoint { why: why.to_owned() };
    let checkpoint = Checkpoint::open(&head.note, &key.public())
        .map_err(|error| AuditError::BadCheckpoint { why: error.to_string() })?;
    let tree = Peaks::from_bytes(head.size, &head.peaks)
        .ok_or_else(|| bad("its peaks do not fit its size"))?;
    if (checkpoint.origin, checkpoint.size) != (origin, head.size) {
        return Err(bad("it was signed for another place"));
    }
    if checkpoint.root != tree.root() {
        return Err(bad("its root is not that of its peaks"));
    }
    Ok(tree)
}
