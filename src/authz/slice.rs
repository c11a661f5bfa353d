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
    Entities, EntityUid, Policy, PolicySet, PrincipalConstraint, ResourceConstraint,
};

use super::entities::Unusable;

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
}

impl Slices {
    /// Sorts policies by what their scopes name.
    pub(super) fn of(policies: &PolicySet) -> Self {
        let mut slices = Self { bound: HashMap::new(), unbound: Vec::new() };
        for policy in policies.policies() {
            let who = match policy.principal_constraint() {
                PrincipalConstraint::Eq(uid)
                | PrincipalConstraint::In(uid)
                | PrincipalConstraint::IsIn(_, uid) => Some(uid),
                PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
            };
            let candidate = Candidate { who, policy: policy.clone() };
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

    /// The policies that can have a say on what `who` does with `what`, as `entities` place both.
    ///
    /// # Errors
    /// When a policy can't be added, which would be a fault of ours; nothing may be decided then.
    pub(super) fn slice(
        &self,
        who: &EntityUid,
        what: &EntityUid,
        entities: &Entities,
    ) -> Result<PolicySet, Unusable> {
        let above = entities.ancestors(what).into_iter().flatten();
        let bound = std::iter::once(what).chain(above).filter_map(|uid| self.bound.get(uid));
        let mut slice = PolicySet::new();
        for candidate in bound.flatten().chain(&self.unbound) {
            if candidate.is_about(who, entities) {
                slice.add(candidate.policy.clone()).map_err(|e| Unusable(e.to_string()))?;
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
