//! Recorded decisions, oldest first: all of a range, or an even sample of it. Page by page, so that memory stays bounded
//! and the gate that writes the log is not held up.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;

use crate::model::id::{DecisionId, OriginId};
use crate::model::principal::{PrincipalHash, PrincipalSnapshot};
use crate::model::record::DecisionRecord;
use crate::model::recorded::{Recorded, Unreadable, read_principal};
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::audit::{Asked, CopyOrigin, CopyRow, LogCopy};

/// Which decisions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scope {
    /// Not before.
    pub from: Option<Timestamp>,
    /// Only before.
    pub to: Option<Timestamp>,
    /// No more than so many, spread evenly over the records of the range; the same ones each time.
    pub sample: Option<NonZeroU64>,
}

/// What lies in the log where a decision was recorded.
#[derive(Debug)]
pub(super) enum Found {
    Decision(DecisionId, Box<DecisionRecord>),
    /// Its content was erased.
    Erased,
    Untold(Unreadable),
}

/// Decisions that make a page of a sample.
const SAMPLES: usize = 512;
/// Principals that are kept at once; somebody in thousands of groups takes 100 KB.
const PRINCIPALS: usize = 2_048;

/// Goes through a log.
#[derive(Debug)]
pub(super) struct Walk {
    copy: LogCopy,
    scope: Scope,
    ahead: Ahead,
    principals: HashMap<PrincipalHash, Result<Arc<PrincipalSnapshot>, String>>,
}

/// What is still to be read.
#[derive(Debug)]
enum Ahead {
    All(VecDeque<Span>),
    Samples(Samples),
}

/// Records of one origin from a number on, up to and without another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span<O = CopyOrigin> {
    pub(super) origin: O,
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Walk {
    pub(super) async fn open(file: &Path, scope: Scope) -> Result<Self, StoreError> {
        let mut copy = LogCopy::open(file).await?;
        let mut spans = Vec::new();
        for origin in copy.origins().await? {
            let (first, last) = (copy.first(&origin).await?, copy.last(&origin).await?);
            let (Some(first), Some(last)) = (first, last) else { continue };
            let from = match scope.from {
                Some(at) => copy.first_since(&origin, at).await?,
                None => first,
            };
            let to = match scope.to {
                Some(at) => copy.first_since(&origin, at).await?,
                None => last.saturating_add(1),
            };
            if from < to {
                spans.push(Span { origin, from, to });
            }
        }
        let ahead = match scope.sample {
            Some(count) if count.get() < total(&spans) => {
                Ahead::Samples(Samples { spans, count, number: 0 })
            }
            Some(_) | None => Ahead::All(spans.into()),
        };
        Ok(Self { copy, scope, ahead, principals: HashMap::new() })
    }

    /// The next page; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Found>>, StoreError> {
        let rows = match &mut self.ahead {
            Ahead::All(spans) => page(&mut self.copy, spans).await?,
            Ahead::Samples(samples) => sampled(&mut self.copy, samples).await?,
        };
        let Some(rows) = rows else { return Ok(None) };
        let mut found = Vec::with_capacity(rows.len());
        for (origin, row) in rows {
            found.extend(self.found(origin, row).await?);
        }
        Ok(Some(found))
    }

    /// None for what lies outside of the range after all: a clock was set back.
    async fn found(&mut self, origin: OriginId, row: CopyRow) -> Result<Option<Found>, StoreError> {
        let id = DecisionId { origin, seq: row.seq() };
        let at = row.at();
        let early = |from| at.is_some_and(|at| at < from);
        let late = |to| at.is_some_and(|at| at >= to);
        if self.scope.from.is_some_and(early) || self.scope.to.is_some_and(late) {
            return Ok(None);
        }
        if let Asked::Gone(key) = row.asked {
            let why = format!("the principal number {key} is not in the log any more");
            return Ok(Some(Found::Untold(Unreadable { id, why })));
        }
        let Some(body) = row.body else { return Ok(Some(Found::Erased)) };
        let recorded = match Recorded::read(id, &body) {
            Ok(recorded) => recorded,
            Err(unreadable) => return Ok(Some(Found::Untold(unreadable))),
        };
        let whole = match self.principal(recorded.principal).await? {
            Ok(principal) => recorded.with(principal),
            Err(why) => Err(Unreadable { id, why }),
        };
        Ok(Some(match whole {
            Ok(record) => Found::Decision(id, Box::new(record)),
            Err(unreadable) => Found::Untold(unreadable),
        }))
    }

    async fn principal(
        &mut self,
        hash: PrincipalHash,
    ) -> Result<Result<Arc<PrincipalSnapshot>, String>, StoreError> {
        if let Some(known) = self.principals.get(&hash) {
            return Ok(known.clone());
        }
        let content = self.copy.principal(hash).await?;
        let missing = || format!("the principal {hash} is not in the log any more");
        let read = content.ok_or_else(missing).and_then(|content| read_principal(hash, &content));
        if self.principals.len() >= PRINCIPALS {
            self.principals.clear();
        }
        self.principals.insert(hash, read.clone());
        Ok(read)
    }
}

type Rows = Vec<(OriginId, CopyRow)>;

async fn page(copy: &mut LogCopy, spans: &mut VecDeque<Span>) -> Result<Option<Rows>, StoreError> {
    let Some(mut span) = spans.pop_front() else { return Ok(None) };
    let rows = copy.rows(&span.origin, (span.from, span.to)).await?;
    // Nothing more of this origin: what was counted before may have been removed with age meanwhile.
    let Some(last) = rows.last().map(CopyRow::seq) else { return Ok(Some(Vec::new())) };
    let id = span.origin.id;
    span.from = last.saturating_add(1);
    if span.from < span.to {
        spans.push_front(span);
    }
    let decisions = rows.into_iter().filter(CopyRow::is_decision);
    Ok(Some(decisions.map(|row| (id, row)).collect()))
}

async fn sampled(copy: &mut LogCopy, samples: &mut Samples) -> Result<Option<Rows>, StoreError> {
    if samples.number >= samples.count.get() {
        return Ok(None);
    }
    let mut rows = Vec::new();
    while rows.len() < SAMPLES && samples.number < samples.count.get() {
        for Span { origin, from, to } in samples.stretch() {
            if let Some(row) = copy.decision(&origin, (from, to)).await? {
                rows.push((origin.id, row));
                break;
            }
        }
        samples.number += 1;
    }
    Ok(Some(rows))
}

/// The records cut into stretches of one length, of each of which the first decision is taken.
#[derive(Debug)]
pub(super) struct Samples<O = CopyOrigin> {
    pub(super) spans: Vec<Span<O>>,
    pub(super) count: NonZeroU64,
    /// The stretch whose turn it is.
    pub(super) number: u64,
}

impl<O: Clone> Samples<O> {
    /// The records of the stretch whose turn it is; of several origins where it goes across their ends.
    pub(super) fn stretch(&self) -> Vec<Span<O>> {
        let (begin, end) = (self.edge(self.number), self.edge(self.number.saturating_add(1)));
        let mut passed = 0;
        let mut pieces = Vec::new();
        for Span { origin, from, to } in &self.spans {
            let length = to - from;
            let piece = Span {
                origin: origin.clone(),
                from: from + begin.saturating_sub(passed).min(length),
                to: from + end.saturating_sub(passed).min(length),
            };
            passed += length;
            pieces.extend((piece.from < piece.to).then_some(piece));
        }
        pieces
    }

    fn edge(&self, number: u64) -> u64 {
        let total = total(&self.spans);
        let edge = u128::from(number) * u128::from(total) / u128::from(self.count.get());
        u64::try_from(edge).unwrap_or(total)
    }
}

fn total<O>(spans: &[Span<O>]) -> u64 {
    spans.iter().map(|span| span.to - span.from).sum()
}
