//! Stops browsers that go round in circles: signed in, sent back, not recognised, signed in again.
//!
//! That happens when a browser drops or doubles our cookies. Each round costs Entra and us; after three within a minute
//! the person gets a page that says so. Only rounds that ended well are counted, so that many tabs may begin at once.

use std::time::Duration;

use quick_cache::sync::Cache;

use crate::model::time::Timestamp;
use crate::store::SecretHash;

/// Browsers with a destination that are held; the least recent are forgotten, which only lets them go round again.
const HELD: usize = 10_000;
const WINDOW: Duration = Duration::from_mins(1);
const ENOUGH: u8 = 3;

/// Completed sign-ins of browsers, by where they led.
#[derive(Debug)]
pub struct Rounds(Cache<(SecretHash, String), Round>);

#[derive(Debug, Clone, Copy)]
struct Round {
    since: Timestamp,
    count: u8,
}

impl Default for Rounds {
    fn default() -> Self {
        Self(Cache::new(HELD))
    }
}

impl Rounds {
    /// Counts a completed round of `browser` to `place`, a URL.
    pub(super) fn count(&self, browser: &SecretHash, place: String, now: Timestamp) {
        let key = (browser.clone(), place);
        let round = self.0.get(&key).filter(|round| round.is_fresh(now));
        let mut round = round.unwrap_or(Round { since: now, count: 0 });
        round.count = round.count.saturating_add(1);
        self.0.insert(key, round);
    }

    /// Whether `browser` has been to `place` often enough within a minute.
    pub(super) fn is_circling(&self, browser: &SecretHash, place: String, now: Timestamp) -> bool {
        let round = self.0.get(&(browser.clone(), place));
        round.is_some_and(|round| round.is_fresh(now) && round.count >= ENOUGH)
    }
}

impl Round {
    fn is_fresh(self, now: Timestamp) -> bool {
        self.since <= now && now.since(self.since) < WINDOW
    }
}
