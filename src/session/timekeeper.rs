//! Time that nobody can set.
//!
//! Limits are kept as times of day, since they must outlive a restart. So that no clock that is set back stretches them, the
//! time a session has left is also held against time that really passes, and of the two the stricter wins. A row that was
//! used later than the clock now shows is moved back with the clock, so that this holds across restarts as well, but for
//! the minute by which use is noted late.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::model::id::SessionId;
use crate::model::time::{Clock, Timestamp};

/// Sessions whose time is held; of others only the clock tells.
const HELD: usize = 50_000;

/// Clocks are slewed by less than this between two looks; more is a step.
const STEP: Duration = Duration::from_secs(2);

/// What both clocks showed at the last look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    shown: Timestamp,
    passed: Duration,
}

/// Holds time that passes against time that is shown.
#[derive(Debug)]
pub(super) struct Timekeeper {
    clock: Clock,
    last: Mutex<Look>,
    /// When each session runs out, in time that really passes.
    runs_out: Cache<SessionId, Duration>,
}

impl Timekeeper {
    pub(super) fn new(clock: &Clock) -> Self {
        let last = Look { shown: clock.now(), passed: clock.passed() };
        Self { clock: clock.clone(), last: Mutex::new(last), runs_out: Cache::new(HELD) }
    }

    /// Whether a session's time is over, which by the clock has this much `left`. What was said once is never
    /// stretched.
    pub(super) fn has_run_out(&self, id: &SessionId, left: Duration) -> bool {
        let passed = self.clock.passed();
        let by_clock = passed.saturating_add(left);
        let known = self.runs_out.get(id);
        let end = known.map_or(by_clock, |known| known.min(by_clock));
        if known != Some(end) {
            self.runs_out.insert(id.clone(), end);
        }
        passed >= end
    }

    /// By how many milliseconds the clock was set since the last look that was [kept](Self::keep); none when it was not.
    /// The look comes along.
    pub(super) fn step(&self) -> (Option<i64>, Look) {
        let now = Look { shown: self.clock.now(), passed: self.clock.passed() };
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let moved = now.shown.as_micros().saturating_sub(last.shown.as_micros());
        let passed = i64::try_from(now.passed.saturating_sub(last.passed).as_micros()).unwrap_or(0);
        let set = moved.saturating_sub(passed);
        let is_step = set.unsigned_abs() > u64::try_from(STEP.as_micros()).unwrap_or(u64::MAX);
        (is_step.then_some(set / 1_000), now)
    }

    /// From now on, clocks are compared with this look.
    pub(super) fn keep(&self, look: Look) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = look;
    }
}
