//! Values of a query: patterns for texts, ranges of numbers and moments.

use std::time::Duration;

use super::super::time::Timestamp;

/// What a text must look like. Letters compare without their case where they are ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Exactly so.
    Is(String),
    /// It begins so: `fin*`.
    Begins(String),
    /// A path, and everything below it: `/finance/**`.
    Below(String),
}

impl Pattern {
    /// Whether a text looks so.
    pub fn fits(&self, text: &str) -> bool {
        match self {
            Self::Is(wanted) => text.eq_ignore_ascii_case(wanted),
            Self::Begins(beginning) => begins(text, beginning),
            Self::Below(root) => {
                begins(text, root)
                    && text
                        .get(root.len()..)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        }
    }
}

fn begins(text: &str, beginning: &str) -> bool {
    let head = text.as_bytes().get(..beginning.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(beginning.as_bytes()))
}

/// A whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(pub u64);

/// A moment, or a whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A time.
    At(Timestamp),
    /// A day (UTC), by its first moment.
    Day(Timestamp),
    /// That long ago.
    Ago(Duration),
}

const DAY: Duration = Duration::from_hours(24);

impl Moment {
    /// The first moment that it covers.
    pub fn first(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) | Self::Day(at) => at,
            Self::Ago(age) => now.minus(age),
        }
    }

    /// The first moment behind what it covers.
    pub fn end(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at.plus(Duration::from_micros(1)),
            Self::Day(at) => at.plus(DAY),
            Self::Ago(age) => now.minus(age).plus(Duration::from_micros(1)),
        }
    }
}

/// How a value compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    UpTo,
    /// `>`
    Above,
    /// `>=`
    From,
}

impl Comparison {
    /// All, the longer signs first.
    pub const ALL: [Self; 4] = [Self::UpTo, Self::From, Self::Below, Self::Above];

    /// Its sign.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::UpTo => "<=",
            Self::Above => ">",
            Self::From => ">=",
        }
    }
}

/// Values that something may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range<T> {
    /// This one.
    One(T),
    /// All on one side of it.
    Side(Comparison, T),
    /// From the first to the second, both included.
    Between(T, T),
}

impl Range<Number> {
    /// Whether it holds this number.
    pub fn holds(&self, number: u64) -> bool {
        match *self {
            Self::One(Number(one)) => number == one,
            Self::Side(Comparison::Below, Number(bound)) => number < bound,
            Self::Side(Comparison::UpTo, Number(bound)) => number <= bound,
            Self::Side(Comparison::Above, Number(bound)) => number > bound,
            Self::Side(Comparison::From, Number(bound)) => number >= bound,
            Self::Between(Number(from), Number(to)) => from <= number && number <= to,
        }
    }
}

impl Range<Moment> {
    /// The moments that it holds: the first, and the first behind it; none: without end. An age alone is everything since.
    pub fn span(&self, now: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
        match *self {
            Self::One(ago @ Moment::Ago(_)) => (Some(ago.first(now)), None),
            Self::One(one) => (Some(one.first(now)), Some(one.end(now))),
            Self::Side(Comparison::Below, bound) => (None, Some(bound.first(now))),
            Self::Side(Comparison::UpTo, bound) => (None, Some(bound.end(now))),
            Self::Side(Comparison::Above, bound) => (Some(bound.end(now)), None),
            Self::Side(Comparison::From, bound) => (Some(bound.first(now)), None),
            Self::Between(from, to) => (Some(from.first(now)), Some(to.end(now))),
        }
    }

    /// Whether it holds this moment.
    pub fn holds(&self, at: Timestamp, now: Timestamp) -> bool {
        let (from, to) = self.span(now);
        from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to)
    }
}
