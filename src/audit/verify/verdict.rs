//! How a check ended, as the log keeps it: what a `log_verified` record says.
//!
//! The verdict outlives the check and the process that made it. It is read leniently, for a log may hold what an earlier or
//! later program left.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::copy::Outcome;
use super::{Finding, OriginReport, Report, Unable};
use crate::model::id::ReleaseNumber;

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The answer.
    pub result: Answer,
    /// How many records were read.
    #[serde(default)]
    pub read: u64,
    /// What holds of each log, oldest first; empty where something is wrong.
    #[serde(default)]
    pub logs: Vec<OriginVerdict>,
    /// What is wrong, or why it can't be told, as a sentence without its end.
    #[serde(default)]
    pub finding: Option<String>,
    /// The first record that may be concerned.
    #[serde(default)]
    pub at: Option<String>,
    /// The release that the database of rules does not have as it was published, where that is what is wrong: the record
    /// `at` only names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_release: Option<ReleaseNumber>,
    /// Checkpoints kept outside of the log that fit.
    #[serde(default)]
    pub compared: u64,
    /// What is odd, although each record holds; each as a sentence without its end.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// What was lost, and accepted; each as a sentence without its end.
    #[serde(default)]
    pub accepted: Vec<String>,
    /// How many of the compared checkpoints were kept beside the key: whoever can write the log may reach that place too.
    #[serde(default)]
    pub beside_key: u64,
    /// How many releases that records name the database of rules has as a record says that they were published; none where it
    /// was not asked.
    #[serde(default)]
    pub releases: Option<u64>,
    /// How many of them fit nothing but the hash beside them: the records of their publication were removed with age.
    #[serde(default)]
    pub releases_by_own_hash: u64,
    /// How long it took, in milliseconds.
    #[serde(default)]
    pub took_ms: u64,
    /// The version of the program that checked.
    #[serde(default)]
    pub version: String,
}

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Nothing is wrong.
    Intact,
    /// Something is.
    Tampered,
    /// It can't be told.
    Unknown,
    /// Somebody ended it before it was done.
    Cancelled,
}

/// What holds of the log of one origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginVerdict {
    /// Whose.
    pub origin: String,
    /// The first record that is there.
    pub first: u64,
    /// How many records it has, with those removed with age.
    pub records: u64,
    /// The root over them, base64.
    pub root: String,
    /// The key that signs it, as C2SP verifier key.
    pub key: String,
    /// Time of the first record that was read.
    pub from: Option<String>,
    /// Time of the last.
    pub to: Option<String>,
}

impl Verdict {
    /// Of a check that ended so, after this long.
    pub fn of(outcome: &Result<Outcome, Unable>, took: Duration) -> Self {
        let verdict = match outcome {
            Ok(Outcome::Intact(report)) => Self::sound(report),
            Ok(Outcome::Tampered(finding)) => Self::tampered(finding),
            Err(error) => Self::new(Answer::Unknown, Some(error.to_string())),
        };
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Self { took_ms, ..verdict }
    }

    /// Of a check that somebody ended.
    pub fn cancelled(read: u64) -> Self {
        Self { read, ..Self::new(Answer::Cancelled, None) }
    }

    /// The same, where so many of the checkpoints that were compared were those beside the key.
    #[must_use]
    pub fn with_beside_key(self, checkpoints: u64) -> Self {
        Self { beside_key: checkpoints.min(self.compared), ..self }
    }

    /// Checkpoints that were kept elsewhere and fit.
    pub fn elsewhere(&self) -> u64 {
        self.compared.saturating_sub(self.beside_key)
    }

    fn new(result: Answer, finding: Option<String>) -> Self {
        Self {
            result,
            read: 0,
            logs: Vec::new(),
            finding,
            at: None,
            lost_release: None,
            compared: 0,
            warnings: Vec::new(),
            accepted: Vec::new(),
            beside_key: 0,
            releases: None,
            releases_by_own_hash: 0,
            took_ms: 0,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Nothing is wrong with what is there; whether something is missing, a checkpoint that can't be compared leaves open.
    fn sound(report: &Report) -> Self {
        let open = report.uncompared.first().map(|point| {
            format!("a checkpoint that was kept elsewhere speaks of {point}, which are not here")
        });
        Self {
            read: report.read(),
            logs: report.origins.iter().map(OriginVerdict::of).collect(),
            compared: report.compared,
            releases: report.releases,
            releases_by_own_hash: report.releases_by_own_hash,
            warnings: report.warnings.iter().map(ToString::to_string).collect(),
            accepted: report.accepted.iter().map(ToString::to_string).collect(),
            ..Self::new(if open.is_some() { Answer::Unknown } else { Answer::Intact }, open)
        }
    }

    fn tampered(finding: &Finding) -> Self {
        let at = Some(format!("{}-{}", finding.origin, finding.first));
        let lost_release = finding.cause.release();
        Self { at, lost_release, ..Self::new(Answer::Tampered, Some(finding.to_string())) }
    }
}

impl OriginVerdict {
    fn of(report: &OriginReport) -> Self {
        Self {
            origin: report.origin.to_string(),
            first: report.first,
            records: report.records,
            root: report.root.clone(),
            key: report.key.clone(),
            from: report.from.clone(),
            to: report.to.clone(),
        }
    }
}
