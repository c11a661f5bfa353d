//! What the newest check of the log says of what a page shows: a signature alone vouches for nothing that nobody compared.

use crate::audit::verify::{Answer, Verdict};
use crate::console::Console;
use crate::console::urls;
use crate::model::id::DecisionId;
use crate::model::query::{Present, Query};
use crate::model::record::RecordLine;
use crate::store::StoreError;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{Notice, Tone};

use super::gathering::gather;

/// Checks that are looked through for one that came to an answer.
const CHECKS: usize = 20;

/// What the page is called that begins checks.
const INTEGRITY: &str = "Integrity";

/// A check, as its record says.
#[derive(Debug)]
pub(in crate::console) struct Check {
    /// The record.
    pub(in crate::console) line: RecordLine,
    /// How it ended.
    pub(in crate::console) verdict: Verdict,
}

/// What stands beside records: how the log was found when it was checked last, and where more is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// In words.
    pub remark: Notice,
    /// What the words are about: the certificate of the check, or the page that begins one.
    pub link: Link,
    /// What the link is called.
    pub label: &'static str,
}

impl Check {
    /// Reads the record of one; none when it is no such record.
    pub(in crate::console) fn of(line: RecordLine) -> Option<Self> {
        let body: serde_json::Value = serde_json::from_str(&line.body).ok()?;
        let detail = body.get("detail").filter(|_| line.kind == "log_verified")?;
        let verdict = serde_json::from_value(detail.clone()).ok()?;
        Some(Self { line, verdict })
    }

    /// The newest that came to an answer, or could not.
    ///
    /// # Errors
    /// When the log or its index can't be read.
    async fn newest(console: &Console, known: &Present) -> Result<Option<Self>, StoreError> {
        // It is ours; what can't be read would find everything.
        let Ok(query) = "kind:log_verified".parse::<Query>() else { return Ok(None) };
        let found = gather(&console.searcher, (&query, known), CHECKS).await?;
        let mut checks = found.lines.into_iter().filter_map(Self::of);
        Ok(checks.find(|check| check.verdict.result != Answer::Cancelled))
    }

    /// Who asked, as records name them.
    pub(in crate::console) fn actor(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.line.body).unwrap_or_default();
        body.get("actor").and_then(|actor| actor.as_str()).unwrap_or_default().to_owned()
    }

    /// The last record that it vouches for.
    pub(in crate::console) fn last_record(&self) -> Option<String> {
        let log = self.verdict.logs.last()?;
        Some(format!("{}-{}", log.origin, log.records.checked_sub(1)?))
    }

    /// Whether it read this record.
    fn covers(&self, id: DecisionId) -> bool {
        let origin = id.origin.to_string();
        let mut logs = self.verdict.logs.iter().filter(|log| log.origin == origin);
        logs.any(|log| (log.first..log.records).contains(&id.seq))
    }

    /// What is broken: the log at a record, or a release that a record names.
    fn broken(&self) -> String {
        if let Some(release) = self.verdict.lost_release {
            return format!("release {release} is not kept as it was published");
        }
        let place = self.verdict.at.as_deref().map(|id| format!(" at record {id}"));
        format!("the log is broken{}", place.unwrap_or_default())
    }

    /// What it found, about nothing in particular.
    fn finding(&self) -> (Tone, String) {
        let at = Moment::new(self.line.at).minute();
        match self.verdict.result {
            Answer::Intact => {
                let to = self.last_record().map(|id| format!(" to record {id}"));
                (Tone::Good, format!("Checked{} on {at}: intact.", to.unwrap_or_default()))
            }
            Answer::Tampered => (Tone::Bad, format!("Checked on {at}: {}.", self.broken())),
            Answer::Unknown | Answer::Cancelled => {
                let text = format!("Checked on {at}: whether the log is whole can't be told.");
                (Tone::Careful, text)
            }
        }
    }
}

impl Checked {
    /// What is known of the whole log.
    ///
    /// # Errors
    /// When the log or its index can't be read.
    pub(in crate::console) async fn log(
        console: &Console,
        known: &Present,
    ) -> Result<Self, StoreError> {
        let check = Check::newest(console, known).await?;
        Ok(check.map_or_else(|| Self::unchecked("Not checked yet."), |check| Self::of(&check)))
    }

    /// What is known of one record.
    ///
    /// # Errors
    /// When the log or its index can't be read.
    pub(super) async fn record(
        console: &Console,
        known: &Present,
        id: DecisionId,
    ) -> Result<Self, StoreError> {
        let Some(check) = Check::newest(console, known).await? else {
            return Ok(Self::unchecked("Nobody has checked the log yet."));
        };
        let mut checked = Self { link: urls::integrity(), label: INTEGRITY, ..Self::of(&check) };
        if checked.remark.tone == Tone::Good && !check.covers(id) {
            let at = Moment::new(check.line.at).minute();
            checked.remark = Notice {
                tone: Tone::Plain,
                text: format!("Not part of the last check, which found the log intact on {at}."),
            };
        }
        Ok(checked)
    }

    fn of(check: &Check) -> Self {
        let (tone, text) = check.finding();
        let link = urls::certificate(&check.line.id);
        Self { remark: Notice { tone, text }, link, label: "Certificate" }
    }

    fn unchecked(text: &str) -> Self {
        let remark = Notice { tone: Tone::Plain, text: text.to_owned() };
        Self { remark, link: urls::integrity(), label: INTEGRITY }
    }
}
