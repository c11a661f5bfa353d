//! Rules in plain words: the one place that turns a grant into a sentence.
//!
//! Pages, the command line, differences between releases and explanations all speak in these words.

use super::civil::{Hours, Weekday};
use super::grant::{Conditions, Effect, Grant, Mfa, Reach, What, Who};
use super::group::GroupNames;
use super::id::TenantId;
use super::time::{Instant, Timestamp};

/// One condition of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What it looks at.
    pub kind: ConditionKind,
    /// In words, continuing "may read": `only from 10.0.0.0/8`.
    pub text: String,
}

/// What a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConditionKind {
    /// The client's address.
    Network,
    /// The hours of the week.
    Hours,
    /// A second factor.
    Mfa,
    /// How long ago the person proved who they are.
    Fresh,
    /// An authentication context.
    AuthContext,
    /// Whose place in the path it is.
    Own,
    /// An end.
    Until,
}

/// `Finance may read intranet/finance and below, only from 10.0.0.0/8, until 31 Dec 2026, 18:00 UTC`
pub fn sentence(grant: &Grant, names: &GroupNames) -> String {
    let Grant { effect, route, reach: how_far, when, .. } = grant;
    let reach = reach(*how_far);
    let (who, what) = (who(&grant.who, names), what(&grant.what, *effect));
    let start = format!("{who} {} {what} {route} ({reach})", verb(*effect));
    conditions(when).into_iter().fold(start, |text, condition| text + ", " + &condition.text)
}

/// Whom a grant speaks of, by name where there is one.
pub fn who(who: &Who, names: &GroupNames) -> String {
    match who {
        Who::Group(id) => names.label(id),
        Who::Role(role) => role.to_string(),
        Who::Person(subject) | Who::Workload(subject) => names.person(subject),
        Who::Tenants(ids) => {
            let ids: Vec<_> = ids.iter().map(TenantId::to_string).collect();
            format!("Members of {}", listed(&ids, "or"))
        }
        Who::SignedIn => "Everyone signed in".to_owned(),
        Who::Everyone => "Everyone".to_owned(),
    }
}

/// What kind of principal that is.
pub fn kind(who: &Who) -> &'static str {
    match who {
        Who::Group(_) => "group",
        Who::Role(_) => "app role",
        Who::Person(_) => "person",
        Who::Workload(_) => "service",
        Who::Tenants(_) => "tenant",
        Who::SignedIn => "any account",
        Who::Everyone => "without sign-in",
    }
}

/// The verb of a grant.
pub fn verb(effect: Effect) -> &'static str {
    match effect {
        Effect::Permit => "may",
        Effect::Forbid => "may never",
    }
}

/// What a grant lets people do or keeps them from, as a verb.
pub fn what(what: &What, effect: Effect) -> String {
    match what {
        What::All if effect == Effect::Forbid => "read or change".to_owned(),
        What::Read => "read".to_owned(),
        What::Write => "change".to_owned(),
        What::All => "read and change".to_owned(),
        What::Methods(methods) => {
            let names: Vec<_> = methods.iter().map(|method| method.as_str()).collect();
            format!("use {}", names.join(", "))
        }
    }
}

/// How far a grant reaches.
pub fn reach(reach: Reach) -> &'static str {
    match reach {
        Reach::Below => "here and below",
        Reach::Only => "this route only",
    }
}

/// All conditions of a grant; none for a grant that always holds.
pub fn conditions(when: &Conditions) -> Vec<Condition> {
    let Conditions { networks, hours, mfa, fresh, auth_context, own, until } = when;
    let networks: Vec<_> = networks.iter().map(ToString::to_string).collect();
    let hours: Vec<_> = hours.iter().map(during).collect();
    let all = [
        (ConditionKind::Network, some(&networks).map(|all| format!("only from {all}"))),
        (ConditionKind::Hours, some(&hours)),
        (
            ConditionKind::Mfa,
            (*mfa == Mfa::Required).then(|| "with multi-factor sign-in".to_owned()),
        ),
        (ConditionKind::Fresh, fresh.map(|span| format!("with a sign-in of the last {span}"))),
        (
            ConditionKind::AuthContext,
            auth_context.as_ref().map(|name| format!("with the authentication context {name}")),
        ),
        (
            ConditionKind::Own,
            own.as_ref().map(|name| format!("where {{{name}}} is their own object id")),
        ),
        (ConditionKind::Until, until.map(|Instant(at)| format!("until {}", minute(at)))),
    ];
    all.into_iter().filter_map(|(kind, text)| text.map(|text| Condition { kind, text })).collect()
}

/// `Mon–Fri 07:00–19:00 (Europe/Prague)`
fn during(hours: &Hours) -> String {
    let (from, to, zone) = (hours.from(), hours.to(), hours.zone());
    format!("{} {from}–{to} ({zone})", days(hours))
}

/// Runs of three days and more are written with a dash.
fn days(hours: &Hours) -> String {
    let mut runs: Vec<Vec<Weekday>> = Vec::new();
    for day in hours.days() {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| last.number() + 1 == day.number()) => {
                run.push(*day);
            }
            Some(_) | None => runs.push(vec![*day]),
        }
    }
    let run = |run: Vec<Weekday>| match run.as_slice() {
        [first, _, .., last] => format!("{first}–{last}"),
        few => few.iter().map(Weekday::to_string).collect::<Vec<_>>().join(", "),
    };
    runs.into_iter().map(run).collect::<Vec<_>>().join(", ")
}

/// When the first of these hours begins next after `at`, by its own clock: `Mon 07:00 (Europe/Prague)`.
pub fn opening(hours: &[Hours], at: Timestamp) -> Option<String> {
    let next = hours.iter().filter_map(|hours| Some((hours.next(at)?, hours)));
    let (begin, hours) = next.min_by_key(|(begin, _)| *begin)?;
    let day = hours.zone().local(begin).weekday;
    Some(format!("{day} {} ({})", hours.from(), hours.zone()))
}

fn some(words: &[String]) -> Option<String> {
    (!words.is_empty()).then(|| listed(words, "or"))
}

/// `a`, `a or b`, `a, b or c`
pub fn listed(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [before @ .., end] => format!("{} {last} {end}", before.join(", ")),
    }
}

/// `31 Dec 2026, 18:00 UTC`
pub fn minute(at: Timestamp) -> String {
    at.to_jiff().strftime("%-d %b %Y, %H:%M UTC").to_string()
}
