//! Which policies can have a say on a request, found without looking at all the others.
//!
//! Cedar evaluates every policy that it is given, so that a decision would cost more with each rule of the book. Most
//! rules are about other people or other routes: their scope alone is false, and the scope is evaluated first and can't
//! fail. Such a policy is neither satisfied nor erroring, and leaving it out gives the same response (proven by the
//! Cedar project for slices by scope: `Cedar.Thm.PolicySlice`).
//!
//! **Invariant**: a slice may hold too much, never too little. Only a policy whose scope names a principal or resource
//! that is neither the one of the request nor above it is left out; Cedar itself reads the scopes of all others.

use std::collections::HashMap;

use cedar_policy::{
    Entities, EntityUid, Policy, PolicyId, PolicySet, PrincipalConstraint, ResourceConstraint,
};

use super::entities::Unusable;
use super::timing::Timing;
use crate::model::time::Timestamp;

/// All policies of a release, by what their scopes name.
#[derive(Debug)]
pub(super) struct Slices {
    /// Those about one resource and all below it.
    bound: HashMap<EntityUid, Vec<Candidate>>,
    /// Those about any resource.
    unbound: Vec<Candidate>,
}

#[derive(Debug)]
struct Candidate {
    /// The principal that it is about, with all who are in it; none: about anybody.
    who: Option<EntityUid>,
    policy: Policy,
    timing: Timing,
}

/// The policies that can have a say, and when the passing of time can make one of them say something else.
pub(super) struct Slice {
    pub(super) policies: PolicySet,
    pub(super) timing: Timing,
}

/// On what, by whom and when a slice is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) who: &'a EntityUid,
    pub(super) what: &'a EntityUid,
    pub(super) entities: &'a Entities,
    pub(super) now: Timestamp,
}

impl Slices {
    /// Sorts policies by what their scopes name. Those that `timings` does not name never change by themselves.
    pub(super) fn of(policies: &PolicySet, timings: &HashMap<PolicyId, Timing>) -> Self {
        let mut slices = Self { bound: HashMap::new(), unbound: Vec::new() };
        for policy in policies.policies() {
            let who = match policy.principal_constraint() {
                PrincipalConstraint::Eq(uid)
                | PrincipalConstraint::In(uid)
                | PrincipalConstraint::IsIn(_, uid) => Some(uid),
                PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
            };
            let timing = timings.get(policy.id()).copied().unwrap_or_default();
            let candidate = Candidate { who, policy: policy.clone(), timing };
            match policy.resource_constraint() {
                ResourceConstraint::Eq(uid)
                | ResourceConstraint::In(uid)
                | ResourceConstraint::IsIn(_, uid) => {
                    slices.bound.entry(uid).or_default().push(candidate);
                }
                ResourceConstraint::Any | ResourceConstraint::Is(_) => {
                    slices.unbound.push(candidate);
                }
            }
        }
        slices
    }

    /// The policies that can have a say on what `who` does with `what`, as `entities` place both, at `now`.
    ///
    /// # Errors
    /// When a policy can't be added, which would be a fault of ours; nothing may be decided then.
    pub(super) fn slice(&self, scope: Scope<'_>) -> Result<Slice, Unusable> {
        let Scope { who, what, entities, now } = scope;
        let above = entities.ancestors(what).into_iter().flatten();
        let bound = std::iter::once(what).chain(above).filter_map(|uid| self.bound.get(uid));
        let mut slice = Slice { policies: PolicySet::new(), timing: Timing::Never };
        for candidate in bound.flatten().chain(&self.unbound) {
            if candidate.is_about(who, entities) {
                let policy = candidate.policy.clone();
                slice.policies.add(policy).map_err(|e| Unusable(e.to_string()))?;
                slice.timing = slice.timing.or(candidate.timing, now);
            }
        }
        Ok(slice)
    }
}

impl Candidate {
    fn is_about(&self, who: &EntityUid, entities: &Entities) -> bool {
        self.who.as_ref().is_none_or(|uid| uid == who || entities.is_ancestor_of(uid, who))
    }
}
