//! Keeping the log as long as it is kept, and forgetting people: beside the writer, in small steps.
//!
//! What is removed is on record before it is: `pruned` names the root over all records below a kept checkpoint, from which
//! the rest is checked; `erased` names the numbers whose content goes while their hashes stay.
//!
//! A log that has ended, because another was begun behind it, goes as a whole once all of it is too old, and nothing of the
//! later ones goes before it. What those say of it, of losses that were accepted and of logs that went before is said anew
//! ([`super::anew`]) in the record that announces the removal.
//!
//! Nothing goes on the word of what was not signed: neither for its age ([`super::age`]), nor for a wish ([`super::wish`]).

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::age::{Old, ended_before, old};
use super::anew::said_in;
use super::beginning::{Beginning, Grown, grow, tree_over};
use super::error::AuditError;
use super::verify::Numbers;
use super::vouched::whole_row;
use super::{Audit, Log, wish};
use crate::keys::LogPublicKey;
use crate::model::id::Subject;
use crate::model::record::{Actor, Entry, Event, Removal};
use crate::model::time::{Clock, Timestamp};
use crate::store::StoreError;
use crate::store::audit::{
    self as file, CopyOrigin, Erasure, LogCopy, Remover, Rest, STEP, Step, Wish,
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
            match wish::standing(&erasure, &self.key, self.clock.now()) {
                Some(subject) => self.forget(&erasure, &subject).await?,
                None => self.refuse(&erasure).await?,
            }
        }
        Ok(())
    }

    /// Nobody is forgotten because of what may be somebody else's; that it was there is on record.
    async fn refuse(&self, erasure: &Erasure) -> Result<(), AuditError> {
        let Wish { reason, asked_by, .. } = erasure.wish.clone();
        self.note(Event::ErasureRefused { asked_by, reason }).await?;
        self.remover.withdraw(erasure).await?;
        Ok(())
    }

    async fn forget(&self, erasure: &Erasure, subject: &Subject) -> Result<(), AuditError> {
        let mut copy = LogCopy::open(&self.file).await?;
        let origins = copy.origins().await?;
        let mut end = None;
        for origin in &origins {
            end = Some((origin, self.blank((&mut copy, origin), erasure, subject).await?));
        }
        let Some(end) = end else { return Ok(()) };
        // Should they be at work this very moment, the next look goes on.
        self.remover.forget((erasure.id, subject), end).await.map(|_| ()).map_err(AuditError::Open)
    }

    /// Blanks what is theirs. Gives the number up to which nothing is any more.
    async fn blank(
        &self,
        (copy, origin): (&mut LogCopy, &CopyOrigin),
        erasure: &Erasure,
        subject: &Subject,
    ) -> Result<u64, AuditError> {
        let mut from = 0;
        loop {
            let (seqs, end) = copy.about(origin, subject, from).await?;
            let Some(last) = seqs.last() else { return Ok(end) };
            from = last.saturating_add(1);
            let numbers = explicable(copy, origin, &seqs).await?;
            if numbers.count() > 0 {
                self.note(Event::Erased {
                    actor: by(&erasure.wish.asked_by),
                    reason: erasure.wish.reason.clone(),
                    origin: origin.id.to_string(),
                    records: numbers.to_string(),
                })
                .await?;
            }
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
        let mut logs = origins.as_slice();
        while let [origin, later @ ..] = logs {
            if !ended_before(&mut copy, later, (before, &self.key)).await? {
                // What those behind it say of it must stay as long as anything of it does.
                self.prune_log(&mut copy, (origin, later), before).await?;
                break;
            }
            self.remove(&mut copy, origin, before).await?;
            logs = later;
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
        (origin, later): (&CopyOrigin, &[CopyOrigin]),
        before: Timestamp,
    ) -> Result<(), AuditError> {
        let old = match old(copy, origin, (before, &self.key)).await {
            // It ended, and was accepted as it is: it goes as a whole once those behind it are old enough.
            Err(AuditError::Unproven { .. }) if !later.is_empty() => return Ok(()),
            old => old?,
        };
        let Some(Old { upto, root }) = old else { return Ok(()) };
        let root = Some(STANDARD.encode(root));
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

/// Those whose content is what was hashed. Of the others nobody can tell whether they are this person's: they go too, and the
/// log does not explain their blank, so that a check finds it.
async fn explicable(
    copy: &mut LogCopy,
    origin: &CopyOrigin,
    seqs: &[u64],
) -> Result<Numbers, StoreError> {
    let mut numbers = Numbers::default();
    for seq in seqs {
        if whole_row(copy, origin, *seq).await?.is_some() {
            numbers.push(*seq);
        }
    }
    Ok(numbers)
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
