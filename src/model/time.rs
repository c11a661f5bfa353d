//! Points in time, and the clock that gives them.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since the epoch (JWT `NumericDate`), saturating.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down. Cedar's `datetime` counts these.
    pub fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whole seconds since the epoch, rounded down.
    pub fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This point moved into the future, saturating.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This point moved into the past, saturating.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Time passed since `earlier`; zero when `earlier` lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Whether `earlier` is less than `span` ago. Never when it lies ahead: the clock went back then, and nobody knows how
    /// long ago it was.
    pub fn is_within(self, span: Duration, earlier: Self) -> bool {
        earlier <= self && self.since(earlier) < span
    }

    /// The instant for calendar arithmetic. Points outside year -9999 to 9999 are held at the edge.
    pub fn to_jiff(self) -> jiff::Timestamp {
        let edge = if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(edge)
    }
}

/// RFC 3339 in UTC with six decimals: `2026-11-24T09:15:00.000000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.to_jiff())
    }
}

/// Where the time comes from: the machine, or a hand that tests move.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is moved.
    Fixed(Arc<Hands>),
}

/// What a fixed clock shows.
#[derive(Debug)]
pub struct Hands {
    /// Microseconds since the epoch.
    shown: AtomicI64,
    /// Microseconds that have really passed.
    passed: AtomicI64,
}

impl Clock {
    /// A clock that stands at `now`.
    pub fn fixed(now: Timestamp) -> Self {
        let (shown, passed) = (AtomicI64::new(now.as_micros()), AtomicI64::new(0));
        Self::Fixed(Arc::new(Hands { shown, passed }))
    }

    /// The present, as the clock shows it: somebody may have set it since the last look.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => system_now(),
            Self::Fixed(hands) => Timestamp(hands.shown.load(Ordering::SeqCst)),
        }
    }

    /// Time that has passed since some moment before the first call, which nobody can set.
    pub fn passed(&self) -> Duration {
        match self {
            Self::System => FIRST_LOOK.elapsed(),
            Self::Fixed(hands) => {
                let passed = hands.passed.load(Ordering::SeqCst);
                Duration::from_micros(u64::try_from(passed).unwrap_or(0))
            }
        }
    }

    /// Moves a fixed clock ahead, as time does. The machine's clock is not ours to move: nothing happens.
    pub fn advance(&self, span: Duration) {
        if let Self::Fixed(hands) = self {
            let micros = i64::try_from(span.as_micros()).unwrap_or(0);
            hands.passed.fetch_add(micros, Ordering::SeqCst);
            hands.shown.fetch_add(micros, Ordering::SeqCst);
        }
    }

    /// Sets a fixed clock, as an operator does: no time passes. The machine's clock is not ours to set.
    pub fn set(&self, to: Timestamp) {
        if let Self::Fixed(hands) = self {
            hands.shown.store(to.as_micros(), Ordering::SeqCst);
        }
    }
}

static FIRST_LOOK: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
fn system_now() -> Timestamp {
    let passed =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(passed.as_micros()).unwrap_or(i64::MAX))
}

/// A point in time as files and forms spell it: RFC 3339 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Instant(pub Timestamp);

/// A text that is not an RFC 3339 instant with an offset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a point in time such as 2026-12-31T18:00:00Z")]
pub struct InvalidInstant(pub String);

impl FromStr for Instant {
    type Err = InvalidInstant;

    fn from_str(text: &str) -> Result<Self, InvalidInstant> {
        let instant: jiff::Timestamp = text.parse().map_err(|_| InvalidInstant(text.to_owned()))?;
        Ok(Self(Timestamp::from_micros(instant.as_microsecond())))
    }
}

impl TryFrom<String> for Instant {
    type Error = InvalidInstant;

    fn try_from(text: String) -> Result<Self, InvalidInstant> {
        text.parse()
    }
}

impl From<Instant> for String {
    fn from(instant: Instant) -> Self {
        instant.to_string()
    }
}

/// RFC 3339 in UTC, with decimals only where they are needed.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.to_jiff())
    }
}

/// A span of time as files and forms spell it: a whole number and one of `s`, `m`, `h`, `d`, such as `15m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(pub Duration);

/// A text that is not a span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a span; write it like 90s, 15m, 12h or 400d")]
pub struct InvalidSpan(String);

/// Units of a span, largest first, in seconds.
const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, InvalidSpan> {
        let wrong = || InvalidSpan(text.chars().take(80).collect());
        let digits = text.trim_end_matches(['s', 'm', 'h', 'd']);
        let unit = text.strip_prefix(digits).unwrap_or_default();
        let (seconds, _) = UNITS.into_iter().find(|(_, name)| *name == unit).ok_or_else(wrong)?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        number.checked_mul(seconds).map(Duration::from_secs).map(Self).ok_or_else(wrong)
    }
}

impl TryFrom<String> for Span {
    type Error = InvalidSpan;

    fn try_from(text: String) -> Result<Self, InvalidSpan> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

/// In the largest unit that divides it.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let whole =
            UNITS.into_iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
        let (unit, name) = whole.unwrap_or((1, "s"));
        write!(f, "{}{name}", seconds / unit)
    }
}
