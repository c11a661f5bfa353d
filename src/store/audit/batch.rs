//! What the writer of the log hands over to be written.

use std::sync::Arc;

use super::Fresh;
use crate::model::principal::PrincipalSnapshot;
use crate::model::time::Timestamp;

/// One record, ready to be written.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its number.
    pub seq: u64,
    /// What is kept of the bytes that were hashed: without the reference to who asked.
    pub body: Vec<u8>,
    /// SHA-256(0x00 || the bytes that were hashed).
    pub leaf_hash: [u8; 32],
    /// When.
    pub at: Timestamp,
    /// Who asked, of decisions.
    pub principal: Option<Arc<PrincipalSnapshot>>,
}

/// How far an outbox was taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Which outbox.
    pub source: &'static str,
    /// The highest row taken.
    pub id: i64,
}

/// A checkpoint, ready to be written: what vouches for all records up to its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// How many records it vouches for.
    pub size: u64,
    /// The signed note.
    pub note: String,
    /// Roots of the perfect subtrees, largest first, 32 bytes each.
    pub peaks: Vec<u8>,
    /// The checkpoint whose place it takes; none when all others stay.
    pub replaces: Option<u64>,
}

/// Records that become durable together.
#[derive(Debug, Default)]
pub struct Batch {
    /// In the order of their numbers, without gaps.
    pub rows: Vec<Row>,
    /// Outbox rows that became records of this batch.
    pub taken: Option<Taken>,
    /// What vouches for the log once they are part of it.
    pub head: Option<Head>,
}

/// What is done together with the first record of an origin.
#[derive(Debug, Clone)]
pub(super) struct Beginning {
    /// Begins then.
    pub(super) fresh: Fresh,
    /// An outbox that is taken over from its beginning again.
    pub(super) forgotten: Option<&'static str>,
}

/// What the file holds at the places of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Nothing: the batch is to be written.
    Nothing,
    /// The same bytes: the batch was written.
    All,
    /// Something else: another writer was here, and this one must stop.
    Other,
}
