//! Taking records away: as evidence in JSON Lines, which can be checked by itself, or for a spreadsheet as CSV.
//!
//! An export as JSON Lines holds the exact bodies of the records that a query finds, and hashes of those in between, from
//! one checkpoint to another: whoever has the public key can check that each record is what was written, in its place
//! ([`super::verify::export`]). It does not prove that nothing else fits the query: what is left out is a hash. Records that say
//! what was accepted as lost are in it too, whatever was asked for: without them a known loss looks like another.
//!
//! Both are streamed: an export of any length takes the same memory, save for the principals that its records name.

mod csv;
mod gap;

use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json_borrow::{OwnedValue, Value};
use sha2::{Digest, Sha256};

pub use self::csv::VERSION as CSV_VERSION;
use self::gap::Gap;
use super::beginning::Beginning;
use super::merkle::{Hash, Peaks};
use super::verify::Unable;
use super::verify::export::{Header, VERSION};
use crate::model::body::{Head, asked};
use crate::model::id::DecisionId;
use crate::model::principal::PrincipalHash;
use crate::model::query::{Evidence, Known, Query};
use crate::model::time::Timestamp;
use crate::store::audit::{CopyOrigin, CopyRow, LogCopy};

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON Lines: exact, and can be checked.
    Jsonl,
    /// Comma-separated values.
    Csv,
}

/// What an export holds.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest {
    /// Its form.
    pub format: Format,
    /// What was looked for; empty: everything.
    pub query: String,
    /// Records in it.
    pub records: u64,
    /// The first of them.
    pub first: Option<String>,
    /// The last of them.
    pub last: Option<String>,
    /// For each log: the newest checkpoint that was there, as a signed note.
    pub checkpoints: Vec<String>,
    /// SHA-256 over the export, in hex.
    pub sha256: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The version of Cedargate that made it.
    pub version: &'static str,
}

/// Writes what `query` finds into `out`. `progress` learns how many records were read.
///
/// # Errors
/// When the log can't be read, or the export can't be written.
pub async fn export<K: Known>(
    copy: &mut LogCopy,
    (query, known): (&Query, &K),
    (format, out): (Format, &mut impl Write),
    mut progress: impl FnMut(u64),
) -> Result<Manifest, Unable> {
    let mut export = Export {
        query,
        known,
        out: Hashed { out, sha256: Sha256::new() },
        format,
        contents: HashMap::new(),
        named: BTreeMap::new(),
        found: (0, None, None),
        line: Vec::new(),
    };
    let mut checkpoints = Vec::new();
    if format == Format::Csv {
        csv::header(&mut export.line);
        export.flush()?;
    }
    for origin in copy.origins().await? {
        checkpoints.extend(export.one_log(copy, &origin, &mut progress).await?);
    }
    export.principals(copy).await?;
    export.out.out.flush()?;
    let (records, first, last) = export.found;
    Ok(Manifest {
        format,
        query: query.to_string(),
        records,
        first: first.map(|id| id.to_string()),
        last: last.map(|id| id.to_string()),
        checkpoints,
        sha256: PrincipalHash(export.out.sha256.finalize().into()).to_string(),
        made_at: known.now(),
        version: env!("CARGO_PKG_VERSION"),
    })
}

struct Export<'a, K, W> {
    query: &'a Query,
    known: &'a K,
    out: Hashed<'a, W>,
    format: Format,
    /// Contents of principals, read.
    contents: HashMap<PrincipalHash, OwnedValue>,
    /// Principals that records in it name, each with the last that does.
    named: BTreeMap<PrincipalHash, DecisionId>,
    found: (u64, Option<DecisionId>, Option<DecisionId>),
    line: Vec<u8>,
}

/// Contents that are kept at once.
const CONTENTS: usize = 20_000;

impl<K: Known, W: Write> Export<'_, K, W> {
    /// Gives the newest checkpoint of the log.
    async fn one_log(
        &mut self,
        copy: &mut LogCopy,
        origin: &CopyOrigin,
        progress: &mut impl FnMut(u64),
    ) -> Result<Option<String>, Unable> {
        let Some(newest) = copy.point_before(origin, u64::MAX >> 24).await? else {
            return Ok(None);
        };
        let (from, to) = self.span(copy, origin, newest.size).await?;
        // Something must come behind it: a checkpoint that vouches for it.
        let base = copy.point_before(origin, from.min(newest.size.saturating_sub(1))).await?;
        let base = base.and_then(|point| Peaks::from_bytes(point.size, &point.peaks));
        let base = base.unwrap_or_default();
        let to = if base.size() > 0 { to.max(base.size().saturating_add(1)) } else { to };
        self.begin(origin, &base)?;
        let (mut at, mut gap) = (base.size(), Gap::default());
        'log: while at < to {
            let points = copy.points(origin, at.saturating_add(1)).await?;
            for point in points {
                while at < point.size {
                    let rows = copy.rows(origin, (at, point.size)).await?;
                    if rows.is_empty() {
                        break 'log;
                    }
                    for row in rows {
                        at = row.seq().saturating_add(1);
                        self.take(copy, (origin, row), &mut gap).await?;
                    }
                    progress(at);
                }
                self.omit(&mut gap)?;
                self.vouch(&point.note)?;
                if at >= to {
                    break 'log;
                }
            }
        }
        Ok(Some(newest.note))
    }

    /// The numbers between which something can be found.
    async fn span(
        &self,
        copy: &mut LogCopy,
        origin: &CopyOrigin,
        size: u64,
    ) -> Result<(u64, u64), Unable> {
        let (from, to) = self.query.span(self.known.now());
        let from = match from {
            Some(at) => copy.first_since(origin, at).await?,
            None => 0,
        };
        // What is being removed with age is gone already.
        let from = from.max(Beginning::of(copy, origin).await?.removed.size());
        let to = match to {
            Some(at) => copy.first_since(origin, at).await?,
            None => size,
        };
        // What a log was begun behind may be asked for where the log itself is not.
        let to = if from == 0 && says_of_others(copy, origin).await? { to.max(1) } else { to };
        Ok((from, to.min(size)))
    }

    async fn take(
        &mut self,
        copy: &mut LogCopy,
        (origin, row): (&CopyOrigin, CopyRow),
        gap: &mut Gap,
    ) -> Result<(), Unable> {
        let seq = row.seq();
        let leaf = row.leaf_hash;
        let Some(body) = &row.body else {
            gap.push(seq, leaf);
            return Ok(());
        };
        let asked = asked(body);
        self.know(copy, asked).await?;
        let null = Value::Null;
        let principal = asked.and_then(|asked| self.contents.get(&asked));
        let principal = principal.map_or(&null, OwnedValue::get_value);
        let parsed: Value<'_> = serde_json::from_slice(body).unwrap_or(Value::Null);
        let id = DecisionId { origin: origin.id, seq };
        let head = Head::read(body);
        let at = head.and_then(|head| head.at()).unwrap_or(Timestamp::from_micros(0));
        let kind = head.map_or("unreadable", |head| head.kind);
        let record = Evidence { id, at, kind, body: &parsed, principal };
        if self.query.finds(&record, self.known) {
            if self.format == Format::Csv {
                csv::line(&mut self.line, &record);
            }
            self.found = (self.found.0 + 1, self.found.1.or(Some(id)), Some(id));
            self.named.extend(asked.map(|asked| (asked, id)));
        } else if !tells_of_losses(kind, &parsed) {
            gap.push(seq, leaf);
            return Ok(());
        }
        if self.format == Format::Jsonl {
            self.omit(gap)?;
            self.line.extend_from_slice(body);
            self.line.push(b'\n');
        }
        self.flush()
    }

    async fn know(
        &mut self,
        copy: &mut LogCopy,
        asked: Option<PrincipalHash>,
    ) -> Result<(), Unable> {
        let Some(asked) = asked.filter(|asked| !self.contents.contains_key(asked)) else {
            return Ok(());
        };
        if self.contents.len() >= CONTENTS {
            self.contents.clear();
        }
        let content = copy.principal(asked).await?.unwrap_or_default();
        if let Ok(content) = OwnedValue::from_string(content) {
            self.contents.insert(asked, content);
        }
        Ok(())
    }

    fn begin(&mut self, origin: &CopyOrigin, base: &Peaks) -> Result<(), Unable> {
        let id = origin.id.to_string();
        self.json(&Header { version: VERSION, origin: id, key: origin.log_key.clone() })?;
        for (level, hash) in base.subtrees() {
            self.subtree(level, hash)?;
        }
        Ok(())
    }

    fn omit(&mut self, gap: &mut Gap) -> Result<(), Unable> {
        gap.take().into_iter().try_for_each(|(level, hash)| self.subtree(level, hash))
    }

    fn subtree(&mut self, level: u32, hash: Hash) -> Result<(), Unable> {
        let hash = STANDARD.encode(hash);
        self.json(&serde_json::json!({ "omitted": { "level": level, "hash": hash } }))
    }

    fn vouch(&mut self, note: &str) -> Result<(), Unable> {
        self.json(&serde_json::json!({ "checkpoint": note }))
    }

    /// Who asked in the records, as they were then.
    async fn principals(&mut self, copy: &mut LogCopy) -> Result<(), Unable> {
        for (hash, id) in std::mem::take(&mut self.named) {
            let Some(content) = copy.principal(hash).await? else {
                still_whole(copy, id).await?;
                continue;
            };
            let name = serde_json::json!(hash.to_string());
            let content = serde_json::json!(content);
            self.text(&format!("{{\"principal\":{name},\"content\":{content}}}"))?;
        }
        Ok(())
    }

    fn json(&mut self, line: &impl Serialize) -> Result<(), Unable> {
        let text = serde_json::to_string(line).map_err(std::io::Error::from)?;
        self.text(&text)
    }

    /// A line that only JSON Lines have.
    fn text(&mut self, line: &str) -> Result<(), Unable> {
        if self.format == Format::Jsonl {
            self.line.extend_from_slice(line.as_bytes());
            self.line.push(b'\n');
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Unable> {
        self.out.write(&self.line)?;
        self.line.clear();
        Ok(())
    }
}

/// Whether a record says what was accepted as lost.
fn tells_of_losses(kind: &str, body: &Value<'_>) -> bool {
    kind == "restored" || (kind == "pruned" && body.get("said_anew").is_object())
}

/// Whether a log begins with a record of that.
async fn says_of_others(copy: &mut LogCopy, origin: &CopyOrigin) -> Result<bool, Unable> {
    Ok(!copy.said(origin, (0, 1)).await?.is_empty())
}

/// Refuses where a record that is in the export already has lost its content since: it is not to leave any more.
async fn still_whole(copy: &mut LogCopy, id: DecisionId) -> Result<(), Unable> {
    let origin = copy.origins().await?.into_iter().find(|origin| origin.id == id.origin);
    let origin = origin.ok_or(Unable::Removed)?;
    let rows = copy.rows(&origin, (id.seq, id.seq.saturating_add(1))).await?;
    let whole = rows.iter().any(|row| row.body.is_some());
    if whole { Ok(()) } else { Err(Unable::Removed) }
}

/// Hashes what is written.
struct Hashed<'a, W> {
    out: &'a mut W,
    sha256: Sha256,
}

impl<W: Write> Hashed<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.sha256.update(bytes);
        self.out.write_all(bytes)
    }
}
