//! Checking an export: JSON Lines that hold a log, or part of one, with all that it takes to check it.
//!
//! ```text
//! {"cedargate_export":1,"origin":"0v9k3m2q","key":"cedargate/audit/0v9k3m2q+…",…}   one log begins
//! {"v":1,"id":"0v9k3m2q-7",…}                                                     a record: its exact bytes
//! {"omitted":{"level":3,"hash":"…"}}                                              records that are not in it
//! {"checkpoint":"cedargate/audit/0v9k3m2q\n…"}                                    a signed note over all before it
//! {"principal":"sha256 in hex","content":"…"}                                     who asked, as they were then
//! ```

use std::borrow::Cow;
use std::io::BufRead;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::copy::Outcome;
use super::{Check, Extent, Finding, Item, Trust, Unable};
use crate::audit::checkpoint::parse_verifier_key;
use crate::audit::merkle::{Hash, Peaks};
use crate::model::id::OriginId;

/// The version of the form.
pub const VERSION: u32 = 1;

/// The longest line that is read: a record is far shorter.
const LINE_MAX: usize = 4 << 20;

/// What begins a log in an export.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct Header {
    /// [`VERSION`].
    #[serde(rename = "cedargate_export")]
    pub version: u32,
    /// Whose log.
    pub origin: String,
    /// The key that signs its first checkpoint, as C2SP verifier key.
    pub key: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OmittedLine {
    omitted: Subtree,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subtree {
    level: u32,
    hash: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointLine<'a> {
    #[serde(borrow)]
    checkpoint: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PrincipalLine<'a> {
    #[serde(borrow)]
    principal: Cow<'a, str>,
    #[serde(borrow)]
    content: Cow<'a, str>,
}

/// Checks an export. `progress` learns how many lines were read.
///
/// # Errors
/// When it can't be read, or is none.
pub fn check(
    mut lines: impl BufRead,
    trust: Trust,
    mut progress: impl FnMut(u64),
) -> Result<Outcome, Unable> {
    let mut check = Check::new(Extent::Part, trust)?;
    let (mut number, mut line) = (0_u64, Vec::new());
    loop {
        line.clear();
        let mut limited = std::io::Read::take(&mut lines, LINE_MAX as u64 + 1);
        if limited.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        number = number.saturating_add(1);
        let unable = |why: &str| Unable::Line { line: number, why: why.to_owned() };
        if line.len() > LINE_MAX {
            return Err(unable("it is longer than any that Cedargate writes"));
        }
        let Some(text) = line.strip_suffix(b"\n") else {
            return Err(unable("it does not end: the export was cut off"));
        };
        if number == 1 && !text.starts_with(b"{\"cedargate_export\":") {
            return Err(unable("it does not begin as an export of Cedargate does"));
        }
        if let Err(finding) = take(&mut check, text).map_err(unable)? {
            return Ok(Outcome::Tampered(finding));
        }
        if number.is_multiple_of(4_096) {
            progress(number);
        }
    }
    if number == 0 {
        return Err(Unable::Nothing);
    }
    Ok(check.finish().map_or_else(Outcome::Tampered, Outcome::Intact))
}

fn take(check: &mut Check, line: &[u8]) -> Result<Result<(), Finding>, &'static str> {
    if line.starts_with(b"{\"v\":") {
        return Ok(check.take(Item::Record { seq: None, body: line, stored: None }));
    }
    if line.starts_with(b"{\"omitted\":") {
        let OmittedLine { omitted } =
            serde_json::from_slice(line).map_err(|_| "it says in no known form what it omits")?;
        let hash = STANDARD.decode(&omitted.hash).ok().and_then(|hash| hash.try_into().ok());
        let hash: Hash = hash.ok_or("its hash is not 32 bytes of base64")?;
        return Ok(check.take(Item::Omitted { level: omitted.level, hash }));
    }
    if line.starts_with(b"{\"checkpoint\":") {
        let CheckpointLine { checkpoint } =
            serde_json::from_slice(line).map_err(|_| "its checkpoint is no text")?;
        return Ok(check.take(Item::Checkpoint { size: None, note: &checkpoint, peaks: None }));
    }
    if line.starts_with(b"{\"principal\":") {
        let PrincipalLine { principal, content } =
            serde_json::from_slice(line).map_err(|_| "its principal has no known form")?;
        let hash = hex(&principal).ok_or("its principal is not named by 32 bytes in hex")?;
        return Ok(check.quoted_principal(hash, content.as_bytes()));
    }
    if line.starts_with(b"{\"cedargate_export\":") {
        return begin(check, line);
    }
    Err("it is nothing that an export holds")
}

fn begin(check: &mut Check, line: &[u8]) -> Result<Result<(), Finding>, &'static str> {
    let header: Header =
        serde_json::from_slice(line).map_err(|_| "its header has no known form")?;
    if header.version != VERSION {
        return Err("it is of another version of Cedargate");
    }
    let origin: OriginId = header.origin.parse().map_err(|_| "it names no origin")?;
    let hint = parse_verifier_key(&header.key).filter(|(of, _)| *of == origin);
    let hint = Some(hint.ok_or("its key is not that of its log")?.1);
    Ok(check.begin(origin, Peaks::default(), hint))
}

fn hex(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    if text.len() != 64 || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(text.as_bytes().as_chunks::<2>().0) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}
