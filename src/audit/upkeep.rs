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

use super::age::{Times, ended, limit, old};
use super::anew::{Said, said_in};
use super::beginning::{Beginning, Grown, grow};
use super::error::AuditError;
use super::merkle::Hash;
use super::verify::Numbers;
use super::vouched::vouched;
use super::wish::{self, Scope};
use super::{Audit, Log};
use crate::keys::LogPublicKey;
use crate::model::body;
use crate::model::id::Subject;
use crate::model::record::{Actor, Entry, Event, FoundLog, Removal};
use crate::model::time::{Clock, Timestamp};
use crate::store::StoreError;
use crate::store::audit::{
    self as file, CopyOrigin, CopyRow, Erasure, LogCopy, Remover, Rest, STEP, Step, Wish,
};

/// Between looks for people who are to be forgotten.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Looks between removals with age.
const LOOKS: u32 = 720;
/// Pages of wishes for one look.
const PAGES: usize = 10;
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
        let forgotten = self.forget_people().await;
        match aged {
            Some(()) => self.prune().await.and(forgotten),
            None => forgotten,
        }
    }

    /// Forgets everybody who is to be forgotten.
    ///
    /// # Errors
    /// When the log can't be read or written.
    pub async fn forget_people(&self) -> Result<(), AuditError> {
        let mut after = i64::MIN;
        // What is more than that waits for the next look.
        for _ in 0..PAGES {
            let erasures = self.remover.erasures(after).await?;
            let Some(last) = erasures.last() else { break };
            after = last.id;
            for erasure in erasures {
                match wish::standing(&erasure, &self.key) {
                    Some(scope) => self.forget(&erasure, &scope).await?,
                    None => self.refuse(&erasure).await?,
                }
            }
        }
        Ok(())
    }

    /// Nobody is forgotten because of what may be somebody else's; that it was there is on record.
    async fn refuse(&self, erasure: &Erasure) -> Result<(), AuditError> {
        let Wish { reason, asked_by, .. } = erasure.wish.clone();
        // Taken away first: one that stays in spite of that is not told again and again.
        self.remover.withdraw(erasure).await?;
        self.note(Event::ErasureRefused { asked_by, reason }).await
    }

    async fn forget(&self, erasure: &Erasure, scope: &Scope) -> Result<(), AuditError> {
        let mut copy = LogCopy::open(&self.file).await?;
        let logs = copy.origins().await?;
        let Some(newest) = scope.newest(&logs) else { return self.refuse(erasure).await };
        for log in &logs {
            let theirs = Theirs { subject: &scope.subject, end: scope.end(log.id) };
            self.blank((&mut copy, log), theirs, &erasure.wish).await?;
        }
        self.remover.forget((erasure.id, &scope.subject), newest).await.map_err(AuditError::Open)
    }

    /// Blanks what is theirs.
    async fn blank(
        &self,
        (copy, log): (&mut LogCopy, &CopyOrigin),
        theirs: Theirs<'_>,
        wish: &Wish,
    ) -> Result<(), AuditError> {
        let mut from = 0;
        loop {
            let (mut seqs, _) = copy.about(log, theirs.subject, from).await?;
            seqs.retain(|seq| *seq < theirs.end);
            let Some(last) = seqs.last() else { return Ok(()) };
            from = last.saturating_add(1);
            let records = self.explicable(copy, (log, theirs.subject), &seqs).await?;
            if records.count() > 0 {
                self.note(Event::Erased {
                    actor: by(&wish.asked_by),
                    reason: wish.reason.clone(),
                    origin: log.id.to_string(),
                    records: records.to_string(),
                })
                .await?;
            }
            self.remover.blank(log, seqs).await?;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Those that are this person's, by what was signed. Of the others nobody can tell: they go too, and the log does not explain
    /// their blank, so that a check finds it.
    async fn explicable(
        &self,
        copy: &mut LogCopy,
        (log, subject): (&CopyOrigin, &Subject),
        seqs: &[u64],
    ) -> Result<Numbers, AuditError> {
        let (Some(first), Some(last)) = (seqs.first(), seqs.last()) else {
            return Ok(Numbers::default());
        };
        let mut theirs = Numbers::default();
        let span = (*first, last.saturating_add(1));
        let shown = |row: CopyRow| {
            let seq = row.seq();
            let is_theirs = |content: Vec<u8>| body::subject(&content).as_ref() == Some(subject);
            if seqs.binary_search(&seq).is_ok() && row.body.is_some_and(is_theirs) {
                theirs.push(seq);
            }
        };
        let is_vouched = vouched(copy, (log, &self.key), span, shown).await?.is_some();
        if is_vouched && theirs.count() == seqs.len() as u64 {
            return Ok(theirs);
        }
        tracing::error!(log = %log.id, first, last, "Records of somebody who is to be forgotten are not what was signed; their content goes all the same, and `cedargate audit verify` finds the place.");
        Ok(if is_vouched { theirs } else { Numbers::default() })
    }

    /// Removes what is older than it is kept, up to a checkpoint.
    ///
    /// # Errors
    /// When the log can't be read or written.
    pub async fn prune(&self) -> Result<(), AuditError> {
        let now = self.clock.now();
        let times = Times { before: now.minus(self.retention), now };
        let before = times.before;
        let mut copy = LogCopy::open(&self.file).await?;
        let logs = copy.origins().await?;
        let mut logs = logs.as_slice();
        while let [log, later @ ..] = logs {
            if !later.is_empty() && copy.first(log).await?.is_none() {
                // Nothing of it is left, or ever was. Whoever found records in it misses them as before.
                self.clear(log).await?;
                logs = later;
                continue;
            }
            let Some(found) = ended(&mut copy, (log, later), (before, &self.key)).await? else {
                // What those behind it say of it must stay as long as anything of it does.
                self.prune_log(&mut copy, (log, later), times).await?;
                break;
            };
            self.remove(&mut copy, (log, found), before).await?;
            logs = later;
        }
        self.remover.prune_principals().await?;
        Ok(())
    }

    /// Removes a log that ended before what is kept, as a whole: as it was found when another was begun behind it.
    async fn remove(
        &self,
        copy: &mut LogCopy,
        (log, found): (&CopyOrigin, FoundLog),
        before: Timestamp,
    ) -> Result<(), AuditError> {
        let FoundLog { origin, records: upto, root, .. } = found;
        if upto > 0 {
            let removal = Removal { origin, upto, root };
            let Said { anew, unproven } = self.said(copy, log, upto).await?;
            if unproven > 0 {
                // It was accepted as it is.
                tracing::error!(log = %log.id, unproven, "What a log that is removed with age says of others is not what was signed, and is lost.");
            }
            self.note(Event::Pruned { removal, before, anew }).await?;
            match self.shorten(copy, log, (upto.saturating_sub(STEP), None)).await {
                // It was accepted with records missing: whatever is left of it does not hold.
                Ok(()) | Err(AuditError::Unvouched { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.clear(log).await
    }

    /// Removes whatever is left of a log.
    async fn clear(&self, log: &CopyOrigin) -> Result<(), AuditError> {
        while self.remover.remove(log).await? == Rest::Some {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    async fn prune_log(
        &self,
        copy: &mut LogCopy,
        (log, later): (&CopyOrigin, &[CopyOrigin]),
        times: Times,
    ) -> Result<(), AuditError> {
        let before = times.before;
        let limit = limit(copy, log, before).await?;
        loop {
            let old = match old(copy, log, (times, limit), &self.key).await {
                // It ended, and was accepted as it is: it goes as a whole once those behind it are old enough.
                Err(AuditError::Unproven { .. }) if !later.is_empty() => return Ok(()),
                old => old?,
            };
            let Some(tree) = old else { return Ok(()) };
            let (upto, root) = (tree.size(), tree.root());
            let (origin, told) = (log.id.to_string(), Some(STANDARD.encode(root)));
            let Said { anew, unproven } = self.said(copy, log, upto).await?;
            if unproven > 0 {
                return Err(AuditError::Unproven { origin: log.id });
            }
            let removal = Removal { origin, upto, root: told };
            self.note(Event::Pruned { removal, before, anew }).await?;
            self.shorten(copy, log, (upto, Some(root))).await?;
        }
    }

    /// What must stay known of the records that are to be removed.
    async fn said(
        &self,
        copy: &mut LogCopy,
        log: &CopyOrigin,
        upto: u64,
    ) -> Result<Said, StoreError> {
        let first = copy.first(log).await?.unwrap_or(upto);
        said_in(copy, log, (first, upto), &self.key).await
    }

    /// Removes all records below a number, step by step, so that the rest holds behind each. The tree over them has this root,
    /// where one is given.
    async fn shorten(
        &self,
        copy: &mut LogCopy,
        log: &CopyOrigin,
        (upto, root): (u64, Option<Hash>),
    ) -> Result<(), AuditError> {
        let mut removed = Beginning::of(copy, log).await?.removed;
        while removed.size() < upto {
            let next = upto.min(removed.size().saturating_add(STEP));
            if grow(copy, log, (&mut removed, next)).await? == Grown::CutOff {
                let (records, vouched) = (removed.size(), upto);
                return Err(AuditError::Unvouched { records, vouched });
            }
            if next == upto && root.is_some_and(|root| root != removed.root()) {
                return Err(AuditError::Unproven { origin: log.id });
            }
            let rotated = copy.last_rotation(log, next).await?;
            let log_key = rotated.and_then(|body| key_after(&body));
            let step = Step { upto: next, peaks: removed.to_bytes(), log_key };
            self.remover.prune(log, step).await?;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    async fn note(&self, event: Event) -> Result<(), AuditError> {
        self.audit.noted(Entry::Event(Box::new(event))).await.map(|_receipt| ())
    }
}

/// What is to be forgotten of a person in a log: what is below a number.
#[derive(Debug, Clone, Copy)]
struct Theirs<'a> {
    subject: &'a Subject,
    end: u64,
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
