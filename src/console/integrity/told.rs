//! The evidence in words, as the page shows it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::evidence::{Evidence, Gap, Standing};
use super::verdict::{broken, releases, unended};
use crate::audit::checkpoint::{Checkpoint, parse_verifier_key};
use crate::audit::verify::Answer;
use crate::audit::{AuditError, Kept};
use crate::config;
use crate::console::Console;
use crate::console::log::checked::Check;
use crate::console::log::fact::Fact;
use crate::console::log::told::Names;
use crate::console::urls;
use crate::console::words::{count, grouped};
use crate::model::record::RecordLine;
use crate::model::time::Timestamp;
use crate::store::audit::search::index_of;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{Notice, PersonName, Tone};

/// Whether the log is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictView {
    /// How it is meant.
    pub tone: Tone,
    /// In one sentence.
    pub sentence: String,
    /// What belongs to it.
    pub more: Vec<String>,
    /// What to do, step by step; empty where nothing has to be done.
    pub remedy: Vec<&'static str>,
    /// The same for printing.
    pub certificate: Option<Link>,
}

/// The newest checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadView {
    /// What it says.
    pub facts: Vec<Fact>,
    /// The whole note.
    pub note: String,
}

/// A key of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Its hash, which each of its signatures names.
    pub id: String,
    /// The whole, as C2SP verifier key.
    pub key: String,
    /// Signs from then on.
    pub from: Moment,
    /// Until then; none for the one that signs now.
    pub until: Option<Moment>,
}

/// A place where checkpoints are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorRow {
    /// What it is.
    pub name: &'static str,
    /// Where; empty where that is not here to say.
    pub path: String,
    /// What was last told it.
    pub remark: Notice,
    /// When.
    pub at: Option<Moment>,
}

/// A time in which nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapRow {
    /// The record that ends it.
    pub link: Link,
    /// Since when; none where the record before is gone.
    pub from: Option<Moment>,
    /// Until when.
    pub until: Moment,
    /// How long.
    pub length: String,
    /// Why.
    pub cause: Notice,
}

/// A check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRow {
    /// When it ended.
    pub at: Moment,
    /// Its record.
    pub link: Link,
    /// Who asked.
    pub who: PersonName,
    /// How it ended.
    pub answer: Notice,
    /// How many records it read.
    pub read: String,
    /// How long it took.
    pub took: String,
    /// The same for printing; none where it was ended before.
    pub certificate: Option<Link>,
}

/// Where no check is on record.
const UNCHECKED: &str = "Nobody has checked this log so far, from here or from the command line.";

/// What a check leaves open that knew nothing from elsewhere.
const UNCOMPARED: &str = "No checkpoint that was kept elsewhere was compared: whether records at its end were removed together with what vouched for them can't be told.";

/// What is known of the lines of the process's log.
const LINES: &str = "Each minute, with the others; where these lines go is not known here";

/// Where no anchor file is set.
const NO_FILE: &str = "Not set (audit.anchor_file). A file on another disk shows whether the end of the log was removed";

/// What becomes of records behind the time that they are kept.
const REMOVED: &str =
    ", then removed in whole ranges, oldest first; a signed record names what was removed";

/// What to do when something is wrong.
const REMEDY: [&str; 4] = [
    "Keep everything as it is: copy audit.db, cedargate.db and the anchor file to another machine.",
    "Check the copy there with the command at the end of this page: it names the record, the time and the cause, without this gate.",
    "Find out who could write the file, and compare it with an export or a backup from before.",
    "Go on behind what is there with cedargate audit accept once that is settled; it stays as evidence.",
];

/// Puts the evidence into words.
#[derive(Clone, Copy)]
pub(super) struct Teller<'a> {
    pub(super) console: &'a Console,
    pub(super) evidence: &'a Evidence,
    pub(super) names: Names<'a>,
}

impl Teller<'_> {
    pub(super) fn verdict(self) -> VerdictView {
        let Some(check) = self.evidence.verdict() else {
            return VerdictView {
                tone: Tone::Plain,
                sentence: "Not verified yet.".to_owned(),
                more: vec![UNCHECKED.to_owned()],
                remedy: Vec::new(),
                certificate: None,
            };
        };
        let (at, who) = (Moment::new(check.line.at).minute(), self.names.who(&check.actor()).name);
        let finding = check.verdict.finding.clone().unwrap_or_default();
        let (tone, sentence, more) = match check.verdict.result {
            Answer::Intact => {
                let to = check.last_record().map(|id| format!(" to record {id}"));
                let to = to.unwrap_or_default();
                let (tone, but) = if check.verdict.accepted.is_empty() {
                    (Tone::Good, "")
                } else {
                    (Tone::Careful, ", but for what was accepted as lost")
                };
                (tone, format!("Verified{to} on {at}, by {who}{but}."), self.since(check))
            }
            Answer::Tampered => {
                let more = format!("Found on {at}, by {who}: {finding}.");
                (Tone::Bad, broken(&check.verdict), vec![more])
            }
            Answer::Unknown | Answer::Cancelled => {
                let more = format!(
                    "Tried on {at}, by {who}: {finding}. This does not mean that it is broken."
                );
                (Tone::Careful, "Whether the log is whole can't be told.".to_owned(), vec![more])
            }
        };
        let remedy = if tone == Tone::Bad { REMEDY.to_vec() } else { Vec::new() };
        VerdictView {
            tone,
            sentence,
            more,
            remedy,
            certificate: Some(urls::certificate(&check.line.id)),
        }
    }

    /// What a check that found nothing wrong read, and what came since.
    fn since(self, check: &Check) -> Vec<String> {
        let verdict = &check.verdict;
        let mut more = vec![match verdict.read {
            1 => "1 record was read and holds.".to_owned(),
            all => format!("{} records were read and hold.", grouped(all)),
        }];
        more.extend((verdict.beside_key > 0).then(|| "The mark beside the key fits.".to_owned()));
        more.push(match verdict.elsewhere() {
            0 => UNCOMPARED.to_owned(),
            1 => "A checkpoint of an anchor file fits.".to_owned(),
            all => format!("{} checkpoints of an anchor file fit.", grouped(all)),
        });
        more.push(releases(verdict));
        let log = verdict.logs.last();
        let newest = self.evidence.newest();
        let grown =
            log.zip(newest).filter(|(log, newest)| newest.origin.id.to_string() == log.origin);
        let size =
            grown.and_then(|(log, newest)| newest.point.as_ref()?.size.checked_sub(log.records));
        more.extend(size.filter(|size| *size > 0).map(|size| {
            let were = if size == 1 { "was" } else { "were" };
            format!("{} {were} made since.", grouped(size))
        }));
        let losses = verdict.accepted.iter().map(|loss| unended(loss));
        more.extend(losses.map(|loss| format!("Known loss: {loss}.")));
        more.extend(verdict.warnings.iter().map(|warning| format!("To be looked at: {warning}.")));
        more
    }

    pub(super) fn head(self) -> Option<HeadView> {
        let newest = self.evidence.newest()?;
        let point = newest.point.as_ref()?;
        let read = Checkpoint::unverified(&point.note).ok()?;
        let key = parse_verifier_key(self.console.doorkeeper.audit.log_key())?.1;
        let signed = match Checkpoint::open(&point.note, &key) {
            Ok(_) => "Holds".to_owned(),
            Err(error) => format!("Does not hold: {error}"),
        };
        let facts = vec![
            Fact::code("Log", &read.origin.to_string()),
            Fact::prose("Records", &grouped(read.size)),
            Fact::prose(
                "Made at",
                &newest.at.map_or_else(String::new, |at| Moment::new(at).full()),
            ),
            Fact::code("Root over them", &STANDARD.encode(read.root)),
            Fact::code("Signed by key", &key_id(self.console.doorkeeper.audit.log_key())),
            Fact::prose("Signature", &signed),
        ];
        Some(HeadView { facts, note: point.note.clone() })
    }

    /// Every key, the one that signs now first.
    pub(super) fn keys(self) -> Vec<KeyRow> {
        let mut keys = Vec::new();
        let mut logs = self.evidence.logs.iter().peekable();
        while let Some(log) = logs.next() {
            let mut row = KeyRow::new(&log.origin.log_key, log.origin.opened);
            let all = self.evidence.rotations.iter().rev();
            for line in all.filter(|line| line.id.origin == log.origin.id) {
                let after = key_after(line);
                // The file may name it as its first already, after what was before was removed with age.
                if after != row.key {
                    keys.push(KeyRow { until: Some(Moment::new(line.at)), ..row });
                    row = KeyRow::new(&after, line.at);
                }
            }
            let until = logs.peek().map(|later| Moment::new(later.origin.opened));
            keys.push(KeyRow { until, ..row });
        }
        keys.reverse();
        keys
    }

    pub(super) fn anchors(self) -> Vec<AnchorRow> {
        let places = self.console.checks.places();
        let size = self
            .evidence
            .newest()
            .and_then(|newest| newest.point.as_ref())
            .map_or(0, |point| point.size);
        let mark = anchor("Mark beside the key", places.in_mark(), size);
        let file = places.in_file().map_or_else(no_file, |kept| anchor("Anchor file", kept, size));
        let line = AnchorRow {
            name: "Line of the process's log",
            path: String::new(),
            remark: Notice { tone: Tone::Plain, text: LINES.to_owned() },
            at: mark.at,
        };
        vec![file, mark, line]
    }

    pub(super) fn gaps(self) -> Vec<GapRow> {
        self.evidence.gaps.iter().map(GapRow::of).collect()
    }

    pub(super) fn keeping(self) -> Vec<Fact> {
        let retention = self.setting("audit.retention");
        let oldest = self.evidence.logs.iter().filter_map(|log: &Standing| log.oldest).min();
        let index =
            std::fs::metadata(index_of(self.console.searcher.log())).map(|index| index.len());
        let bytes =
            |read: std::io::Result<u64>| read.map_or_else(|_| "Not known".to_owned(), bytes);
        let behind = match self.evidence.behind {
            0 => "Up to date".to_owned(),
            1 => "1 record behind the log".to_owned(),
            behind => format!("{} records behind the log", grouped(behind)),
        };
        let mut facts = vec![
            Fact::prose(
                "Records are kept",
                &retention.map_or_else(String::new, |span| format!("{}{REMOVED}", kept(&span))),
            ),
            Fact::prose(
                "Oldest record",
                &oldest.map_or_else(String::new, |at| Moment::new(at).full()),
            ),
            Fact::prose("The log takes", &bytes(self.console.reader.bytes())),
            Fact::prose("Its search index takes", &bytes(index)),
            Fact::prose("The search index is", &behind),
        ];
        facts.retain(|fact| !fact.value.is_empty());
        facts
    }

    fn setting(self, key: &str) -> Option<String> {
        let setting = self.console.settings.iter().find(|setting| setting.key == key)?;
        match &setting.value {
            config::Shown::Text(text) => Some(text.clone()),
            config::Shown::List(_) | config::Shown::Secret | config::Shown::NotSet => None,
        }
    }

    /// The command that checks a copy elsewhere.
    pub(super) fn command(self) -> String {
        let keys = self.evidence.logs.first().map_or("", |log| log.origin.log_key.as_str());
        command(keys)
    }
}

/// The command that checks a copy of the log elsewhere, from its first key on.
pub(super) fn command(key: &str) -> String {
    format!(
        "cedargate audit verify --database audit.db --releases cedargate.db --checkpoint anchors.txt --key '{key}'"
    )
}

/// The key that a change of keys brought.
fn key_after(line: &RecordLine) -> String {
    let body: serde_json::Value = serde_json::from_str(&line.body).unwrap_or_default();
    body.get("after").and_then(|after| after.as_str()).unwrap_or_default().to_owned()
}

/// The part of a verifier key that names it.
pub(super) fn key_id(key: &str) -> String {
    key.split('+').nth(1).unwrap_or_default().to_owned()
}

impl KeyRow {
    fn new(key: &str, from: Timestamp) -> Self {
        Self { id: key_id(key), key: key.to_owned(), from: Moment::new(from), until: None }
    }
}

fn anchor(name: &'static str, kept: Result<Kept, AuditError>, size: u64) -> AnchorRow {
    let kept = match kept {
        Ok(kept) => kept,
        Err(error) => {
            let text =
                format!("Can't be read, which does not mean that the log is broken: {error}");
            return AnchorRow {
                name,
                path: String::new(),
                remark: Notice { tone: Tone::Careful, text },
                at: None,
            };
        }
    };
    let newest = kept.notes.last().and_then(|note| Checkpoint::unverified(note).ok());
    let (tone, text) = match newest {
        None => (Tone::Careful, "Holds no checkpoint yet".to_owned()),
        Some(point) if point.size > size => (
            Tone::Bad,
            format!(
                "Vouches for {} records, more than the log has: verify it now",
                grouped(point.size)
            ),
        ),
        Some(point) if point.size == 1 => (Tone::Good, "Vouches for 1 record".to_owned()),
        Some(point) => (Tone::Good, format!("Vouches for {} records", grouped(point.size))),
    };
    AnchorRow {
        name,
        path: kept.path.display().to_string(),
        remark: Notice { tone, text },
        at: kept.at.map(Moment::new),
    }
}

fn no_file() -> AnchorRow {
    let text = NO_FILE.to_owned();
    AnchorRow {
        name: "Anchor file",
        path: String::new(),
        remark: Notice { tone: Tone::Careful, text },
        at: None,
    }
}

impl GapRow {
    fn of(gap: &Gap) -> Self {
        let kind = gap.last.as_ref().map(|line| line.kind.as_str());
        let (tone, text) = match kind {
            Some("stopped") => (Tone::Plain, "Stopped in order"),
            Some("crash_found") => {
                (Tone::Careful, "Cut off: the process was killed, or the machine failed")
            }
            Some("restored" | "key_rotated") => {
                (Tone::Plain, "An operator worked on the log as a whole")
            }
            Some(_) | None => (Tone::Plain, "How the run before ended is not kept any more"),
        };
        let from = gap.last.as_ref().map(|line| line.at);
        Self {
            link: urls::event(&gap.id),
            from: from.map(Moment::new),
            until: Moment::new(gap.until),
            length: from.map_or_else(String::new, |from| length(gap.until.since(from).as_secs())),
            cause: Notice { tone, text: text.to_owned() },
        }
    }
}

impl CheckRow {
    pub(super) fn of(check: &Check, names: Names<'_>) -> Self {
        let verdict = &check.verdict;
        let (tone, word) = match verdict.result {
            Answer::Intact => (Tone::Good, "Intact"),
            Answer::Tampered => (Tone::Bad, "Tampered with"),
            Answer::Unknown => (Tone::Careful, "Can't be told"),
            Answer::Cancelled => (Tone::Plain, "Ended before it was done"),
        };
        let is_answer = verdict.result != Answer::Cancelled;
        Self {
            at: Moment::new(check.line.at),
            link: urls::event(&check.line.id),
            who: names.who(&check.actor()),
            answer: Notice { tone, text: word.to_owned() },
            read: grouped(verdict.read),
            took: took(verdict.took_ms),
            certificate: is_answer.then(|| urls::certificate(&check.line.id)),
        }
    }
}

/// `0.4 s`, `12 s`, `3 min`
pub(super) fn took(ms: u64) -> String {
    match ms {
        0..=9_999 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        10_000..=599_999 => format!("{} s", ms / 1_000),
        _ => format!("{} min", ms / 60_000),
    }
}

/// `40 seconds`, `3 minutes`, `2 hours`, `5 days`
fn length(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..=119 => (seconds, "second"),
        120..=7_199 => (seconds / 60, "minute"),
        7_200..=172_799 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

/// A span of the settings in full: `400d` is "400 days".
fn kept(span: &str) -> String {
    match span.strip_suffix('d') {
        Some(days) => count(days.parse().unwrap_or(0), "day"),
        None => span.to_owned(),
    }
}

/// `12.4 MB`
fn bytes(number: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let unit = units.into_iter().find(|(size, _)| number >= *size);
    unit.map_or_else(
        || format!("{number} bytes"),
        |(size, name)| format!("{}.{} {name}", number / size, number % size * 10 / size),
    )
}
