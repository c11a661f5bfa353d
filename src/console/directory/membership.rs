//! Groups and app roles, and what each is used for.

use std::collections::BTreeSet;

use crate::authz::compile::{groups_named, named_by_hand, roles_named};
use crate::authz::console::{ConsoleRole, Holder};
use crate::authz::decision::Mentions;
use crate::console::Console;
use crate::console::showing::Shown;
use crate::model::grant::{Grant, Who};
use crate::model::id::{AppRole, GroupId, PolicyId};
use crate::model::known::{Known, KnownPrincipal};
use crate::model::principal::Principal;

/// What people are in, or have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Membership {
    /// A group.
    Group(GroupId),
    /// An app role.
    Role(AppRole),
}

impl Membership {
    /// Whether somebody has it.
    pub(super) fn is_of(&self, person: &KnownPrincipal) -> bool {
        match self {
            Self::Group(id) => person.is_in(id),
            Self::Role(value) => person.has_role(value),
        }
    }

    fn is_named_by(&self, grant: &Grant) -> bool {
        match (self, &grant.who) {
            (Self::Group(id), Who::Group(named)) => id == named,
            (Self::Role(value), Who::Role(named)) => value == named,
            (
                Self::Group(_) | Self::Role(_),
                Who::Group(_)
                | Who::Role(_)
                | Who::Person(_)
                | Who::Workload(_)
                | Who::Tenants(_)
                | Who::SignedIn
                | Who::Everyone,
            ) => false,
        }
    }

    fn is_among(&self, mentions: &Mentions) -> bool {
        match self {
            Self::Group(id) => mentions.groups.contains(id),
            Self::Role(value) => mentions.roles.contains(value),
        }
    }

    fn holds(&self, holder: &Holder) -> bool {
        match (self, holder) {
            (Self::Group(id), Holder::Group(named)) => id == named,
            (Self::Role(value), Holder::Role(named)) => value == named,
            (
                Self::Group(_) | Self::Role(_),
                Holder::Group(_) | Holder::Role(_) | Holder::Person(_),
            ) => false,
        }
    }
}

/// What a membership is used for.
#[derive(Debug)]
pub(super) struct Uses<'a> {
    /// Grants that speak of it.
    pub(super) grants: Vec<&'a Grant>,
    /// Hand-written policies that name it.
    pub(super) policies: Vec<&'a PolicyId>,
    /// Console roles that the settings give by it.
    pub(super) console: Vec<ConsoleRole>,
}

impl Uses<'_> {
    /// Whether anything uses it.
    pub(super) fn is_none(&self) -> bool {
        self.grants.is_empty() && self.policies.is_empty() && self.console.is_empty()
    }

    /// `2 grants, 1 policy, console: owner`
    pub(super) fn words(&self) -> String {
        let counted = |number: usize, one: &str, many: &str| match number {
            0 => None,
            1 => Some(format!("1 {one}")),
            number => Some(format!("{number} {many}")),
        };
        let roles: Vec<_> = self.console.iter().map(|role| role.as_str()).collect();
        let parts = [
            counted(self.grants.len(), "grant", "grants"),
            counted(self.policies.len(), "policy", "policies"),
            (!roles.is_empty()).then(|| format!("console: {}", roles.join(", "))),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "Not used".to_owned() } else { parts.join(", ") }
    }
}

/// Everything that uses groups and roles, and everybody who is in them.
pub(super) struct Ledger<'a> {
    shown: &'a Shown,
    by_hand: Vec<(&'a PolicyId, Mentions)>,
    holders: &'a [(ConsoleRole, Holder)],
}

impl<'a> Ledger<'a> {
    pub(super) fn new(console: &'a Console, shown: &'a Shown) -> Self {
        let policies = shown.book.policies.iter();
        let named = |policy| named_by_hand(std::slice::from_ref(policy));
        Self {
            shown,
            by_hand: policies.map(|policy| (&policy.id, named(policy))).collect(),
            holders: console.rules.holders(),
        }
    }

    /// What uses this one.
    pub(super) fn uses(&self, membership: &Membership) -> Uses<'a> {
        let grants = self.shown.book.grants.iter();
        let by_hand = self.by_hand.iter().filter(|(_, named)| membership.is_among(named));
        let held = self.holders.iter().filter(|(_, holder)| membership.holds(holder));
        Uses {
            grants: grants.filter(|grant| membership.is_named_by(grant)).collect(),
            policies: by_hand.map(|(id, _)| *id).collect(),
            console: held.map(|(role, _)| *role).collect(),
        }
    }

    /// All that rules, settings and people bring up.
    pub(super) fn all(&self, known: &Known) -> BTreeSet<Membership> {
        let mut all: BTreeSet<_> =
            groups_named(&self.shown.book).into_iter().map(Membership::Group).collect();
        all.extend(roles_named(&self.shown.book).into_iter().map(Membership::Role));
        all.extend(self.holders.iter().filter_map(|(_, holder)| match holder {
            Holder::Group(id) => Some(Membership::Group(id.clone())),
            Holder::Role(value) => Some(Membership::Role(value.clone())),
            Holder::Person(_) => None,
        }));
        all.extend(known.iter().flat_map(|(_, person)| of_person(&person.content)));
        all
    }
}

/// What somebody is in, and has.
pub(super) fn of_person(principal: &Principal) -> Vec<Membership> {
    let (groups, roles) = match principal {
        Principal::User(user) => (Some(&user.groups), Some(&user.roles)),
        Principal::Workload(workload) => (None, Some(&workload.roles)),
        Principal::Anonymous => (None, None),
    };
    let groups = groups.into_iter().flatten().cloned().map(Membership::Group);
    groups.chain(roles.into_iter().flatten().cloned().map(Membership::Role)).collect()
}
