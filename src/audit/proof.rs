//! Proofs that one record is in the log, for somebody who has the public key and nothing else (C2SP `tlog-proof`).
//!
//! A proof carries the record's exact bytes (as `extra`), its number, the audit path (RFC 6962 section 2.1.1) and a signed
//! checkpoint. Any program that knows the format can check it; `cedargate audit verify --proof` does.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::checkpoint::{Checkpoint, NoteError};
use super::merkle::{Hash, Peaks, Window, leaf_hash, root_from_inclusion};
use super::verify::Unable;
use crate::keys::LogPublicKey;
use crate::model::id::DecisionId;
use crate::store::audit::LogCopy;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// A path is as long as the tree is high.
const PATH_MAX: usize = 64;

/// A proof that a record is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The record's exact bytes.
    pub body: Vec<u8>,
    /// Its number.
    pub index: u64,
    /// The audit path, from the leaf up.
    pub path: Vec<Hash>,
    /// The signed note.
    pub note: String,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It has not the form.
    #[error("it is not a proof: {0}")]
    Form(&'static str),
    /// Nobody known vouches for it.
    #[error("its checkpoint does not hold: {0}")]
    Checkpoint(#[from] NoteError),
    /// The record is not in the tree.
    #[error(
        "the record is not number {index} of the {size} records that its checkpoint vouches for"
    )]
    Elsewhere {
        /// The number that it claims.
        index: u64,
        /// Records vouched for.
        size: u64,
    },
}

impl Proof {
    /// Makes the proof of a record; none when it is not there, was erased, or no checkpoint vouches for it yet.
    ///
    /// # Errors
    /// When the log can't be read.
    pub async fn make(copy: &mut LogCopy, id: DecisionId) -> Result<Option<Self>, Unable> {
        let origins = copy.origins().await?;
        let Some(of) = origins.iter().find(|origin| origin.id == id.origin) else {
            return Ok(None);
        };
        let before = copy.point_before(of, id.seq).await?;
        let Some(after) = copy.points(of, id.seq.saturating_add(1)).await?.into_iter().next()
        else {
            return Ok(None);
        };
        let peaks = before.and_then(|point| Peaks::from_bytes(point.size, &point.peaks));
        let peaks = peaks.unwrap_or_default();
        let rows = copy.rows(of, (id.seq, id.seq.saturating_add(1))).await?;
        let Some(body) = rows.into_iter().next().and_then(|row| row.body) else { return Ok(None) };
        let mut leaves: Vec<Hash> = Vec::new();
        let mut at = peaks.size();
        while at < after.size {
            let page = copy.hashes(of, (at, after.size)).await?;
            if page.is_empty() {
                return Ok(None);
            }
            at = at.saturating_add(page.len() as u64);
            leaves.extend(page);
        }
        let path = Window::new(peaks, leaves).inclusion(id.seq);
        Ok(path.map(|path| Self { body, index: id.seq, path, note: after.note }))
    }

    /// The text of a `.tlog-proof` file.
    pub fn to_text(&self) -> String {
        let extra = STANDARD.encode(&self.body);
        let mut text = format!("{FIRST_LINE}\nextra {extra}\nindex {}\n", self.index);
        for hash in &self.path {
            // Writing into a string can't fail.
            let _ = writeln!(text, "{}", STANDARD.encode(hash));
        }
        text.push('\n');
        text.push_str(&self.note);
        text
    }

    /// Reads a `.tlog-proof` file that carries its record.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let form = ProofError::Form;
        let (head, note) = text.split_once("\n\n").ok_or(form("no empty line"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(form("its first line is another"));
        }
        let extra = lines.next().and_then(|line| line.strip_prefix("extra "));
        let body = extra.and_then(|extra| STANDARD.decode(extra).ok());
        let body = body.ok_or(form("it does not carry its record"))?;
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index.and_then(|index| index.parse().ok()).ok_or(form("no index"))?;
        let hash = |line: &str| STANDARD.decode(line).ok()?.try_into().ok();
        let path: Option<Vec<Hash>> = lines.map(hash).collect();
        let path = path.filter(|path| path.len() <= PATH_MAX).ok_or(form("its path is no path"))?;
        Ok(Self { body, index, path, note: note.to_owned() })
    }

    /// Checks it with the public key alone. Gives what the key vouches for.
    ///
    /// # Errors
    /// When it proves nothing.
    pub fn check(&self, key: &LogPublicKey) -> Result<Checkpoint, ProofError> {
        let checkpoint = Checkpoint::open(&self.note, key)?;
        let leaf = leaf_hash(&self.body);
        let root = root_from_inclusion(leaf, self.index, checkpoint.size, &self.path);
        if root == Some(checkpoint.root) {
            return Ok(checkpoint);
        }
        Err(ProofError::Elsewhere { index: self.index, size: checkpoint.size })
    }
}
