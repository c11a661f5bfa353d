//! Asks what groups are called, in the background: everything now and then, what is new soon.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Groups, NameSource, NamesStanding, Unnamed};
use crate::audit::Audit;
use crate::authz::compile::groups_named;
use crate::live::Live;
use crate::model::id::{GroupId, ReleaseNumber};
use crate::model::time::{Clock, Timestamp};
use crate::store::{LookUp, Store, StoreError};

/// How often it is looked whether something is to be asked.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Names change seldom, and Graph counts.
const ALL_EVERY: Duration = Duration::from_hours(4);
/// Groups that people brought along and that nobody asked about yet.
const NEW_EVERY: Duration = Duration::from_mins(5);
/// An admin may grant the permission at any time.
const PERMISSION_AGAIN: Duration = Duration::from_hours(1);
/// After the first failure; doubled with each further one.
const AGAIN: Duration = Duration::from_mins(1);
const AGAIN_AT_MOST: Duration = Duration::from_hours(1);
/// Groups that are asked about at all; rules come first.
const MOST: usize = 20_000;
/// Groups that are kept in one transaction, so that nobody waits long for the database.
const AT_ONCE: usize = 500;
/// Groups that nothing brings up any more are forgotten after this long. 90 days.
const FORGET: Duration = Duration::from_hours(90 * 24);

/// Asks what groups are called.
#[derive(Debug)]
pub struct Refresher {
    /// Where names are read.
    pub groups: Groups,
    /// Where they are kept.
    pub store: Store,
    /// The rules in force.
    pub live: Live,
    /// Who is asked.
    pub source: Arc<dyn NameSource>,
    /// Learns that there are changes to record.
    pub audit: Audit,
    /// The time.
    pub clock: Clock,
    /// Groups that the settings name.
    pub named_in_settings: BTreeSet<GroupId>,
}

/// What is due when.
#[derive(Debug)]
pub(super) struct Plan {
    all_at: Timestamp,
    new_at: Timestamp,
    release: ReleaseNumber,
    failures: u32,
}

/// How much is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    All,
    New,
}

/// Why a round brought nothing.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Unnamed(#[from] Unnamed),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refresher {
    /// Keeps names fresh until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut plan = self.plan();
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(tick.tick()).await.is_some() {
            if stop.run_until_cancelled(self.look(&mut plan)).await.is_none() {
                return;
            }
        }
    }

    /// What was asked before the start is not asked again before its time.
    pub(super) fn plan(&self) -> Plan {
        let known = self.groups.known();
        let last = known.values().filter_map(|group| group.checked_at).max();
        let now = self.clock.now();
        let all_at = last.map_or(now, |last| last.min(now).plus(around(ALL_EVERY)));
        Plan { all_at, new_at: now, release: self.live.current().number(), failures: 0 }
    }

    /// Does what is due.
    pub(super) async fn look(&self, plan: &mut Plan) {
        let (now, release) = (self.clock.now(), self.live.current().number());
        let extent = if now >= plan.all_at {
            Extent::All
        } else if plan.failures == 0 && (now >= plan.new_at || release != plan.release) {
            Extent::New
        } else {
            return;
        };
        plan.release = release;
        plan.new_at = now.plus(around(NEW_EVERY));
        match self.ask(extent, now).await {
            Ok(()) => {
                plan.failures = 0;
                if extent == Extent::All {
                    plan.all_at = now.plus(around(ALL_EVERY));
                }
            }
            Err(failed) => self.failed(plan, failed),
        }
    }

    fn failed(&self, plan: &mut Plan, failed: Failed) {
        let now = self.clock.now();
        plan.failures = plan.failures.saturating_add(1);
        let (standing, again) = match failed {
            Failed::Unnamed(Unnamed::NoPermission(detail)) => {
                (NamesStanding::NoPermission { detail }, PERMISSION_AGAIN)
            }
            Failed::Unnamed(Unnamed::Unavailable(detail)) => {
                (NamesStanding::Failing { at: now, detail }, longer(plan.failures))
            }
            Failed::Store(error) => (
                NamesStanding::Failing { at: now, detail: error.to_string() },
                longer(plan.failures),
            ),
        };
        if self.groups.standing() != standing {
            tracing::warn!(standing = ?standing, "The names of groups could not be read; pages show what they were.");
        }
        self.groups.stands(standing);
        plan.all_at = now.plus(around(again));
    }

    async fn ask(&self, extent: Extent, now: Timestamp) -> Result<(), Failed> {
        let carried = self.store.groups_of_sessions().await?;
        let mut asked = self.named().await?;
        asked.extend(carried.iter().take(MOST.saturating_sub(asked.len())).cloned());
        if extent == Extent::New {
            let known = self.groups.known();
            asked.retain(|id| !known.contains_key(id));
            if asked.is_empty() {
                return Ok(());
            }
        }
        let ids: Vec<GroupId> = asked.into_iter().collect();
        let found = self.source.names(&ids).await?;
        for part in ids.chunks(AT_ONCE) {
            let asked = part.iter().cloned().collect();
            let kept = LookUp { asked: &asked, found: &found, carried: &carried, at: now };
            if self.store.keep_groups(kept).await? {
                self.audit.changes_made();
            }
        }
        if extent == Extent::All {
            self.store.forget_groups(now.minus(FORGET)).await?;
        }
        self.groups.reload(&self.store, now).await?;
        self.groups.stands(NamesStanding::Read { at: now });
        Ok(())
    }

    /// The groups that rules and settings name.
    async fn named(&self) -> Result<BTreeSet<GroupId>, StoreError> {
        let live = self.store.live().await?.map(|release| release.rule_book).unwrap_or_default();
        let mut named = groups_named(&live);
        named.extend(groups_named(&self.store.draft().await?));
        named.extend(self.named_in_settings.iter().cloned());
        Ok(named)
    }
}

fn longer(failures: u32) -> Duration {
    AGAIN.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(AGAIN_AT_MOST)
}

/// A span that is a little shorter or longer each time, so that gates that were started together do not ask together.
fn around(span: Duration) -> Duration {
    let mut random = [0];
    // Without randomness it is the span itself.
    let shift = if getrandom::fill(&mut random).is_ok() { u32::from(random[0]) } else { 128 };
    span * (872 + shift) / 1000
}
