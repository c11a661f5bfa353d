//! Conditional Access: which authentication contexts are bound to a policy, and where a second factor is wanted.

use std::collections::BTreeSet;

/// Whether a second factor was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Factor {
    Missing,
    Given,
}

/// Where a second factor is wanted, whatever a client asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorPolicy {
    /// Nowhere.
    Nowhere,
    /// At refreshes of sign-ins without one, as when the policy came after them.
    AtRefresh,
    /// At every sign-in and refresh.
    Everywhere,
}

/// The policies of both tenants.
#[derive(Debug, Clone)]
pub(super) struct Policies {
    /// Contexts (`c1` to `c99`) that a policy is bound to. An unbound context is issued to everybody, as at Entra.
    pub(super) bound: BTreeSet<String>,
    pub(super) factor: FactorPolicy,
}

impl Policies {
    /// Policies on these contexts, and nothing else.
    pub(super) fn binding(bound: BTreeSet<String>) -> Self {
        Self { bound, factor: FactorPolicy::Nowhere }
    }

    /// Whether these contexts can only be had with a second factor.
    pub(super) fn bind<'a>(&self, mut contexts: impl Iterator<Item = &'a String>) -> bool {
        contexts.any(|context| self.bound.contains(context))
    }

    pub(super) fn sign_in_wants_factor(&self) -> bool {
        match self.factor {
            FactorPolicy::Everywhere => true,
            FactorPolicy::Nowhere | FactorPolicy::AtRefresh => false,
        }
    }

    pub(super) fn refresh_wants_factor(&self, given: Factor) -> bool {
        match (self.factor, given) {
            (FactorPolicy::Nowhere, _) | (_, Factor::Given) => false,
            (FactorPolicy::AtRefresh | FactorPolicy::Everywhere, Factor::Missing) => true,
        }
    }
}
