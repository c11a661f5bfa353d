//! The bytes of a record: how each begins, and how the log keeps them.
//!
//! ```text
//! {"v":1,"id":"0v9k3m2q-7","at":"2026-11-24T09:15:00.000000Z","kind":"decision","salt":"…",  the head
//!  …                                                                                      what is recorded
//!  ,"principal":{"kind":"user","id":"…","sha256":"…"}}                                    who asked, of decisions
//! ```
//!
//! The head has one spelling, so that it can be read without reading the rest. Who asked comes last: the same person asks
//! again and again, so the log keeps that text once and puts it behind each of their records when it is read ([`whole`]).

use std::io::Write as _;

use serde::{Deserialize, Serialize};

use super::id::{DecisionId, ReleaseNumber, Subject};
use super::principal::{PrincipalHash, Reference};
use super::time::{Instant, Timestamp};

/// The version of the form.
pub const VERSION: u8 = 1;

const TIME: &str = "\",\"at\":\"";
const KIND: &str = "\",\"kind\":\"";
const SALT: &str = "\",\"salt\":\"";
const PRINCIPAL: &[u8] = b",\"principal\":";
const RELEASE: &[u8] = b",\"release\":";

/// What every body begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// Its place in the log.
    pub id: DecisionId,
    /// When it went into the log, as it is spelled.
    pub at: &'a str,
    /// `decision`, `refusal` or an event's word.
    pub kind: &'a str,
}

impl<'a> Head<'a> {
    /// Reads the head of a body; none when it begins in another way.
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let (id, rest) = up_to_quote(body.strip_prefix(b"{\"v\":1,\"id\":\"")?)?;
        let (at, rest) = up_to_quote(rest.strip_prefix(TIME.as_bytes())?)?;
        let (kind, rest) = up_to_quote(rest.strip_prefix(KIND.as_bytes())?)?;
        rest.starts_with(SALT.as_bytes()).then_some(())?;
        Some(Self { id: id.parse().ok()?, at, kind })
    }

    /// When it went into the log; none when that is no time.
    pub fn at(&self) -> Option<Timestamp> {
        self.at.parse::<Instant>().ok().map(|at| at.0)
    }

    /// Adds a head to a body, which goes on with a comma. None of the parts has anything to escape.
    pub fn spell(&self, salt: &str, body: &mut Vec<u8>) {
        let Self { id, at, kind } = self;
        // Writing into memory can't fail.
        let _ = write!(body, "{{\"v\":{VERSION},\"id\":\"{id}{TIME}{at}{KIND}{kind}{SALT}{salt}\"");
    }
}

/// What stands before the next quote, and what begins with it.
fn up_to_quote(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let quote = bytes.iter().position(|byte| *byte == b'"')?;
    let (text, rest) = bytes.split_at_checked(quote)?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

/// What an erasure leaves of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remains {
    /// When it went into the log, as it was spelled.
    pub at: String,
    /// `decision`, `refusal` or an event's word.
    pub kind: String,
}

impl Remains {
    /// What is to be left of this body. Of one that has no head nothing can be.
    pub fn of(body: &[u8]) -> Self {
        let head = Head::read(body);
        let text = |of: fn(&Head<'_>) -> String| head.as_ref().map_or_else(String::new, of);
        Self { at: text(|head| head.at.to_owned()), kind: text(|head| head.kind.to_owned()) }
    }

    /// When it went into the log; none when that is no time.
    pub fn at(&self) -> Option<Timestamp> {
        self.at.parse::<Instant>().ok().map(|at| at.0)
    }
}

/// Whom an event is about, as [`super::record::Event::subject`] has it; decisions refer to who asked instead.
pub fn subject_of_event(body: &[u8]) -> Option<Subject> {
    #[derive(Deserialize)]
    struct Event {
        kind: String,
        #[serde(default)]
        subject: Option<String>,
        #[serde(default)]
        actor: Option<String>,
    }
    let event: Event = serde_json::from_slice(body).ok()?;
    let subject = match event.kind.as_str() {
        "session_ended" => event.subject,
        "signed_in" | "stepped_up" | "step_up_failed" | "principal_changed" => event.actor,
        _ => None,
    };
    subject?.parse().ok()
}

/// Whom a record is about: who asked, of a decision; else as [`subject_of_event`] has it. None where it is about nobody.
pub fn subject(whole: &[u8]) -> Option<Subject> {
    #[derive(Deserialize)]
    struct Decision {
        principal: Reference,
    }
    match Head::read(whole)?.kind {
        "decision" => serde_json::from_slice::<Decision>(whole).ok()?.principal.id,
        _ => subject_of_event(whole),
    }
}

/// A body put together from what the log keeps of it and how it names who asked.
///
/// What does not end as an object does stays as it is, and then is not what was hashed: no two texts give one body.
pub fn whole(mut kept: Vec<u8>, reference: &str) -> Vec<u8> {
    if kept.pop_if(|last| *last == b'}').is_some() {
        kept.extend_from_slice(PRINCIPAL);
        kept.extend_from_slice(reference.as_bytes());
        kept.push(b'}');
    }
    kept
}

/// The content hash of who asked, which is the last thing that a decision's body says.
pub fn asked(whole: &[u8]) -> Option<PrincipalHash> {
    let (before, hash) = whole.strip_suffix(b"\"}}")?.split_last_chunk::<64>()?;
    before.ends_with(b"\"sha256\":\"").then_some(())?;
    std::str::from_utf8(hash).ok()?.parse().ok()
}

/// The release that a decision, or a start, says it was made under: a number, which nothing else in a body that is called so
/// is. None where there is none.
pub fn release(body: &[u8]) -> Option<ReleaseNumber> {
    // Text in a body has no quote that is not escaped, so this is always the name of a field. It stands near the end.
    let found = body
        .windows(RELEASE.len())
        .rposition(|part| part.first() == Some(&b',') && part == RELEASE)?;
    let digits = body.get(found + RELEASE.len()..)?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok().map(ReleaseNumber)
}

/// The hash of the content of the release that a start was made under; none where it does not say so.
pub fn started_with(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Started {
        release_sha256: String,
    }
    serde_json::from_slice::<Started>(body).ok().map(|started| started.release_sha256)
}

/// A release that a change says was published, and the hash of its content; none where it is another change.
pub fn published(body: &[u8]) -> Option<(ReleaseNumber, String)> {
    #[derive(Deserialize)]
    struct Change {
        action: String,
        after: Option<Published>,
    }
    #[derive(Deserialize)]
    struct Published {
        release: ReleaseNumber,
        sha256: String,
    }
    let change: Change = serde_json::from_slice(body).ok()?;
    let published = change.after.filter(|_| change.action == "release_published")?;
    Some((published.release, published.sha256))
}

/// The opposite of [`whole`]: what the log keeps of a body that ends with this reference.
pub fn kept(mut whole: Vec<u8>, reference: &str) -> Vec<u8> {
    let behind = PRINCIPAL.len() + reference.len() + 1;
    whole.truncate(whole.len().saturating_sub(behind));
    whole.push(b'}');
    whole
}
