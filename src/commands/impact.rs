//! What a draft would change for people who asked lately: the part of `cedargate rules review` that looks at the log.

use std::num::NonZeroU64;
use std::time::Duration;

use anyhow::{Result, anyhow};

use crate::app::terms;
use crate::config::Config;
use crate::model::id::ReleaseNumber;
use crate::model::time::Clock;
use crate::publishing::Review;
use crate::replay::{Against, Impact, Releases, Replay, Scope, Trial};
use crate::store::Store;
use crate::store::audit as file;

/// How far a review looks back.
const DAYS: u64 = 7;
/// How many decisions it looks at: a second's work.
const SAMPLE: NonZeroU64 = NonZeroU64::new(10_000).expect("not zero");
/// How many people and routes it names.
const NAMED: usize = 50;

/// Who would gain and who would lose by the draft against the live release, in words; none when there is no log yet.
///
/// # Errors
/// When the log can't be read, or the live release can't be used.
pub(super) async fn of(review: &Review, config: &Config, store: &Store) -> Result<Option<Impact>> {
    let path = file::path(&config.audit.database_url)?;
    if !path.exists() {
        return Ok(None);
    }
    let mut releases = Releases::new(store.clone(), terms(config));
    let live = releases.get(review.based_on).await.map_err(|why| anyhow!(why))?;
    let next = ReleaseNumber(review.based_on.0.saturating_add(1));
    let draft =
        releases.compiled(review.book.book().clone(), next).await.map_err(|why| anyhow!(why))?;
    let since = Clock::System.now().minus(Duration::from_secs(DAYS * 86_400));
    let scope = Scope { from: Some(since), to: None, sample: Some(SAMPLE) };
    let trial = Trial { rules: draft, against: Against::Rules(live) };
    let impact = Replay::open(&path, scope).await?.measure(trial, |_| {}).await?;
    Ok(Some(impact))
}

/// The impact in words.
pub(super) fn lines(impact: &Impact) -> Vec<String> {
    let whose = format!("requests of the last {DAYS} days (a sample of {SAMPLE} at most)");
    let result = if impact.is_none() { "nobody would gain or lose" } else { "by these" };
    let mut lines = vec![format!("{} {whose}: {result}", impact.decided)];
    lines.extend(impact.lines(NAMED));
    lines
}
