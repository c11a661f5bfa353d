//! Grants in plain words: the one place that turns a rule into a sentence.

use std::collections::BTreeMap;

use crate::model::grant::{Conditions, Effect, Grant, Mfa, Reach, What, Who};
use crate::model::id::GroupId;
use crate::model::record::Reason;
use crate::model::time::Instant;
use crate::web::moment::Moment;
use crate::web::page::Tone;

use super::choice::Badge;

/// Names for group ids, as the rule book keeps them.
pub type GroupNames = BTreeMap<GroupId, String>;

/// One condition of a grant, with its icon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Name of the icon in the sprite.
    pub icon: &'static str,
    /// In words.
    pub text: String,
}

/// Whom a grant speaks of, by name where there is one.
pub fn who(who: &Who, names: &GroupNames) -> String {
    match who {
        Who::Group(id) => names.get(id).cloned().unwrap_or_else(|| id.to_string()),
        Who::Role(role) => role.to_string(),
        Who::Person(subject) | Who::Workload(subject) => subject.to_string(),
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
        Who::SignedIn => "any account",
        Who::Everyone => "without sign-in",
    }
}

/// What a grant lets people do, as a verb.
pub fn what(what: &What) -> String {
    match what {
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
    let networks = (!when.networks.is_empty()).then(|| {
        let names: Vec<_> = when.networks.iter().map(ToString::to_string).collect();
        Condition { icon: "network", text: format!("only from {}", names.join(" or ")) }
    });
    let mfa = match when.mfa {
        Mfa::Required => {
            Some(Condition { icon: "smartphone", text: "with multi-factor sign-in".to_owned() })
        }
        Mfa::Optional => None,
    };
    let until = when.until.map(|Instant(at)| Condition {
        icon: "calendar-clock",
        text: format!("until {}", Moment::new(at).full()),
    });
    [networks, mfa, until].into_iter().flatten().collect()
}

/// Who may open a route, as one sentence, and the badge that warns about it.
///
/// `grants` are all that reach the route, inherited ones too.
pub fn access(grants: &[&Grant], names: &GroupNames) -> (String, Option<Badge>) {
    let opening: Vec<_> = grants.iter().filter(|grant| grant.effect == Effect::Permit).collect();
    if opening.is_empty() {
        let badge = Badge { word: "Nobody", icon: "lock", tone: Tone::Bad };
        return ("No grant opens this route".to_owned(), Some(badge));
    }
    let public = opening.iter().any(|grant| grant.who == Who::Everyone);
    let badge = public.then_some(Badge { word: "Public", icon: "globe", tone: Tone::Careful });
    let mut parts: Vec<_> = opening
        .iter()
        .map(|grant| format!("{} may {}", who(&grant.who, names), what(&grant.what)))
        .collect();
    parts.dedup();
    if grants.len() > opening.len() {
        parts.push("with exceptions".to_owned());
    }
    (parts.join("; "), badge)
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
