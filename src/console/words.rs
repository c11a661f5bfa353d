//! Grants as pages show them: the words of [`crate::model::words`], with icons and marks.

use crate::model::grant::{Conditions, Effect, Grant, Who};
use crate::model::group::GroupMark;
pub use crate::model::group::GroupNames;
use crate::model::id::ObjectId;
use crate::model::record::Reason;
use crate::model::words::{self, ConditionKind};
pub use crate::model::words::{kind, reach, verb, what, who};
use crate::web::page::Tone;

use super::choice::{Badge, Written};

/// One condition of a grant, with its icon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Name of the icon in the sprite.
    pub icon: &'static str,
    /// In words.
    pub text: String,
}

/// The id behind the name of whom a grant speaks of, and what is to be said of a group.
pub fn group(who: &Who, names: &GroupNames) -> (Option<String>, Option<GroupNote>) {
    match who {
        Who::Group(id) => (Some(id.to_string()), names.mark(id).map(GroupNote::new)),
        Who::Person(subject) | Who::Workload(subject) => (names.account(subject), None),
        Who::Role(_) | Who::Tenants(_) | Who::SignedIn | Who::Everyone => (None, None),
    }
}

/// What is to be said of a group beside its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupNote {
    /// How it is meant.
    pub tone: Tone,
    /// In words.
    pub text: String,
    name: NameStands,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NameStands {
    Yes,
    No,
}

impl GroupNote {
    /// The mark in words.
    pub fn new(mark: GroupMark) -> Self {
        let (tone, text, name) = match mark {
            GroupMark::Deleted => {
                (Tone::Careful, "deleted in Entra, nobody is in it".to_owned(), NameStands::No)
            }
            GroupMark::Unknown => {
                (Tone::Careful, "unknown id: Entra has no such group".to_owned(), NameStands::Yes)
            }
            GroupMark::Renamed(former) => {
                (Tone::Plain, format!("renamed, before: {former}"), NameStands::Yes)
            }
            GroupMark::Typed(typed) => {
                (Tone::Plain, format!("in the rule book: {typed}"), NameStands::Yes)
            }
        };
        Self { tone, text, name }
    }

    /// Whether the name is shown struck out.
    pub fn is_struck(&self) -> bool {
        self.name == NameStands::No
    }
}

/// All conditions of a grant; none for a grant that always holds.
pub fn conditions(when: &Conditions) -> Vec<Condition> {
    let with_icon = |condition: words::Condition| Condition {
        icon: icon(condition.kind),
        text: condition.text,
    };
    words::conditions(when).into_iter().map(with_icon).collect()
}

fn icon(kind: ConditionKind) -> &'static str {
    match kind {
        ConditionKind::Network => "network",
        ConditionKind::Hours => "clock",
        ConditionKind::Mfa | ConditionKind::AuthContext => "smartphone",
        ConditionKind::Fresh => "rotate-ccw",
        ConditionKind::Own => "user",
        ConditionKind::Until => "calendar-clock",
    }
}

/// Who may open a route: one line per grant, and the badge that warns about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The first grants, each a line of its own: conditions belong to a grant, not to the route.
    pub lines: Vec<AccessLine>,
    /// How many more there are.
    pub more: usize,
    /// A warning: public, or nobody.
    pub badge: Option<Badge>,
}

/// One grant in a list of routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessLine {
    /// Whether it opens or closes.
    pub effect: Effect,
    /// Whom it speaks of.
    pub who: String,
    /// The object id of a group, or the account id of a person.
    pub group: Option<String>,
    /// What is to be said of the group.
    pub note: Option<GroupNote>,
    /// What they may do.
    pub what: String,
    /// Under which conditions.
    pub conditions: Vec<Condition>,
}

/// Lines shown per route; the route's own page has them all.
const LINES: usize = 4;

impl Access {
    /// From all grants that reach the route, inherited ones too.
    pub fn new(grants: &[&Grant], names: &GroupNames, written: Written) -> Self {
        let lines = grants.iter().take(LINES).map(|grant| AccessLine::new(grant, names));
        let more = grants.len().saturating_sub(LINES);
        Self { lines: lines.collect(), more, badge: Badge::access(grants, written) }
    }
}

impl AccessLine {
    fn new(grant: &Grant, names: &GroupNames) -> Self {
        let (group, note) = group(&grant.who, names);
        Self {
            effect: grant.effect,
            who: who(&grant.who, names),
            group,
            note,
            what: what(&grant.what, grant.effect),
            conditions: conditions(&grant.when),
        }
    }

    /// Between who and what.
    pub fn verb(&self) -> &'static str {
        verb(self.effect)
    }
}

/// Why a decision fell, as the beginning of a sentence.
pub fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Granted => "Granted",
        Reason::NoGrant => "No grant for this person",
        Reason::NotSignedIn => "Not signed in",
        Reason::Forbidden => "Forbidden by a rule",
        Reason::PolicyError => "A rule failed, so everything was refused",
        Reason::NoRoute => "No route covers this path",
    }
}

/// Letters of an id that stands in for a name.
const SHORT: usize = 8;

/// What a heading says of somebody or something, and the whole id where the heading cuts one short: an id is no name.
pub fn heading(name: &str) -> (String, Option<String>) {
    let own = name.rsplit('.').next().unwrap_or(name);
    if own.parse::<ObjectId>().is_err() {
        return (name.to_owned(), None);
    }
    let short: String = own.chars().take(SHORT).collect();
    (format!("{short}…"), Some(name.to_owned()))
}

/// `1 route`, `2 routes`
pub fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// `12 345`, with thin spaces.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + 4);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}
