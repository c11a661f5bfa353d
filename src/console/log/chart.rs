//! Decisions over time, as bars with the same numbers in a table.

use crate::console::words::grouped;
use crate::model::query::Query;
use crate::model::time::Timestamp;
use crate::store::audit::search::{Counted, Counts, Exactness, Period};
use crate::web::link::Link;
use crate::web::moment::Moment;

/// Bars that a chart has at most; older ones are left out.
const BARS: i64 = 170;
/// The height of the highest bar.
const HEIGHT: u64 = 48;
/// The width of a bar with the gap behind it.
const STEP: i64 = 6;

/// A chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// What it shows, in a sentence.
    pub caption: String,
    /// Its width.
    pub width: i64,
    /// Periods in which there was something, oldest first.
    pub bars: Vec<Bar>,
    /// When it begins, in words.
    pub from: String,
    /// When it ends, in words.
    pub to: String,
}

/// One period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// When it began, in words.
    pub at: String,
    /// The decisions of it.
    pub link: Link,
    /// Where the bar stands.
    pub x: i64,
    /// Allowed requests.
    pub allowed: u64,
    /// Denied and refused ones.
    pub kept_out: u64,
    /// Where the part of the allowed begins, from above.
    pub allowed_y: u64,
    /// How high it is.
    pub allowed_height: u64,
    /// Where the part of the others begins.
    pub kept_out_y: u64,
    /// How high it is.
    pub kept_out_height: u64,
}

/// What counts are made over, for a query.
pub(super) fn period(query: &Query, now: Timestamp) -> Period {
    let (from, to) = query.span(now);
    let length = from.map(|from| to.unwrap_or(now).since(from).as_secs());
    match length {
        Some(0..=10_800) => Period::Minute,
        Some(10_801..=604_860) => Period::Hour,
        Some(_) | None => Period::Day,
    }
}

/// The chart of what was counted; none when that was nothing. `link` leads to the records between two moments.
pub(super) fn of(
    counts: &Counts,
    (query, period, now): (&Query, Period, Timestamp),
    link: impl Fn(&str, &str) -> Link,
) -> Option<Chart> {
    let (first, last) = (counts.counted.first()?, counts.counted.last()?);
    let (from, to) = query.span(now);
    let seconds = period.seconds();
    let end = period.start(to.map_or(now, |to| to.minus(std::time::Duration::from_micros(1))));
    let end = end.max(start(last));
    let begin = from.map_or(start(first), |from| period.start(from));
    let begin = begin.max(end - (BARS - 1) * seconds);
    let shown: Vec<_> = counts.counted.iter().filter(|one| start(one) >= begin).collect();
    let highest = shown.iter().map(|one| sum(one)).max().filter(|highest| *highest > 0)?;
    let bar = |one: &&Counted| {
        let height = |number: u64| (number * HEIGHT).div_ceil(highest);
        let kept_out = one.denied + one.refused;
        let (allowed_height, kept_out_height) = (height(one.allowed), height(kept_out));
        let allowed_y = (HEIGHT + 2).saturating_sub(allowed_height);
        let (since, until) = (one.start.to_string(), plus(one.start, seconds).to_string());
        Bar {
            at: Moment::new(one.start).minute(),
            link: link(&since, &until),
            x: (start(one) - begin) / seconds * STEP,
            allowed: one.allowed,
            kept_out,
            allowed_y,
            allowed_height,
            kept_out_y: allowed_y.saturating_sub(kept_out_height),
            kept_out_height,
        }
    };
    Some(Chart {
        caption: caption(&shown, counts.exactness, period),
        width: ((end - begin) / seconds + 1) * STEP,
        bars: shown.iter().map(bar).collect(),
        from: Moment::new(at(begin)).minute(),
        to: Moment::new(at(end)).minute(),
    })
}

fn caption(shown: &[&Counted], exactness: Exactness, period: Period) -> String {
    let total = |of: fn(&Counted) -> u64| shown.iter().map(|one| of(one)).sum::<u64>();
    let most = match exactness {
        Exactness::Exact => "",
        Exactness::AtMost => "At most ",
    };
    let each = match period {
        Period::Minute => "minute",
        Period::Hour => "hour",
        Period::Day => "day",
    };
    let [allowed, denied, refused] =
        [total(|one| one.allowed), total(|one| one.denied), total(|one| one.refused)].map(grouped);
    format!("{most}{allowed} allowed, {denied} denied, {refused} refused, by {each}.")
}

fn sum(one: &Counted) -> u64 {
    one.allowed + one.denied + one.refused
}

fn start(one: &Counted) -> i64 {
    one.start.as_micros().div_euclid(1_000_000)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds.saturating_mul(1_000_000))
}

/// The last moment of a period that began then.
fn plus(start: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_micros(start.as_micros() + seconds * 1_000_000 - 1)
}
