//! Checkpoints: what a log vouches for at one size, as signed notes (C2SP `tlog-checkpoint` and `signed-note`).
//!
//! ```text
//! cedargate/audit/0v9k3m2q          the log: one per origin
//! 1182                              how many records
//! 3Xq…=                             the root over them, base64
//!
//! — cedargate/audit/0v9k3m2q k3Y…   the signature: key hash and Ed25519 signature, base64
//! ```
//!
//! The name of the key is the name of the log. A note may carry several signatures; those of other keys are skipped, as
//! the specification asks.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::merkle::Hash;
use crate::keys::{LogKey, LogPublicKey};
use crate::model::id::OriginId;

/// Signature type of Ed25519 in C2SP `signed-note`.
const ED25519: u8 = 1;

/// Notes are short; what is longer is none of ours.
const NOTE_MAX: usize = 64 * 1024;

const PREFIX: &str = "cedargate/audit/";

/// A log's size and root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose log.
    pub origin: OriginId,
    /// How many records.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// Why a note vouches for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It has not the form of a checkpoint.
    #[error("it is not a checkpoint: {0}")]
    Form(&'static str),
    /// No signature of it is this key's.
    #[error("it carries no signature of the key {0}")]
    Unsigned(String),
    /// A signature that should be this key's is not.
    #[error("its signature is not that of the key {0}")]
    Forged(String),
}

/// The first line of a log's checkpoints, and the name of its key.
pub fn name(origin: OriginId) -> String {
    format!("{PREFIX}{origin}")
}

impl std::fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} records of {}", self.size, self.origin)
    }
}

impl Checkpoint {
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", name(self.origin), self.size, STANDARD.encode(self.root))
    }

    /// The note, signed by each of the keys.
    pub fn note(&self, keys: &[&LogKey]) -> String {
        let text = self.text();
        let mut note = format!("{text}\n");
        for key in keys {
            let mut signature = key_hash(self.origin, &key.public()).to_vec();
            signature.extend_from_slice(&key.sign(text.as_bytes()));
            let name = name(self.origin);
            // Writing into a string can't fail.
            let _ = writeln!(note, "\u{2014} {name} {}", STANDARD.encode(signature));
        }
        note
    }

    /// Reads a note and checks that `key` signed it.
    ///
    /// # Errors
    /// When it is no checkpoint, or carries no sound signature of that key.
    pub fn open(note: &str, key: &LogPublicKey) -> Result<Self, NoteError> {
        let (checkpoint, text, signatures) = Self::split(note)?;
        let vkey = || verifier_key(checkpoint.origin, key);
        let hash = key_hash(checkpoint.origin, key);
        let mut signatures = signatures.iter().filter(|(by, _)| *by == hash);
        match signatures.next() {
            None => Err(NoteError::Unsigned(vkey())),
            Some((_, signature)) if key.has_signed(text.as_bytes(), signature) => Ok(checkpoint),
            Some(_) => Err(NoteError::Forged(vkey())),
        }
    }

    /// Reads a note without asking who signed it.
    ///
    /// # Errors
    /// When it is no checkpoint.
    pub fn unverified(note: &str) -> Result<Self, NoteError> {
        Self::split(note).map(|(checkpoint, ..)| checkpoint)
    }

    #[expect(clippy::type_complexity, reason = "the three parts of a note, taken apart at once")]
    fn split(note: &str) -> Result<(Self, &str, Vec<([u8; 4], [u8; 64])>), NoteError> {
        if note.len() > NOTE_MAX {
            return Err(NoteError::Form("it is too long"));
        }
        let (text, signatures) = note.split_once("\n\n").ok_or(NoteError::Form("no empty line"))?;
        let text = note.get(..=text.len()).ok_or(NoteError::Form("no text"))?;
        let checkpoint = Self::parse(text)?;
        let name = name(checkpoint.origin);
        let signatures = signatures.lines().filter_map(|line| signature(line, &name)).collect();
        Ok((checkpoint, text, signatures))
    }

    fn parse(text: &str) -> Result<Self, NoteError> {
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let mut line = |wanted| lines.next().ok_or(NoteError::Form(wanted));
        let origin = line("no origin")?
            .strip_prefix(PREFIX)
            .and_then(|id| id.parse().ok())
            .ok_or(NoteError::Form("its first line names no log of Cedargate"))?;
        let size = decimal(line("no size")?).ok_or(NoteError::Form("its size is no number"))?;
        let root = STANDARD.decode(line("no root")?).ok().and_then(|root| root.try_into().ok());
        let root = root.ok_or(NoteError::Form("its root is not 32 bytes of base64"))?;
        if lines.next().is_some() {
            return Err(NoteError::Form("it has lines that Cedargate never writes"));
        }
        Ok(Self { origin, size, root })
    }
}

/// The notes in a text that holds any number of them, as an anchor file does.
pub fn notes(text: &str) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        if line.starts_with(PREFIX) {
            notes.push(line.to_owned());
        } else if let Some(note) = notes.last_mut() {
            // What stands before the first is none of them.
            note.push_str(line);
        }
    }
    // What separates them is no part of a note.
    notes.iter().map(|note| format!("{}\n", note.trim_end())).collect()
}

/// Canonical: no sign, no leading zeros.
fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// The key hash and the signature on a line that carries this name.
fn signature(line: &str, name: &str) -> Option<([u8; 4], [u8; 64])> {
    let encoded = line.strip_prefix("\u{2014} ")?.strip_prefix(name)?.strip_prefix(' ')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let (hash, signature) = bytes.split_first_chunk::<4>()?;
    Some((*hash, signature.try_into().ok()?))
}

/// Which key: the first bytes of SHA-256 over name, newline, type and key (C2SP `signed-note`).
fn key_hash(origin: OriginId, key: &LogPublicKey) -> [u8; 4] {
    let digest: Hash = Sha256::new()
        .chain_update(name(origin))
        .chain_update(b"\n")
        .chain_update([ED25519])
        .chain_update(key.to_bytes())
        .finalize()
        .into();
    digest.first_chunk().copied().unwrap_or_default()
}

/// The key as other programs take it: `<name>+<hash>+<type and key>` (C2SP `signed-note`).
pub fn verifier_key(origin: OriginId, key: &LogPublicKey) -> String {
    let mut typed = vec![ED25519];
    typed.extend_from_slice(&key.to_bytes());
    let hash = u32::from_be_bytes(key_hash(origin, key));
    format!("{}+{hash:08x}+{}", name(origin), STANDARD.encode(typed))
}

/// The opposite of [`verifier_key`]: whose log, and the key. The hash must fit.
pub fn parse_verifier_key(text: &str) -> Option<(OriginId, LogPublicKey)> {
    let mut parts = text.splitn(3, '+');
    let origin: OriginId = parts.next()?.strip_prefix(PREFIX)?.parse().ok()?;
    let hash = parts.next()?;
    let typed = STANDARD.decode(parts.next()?).ok()?;
    let (kind, key) = typed.split_first()?;
    let key = LogPublicKey::from_bytes(key.try_into().ok()?)?;
    let fits =
        *kind == ED25519 && hash == format!("{:08x}", u32::from_be_bytes(key_hash(origin, &key)));
    fits.then_some((origin, key))
}
