//! The period of a report: whole days, the first and the last included.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::console::log::detail::days;
use crate::model::query::Query;
use crate::model::time::Timestamp;

/// Days of a period that nobody named.
const USUAL_DAYS: i64 = 30;

/// From one day to another, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    from: Date,
    to: Date,
}

impl Period {
    /// Reads both days; the usual ones where none is said, up to today.
    ///
    /// # Errors
    /// With what is wrong, as a sentence.
    pub(super) fn read([from, to]: [&str; 2], now: Timestamp) -> Result<Self, String> {
        let day = |text: &str, usual: Date| match text {
            "" => Ok(usual),
            text => {
                let read = text.parse::<Date>();
                read.map_err(|_| format!("`{text}` is not a day such as 2026-11-24."))
            }
        };
        let to = day(to, TimeZone::UTC.to_datetime(now.to_jiff()).date())?;
        let usual = to.saturating_sub(jiff::Span::new().days(USUAL_DAYS - 1));
        let from = day(from, usual)?;
        if from > to {
            return Err(format!("{from} is after {to}."));
        }
        Ok(Self { from, to })
    }

    /// Periods that people ask for, with what each is called: weeks go from Monday to Sunday.
    pub(super) fn presets(now: Timestamp) -> [(&'static str, Self); 4] {
        let today = TimeZone::UTC.to_datetime(now.to_jiff()).date();
        let back = |from: Date, days: i64| from.saturating_sub(jiff::Span::new().days(days));
        let monday = back(today, i64::from(today.weekday().to_monday_zero_offset()));
        let month = back(today.first_of_month(), 1);
        [
            ("Last 7 days", Self { from: back(today, 6), to: today }),
            ("Last week", Self { from: back(monday, 7), to: back(monday, 1) }),
            ("Last 30 days", Self { from: back(today, USUAL_DAYS - 1), to: today }),
            ("Last month", Self { from: month.first_of_month(), to: month }),
        ]
    }

    /// The days as fields of forms and addresses have them.
    pub(super) fn fields(self) -> [String; 2] {
        [self.from.to_string(), self.to.to_string()]
    }

    /// What a query finds in it.
    pub(super) fn of(self, mut query: Query) -> Query {
        // It is ours; what can't be read would be no condition at all.
        let term = format!("at:{}..{}", self.from, self.to).parse::<Query>();
        query.terms.extend(term.unwrap_or_default().terms);
        query
    }

    /// Whether a moment lies in it.
    pub(super) fn holds(self, at: Timestamp) -> bool {
        let day = TimeZone::UTC.to_datetime(at.to_jiff()).date();
        self.from <= day && day <= self.to
    }

    /// In words.
    pub(super) fn words(self) -> String {
        format!("{}, whole days in UTC", days(self.from, self.to))
    }
}
