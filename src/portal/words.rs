//! What is found of a person's access, in words.
//!
//! Conditions are told as far as the route tells them to whoever it refuses, so that nobody learns here what the refusal keeps
//! to itself.

use std::time::Duration;

use crate::authz::access::{Access, Lack, Way};
use crate::authz::snapshot::Snapshot;
use crate::model::grant::{Grant, Who};
use crate::model::group::GroupNames;
use crate::model::record::RuleId;
use crate::model::route::{Disclosure, Route};
use crate::model::time::Timestamp;
use crate::model::words::{self, ConditionKind, listed};
use crate::web::page::Tone;
use crate::web::pages::Action;
use crate::web::sign_in;

use super::home::{Need, State, Until};

/// An end within this time is pointed out.
const SOON: Duration = Duration::from_hours(7 * 24);

/// What was found of a person's access to a route.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    pub(super) route: &'a Route,
    pub(super) read: Access,
    pub(super) change: Access,
}

/// The same in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) state: State,
    pub(super) may: &'static str,
    pub(super) why: Vec<String>,
    pub(super) until: Option<Until>,
    pub(super) needs: Vec<Need>,
}

/// What it is put into words with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wording<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) names: &'a GroupNames,
    pub(super) now: Timestamp,
}

impl Wording<'_> {
    /// None when the route does not open to this person, or keeps to itself under which conditions it would.
    pub(super) fn tell(self, found: &Findings<'_>) -> Option<Told> {
        let Findings { route, read, change } = found;
        let ways = [way(route, read), way(route, change)];
        let state = state([read, change], ways)?;
        let [reading, changing] = match state {
            State::If => ways.map(|way| way.map(|way| vec![way.rule.clone()])),
            State::Ready | State::Partly => [read, change].map(|access| open(access).cloned()),
        };
        let may = may(reading.as_deref(), changing.as_deref());
        let rules: Vec<_> = reading.into_iter().chain(changing).flatten().collect();
        let needs = ["To read", "To change"].into_iter().zip(ways);
        let needs = needs.filter_map(|(to, way)| Some(self.need(route, (to, way?)))).collect();
        let (why, until) = (self.why(&rules), self.until(&rules));
        Some(Told { state, may, why, until, needs: one_need(needs) })
    }

    fn need(self, route: &Route, (to, way): (&'static str, &Way)) -> Need {
        let mut texts: Vec<_> = way.lacks.iter().map(|lack| told(lack, route.disclosure)).collect();
        texts.dedup();
        let action = is_provable(way).then(|| self.proof(way)).flatten();
        Need { to, text: listed(&texts, "and"), action }
    }

    /// Where what is lacking can be proved.
    fn proof(self, way: &Way) -> Option<Action> {
        let when = &self.grant(&way.rule)?.when;
        let context = if way.lacks_kind(ConditionKind::Mfa) {
            Some("mfa".to_owned())
        } else {
            let lacking = way.lacks_kind(ConditionKind::AuthContext);
            when.auth_context.as_ref().filter(|_| lacking).map(ToString::to_string)
        };
        let age = when.fresh.filter(|_| way.lacks_kind(ConditionKind::Fresh));
        let age = age.map(|span| format!("max_age={}", span.0.as_secs()));
        let word = context.into_iter().chain(age).collect::<Vec<_>>().join(" ");
        let link = sign_in::proving(sign_in::at_gate(Some("/")), &word);
        Some(Action { link, label: "Confirm it’s you".to_owned() })
    }

    fn grant(&self, rule: &RuleId) -> Option<&Grant> {
        match rule {
            RuleId::Grant(id) => self.snapshot.grant(id),
            RuleId::Policy(_) | RuleId::Console(_) => None,
        }
    }

    fn why(&self, rules: &[RuleId]) -> Vec<String> {
        let mut why: Vec<_> = rules
            .iter()
            .map(|rule| {
                self.grant(rule).map_or_else(|| "by a rule".to_owned(), |grant| self.through(grant))
            })
            .collect();
        why.sort();
        why.dedup();
        why
    }

    fn through(&self, grant: &Grant) -> String {
        match &grant.who {
            Who::Group(id) => format!("through {}", self.names.label(id)),
            Who::Role(role) => format!("through the role {role}"),
            Who::Person(_) | Who::Workload(_) => "given to you".to_owned(),
            Who::Tenants(_) => "for your organization".to_owned(),
            Who::SignedIn => "for everyone signed in".to_owned(),
            Who::Everyone => "for everyone".to_owned(),
        }
    }

    /// When the last of the rules ends; none when one never does.
    fn until(&self, rules: &[RuleId]) -> Option<Until> {
        let ends = rules.iter().map(|rule| self.grant(rule)?.when.until.map(|end| end.0));
        let end = ends.collect::<Option<Vec<_>>>()?.into_iter().max()?;
        let tone = if end.since(self.now) < SOON { Tone::Careful } else { Tone::Plain };
        Some(Until { text: format!("until {}", words::minute(end)), tone })
    }
}

/// The easiest way that is not over. A silent route tells of those alone that it offers at its door.
fn way<'a>(route: &Route, access: &'a Access) -> Option<&'a Way> {
    let Access::If(ways) = access else { return None };
    let mut ways = ways.iter().filter(|way| !way.is_over());
    ways.find(|way| route.disclosure != Disclosure::Silent || is_provable(way))
}

fn open(access: &Access) -> Option<&Vec<RuleId>> {
    match access {
        Access::Open(by) | Access::Partly(by) => Some(by),
        Access::If(_) | Access::Never => None,
    }
}

/// The best of both uses; none when neither opens.
fn state(uses: [&Access; 2], ways: [Option<&Way>; 2]) -> Option<State> {
    if uses.iter().any(|access| matches!(access, Access::Open(_))) {
        return Some(State::Ready);
    }
    if uses.iter().any(|access| matches!(access, Access::Partly(_))) {
        return Some(State::Partly);
    }
    ways.iter().any(Option::is_some).then_some(State::If)
}

fn may(reading: Option<&[RuleId]>, changing: Option<&[RuleId]>) -> &'static str {
    match (reading, changing) {
        (Some(_), Some(_)) => "Read and change",
        (None, Some(_)) => "Change",
        (Some(_) | None, None) => "Read",
    }
}

/// Where reading and changing take the same, it is said once.
fn one_need(needs: Vec<Need>) -> Vec<Need> {
    match needs.as_slice() {
        [read, change] if read.text == change.text => vec![Need { to: "To open", ..read.clone() }],
        _ => needs,
    }
}

/// Whether all that is lacking can be proved at Entra.
fn is_provable(way: &Way) -> bool {
    way.lacks.iter().all(|lack| match lack.kind() {
        Some(ConditionKind::Mfa | ConditionKind::Fresh | ConditionKind::AuthContext) => true,
        Some(
            ConditionKind::Network
            | ConditionKind::Hours
            | ConditionKind::Own
            | ConditionKind::Until,
        )
        | None => false,
    })
}

/// What is lacking, in as many words as the route allows.
fn told(lack: &Lack, disclosure: Disclosure) -> String {
    match lack {
        Lack::Condition(condition) if disclosure == Disclosure::Helpful => condition.text.clone(),
        Lack::Condition(condition) => kind(condition.kind).to_owned(),
        Lack::Written | Lack::Closed => "when other circumstances hold than now".to_owned(),
    }
}

fn kind(kind: ConditionKind) -> &'static str {
    match kind {
        ConditionKind::Network => "only from certain networks",
        ConditionKind::Hours => "only at certain hours",
        ConditionKind::Mfa => "with multi-factor sign-in",
        ConditionKind::Fresh => "with a recent sign-in",
        ConditionKind::AuthContext => "with a stronger sign-in",
        ConditionKind::Own => "only what is your own",
        ConditionKind::Until => "until an end that has passed",
    }
}
