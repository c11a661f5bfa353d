//! Keeping the log as long as it is kept, and forgetting people: beside the writer, in small steps.
//!
//! What is removed is on record before it is: `pruned` names the root over all records below a kept checkpoint, from which
//! the rest is checked; `erased` names the numbers whose content goes while their hashes stay.
//!
//! A log that has ended, because another was begun behind it, goes as a whole once all of it is too old, and nothing of the
//! later ones goes before it. What those say of it, of losses that were accepted and of logs that went before is said anew
//! ([`super::anew`]) in the record that announces the removal.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::anew::said_in;
use super::beginning::{Beginning, Grown, grow, tree_over};
use super::error::AuditError;
use super::merkle::Peaks;
use super::verify::Numbers;
use super::{Audit, Log};
use crate::keys::LogPublicKey;
use crate::model::record::{Actor, Entry, Event, Removal};
use crate::model::time::{Clock, Timestamp};
use crate::store::audit::{
    self as file, CopyOrigin, CopyPoint, CopyRow, Erasure, LogCopy, Remover, Rest, STEP, Step,
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
    /// Signs what is said anew.
    key: LogPublicKey,
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
        Ok(Self { audit, remover, file: file::path(url)?, key: log.key, clock, retention })
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
        let origins = copy.origins().await?;
        let mut origins = origins.iter().peekable();
        while let Some(origin) = origins.next() {
            match origins.peek() {
                Some(next) if began_before(&mut copy, next, before).await? => {
                    self.remove(&mut copy, origin, before).await?;
                }
                Some(_) | None => {
                    self.prune_log(&mut copy, origin, before).await?;
                    // What those behind it say of it must stay as long as anything of it does.
                    break;
                }
            }
        }
        self.remover.prune_principals().await?;
        Ok(())
    }

    /// Removes a log that ended before what is kept, as a whole.
    async fn remove(
        &self,
        copy: &mut LogCopy,
        origin: &CopyOrigin,
        before: Timestamp,
    ) -> Result<(), AuditError> {
        let upto = copy.last(origin).await?.map_or(0, |last| last.saturating_add(1));
        if upto > 0 {
            let tree = tree_over(copy, origin, upto).await?;
            let root = tree.map(|tree| STANDARD.encode(tree.root()));
            let removal = Removal { origin: origin.id.to_string(), upto, root };
            self.announce(copy, origin, (removal, before)).await?;
            match self.shorten(copy, origin, upto.saturating_sub(STEP)).await {
                // It was accepted with records missing: whatever is left of it does not hold.
                Ok(()) | Err(AuditError::Unvouched { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        while self.remover.remove(origin).await? == Rest::Some {
            tokio::time::sleep(PAUSE).await;
        }
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
        let (upto, root) = (point.size, Some(STANDARD.encode(root)));
        let removal = Removal { origin: origin.id.to_string(), upto, root };
        self.announce(copy, origin, (removal, before)).await?;
        self.shorten(copy, origin, upto).await
    }

    /// Says what is to be removed, and anew what must stay known of it.
    async fn announce(
        &self,
        copy: &mut LogCopy,
        origin: &CopyOrigin,
        (removal, before): (Removal, Timestamp),
    ) -> Result<(), AuditError> {
        let first = copy.first(origin).await?.unwrap_or(removal.upto);
        let anew = said_in(copy, origin, (first, removal.upto), &self.key).await?;
        self.note(Event::Pruned { removal, before, anew }).await
    }

    /// Removes all records below a number, step by step, so that the rest holds behind each.
    async fn shorten(
        &self,
        copy: &mut LogCopy,
        origin: &CopyOrigin,
        upto: u64,
    ) -> Result<(), AuditError> {
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

/// Whether the first record of a log was made before that: then all records of those before it were, too.
async fn began_before(
    copy: &mut LogCopy,
    log: &CopyOrigin,
    before: Timestamp,
) -> Result<bool, AuditError> {
    Ok(match copy.first(log).await? {
        Some(0) => {
            let first = copy.rows(log, (0, 1)).await?;
            first.first().and_then(CopyRow::at).is_some_and(|at| at < before)
        }
        // It went with age.
        Some(_) => true,
        None => log.opened < before,
    })
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
