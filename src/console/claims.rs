//! Assertions in words: what is claimed, and what breaks it.

use super::choice::Named;
use super::showing::Shown;
use super::urls;
use super::words;
use crate::authz::assertions::{Broken, Why};
use crate::model::assertion::{Access, Claim, Exclusive};
use crate::model::grant::Effect;
use crate::model::group::GroupNames;
use crate::model::record::RuleId;
use crate::web::link::Link;

/// An assertion that a draft breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenClaim {
    /// The assertion, leading to its row.
    pub assertion: Named,
    /// What it claims, as a sentence.
    pub claim: String,
    /// Why it matters.
    pub reason: String,
    /// What breaks it, as a sentence.
    pub finding: String,
    /// The rules that do, leading to them.
    pub rules: Vec<Named>,
}

impl BrokenClaim {
    /// In the words of the draft that breaks it.
    pub(super) fn of(broken: &Broken, drafted: &Shown) -> Self {
        let mut all = drafted.book.assertions.iter();
        let assertion = all.find(|one| one.id == broken.assertion);
        let id = broken.assertion.to_string();
        let (finding, rules) = found(&broken.why, drafted);
        Self {
            assertion: Named { link: Some(row(&id)), name: id },
            claim: assertion.map(|one| sentence(&one.claim, &drafted.names)).unwrap_or_default(),
            reason: assertion.map(|one| one.reason.clone()).unwrap_or_default(),
            finding,
            rules: rules.iter().map(|rule| named(rule, drafted)).collect(),
        }
    }
}

/// The row of an assertion in the list of all.
fn row(id: &str) -> Link {
    urls::assertions().with_fragment(&format!("assertion-{id}"))
}

/// What breaks an assertion, and the rules that do.
fn found<'a>(why: &'a Why, drafted: &Shown) -> (String, &'a [RuleId]) {
    match why {
        Why::Untried(problem) => (format!("It can't be tried: {problem}"), &[]),
        Why::Kept { method, by, .. } if by.is_empty() => {
            (format!("No rule lets them in any more ({})", method.as_str()), &[])
        }
        Why::Kept { method, by, .. } => {
            (format!("They don't always get in ({}), because of", method.as_str()), by)
        }
        Why::Let { who, method, route, by } => {
            let who = words::who(who, &drafted.names);
            (format!("{who} can get in at {route} ({}) through", method.as_str()), by)
        }
    }
}

/// A rule by what people call it, leading to its page.
fn named(rule: &RuleId, drafted: &Shown) -> Named {
    let plain = || Named { name: rule.to_string(), link: None };
    match rule {
        RuleId::Grant(id) => drafted.grant(id.as_str()).map_or_else(plain, |grant| Named {
            name: format!("grant {id}"),
            link: Some(urls::grant(&grant.route, &grant.id)),
        }),
        RuleId::Policy(id) => Named { name: format!("policy {id}"), link: Some(urls::policy(id)) },
        RuleId::Console(_) => plain(),
    }
}

/// `Finance can read intranet /finance/q3`
pub(super) fn sentence(claim: &Claim, names: &GroupNames) -> String {
    let access = |Access { who, what, app, path, given }: &Access, verb: &str| {
        let given = if given.is_nothing() { "" } else { ", under given circumstances" };
        let (who, what) = (words::who(who, names), words::what(what, Effect::Permit));
        format!("{who} {verb} {what} {app} {path}{given}")
    };
    match claim {
        Claim::Can(one) => access(one, "can"),
        Claim::Cannot(one) => access(one, "cannot"),
        Claim::NobodyBut(Exclusive { who, what, route, reach }) => {
            let all: Vec<_> = who.iter().map(|who| words::who(who, names)).collect();
            let but = if all.is_empty() {
                "at all".to_owned()
            } else {
                format!("but {}", all.join(", "))
            };
            let what = words::what(what, Effect::Permit);
            format!("Nobody {but} can {what} {route} ({})", words::reach(*reach))
        }
    }
}
