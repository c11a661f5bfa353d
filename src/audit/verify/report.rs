//! What a check that found nothing wrong has seen.

use serde::Serialize;

use super::Numbers;
use super::accepted::Accepted;
use super::releases::Named;
use super::rhythm::Warning;
use crate::audit::merkle::Peaks;
use crate::model::id::OriginId;

/// A whole file or export.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// One log after the other, oldest first.
    pub origins: Vec<OriginReport>,
    /// Contents of principals that were checked.
    pub principals: u64,
    /// Checkpoints from outside that could not be compared, because what they speak of is not here or not theirs.
    pub uncompared: Vec<String>,
    /// Checkpoints from outside that were compared, and fit.
    pub compared: u64,
    /// Checkpoints from outside over records that were removed with age: a later one, which was compared, covers them, or a
    /// record says that their log was removed as a whole.
    pub aged: u64,
    /// What was lost, and accepted: checkpoints from outside that tell of it are no proof of a change since.
    pub accepted: Vec<Accepted>,
    /// What is odd about them, although all of it holds.
    pub warnings: Vec<Warning>,
    /// How many releases the records name.
    pub releases_named: u64,
    /// How many of those the database of rules has as a record says that they were published; none where it was not asked.
    pub releases: Option<u64>,
    /// How many of those fit nothing but the hash beside them: the records of their publication were removed with age.
    pub releases_by_own_hash: u64,
    #[serde(skip)]
    pub(super) named: Named,
    #[serde(skip)]
    gaps: Vec<(Peaks, Numbers)>,
}

/// The log of one origin.
#[derive(Debug, Clone, Serialize)]
pub struct OriginReport {
    /// Whose.
    #[serde(serialize_with = "as_text")]
    pub origin: OriginId,
    /// The first record that is there.
    pub first: u64,
    /// How many records the log has, with those removed with age.
    pub records: u64,
    /// How many of them were read.
    pub read: u64,
    /// How many of them were blanked, and a record says so.
    pub blanked: u64,
    /// Checkpoints that hold.
    pub checkpoints: u64,
    /// Times that the process was cut off.
    pub crashes: u64,
    /// Time of the first record that was read.
    pub from: Option<String>,
    /// Time of the last.
    pub to: Option<String>,
    /// Why it was begun behind another log; none when it was not.
    pub restored: Option<String>,
    /// The key that signs it now, as C2SP verifier key.
    pub key: String,
    /// The root over all of its records, base64.
    pub root: String,
}

fn as_text<S: serde::Serializer>(id: &OriginId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

impl OriginReport {
    pub(super) fn new(origin: OriginId, first: u64) -> Self {
        Self {
            origin,
            first,
            records: first,
            read: 0,
            blanked: 0,
            checkpoints: 0,
            crashes: 0,
            from: None,
            to: None,
            restored: None,
            key: String::new(),
            root: String::new(),
        }
    }

    pub(super) fn took(&mut self, at: &str) {
        self.read = self.read.saturating_add(1);
        if self.from.is_none() {
            self.from = Some(at.to_owned());
        }
        // In place: of millions of times the last one stays.
        let to = self.to.get_or_insert_default();
        to.clear();
        to.push_str(at);
    }
}

impl Report {
    pub(super) fn add(&mut self, report: OriginReport, base: Peaks, blanks: Numbers) {
        self.origins.push(report);
        self.gaps.push((base, blanks));
    }

    /// What each log lacks.
    pub(super) fn gaps(&self) -> impl Iterator<Item = (&OriginReport, &Peaks, &Numbers)> {
        self.origins.iter().zip(&self.gaps).map(|(report, (base, blanks))| (report, base, blanks))
    }

    pub(super) fn of(&self, origin: OriginId) -> Option<&OriginReport> {
        self.origins.iter().find(|report| report.origin == origin)
    }

    /// How many records were read.
    pub fn read(&self) -> u64 {
        self.origins.iter().map(|report| report.read).sum()
    }
}
