//! What stands between a refused person and the page, as far as something can be done about it.
//!
//! It is found by asking the same snapshot what would have to be otherwise. Nothing follows from that answer but words: it is
//! not recorded, and no permit comes of it.

use super::enforce::{Asked, circumstances, decide, question};
use crate::authz::access::{Access, Extent, Lack, Way};
use crate::authz::snapshot::Snapshot;
use crate::model::grant::Who;
use crate::model::record::{Reason, RuleId};
use crate::model::words::{self, ConditionKind};

/// What stands between a refused person and the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// It opens from other networks.
    Network,
    /// It opens at other hours; next at these, in words.
    Hours(Option<String>),
    /// It was open to them until then, in words.
    Ended(String),
    /// It opens to somebody who proves more than they can be offered to prove.
    Proof,
    /// It is somebody else's place.
    Own,
    /// A rule keeps this person out by name.
    Suspended,
    /// A condition that somebody wrote, or a rule that closes it as things stand.
    Circumstances,
}

impl Obstacle {
    /// The word in JSON answers.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Hours(_) => "hours",
            Self::Ended(_) => "ended",
            Self::Proof => "proof",
            Self::Own => "own",
            Self::Suspended => "suspended",
            Self::Circumstances => "circumstances",
        }
    }

    /// What stood in the way of a refused request; none when nothing but other rules would open it.
    pub(super) fn of(snapshot: &Snapshot, asked: Asked<'_>, reason: Reason) -> Option<Self> {
        match reason {
            Reason::Forbidden if names_them(snapshot, asked) => Some(Self::Suspended),
            Reason::Forbidden | Reason::NoGrant => {
                easiest(snapshot, asked).map(|way| Self::on(&way, (snapshot, asked)))
            }
            Reason::Granted | Reason::NotSignedIn | Reason::PolicyError | Reason::NoRoute => None,
        }
    }

    /// Of several things, the one that can be done least about: somebody in the wrong network needs no second factor first.
    fn on(way: &Way, (snapshot, asked): (&Snapshot, Asked<'_>)) -> Self {
        let lacks = |kind| way.lacks_kind(kind);
        let when = match &way.rule {
            RuleId::Grant(id) => snapshot.grant(id).map(|grant| &grant.when),
            RuleId::Policy(_) | RuleId::Console(_) => None,
        };
        match when {
            Some(when) if lacks(ConditionKind::Until) => {
                Self::Ended(when.until.map(|end| words::minute(end.0)).unwrap_or_default())
            }
            Some(_) if lacks(ConditionKind::Own) => Self::Own,
            Some(_) if lacks(ConditionKind::Network) => Self::Network,
            Some(when) if lacks(ConditionKind::Hours) => {
                Self::Hours(words::opening(&when.hours, asked.exchange.at))
            }
            Some(_) if !way.lacks.contains(&Lack::Closed) => Self::Proof,
            Some(_) | None => Self::Circumstances,
        }
    }
}

fn easiest(snapshot: &Snapshot, asked: Asked<'_>) -> Option<Way> {
    let circumstances = circumstances(snapshot, asked, asked.exchange.at);
    let question = question(asked, asked.found?, &circumstances);
    match snapshot.access(&question, Extent::Path).ok()? {
        Access::If(ways) => ways.into_iter().next(),
        Access::Open(_) | Access::Partly(_) | Access::Never => None,
    }
}

/// Whether a grant that closes was made for this very person.
fn names_them(snapshot: &Snapshot, asked: Asked<'_>) -> bool {
    let circumstances = circumstances(snapshot, asked, asked.exchange.at);
    let rules = decide(snapshot, asked, &circumstances).rules;
    rules.iter().any(|rule| match rule {
        RuleId::Grant(id) => {
            snapshot.grant(id).is_some_and(|grant| matches!(grant.who, Who::Person(_)))
        }
        RuleId::Policy(_) | RuleId::Console(_) => false,
    })
}
