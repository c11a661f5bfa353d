//! Keeping the log as long as it is kept, and forgetting people: beside the writer, in small steps.
//!
//! What is removed is on record before it is: `pruned` names the root over all records below a kept checkpoint, from which
//! the rest is checked; `erased` names the numbers whose content goes while their hashes stay.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::beginning::{Beginning, Grown, grow};
use super::error::AuditError;
use super::merkle::Peaks;
use super::verify::Numbers;
use super::{Audit, Log};
use crate::model::record::{Actor, Entry, Event};
use crate::model::time::{Clock, Timestamp};
use crate::store::audit::{
    self as file, CopyOrigin, CopyPoint, Erasure, LogCopy, Remover, STEP, Step,
};

/// Between looks for people who are to be forgotten.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Looks between removals with age.
const LOOKS: u32 = 720;
/// Between two steps, so that requests come in between.
const PAUSE: Duration = Duration::from_millis(10);

/// Keeps the log tidy.
#[derive(Debug)]
pub struct Upkeep {
    audit: Audit,
    remover: Remover,
    file: PathBuf,
    clock: Clock,
    retention: Duration,
}

impl Upkeep {
    /// The upkeep of an opened log, whose records are kept for `retention`.
    ///
    /// # Errors
    /// When `url` names no file.
    pub fn of(log: &Log, url: &str, clock: Clock, retention: Duration) -> Result<Self, AuditError> {
        let (audit, remover) = (log.audit.clone(), log.writer.remover());
        Ok(Self { audit, remover, file: file::path(url)?, clock, retention })
    }

    /// Works until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut looks = 0;
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(tick.tick()).await.is_some() {
            let aged = looks == 0;
            looks = (looks + 1) % LOOKS;
            // Cut off between two steps, it goes on at the next start.
            let work = Box::pin(self.once(aged.then_some(())));
            let done = stop.run_until_cancelled(work).await;
            if let Some(Err(error)) = done {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "Old records, or those of people who are to be forgotten, could not be removed from the log."
                );
            }
        }
    }

    async fn once(&self, aged: Option<()>) -> Result<(), AuditError> {
        self.forget_people().await?;
        match aged {
            Some(()) => self.prune().await,
            None => Ok(()),
        }
    }

    /// Forgets everybody who is to be forgotten.
    ///
    /// # Errors
    /// When the log can't be read or written.
    pub async fn forget_people(&self) -> Result<(), AuditError> {
        for erasure in self.remover.erasures().await? {
            self.forget(&erasure).await?;
        }
        Ok(())
    }

    async fn forget(&self, erasure: &Erasure) -> Result<(), AuditError> {
        let mut copy = LogCopy::open(&self.file).await?;
        let origins = copy.origins().await?;
        let mut end = None;
        for origin in &origins {
            end = Some((origin, self.blank(&mut copy, origin, erasure).await?));
        }
        let Some(end) = end else { return Ok(()) };
        // Should they be at work this very moment, the next look goes on.
        self.remover.forget(erasure, end).await.map(|_| ()).map_err(AuditError::Open)
    }

    /// Blanks what is theirs. Gives the number up to which nothing is any more.
    async fn blank(
        &self,
        copy: &mut LogCopy,
        origin: &CopyOrigin,
        erasure: &Erasure,
    ) -> Result<u64, AuditError> {
        let mut from = 0;
        loop {
            let (seqs, end) = copy.about(origin, &erasure.subject, from).await?;
            let Some(last) = seqs.last() else { return Ok(end) };
            from = last.saturating_add(1);
            let mut numbers = Numbers::default();
            for seq in &seqs {
                numbers.push(*seq);
            }
            self.note(Event::Erased {
                actor: by(&erasure.asked_by),
                reason: erasure.reason.clone(),
                origin: origin.id.to_string(),
                records: numbers.to_string(),
            })
            .await?;
            self.remover.blank(origin, seqs).await?;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Removes what is older than it is kept, up to a checkpoint.
    ///
    /// # Errors
    /// When the log can't be read or written.
    pub async fn prune(&self) -> Result<(), AuditError> {
        let before = self.clock.now().minus(self.retention);
        let mut copy = LogCopy::open(&self.file).await?;
        for origin in copy.origins().await? {
            self.prune_log(&mut copy, &origin, before).await?;
        }
        self.remover.prune_principals().await?;
        Ok(())
    }

    async fn prune_log(
        &self,
        copy: &mut LogCopy,
        origin: &CopyOrigin,
        before: Timestamp,
    ) -> Result<(), AuditError> {
        let Some(point) = old(copy, origin, before).await? else { return Ok(()) };
        let root = Peaks::from_bytes(point.size, &point.peaks).map(|peaks| peaks.root());
        let Some(root) = root else {
            return Err(AuditError::BadCheckpoint { why: "its peaks do not fit its size".into() });
        };
        let (upto, root) = (point.size, STANDARD.encode(root));
        self.note(Event::Pruned { origin: origin.id.to_string(), upto, root, before }).await?;
        let mut removed = Beginning::of(copy, origin).await?.removed;
        while removed.size() < upto {
            let next = upto.min(removed.size().saturating_add(STEP));
            if grow(copy, origin, (&mut removed, next)).await? == Grown::CutOff {
                let (records, vouched) = (removed.size(), upto);
                return Err(AuditError::Unvouched { records, vouched });
            }
            let rotated = copy.last_rotation(origin, next).await?;
            let log_key = rotated.and_then(|body| key_after(&body));
            let step = Step { upto: next, peaks: removed.to_bytes(), log_key };
            self.remover.prune(origin, step).await?;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    async fn note(&self, event: Event) -> Result<(), AuditError> {
        self.audit.noted(Entry::Event(Box::new(event))).await.map(|_receipt| ())
    }
}

/// The newest kept checkpoint that only vouches for records which are too old, if there are any.
async fn old(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    before: Timestamp,
) -> Result<Option<CopyPoint>, AuditError> {
    let Some(first) = copy.first(origin).await? else { return Ok(None) };
    let young = copy.first_since(origin, before).await?;
    let newest = copy.point_before(origin, u64::MAX >> 24).await?.map_or(0, |point| point.size);
    // The newest is not kept yet: the next commit may take its place.
    let limit = young.min(newest.saturating_sub(1));
    let point = copy.point_before(origin, limit).await?;
    Ok(point.filter(|point| point.size > first))
}

/// The key that a change of keys brought.
fn key_after(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Rotated {
        after: String,
    }
    serde_json::from_str::<Rotated>(body).ok().map(|rotated| rotated.after)
}

fn by(asked_by: &str) -> Actor {
    let operator = asked_by.strip_prefix("operator:").unwrap_or(asked_by);
    Actor::Operator(operator.to_owned())
}
