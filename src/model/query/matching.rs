//! Whether a record is what is looked for: read from its body as it was written, and the principal's content.

use std::net::IpAddr;

use serde_json_borrow::Value;

use super::super::id::DecisionId;
use super::super::time::Timestamp;
use super::{Effect, Mfa, NumberKey, Query, Sense, Term, TextKey, What};

/// A record, read.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// Its place.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// `decision`, `refusal` or an event's word.
    pub kind: &'a str,
    /// Its body.
    pub body: &'a Value<'a>,
    /// The principal's content; null where there is none.
    pub principal: &'a Value<'a>,
}

/// What a query is read against besides records.
pub trait Known {
    /// The present.
    fn now(&self) -> Timestamp;

    /// The names that a group goes by.
    fn group_names(&self, id: &str) -> Vec<String>;
}

impl Evidence<'_> {
    /// What became of the request; none for other events.
    pub fn effect(&self) -> Option<Effect> {
        effect(self)
    }
}

impl Query {
    /// Whether all terms hold.
    pub fn finds(&self, record: &Evidence<'_>, known: &impl Known) -> bool {
        self.terms.iter().all(|term| term.holds(record, known))
    }

    /// The moments outside of which nothing is found: the first, and the first behind; none: without end.
    pub fn span(&self, now: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
        let (mut from, mut to) = (None, None);
        for term in &self.terms {
            let (Sense::Is, What::At(ranges)) = (term.sense, &term.what) else { continue };
            let spans = || ranges.iter().map(|range| range.span(now));
            // Joined by OR, the earliest and the latest count; one without an end takes the end away.
            let first = spans().map(|(first, _)| first).min().flatten();
            let ends: Option<Vec<_>> = spans().map(|(_, end)| end).collect();
            from = from.max(first);
            if let Some(end) = ends.and_then(|ends| ends.into_iter().max()) {
                to = Some(to.map_or(end, |to: Timestamp| to.min(end)));
            }
        }
        (from, to)
    }
}

impl Term {
    fn holds(&self, record: &Evidence<'_>, known: &impl Known) -> bool {
        let holds = match &self.what {
            What::Text(key, patterns) => texts(*key, record, known)
                .iter()
                .any(|text| patterns.iter().any(|pattern| pattern.fits(text))),
            What::Effect(effects) => effect(record).is_some_and(|effect| effects.contains(&effect)),
            What::Mfa(all) => mfa(record.body).is_some_and(|mfa| all.contains(&mfa)),
            What::Ip(networks) => address(record.body)
                .is_some_and(|address| networks.iter().any(|network| network.contains(&address))),
            What::Number(key, ranges) => number(*key, record.body)
                .is_some_and(|number| ranges.iter().any(|range| range.holds(number))),
            What::At(ranges) => ranges.iter().any(|range| range.holds(record.at, known.now())),
            What::Word(word) => has(word, record),
        };
        match self.sense {
            Sense::Is => holds,
            Sense::IsNot => !holds,
        }
    }
}

pub(super) fn text<'a>(value: &'a Value<'a>, name: &'a str) -> Option<&'a str> {
    value.get(name).as_str()
}

pub(super) fn texts(key: TextKey, record: &Evidence<'_>, known: &impl Known) -> Vec<String> {
    let Evidence { body, principal, .. } = record;
    let one = |name| text(body, name).map(str::to_owned).into_iter().collect();
    match key {
        TextKey::Kind => vec![record.kind.to_owned()],
        TextKey::Id => vec![record.id.to_string()],
        TextKey::User => people(record),
        TextKey::Group => {
            let ids = list(principal, "groups");
            let names: Vec<_> = ids.iter().flat_map(|id| known.group_names(id)).collect();
            ids.into_iter().chain(names).collect()
        }
        TextKey::Role => list(principal, "roles"),
        TextKey::Reason => ["reason", "refusal", "cause", "why"]
            .iter()
            .filter_map(|name| text(body, name).map(str::to_owned))
            .collect(),
        TextKey::Policy => {
            ["policy:", "console:"].iter().flat_map(|kind| rules(body, kind)).collect()
        }
        TextKey::Grant => rules(body, "grant:"),
        TextKey::Route => one("route"),
        TextKey::App => {
            app(text(body, "app"), text(body, "route")).map(str::to_owned).into_iter().collect()
        }
        TextKey::Host => one("host"),
        TextKey::Path => one("path"),
        TextKey::Method => one("method"),
        TextKey::Session => one("session"),
        TextKey::Request => one("request"),
        TextKey::Door => one("door"),
    }
}

/// The app of a record: its own, else the one that its route names.
pub fn app<'a>(own: Option<&'a str>, route: Option<&'a str>) -> Option<&'a str> {
    own.or_else(|| route?.split_once('/').map(|(app, _)| app))
}

/// Everything that the person or workload of a record goes by.
fn people(record: &Evidence<'_>) -> Vec<String> {
    let names = ["subject", "user_name", "name", "email", "client"];
    let principal = names.iter().filter_map(|name| text(record.principal, name));
    let ids = ["subject", "actor"].iter().filter_map(|name| text(record.body, name));
    let id = text(record.body.get("principal"), "id");
    principal.chain(ids).chain(id).map(str::to_owned).collect()
}

pub(super) fn list<'a>(value: &'a Value<'a>, name: &'a str) -> Vec<String> {
    let all = value.get(name).as_array();
    let texts = all.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

fn rules<'a>(body: &'a Value<'a>, kind: &str) -> Vec<String> {
    let rules = list(body, "rules");
    rules.iter().filter_map(|rule| rule.strip_prefix(kind)).map(str::to_owned).collect()
}

pub(super) fn effect(record: &Evidence<'_>) -> Option<Effect> {
    match (record.kind, text(record.body, "verdict")) {
        ("refusal", _) => Some(Effect::Refused),
        (_, Some("allow")) => Some(Effect::Allow),
        (_, Some("deny")) => Some(Effect::Deny),
        (_, _) => None,
    }
}

pub(super) fn mfa<'a>(body: &'a Value<'a>) -> Option<Mfa> {
    match text(body.get("circumstances"), "mfa")? {
        "met" => Some(Mfa::Yes),
        "not_met" => Some(Mfa::No),
        _ => None,
    }
}

pub(super) fn address<'a>(body: &'a Value<'a>) -> Option<IpAddr> {
    text(body, "client")?.parse().ok()
}

pub(super) fn number<'a>(key: NumberKey, body: &'a Value<'a>) -> Option<u64> {
    match key {
        NumberKey::Release => body.get("release").as_u64(),
        NumberKey::Ms => Some(body.get("duration_us").as_u64()? / 1_000),
    }
}

fn has(word: &str, record: &Evidence<'_>) -> bool {
    let word = word.to_lowercase();
    let of_body = ["path", "route"].iter().filter_map(|name| text(record.body, name));
    let names = ["name", "user_name", "email", "client"];
    let of_person = names.iter().filter_map(|name| text(record.principal, name));
    of_body.chain(of_person).any(|text| text.to_lowercase().contains(&word))
}
