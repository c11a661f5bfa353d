//! The envelope around an entry, and the bytes of a record.
//!
//! A body is one JSON object ([`crate::model::body`]): the head, the fields of the entry, and who asked. It is spelled once;
//! these bytes are hashed and handed out, and never spelled again: what is stored is cut off them, and put together again.
//! The id inside the body keeps rows from being swapped. The salt keeps a body that was erased from being guessed from the
//! hash that stays. The hash is that of a leaf in RFC 6962 section 2.1: SHA-256 over a zero byte and the body.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest, Sha256};

use super::error::AuditError;
use super::merkle::leaf_hash;
use crate::model::body::{Head, kept, whole};
use crate::model::id::{DecisionId, OriginId};
use crate::model::principal::PrincipalSnapshot;
use crate::model::record::Entry;
use crate::model::time::Timestamp;
use crate::store::audit::Row;

/// Bytes that most entries take, so that their text is not moved while it grows.
const USUAL: usize = 1_024;
/// Bytes of a head, and of what stands around a principal, so that a body is not moved either.
const HEAD: usize = 192;

/// An entry, spelled, but without its place in the log: that much is made before anybody waits for a turn.
#[derive(Debug)]
pub(super) struct Envelope {
    /// The entry as a JSON object.
    content: Vec<u8>,
    kind: &'static str,
    /// Who asked, of decisions.
    principal: Option<Arc<PrincipalSnapshot>>,
}

impl Envelope {
    pub(super) fn of(entry: &Entry) -> Result<Self, AuditError> {
        let kind = entry.kind();
        let mut content = Vec::with_capacity(USUAL);
        serde_json::to_writer(&mut content, entry)
            .map_err(|source| AuditError::Spelling { kind, source })?;
        let principal = match entry {
            Entry::Decision(record) => Some(Arc::clone(&record.principal)),
            // A refusal falls before the principal is known.
            Entry::Event(_) | Entry::Refusal(_) => None,
        };
        Ok(Self { content, kind, principal })
    }

    /// Bytes that it takes in the queue, roughly.
    pub(super) fn size(&self) -> usize {
        self.content.len().saturating_add(256)
    }
}

/// What makes rows out of envelopes: the writer's name, and the source of salts.
pub(super) struct Seal {
    origin: OriginId,
    secret: [u8; 32],
}

/// The secret of the salts is not for logs.
impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Seal {
    /// `secret` is random, and of this run alone.
    pub(super) fn new(origin: OriginId, secret: [u8; 32]) -> Self {
        Self { origin, secret }
    }

    pub(super) fn id(&self, seq: u64) -> DecisionId {
        DecisionId { origin: self.origin, seq }
    }

    /// The row that goes to this place.
    pub(super) fn row(&self, seq: u64, at: Timestamp, envelope: Envelope) -> Row {
        let Envelope { content, kind, principal } = envelope;
        let reference = principal.as_deref().map(PrincipalSnapshot::reference);
        let mut body = Vec::with_capacity(HEAD + content.len() + reference.map_or(0, str::len));
        let head = Head { id: self.id(seq), at: &at.to_string(), kind };
        head.spell(&self.salt(seq), &mut body);
        body.push(b',');
        // Invariant: an object that is not empty and has no field of the head; a test spells every kind of entry.
        body.extend_from_slice(content.strip_prefix(b"{").unwrap_or(&content));
        let (leaf_hash, body) = match reference {
            None => (leaf_hash(&body), body),
            Some(reference) => {
                let body = whole(body, reference);
                (leaf_hash(&body), kept(body, reference))
            }
        };
        Row { seq, body, leaf_hash, at, principal }
    }

    /// 16 bytes that nobody can foretell without this run's secret: as good as drawn, and drawing can't fail here.
    fn salt(&self, seq: u64) -> String {
        let bytes: [u8; 32] = Sha256::new()
            .chain_update(self.secret)
            .chain_update(seq.to_be_bytes())
            .finalize()
            .into();
        STANDARD_NO_PAD.encode(bytes.first_chunk::<16>().unwrap_or(&[0; 16]))
    }
}
