//! How far back the page looks.

use std::time::Duration;

use serde::Deserialize;

use crate::console::choice::Tab;
use crate::console::urls;
use crate::model::time::Timestamp;
use crate::store::audit::search::Span;
use crate::web::link::Link;

/// A span of time up to the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Range {
    /// An hour.
    #[serde(rename = "1h")]
    Hour,
    /// 24 hours.
    #[default]
    #[serde(rename = "24h")]
    Day,
    /// Seven days.
    #[serde(rename = "7d")]
    Week,
}

/// What the address of the page says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Address {
    pub(super) range: Range,
}

impl Range {
    const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    /// Its word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }

    /// In words ("the last hour").
    pub fn words(self) -> &'static str {
        match self {
            Self::Hour => "the last hour",
            Self::Day => "the last 24 hours",
            Self::Week => "the last 7 days",
        }
    }

    /// What came before it ("the hour before").
    pub fn before(self) -> &'static str {
        match self {
            Self::Hour => "the hour before",
            Self::Day => "the 24 hours before",
            Self::Week => "the 7 days before",
        }
    }

    /// A piece of its trends ("5 minutes").
    pub fn piece(self) -> &'static str {
        match self {
            Self::Hour => "2½ minutes",
            Self::Day => "hour",
            Self::Week => "7 hours",
        }
    }

    /// The same with its article ("an hour").
    pub fn piece_of(self) -> &'static str {
        match self {
            Self::Hour => "2½ minutes",
            Self::Day => "an hour",
            Self::Week => "7 hours",
        }
    }

    pub(super) fn span(self, now: Timestamp) -> Span {
        let length = Duration::from_hours(match self {
            Self::Hour => 1,
            Self::Day => 24,
            Self::Week => 7 * 24,
        });
        Span { now, length }
    }

    /// The decisions of it that a query finds.
    pub(super) fn decisions(self, query: &str) -> Link {
        urls::decisions().with_query("q", query).with_query("range", self.as_str())
    }

    /// A link for each, this one marked.
    pub(super) fn tabs(self) -> Vec<Tab> {
        let tab = |range: Self| Tab {
            label: match range {
                Self::Hour => "1 hour",
                Self::Day => "24 hours",
                Self::Week => "7 days",
            },
            link: urls::home().with_query("range", range.as_str()),
            is_here: (range == self).then_some("page"),
        };
        Self::ALL.map(tab).into()
    }
}
