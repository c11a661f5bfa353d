//! What the log and its surroundings say of the log itself.

use crate::audit::verify::Answer;
use crate::console::Console;
use crate::console::log::checked::Check;
use crate::console::log::gathering::gather;
use crate::model::id::DecisionId;
use crate::model::query::{Present, Query};
use crate::model::record::RecordLine;
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::audit::{CopyOrigin, CopyPoint, LogCopy};

/// Records of each kind that are looked for.
const RECORDS: usize = 20;

/// All of it.
#[derive(Debug)]
pub(super) struct Evidence {
    /// The logs of the file, oldest first.
    pub(super) logs: Vec<Standing>,
    /// Checks, newest first.
    pub(super) checks: Vec<Check>,
    /// When nothing was recorded, newest first.
    pub(super) gaps: Vec<Gap>,
    /// Changes of keys, newest first.
    pub(super) rotations: Vec<RecordLine>,
    /// What was removed with age or erased, or begun anew, newest first.
    pub(super) removals: Vec<RecordLine>,
    /// How many records the search index is behind the log.
    pub(super) behind: u64,
}

/// How the log of one origin stands.
#[derive(Debug)]
pub(super) struct Standing {
    /// Whose.
    pub(super) origin: CopyOrigin,
    /// When the first record that is there was made.
    pub(super) oldest: Option<Timestamp>,
    /// The newest checkpoint.
    pub(super) point: Option<CopyPoint>,
    /// When the newest record that it vouches for was made.
    pub(super) at: Option<Timestamp>,
}

/// Between two runs of the gate.
#[derive(Debug)]
pub(super) struct Gap {
    /// The record that says that it runs again.
    pub(super) id: DecisionId,
    /// The record before that one; none where it is gone.
    pub(super) last: Option<RecordLine>,
    /// When it ran again.
    pub(super) until: Timestamp,
}

impl Evidence {
    pub(super) async fn read(console: &Console, known: &Present) -> Result<Self, StoreError> {
        let (checks, behind) = found(console, known, "kind:log_verified").await?;
        let (rotations, _) = found(console, known, "kind:key_rotated").await?;
        let (removals, _) = found(console, known, "kind:pruned,erased,restored").await?;
        let (starts, _) = found(console, known, "kind:started").await?;
        let mut gaps = Vec::with_capacity(starts.len());
        for line in starts {
            gaps.extend(gap(console, &line).await?);
        }
        let checks = checks.into_iter().filter_map(Check::of).collect();
        Ok(Self { logs: standings(console).await?, checks, gaps, rotations, removals, behind })
    }

    /// The log that is written on.
    pub(super) fn newest(&self) -> Option<&Standing> {
        self.logs.last()
    }

    /// The newest check that came to an answer, or could not.
    pub(super) fn verdict(&self) -> Option<&Check> {
        self.checks.iter().find(|check| check.verdict.result != Answer::Cancelled)
    }
}

async fn found(
    console: &Console,
    known: &Present,
    query: &str,
) -> Result<(Vec<RecordLine>, u64), StoreError> {
    // All are ours; what can't be read would find everything.
    let Ok(query) = query.parse::<Query>() else { return Ok((Vec::new(), 0)) };
    let found = gather(&console.searcher, (&query, known), RECORDS).await?;
    Ok((found.lines, found.behind))
}

/// Records before a start among which the end of the run before it is looked for: changes that waited, and little else.
const BEFORE: u32 = 200;
/// What ends a run, or is done by an operator between two.
const ENDS: [&str; 4] = ["stopped", "crash_found", "restored", "key_rotated"];

/// What lies before a start; none for the first of a log.
async fn gap(console: &Console, start: &RecordLine) -> Result<Option<Gap>, StoreError> {
    let before = console.reader.recent(BEFORE, Some(start.id)).await?;
    let is_all = before.len() < BEFORE as usize;
    let mut before = before.into_iter().skip_while(|line| !ENDS.contains(&line.kind.as_str()));
    let last = match before.next() {
        // The run ended with the record before the one that says how.
        Some(crash) if crash.kind == "crash_found" => {
            before.next().map(|line| RecordLine { kind: crash.kind, ..line })
        }
        None if is_all => return Ok(None),
        last => last,
    };
    Ok(Some(Gap { id: start.id, last, until: start.at }))
}

async fn standings(console: &Console) -> Result<Vec<Standing>, StoreError> {
    let mut copy = LogCopy::open(console.searcher.log()).await?;
    let mut all = Vec::new();
    for origin in copy.origins().await? {
        let point = copy.point_before(&origin, u64::MAX >> 24).await?;
        let first = copy.first(&origin).await?.unwrap_or(0);
        let id = origin.id;
        let made = async |seq| {
            let line = console.reader.record(DecisionId { origin: id, seq }).await?;
            Ok::<_, StoreError>(line.map(|line| line.at))
        };
        let (oldest, at) = match point.as_ref().and_then(|point| point.size.checked_sub(1)) {
            Some(newest) => (made(first).await?, made(newest).await?),
            None => (None, None),
        };
        all.push(Standing { origin, oldest, point, at });
    }
    Ok(all)
}
