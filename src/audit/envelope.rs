//! The envelope around an entry, and the bytes of a record.
//!
//! A body is one JSON object: first the envelope (`v`, `origin`, `seq`, `at`, `boot`, `salt`, `kind`, `id`), then the
//! fields of the entry. It is spelled once; these bytes are hashed, stored and handed out, and never made again. Origin
//! and number inside the body keep rows from being swapped. The salt keeps a body that was erased from being guessed from
//! the hash that stays. The hash is that of a leaf in RFC 6962 section 2.1: SHA-256 over a zero byte and the body.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::AuditError;
use super::merkle::leaf_hash;
use crate::model::id::{DecisionId, OriginId};
use crate::model::principal::{PrincipalHash, PrincipalSnapshot};
use crate::model::record::Entry;
use crate::model::time::Timestamp;
use crate::store::audit::{About, Row};

/// The version of the body's form.
const VERSION: u8 = 1;

/// Bytes that most entries take, so that their text is not moved while it grows.
const USUAL: usize = 1_024;

/// An entry, spelled, but without its place in the log: that much is made before anybody waits for a turn.
#[derive(Debug)]
pub(super) struct Envelope {
    /// The entry as a JSON object.
    content: Vec<u8>,
    kind: &'static str,
    about: About,
    principal: Option<(PrincipalHash, Arc<PrincipalSnapshot>)>,
}

impl Envelope {
    pub(super) fn of(entry: &Entry) -> Result<Self, AuditError> {
        let kind = entry.kind();
        let mut content = Vec::with_capacity(USUAL);
        serde_json::to_writer(&mut content, entry)
            .map_err(|source| AuditError::Spelling { kind, source })?;
        let (about, principal) = match entry {
            Entry::Decision(record) => {
                let principal = Arc::clone(&record.principal);
                let hash = principal.hash();
                let about = About {
                    verdict: Some(record.verdict),
                    app: record.app.clone(),
                    route: record.route.clone(),
                    subject: principal.subject().cloned(),
                    principal: Some(hash),
                };
                (about, Some((hash, principal)))
            }
            Entry::Event(event) => {
                (About { subject: event.subject().cloned(), ..About::default() }, None)
            }
            // A refusal falls before app, route or principal are known.
            Entry::Refusal(_) => (About::default(), None),
        };
        Ok(Self { content, kind, about, principal })
    }

    /// Bytes that it takes in the queue, roughly.
    pub(super) fn size(&self) -> usize {
        self.content.len().saturating_add(256)
    }

    pub(super) fn principal(&self) -> Option<&(PrincipalHash, Arc<PrincipalSnapshot>)> {
        self.principal.as_ref()
    }
}

/// What makes rows out of envelopes: the writer's name, this run's name, and the source of salts.
pub(super) struct Seal {
    origin: OriginId,
    boot: String,
    secret: [u8; 32],
}

/// The secret of the salts is not for logs.
impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").field("origin", &self.origin).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Head<'a> {
    v: u8,
    origin: String,
    seq: u64,
    at: String,
    boot: &'a str,
    salt: String,
    kind: &'static str,
    id: String,
}

impl Seal {
    /// `boot` and `secret` are random.
    pub(super) fn new(origin: OriginId, boot: [u8; 8], secret: [u8; 32]) -> Self {
        let boot = format!("{:016x}", u64::from_be_bytes(boot));
        Self { origin, boot, secret }
    }

    pub(super) fn id(&self, seq: u64) -> DecisionId {
        DecisionId { origin: self.origin, seq }
    }

    /// The row that goes to this place.
    pub(super) fn row(
        &self,
        seq: u64,
        at: Timestamp,
        envelope: Envelope,
    ) -> Result<Row, serde_json::Error> {
        let head = Head {
            v: VERSION,
            origin: self.origin.to_string(),
            seq,
            at: at.to_string(),
            boot: &self.boot,
            salt: self.salt(seq),
            kind: envelope.kind,
            id: self.id(seq).to_string(),
        };
        let mut body = Vec::with_capacity(envelope.size());
        serde_json::to_writer(&mut body, &head)?;
        join(&mut body, &envelope.content);
        let leaf_hash = leaf_hash(&body);
        Ok(Row { seq, body, leaf_hash, at, kind: envelope.kind, about: envelope.about })
    }

    /// 16 bytes that nobody can foretell without this run's secret: as good as drawn, and drawing can't fail here.
    fn salt(&self, seq: u64) -> String {
        let bytes: [u8; 32] = Sha256::new()
            .chain_update(self.secret)
            .chain_update(seq.to_be_bytes())
            .finalize()
            .into();
        STANDARD.encode(bytes.first_chunk::<16>().unwrap_or(&[0; 16]))
    }
}

/// Makes one object of two, `{a}` and `{b}` to `{a,b}`, without spelling either again.
///
/// Invariant: both are objects that are not empty and share no field; a test spells every kind of entry.
fn join(body: &mut Vec<u8>, content: &[u8]) {
    body.pop();
    body.push(b',');
    body.extend_from_slice(content.strip_prefix(b"{").unwrap_or(content));
}
