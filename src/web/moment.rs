//! Points in time as pages print them: always UTC, and always with the exact value beside the short one.

use crate::model::time::Timestamp;

/// A point in time, ready to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(Timestamp);

impl Moment {
    /// For this instant.
    pub fn new(at: Timestamp) -> Self {
        Self(at)
    }

    /// For `datetime` attributes: RFC 3339 with milliseconds.
    pub fn iso(&self) -> String {
        format!("{:.3}", self.0.to_jiff())
    }

    /// `24 Nov 2026`
    pub fn day(&self) -> String {
        self.0.to_jiff().strftime("%-d %b %Y").to_string()
    }

    /// `09:15:02`
    pub fn clock(&self) -> String {
        self.0.to_jiff().strftime("%H:%M:%S").to_string()
    }

    /// `31 Dec, 18:00`, where the year and the zone go without saying.
    pub fn short(&self) -> String {
        self.0.to_jiff().strftime("%-d %b, %H:%M").to_string()
    }

    /// `31 Dec 2026, 18:00 UTC`
    pub fn minute(&self) -> String {
        self.0.to_jiff().strftime("%-d %b %Y, %H:%M UTC").to_string()
    }

    /// `24 Nov 2026, 09:15:02 UTC`
    pub fn full(&self) -> String {
        self.0.to_jiff().strftime("%-d %b %Y, %H:%M:%S UTC").to_string()
    }
}
