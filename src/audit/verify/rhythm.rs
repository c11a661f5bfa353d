//! What a log says about the life of the process that wrote it, beside its records: that times go on, that it notes every
//! minute that it lives, and that no run begins before the one before it has ended.
//!
//! Nothing of that is proof of a change: clocks are set, machines sleep. It is said, and the answer stays what it is.

use std::fmt;

use serde::Serialize;

use crate::model::body::Head;
use crate::model::id::DecisionId;
use crate::model::record::STOPPED;
use crate::model::time::{Instant, Timestamp};

/// Something that whoever checks a log should know, although each record of it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// What.
    pub what: Oddity,
    /// The first record that shows it.
    pub at: String,
    /// How many do.
    pub times: u64,
}

/// What can be odd about a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Oddity {
    /// A record is of an earlier time than the one before it, in one run.
    ClockWentBack,
    /// Nothing was recorded for minutes, and nothing says that the process had ended.
    Silence,
    /// A run began, and nothing says how the one before ended.
    StartUnexplained,
    /// A record says that another one was blanked, and its content is still there.
    NotErased,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, at, times } = self;
        match what {
            Oddity::ClockWentBack => {
                write!(f, "record {at} is of an earlier time than the one before it")?;
            }
            Oddity::Silence => write!(
                f,
                "nothing is on record for more than three minutes before record {at}, although a gate that runs says every minute that it does"
            )?,
            Oddity::StartUnexplained => write!(
                f,
                "record {at} says that the gate started, and no record before it that it had stopped or was cut off"
            )?,
            Oddity::NotErased => write!(
                f,
                "the content of record {at} was to be erased, as a record says, and is still there"
            )?,
        }
        match times {
            0 | 1 => Ok(()),
            2 => f.write_str("; there is one more like it"),
            more => write!(f, "; there are {} more like it", more - 1),
        }
    }
}

/// A run says at least once a minute that it lives: one that was missed, and some leisure.
const SILENCE_US: i64 = 3 * 60 * 1_000_000;

/// Bytes of a time down to its minute.
const MINUTE: usize = 16;

/// The rhythm of one log, as far as it was heard.
#[derive(Debug, Default)]
pub(super) struct Rhythm {
    run: Run,
    /// The time of the last record of this run, as it is spelled; empty where that is not known.
    last: String,
    warnings: Vec<Warning>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Run {
    /// What came before is not here.
    #[default]
    Unknown,
    Going,
    Ended,
}

impl Rhythm {
    /// Something is not here, or has no content any more.
    pub(super) fn gap(&mut self, run: Gap) {
        self.last.clear();
        match run {
            Gap::Blank => {}
            Gap::Omitted => self.run = Run::Unknown,
        }
    }

    /// Takes the next record.
    pub(super) fn hear(&mut self, head: Head<'_>) {
        match head.kind {
            "started" => {
                if self.run == Run::Going {
                    self.note(Oddity::StartUnexplained, head.id);
                }
                self.run = Run::Going;
            }
            // Of a run that was cut off nobody knows when it ended.
            "crash_found" => {
                self.run = Run::Ended;
                self.last.clear();
            }
            _ => self.compare(head),
        }
        self.last.clear();
        if [STOPPED, "restored", "key_rotated"].contains(&head.kind) {
            self.run = Run::Ended;
        } else {
            self.last.push_str(head.at);
        }
    }

    fn compare(&mut self, head: Head<'_>) {
        if self.last.is_empty() {
            return;
        }
        // Times have one spelling, in which they sort.
        if head.at < self.last.as_str() {
            self.note(Oddity::ClockWentBack, head.id);
        } else if head.at.get(..MINUTE) != self.last.get(..MINUTE) {
            let (last, at) = (time(&self.last), time(head.at));
            let passed = at.zip(last).map(|(at, last)| at.as_micros() - last.as_micros());
            if passed.is_some_and(|passed| passed > SILENCE_US) {
                self.note(Oddity::Silence, head.id);
            }
        }
    }

    fn note(&mut self, what: Oddity, id: DecisionId) {
        match self.warnings.iter_mut().find(|warning| warning.what == what) {
            Some(warning) => warning.times = warning.times.saturating_add(1),
            None => self.warnings.push(Warning { what, at: id.to_string(), times: 1 }),
        }
    }

    pub(super) fn into_warnings(self) -> Vec<Warning> {
        self.warnings
    }
}

/// Why a record is not heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// It was blanked: only what people do is.
    Blank,
    /// It is not part of an export.
    Omitted,
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse::<Instant>().ok().map(|at| at.0)
}
