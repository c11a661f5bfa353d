//! What was published in a period, and how many people had a hand in each release.

use std::collections::BTreeSet;

use crate::console::Console;
use crate::console::log::told::Names;
use crate::console::urls;
use crate::model::id::ReleaseNumber;
use crate::model::record::RecordLine;
use crate::model::time::Timestamp;
use crate::store::{Author, ReleaseLine, StoreError};
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{Notice, PersonName, Tone};

use super::period::Period;

/// Releases that are looked through.
const RELEASES: u32 = 200;

/// A release, and who had a hand in it.
#[derive(Debug, Clone)]
pub struct Publication {
    /// Its number.
    pub number: i64,
    /// What it changed.
    pub difference: Link,
    /// When.
    pub at: Moment,
    /// By whom.
    pub by: PersonName,
    /// What for.
    pub note: String,
    /// Who changed what is in it, as far as the log has it.
    pub changed_by: Vec<String>,
    /// Who approved of exactly this content, and when.
    pub approvals: Vec<String>,
    /// Whether two people had a hand in it.
    pub eyes: Notice,
    /// The release's hash.
    pub sha256: String,
}

/// A release as it is kept, with who approved of it.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) line: ReleaseLine,
    pub(super) approvals: Vec<Author>,
    /// When the release before it was published.
    pub(super) since: Timestamp,
}

/// The releases of a period, newest first; and whether there are more than were looked through.
pub(super) async fn published(
    console: &Console,
    period: Period,
) -> Result<Vec<Published>, StoreError> {
    let lines = console.store.releases(None, RELEASES).await?;
    let befores =
        lines.iter().skip(1).map(|line| line.author.at).chain([Timestamp::from_micros(0)]);
    let pairs: Vec<_> = lines.iter().cloned().zip(befores).collect();
    let mut all = Vec::new();
    for (line, since) in pairs.into_iter().filter(|(line, _)| period.holds(line.author.at)) {
        let release = console.store.release(line.number).await?;
        let before = ReleaseNumber(line.number.0.saturating_sub(1));
        let approvals = match release {
            Some(release) => {
                console.store.approvals((&release.rule_book.content_hash(), before)).await?
            }
            None => Vec::new(),
        };
        all.push(Published { line, approvals, since });
    }
    Ok(all)
}

impl Publication {
    pub(super) fn of(
        Published { line, approvals, since }: &Published,
        changes: &[RecordLine],
        names: Names<'_>,
    ) -> Self {
        let publisher = &line.author;
        let hands = hands(changes, (*since, publisher.at));
        let name = |actor: &str| names.who(actor).name;
        let others: Vec<_> = approvals.iter().filter(|one| one.by != publisher.by).collect();
        let approved = approvals
            .iter()
            .map(|one| format!("{} on {}", name(&one.by), Moment::new(one.at).minute()));
        Self {
            number: line.number.0,
            difference: urls::difference(
                ReleaseNumber(line.number.0.saturating_sub(1)),
                line.number,
            ),
            at: Moment::new(publisher.at),
            by: names.who(&publisher.by),
            note: line.note.clone(),
            changed_by: hands.iter().map(|actor| name(actor)).collect(),
            approvals: approved.collect(),
            eyes: eyes(&hands, &publisher.by, others.len()),
            sha256: line.sha256.clone(),
        }
    }
}

/// Who changed something between two publications, as records name them.
fn hands(changes: &[RecordLine], (since, until): (Timestamp, Timestamp)) -> BTreeSet<String> {
    let mut hands = BTreeSet::new();
    for line in changes {
        let body: serde_json::Value = serde_json::from_str(&line.body).unwrap_or_default();
        let text = |key: &str| body.get(key).and_then(|value| value.as_str()).unwrap_or_default();
        let at = body.get("changed_at").and_then(serde_json::Value::as_i64);
        let at = at.map_or(line.at, Timestamp::from_micros);
        let is_edit =
            !matches!(text("action"), "draft_approved" | "release_published" | "draft_discarded");
        if is_edit && since < at && at <= until {
            hands.insert(text("actor").to_owned());
        }
    }
    hands
}

/// Whether somebody besides the publisher looked at it.
fn eyes(hands: &BTreeSet<String>, publisher: &str, others: usize) -> Notice {
    let (tone, text) = if others > 0 {
        (Tone::Good, "Somebody else approved of exactly what was published")
    } else if hands.is_empty() {
        (Tone::Plain, "No approval; who changed it is not in the log")
    } else if hands.iter().any(|actor| actor == publisher) {
        (Tone::Careful, "No approval: who published it had changed it too")
    } else {
        (Tone::Plain, "No approval; who published it is not who changed it")
    };
    Notice { tone, text: text.to_owned() }
}
