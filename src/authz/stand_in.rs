//! Stand-ins: principals of whom only what a rule would name is known.
//!
//! Questions such as "can Finance read this?" are about everybody in Finance. A stand-in is in that group and in nothing
//! else, and what looks at more of them than that counts as unknown ([`Knowledge::MEMBER`]).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::entities::Unusable;
use super::prospect::Knowledge;
use crate::model::grant::Who;
use crate::model::id::{AppRole, GroupId, Subject, TenantId};
use crate::model::principal::{GuestStatus, Principal, PrincipalSnapshot, User, Workload};
use crate::model::rule_book::RuleBook;

/// The nil UUID (RFC 9562 section 5.9): no tenant and no object of Entra has it.
const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// Somebody who fits, and how much of them is known.
#[derive(Debug, Clone)]
pub struct StandIn {
    /// As deciding takes them.
    pub principal: Arc<PrincipalSnapshot>,
    /// The membership and no more, or everything.
    pub known: Knowledge,
}

impl StandIn {
    /// Somebody who is what a rule names, and nothing else.
    ///
    /// # Errors
    /// Never for what the rule book can hold: ids are parsed already.
    pub fn of(who: &Who) -> Result<Self, Unusable> {
        let principal = match who {
            Who::Group(id) => Principal::User(user(nobody(NIL)?, [id.clone()].into(), None)),
            Who::Role(value) => {
                Principal::User(user(nobody(NIL)?, BTreeSet::new(), Some(value.clone())))
            }
            Who::Person(subject) => Principal::User(user(subject.clone(), BTreeSet::new(), None)),
            Who::Workload(subject) => Principal::Workload(Workload {
                subject: subject.clone(),
                client: String::new(),
                roles: BTreeSet::new(),
            }),
            Who::Tenants(ids) => {
                let tenant = ids.first().map_or(NIL, |id| id.as_str());
                Principal::User(user(nobody(tenant)?, BTreeSet::new(), None))
            }
            Who::SignedIn => Principal::User(user(nobody(NIL)?, BTreeSet::new(), None)),
            Who::Everyone => Principal::Anonymous,
        };
        let known = match who {
            Who::Everyone => Knowledge::PERSON,
            Who::Tenants(_) => Knowledge::TENANT,
            Who::Group(_) | Who::Role(_) | Who::Person(_) | Who::Workload(_) | Who::SignedIn => {
                Knowledge::MEMBER
            }
        };
        Ok(Self { principal: PrincipalSnapshot::new(principal), known })
    }

    /// Somebody of whom everything is known: nobody has to stand in for them.
    pub fn themselves(principal: &Arc<PrincipalSnapshot>) -> Self {
        Self { principal: Arc::clone(principal), known: Knowledge::PERSON }
    }
}

fn nobody(tenant: &str) -> Result<Subject, Unusable> {
    format!("{tenant}.{NIL}").parse().map_err(|error| Unusable(format!("{error}")))
}

fn user(subject: Subject, groups: BTreeSet<GroupId>, role: Option<AppRole>) -> User {
    User {
        subject,
        user_name: String::new(),
        name: String::new(),
        email: None,
        guest: GuestStatus::Member,
        groups,
        roles: role.into_iter().collect(),
        directory_roles: BTreeSet::new(),
    }
}

/// Everybody whom a rule book names, and the two who are always there: anybody signed in, and anybody.
pub fn known(book: &RuleBook) -> BTreeSet<Who> {
    let mut all = BTreeSet::from([Who::SignedIn, Who::Everyone]);
    all.extend(book.grants.iter().map(|grant| grant.who.clone()));
    all.extend(book.group_names.keys().cloned().map(Who::Group));
    let by_hand = super::compile::named_by_hand(&book.policies);
    all.extend(by_hand.groups.into_iter().map(Who::Group));
    all.extend(by_hand.roles.into_iter().map(Who::Role));
    all
}

/// Who that is, by id.
pub fn name(who: &Who) -> String {
    match who {
        Who::Group(id) => format!("group `{id}`"),
        Who::Role(value) => format!("app role `{value}`"),
        Who::Person(subject) => format!("person `{subject}`"),
        Who::Workload(subject) => format!("service `{subject}`"),
        Who::Tenants(ids) => {
            let ids: Vec<_> = ids.iter().map(TenantId::as_str).collect();
            format!("members of {}", ids.join(", "))
        }
        Who::SignedIn => "everyone signed in".to_owned(),
        Who::Everyone => "everyone".to_owned(),
    }
}
