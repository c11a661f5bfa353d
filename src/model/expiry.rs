//! How pressing it is that something ends.

use std::time::Duration;

use super::time::Timestamp;

const DAY: Duration = Duration::from_hours(24);
/// Time enough to order a new one. 30 days.
const ORDER: Duration = DAY.saturating_mul(30);
/// Somebody should be at it by now. 14 days.
const ACT: Duration = DAY.saturating_mul(14);
/// Whoever is away for a weekend comes back too late. 3 days.
const HURRY: Duration = DAY.saturating_mul(3);

/// How pressing it is that something ends, the least pressing first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressing {
    /// Not at all.
    Later,
    /// It ends within 30 days.
    Soon,
    /// Within 14 days.
    Near,
    /// Within 3 days.
    Now,
    /// It has ended.
    Over,
}

impl Pressing {
    /// How pressing it is at `now` that something ends at `end`.
    pub fn of(end: Timestamp, now: Timestamp) -> Self {
        if end <= now {
            return Self::Over;
        }
        let left = end.since(now);
        let steps = [(HURRY, Self::Now), (ACT, Self::Near), (ORDER, Self::Soon)];
        let step = steps.into_iter().find(|(within, _)| left <= *within);
        step.map_or(Self::Later, |(_, step)| step)
    }
}
