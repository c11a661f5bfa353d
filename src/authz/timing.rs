//! How long a decision stays as it is while nothing happens but that time passes.
//!
//! Whoever watches an open connection decides again when something changed. Most rules never change by themselves: only
//! a grant with an end does, at that end, and a hand-written policy that reads `context.now`, at any time.
//!
//! **Invariant**: the answer may be too early, never too late. A policy whose reading of the time can't be ruled out
//! counts as one that reads it.

use crate::model::grant::Grant;
use crate::model::time::Timestamp;

/// When a rule may begin to say something else, all else being equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Timing {
    /// Never.
    #[default]
    Never,
    /// At this moment, once.
    At(Timestamp),
    /// At any time.
    Always,
}

impl Timing {
    /// Of a grant: at its end, or at any time when it has hours or asks for a recent proof.
    pub(super) fn of_grant(grant: &Grant) -> Self {
        if !grant.when.hours.is_empty() || grant.when.fresh.is_some() {
            return Self::Always;
        }
        grant.when.until.map_or(Self::Never, |until| Self::At(until.0))
    }

    /// The earlier of two, seen from `now`: what lies behind can't happen again.
    #[must_use]
    pub(super) fn or(self, other: Self, now: Timestamp) -> Self {
        match (self.after(now), other.after(now)) {
            (Self::Always, _) | (_, Self::Always) => Self::Always,
            (Self::Never, timing) | (timing, Self::Never) => timing,
            (Self::At(one), Self::At(two)) => Self::At(one.min(two)),
        }
    }

    fn after(self, now: Timestamp) -> Self {
        match self {
            Self::At(end) if end <= now => Self::Never,
            Self::At(_) | Self::Never | Self::Always => self,
        }
    }

    /// The time from which on a decision made at `now` may be another one; none when it stays.
    pub fn from(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::At(end) => Some(end),
            Self::Always => Some(now),
        }
    }
}
