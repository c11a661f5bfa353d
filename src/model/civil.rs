//! Time as people keep it: weekdays and hours in a time zone.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// A time zone of the IANA database, by its name there: `Europe/Prague`.
///
/// The database is the one built into this program, so that the same release and the same instant give the same local
/// time on every machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    rules: jiff::tz::TimeZone,
}

/// A text that is not the name of a time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time zone of the IANA database such as Europe/Prague or UTC")]
pub struct InvalidZone(String);

impl Zone {
    /// Its name in the IANA database.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// What calendars and clocks there show.
    pub fn local(&self, at: Timestamp) -> LocalTime {
        let local = self.rules.to_datetime(at.to_jiff());
        let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
        LocalTime { weekday: Weekday::of(local.weekday()), minute }
    }

    /// The first instant after `at` at which `minute` of any day begins there; none at the end of all calendars.
    pub fn next(&self, at: Timestamp, minute: Minute) -> Option<Timestamp> {
        let today = self.rules.to_datetime(at.to_jiff()).date();
        let time = jiff::civil::time(minute.hour(), minute.minute(), 0, 0);
        let days = (0..=2).filter_map(|days| today.checked_add(jiff::Span::new().days(days)).ok());
        let instants = days.filter_map(|day| {
            let there = self.rules.to_timestamp(day.to_datetime(time)).ok()?;
            Some(Timestamp::from_micros(there.as_microsecond()))
        });
        instants.filter(|instant| *instant > at).min()
    }
}

impl FromStr for Zone {
    type Err = InvalidZone;

    fn from_str(text: &str) -> Result<Self, InvalidZone> {
        let wrong = || InvalidZone(text.chars().take(80).collect());
        let rules = jiff::tz::db().get(text).map_err(|_| wrong())?;
        // Names are found without regard to case; one zone has one spelling here.
        let name = rules.iana_name().filter(|name| *name == text).ok_or_else(wrong)?.to_owned();
        Ok(Self { name, rules })
    }
}

impl TryFrom<String> for Zone {
    type Error = InvalidZone;

    fn try_from(text: String) -> Result<Self, InvalidZone> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

impl PartialOrd for Zone {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Zone {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name.cmp(&other.name)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What calendar and clock show in one time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalTime {
    /// The day of the week.
    pub weekday: Weekday,
    /// Minutes since midnight by the clock, 0 to 1439.
    pub minute: i64,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday, 1.
    Mon,
    /// Tuesday, 2.
    Tue,
    /// Wednesday, 3.
    Wed,
    /// Thursday, 4.
    Thu,
    /// Friday, 5.
    Fri,
    /// Saturday, 6.
    Sat,
    /// Sunday, 7.
    Sun,
}

impl Weekday {
    /// Every day, in the order of ISO 8601.
    pub const ALL: [Self; 7] =
        [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// Its number by ISO 8601: Monday is 1, Sunday is 7.
    pub fn number(self) -> i64 {
        match self {
            Self::Mon => 1,
            Self::Tue => 2,
            Self::Wed => 3,
            Self::Thu => 4,
            Self::Fri => 5,
            Self::Sat => 6,
            Self::Sun => 7,
        }
    }

    fn of(day: jiff::civil::Weekday) -> Self {
        match day {
            jiff::civil::Weekday::Monday => Self::Mon,
            jiff::civil::Weekday::Tuesday => Self::Tue,
            jiff::civil::Weekday::Wednesday => Self::Wed,
            jiff::civil::Weekday::Thursday => Self::Thu,
            jiff::civil::Weekday::Friday => Self::Fri,
            jiff::civil::Weekday::Saturday => Self::Sat,
            jiff::civil::Weekday::Sunday => Self::Sun,
        }
    }
}

/// `Mon` … `Sun`
impl fmt::Display for Weekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// A minute of the day, written `HH:MM`; `24:00` is the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Minute(u16);

/// A text that is not a minute of the day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time of day from 00:00 to 24:00")]
pub struct InvalidMinute(String);

impl Minute {
    /// Minutes since midnight, 0 to 1440.
    pub fn number(self) -> i64 {
        i64::from(self.0)
    }

    /// The hour by the clock, 0 to 23; the end of the day is the beginning of the next.
    fn hour(self) -> i8 {
        i8::try_from(self.0 / 60 % 24).unwrap_or(0)
    }

    fn minute(self) -> i8 {
        i8::try_from(self.0 % 60).unwrap_or(0)
    }
}

impl FromStr for Minute {
    type Err = InvalidMinute;

    fn from_str(text: &str) -> Result<Self, InvalidMinute> {
        let wrong = || InvalidMinute(text.chars().take(20).collect());
        let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
        let number = |part: &str| {
            let two = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u16>().ok().filter(|_| two).ok_or_else(wrong)
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let minute = hours * 60 + minutes;
        (minutes < 60 && minute <= 1_440).then_some(Self(minute)).ok_or_else(wrong)
    }
}

impl TryFrom<String> for Minute {
    type Error = InvalidMinute;

    fn try_from(text: String) -> Result<Self, InvalidMinute> {
        text.parse()
    }
}

impl From<Minute> for String {
    fn from(minute: Minute) -> Self {
        minute.to_string()
    }
}

/// `HH:MM`
impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// Hours of certain days: `{ zone = "Europe/Prague", days = ["mon", "tue"], from = "07:00", to = "19:00" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "HoursForm")]
pub struct Hours {
    zone: Zone,
    days: BTreeSet<Weekday>,
    from: Minute,
    to: Minute,
}

/// [`Hours`] as they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoursForm {
    zone: Zone,
    days: BTreeSet<Weekday>,
    from: Minute,
    to: Minute,
}

/// Hours that no moment lies in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHours {
    /// There is no day among them.
    #[error("hours need at least one day")]
    NoDay,
    /// They end before they begin.
    #[error("hours must end after they begin, on the same day; split {from} to {to} at midnight")]
    Backwards {
        /// Their beginning.
        from: Minute,
        /// Their end.
        to: Minute,
    },
}

impl Hours {
    /// Hours `from` (included) to `to` (excluded) by the clocks of `zone`, on these days.
    ///
    /// # Errors
    /// Without a day, or when they end before they begin.
    pub fn new(
        zone: Zone,
        days: BTreeSet<Weekday>,
        from: Minute,
        to: Minute,
    ) -> Result<Self, InvalidHours> {
        if days.is_empty() {
            return Err(InvalidHours::NoDay);
        }
        if from >= to {
            return Err(InvalidHours::Backwards { from, to });
        }
        Ok(Self { zone, days, from, to })
    }

    /// Whose clocks count.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// On which days.
    pub fn days(&self) -> &BTreeSet<Weekday> {
        &self.days
    }

    /// The first minute of them.
    pub fn from(&self) -> Minute {
        self.from
    }

    /// The first minute after them.
    pub fn to(&self) -> Minute {
        self.to
    }

    /// When they begin next after `at`; none at the end of all calendars.
    pub fn next(&self, at: Timestamp) -> Option<Timestamp> {
        let day_by_day = std::iter::successors(self.zone.next(at, self.from), |last| {
            self.zone.next(*last, self.from)
        });
        // A week and a day, since a clock that is put forward can pass over their first minute.
        let mut begins = day_by_day.take(15);
        begins.find(|begin| self.days.contains(&self.zone.local(*begin).weekday))
    }
}

impl TryFrom<HoursForm> for Hours {
    type Error = InvalidHours;

    fn try_from(HoursForm { zone, days, from, to }: HoursForm) -> Result<Self, InvalidHours> {
        Self::new(zone, days, from, to)
    }
}
