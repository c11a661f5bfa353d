//! Which policies can have a say on a request, found without looking at all the others.
//!
//! Cedar evaluates every policy that it is given, so a decision would cost more with each rule of the book. But most rules
//! are about other people, other routes or other methods: one part of their scope is false, the scope is evaluated before
//! any condition, and it can't fail. Such a policy is neither satisfied nor erroring, and a response is made of satisfied
//! and erroring policies alone. So leaving it out gives the same decision, the same determining policies and the same
//! errors. This is the argument of Cedar's own proof for slices by scope (`Cedar.Thm.PolicySlice` in cedar-spec,
//! `isAuthorized_eq_for_sound_policy_slice`); a property test holds this index against the whole set.
//!
//! A rule lies at the **node** of the resource that its scope names, or at the root when it names none, and there under the
//! **bound**, the principal that its scope names. A request meets the nodes of its route and of all above it, and in each
//! the rules for anybody and those for a bound that the principal is, or is in.
//!
//! **Invariant**: what is found may be too much, never too little. Only a policy whose scope names a principal, action or
//! resource that is neither the one of the request nor above it is left out; Cedar itself reads the scopes of all others.

use std::collections::{BTreeMap, HashMap, HashSet};

use cedar_policy::{
    ActionConstraint, EntityUid, Policy, PolicyId, PrincipalConstraint, ResourceConstraint,
};

use super::prepared::{Actions, Rule};
use super::reads::{Ground, Parts, Reads};
use super::timing::Timing;
use crate::model::grant::Method;
use crate::model::time::Timestamp;

/// All policies of a release, by what their scopes name.
#[derive(Debug, Default)]
pub(super) struct Index {
    nodes: Vec<Node>,
    places: HashMap<EntityUid, Place>,
    bounds: HashMap<EntityUid, Bound>,
    /// Those of them that are one principal each, and no group or role.
    single: HashSet<Bound>,
}

/// The number of a node within the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(usize);

/// The node of the rules whose scope names no resource.
const ROOT: Place = Place(0);

/// The number of a principal that some scope names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Bound(usize);

/// Types of principals that nobody else is in.
const ONE: [&str; 3] = ["User", "Workload", "Anonymous"];

/// The rules about one resource and all below it.
#[derive(Debug, Default)]
struct Node {
    anybody: Vec<Candidate>,
    bound: BTreeMap<Bound, Vec<Candidate>>,
    crowd: Crowd,
}

/// A policy that may have a say.
#[derive(Debug)]
pub(super) struct Candidate {
    /// Within the release.
    pub(super) number: usize,
    pub(super) rule: Rule,
    pub(super) parts: Parts,
    pub(super) ground: Ground,
    timing: Timing,
    methods: Methods,
}

/// A set of HTTP methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Methods(u8);

impl Methods {
    fn has(self, method: Method) -> bool {
        self.0 & (1 << method as u8) != 0
    }

    /// The methods whose action is one that the scope names, or is in one.
    fn of(policy: &Policy, actions: &Actions) -> Self {
        let named = match policy.action_constraint() {
            ActionConstraint::Any => return Self(u8::MAX),
            ActionConstraint::Eq(uid) => vec![uid],
            ActionConstraint::In(uids) => uids,
        };
        let covered = Method::ALL
            .into_iter()
            .filter(|method| named.iter().any(|action| actions.covers(action, *method)));
        Self(covered.fold(0, |bits, method| bits | (1 << method as u8)))
    }
}

impl Index {
    /// Sorts policies by what their scopes name. Those that `reads` does not name look at nothing but their scope.
    pub(super) fn of(rules: &[Rule], reads: &HashMap<PolicyId, Reads>, actions: &Actions) -> Self {
        let mut index = Self { nodes: vec![Node::default()], ..Self::default() };
        for (number, rule) in rules.iter().enumerate() {
            let policy = rule.policy();
            let candidate =
                Candidate::new((number, rule), &policy, reads.get(policy.id()), actions);
            let place = index.place_of(policy.resource_constraint());
            let bound = index.bound_of(policy.principal_constraint());
            if let Some(node) = index.nodes.get_mut(place.0) {
                node.add(bound, candidate);
            }
        }
        index.count();
        index
    }

    fn place_of(&mut self, resource: ResourceConstraint) -> Place {
        let uid = match resource {
            ResourceConstraint::Any | ResourceConstraint::Is(_) => return ROOT,
            ResourceConstraint::Eq(uid)
            | ResourceConstraint::In(uid)
            | ResourceConstraint::IsIn(_, uid) => uid,
        };
        let (places, nodes) = (&mut self.places, &mut self.nodes);
        *places.entry(uid).or_insert_with(|| {
            nodes.push(Node::default());
            Place(nodes.len() - 1)
        })
    }

    fn bound_of(&mut self, principal: PrincipalConstraint) -> Option<Bound> {
        let uid = match principal {
            PrincipalConstraint::Any | PrincipalConstraint::Is(_) => return None,
            PrincipalConstraint::Eq(uid)
            | PrincipalConstraint::In(uid)
            | PrincipalConstraint::IsIn(_, uid) => uid,
        };
        let is_one = ONE.contains(&uid.type_name().basename());
        let next = Bound(self.bounds.len());
        let bound = *self.bounds.entry(uid).or_insert(next);
        if is_one {
            self.single.insert(bound);
        }
        Some(bound)
    }

    /// The places that a resource lies at: its own, those above it, and the root.
    pub(super) fn places<'a>(&self, lineage: impl Iterator<Item = &'a EntityUid>) -> Vec<Place> {
        let named = lineage.filter_map(|uid| self.places.get(uid).copied());
        named.chain([ROOT]).collect()
    }

    /// The bounds that a principal is or is in, sorted.
    pub(super) fn bounds<'a>(&self, lineage: impl Iterator<Item = &'a EntityUid>) -> Vec<Bound> {
        let mut bounds: Vec<_> = lineage.filter_map(|uid| self.bounds.get(uid).copied()).collect();
        bounds.sort_unstable();
        bounds
    }

    /// All policies about a resource so placed, whomever and whichever method they are about.
    pub(super) fn about(&self, places: &[Place]) -> impl Iterator<Item = &Candidate> {
        let nodes = places.iter().filter_map(|place| self.nodes.get(place.0));
        nodes.flat_map(|node| node.anybody.iter().chain(node.bound.values().flatten()))
    }

    /// The policies that can have a say on this method, for a principal and a resource so placed.
    pub(super) fn candidates<'a>(
        &'a self,
        places: &'a [Place],
        bounds: &'a [Bound],
        method: Method,
    ) -> impl Iterator<Item = &'a Candidate> {
        self.bearing(places, bounds).filter(move |candidate| candidate.methods.has(method))
    }

    /// The same for each method.
    pub(super) fn slices(&self, places: &[Place], bounds: &[Bound]) -> Vec<(Method, Slice)> {
        let bearing: Vec<_> = self.bearing(places, bounds).collect();
        let slice = |method| {
            let own = bearing.iter().filter(|candidate| candidate.methods.has(method));
            (method, own.copied().collect())
        };
        Method::ALL.into_iter().map(slice).collect()
    }

    fn bearing<'a>(
        &'a self,
        places: &'a [Place],
        bounds: &'a [Bound],
    ) -> impl Iterator<Item = &'a Candidate> {
        let nodes = places.iter().filter_map(|place| self.nodes.get(place.0));
        nodes.flat_map(move |node| node.anybody.iter().chain(node.about(bounds)))
    }
}

/// The rules that can have a say, and what they say of the routes that they cover. Where that is the same of all, somebody
/// stands the same on every route and with every method that has this slice.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Slice {
    /// By their numbers.
    rules: Vec<usize>,
    pub(super) ground: Ground,
}

impl Slice {
    /// Whether no rule can have a say.
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

impl<'a> FromIterator<&'a Candidate> for Slice {
    fn from_iter<I: IntoIterator<Item = &'a Candidate>>(candidates: I) -> Self {
        candidates.into_iter().fold(Self::default(), |mut slice, candidate| {
            slice.rules.push(candidate.number);
            slice.ground = slice.ground.max(candidate.ground);
            slice
        })
    }
}

impl Node {
    fn add(&mut self, bound: Option<Bound>, candidate: Candidate) {
        match bound {
            Some(bound) => self.bound.entry(bound).or_default().push(candidate),
            None => self.anybody.push(candidate),
        }
    }

    /// The rules under these bounds. Looks the fewer up among the more: a person has many groups and a node few rules, or
    /// the other way round.
    fn about<'a>(&'a self, bounds: &'a [Bound]) -> impl Iterator<Item = &'a Candidate> {
        let few_bounds = bounds.len() < self.bound.len();
        let by_bound = bounds.iter().filter(move |_| few_bounds);
        let by_bound = by_bound.filter_map(|bound| self.bound.get(bound));
        let by_rule = self.bound.iter().filter(move |_| !few_bounds);
        let by_rule = by_rule
            .filter(|(bound, _)| bounds.binary_search(bound).is_ok())
            .map(|(_, candidates)| candidates);
        by_bound.chain(by_rule).flatten()
    }
}

impl Candidate {
    fn new(
        (number, rule): (usize, &Rule),
        policy: &Policy,
        reads: Option<&Reads>,
        actions: &Actions,
    ) -> Self {
        Self {
            number,
            rule: rule.clone(),
            parts: reads.map_or(Parts::NONE, |reads| reads.parts),
            ground: reads.map_or(Ground::Even, |reads| reads.ground).max(Ground::in_scope(policy)),
            timing: reads.map_or(Timing::Never, |reads| reads.timing),
            methods: Methods::of(policy, actions),
        }
    }
}

/// The most policies that may have a say on one request: each that really matches costs about a microsecond.
const CANDIDATES: usize = 1_000;

impl Index {
    /// How many policies may have a say on one request to a resource so placed, when that is more than may be. Somebody may
    /// be in every group and have every role, but is one person.
    pub(super) fn crowd(&self, places: &[Place]) -> Option<(Method, usize)> {
        let most = Method::ALL.into_iter().rev().map(|method| {
            let nodes = places.iter().filter_map(|place| self.nodes.get(place.0));
            (method, nodes.map(|node| node.crowd.of(method)).sum::<usize>())
        });
        most.max_by_key(|(_, count)| *count).filter(|(_, count)| *count > CANDIDATES)
    }

    /// Counts the rules of each node, once.
    fn count(&mut self) {
        for node in &mut self.nodes {
            node.crowd = Crowd(Method::ALL.map(|method| node.most(method, &self.single)));
        }
    }
}

/// The most rules of a node that one request with each method can meet.
#[derive(Debug, Clone, Copy, Default)]
struct Crowd([usize; Method::ALL.len()]);

impl Crowd {
    fn of(self, method: Method) -> usize {
        self.0.get(method as usize).copied().unwrap_or(usize::MAX)
    }
}

impl Node {
    fn most(&self, method: Method, single: &HashSet<Bound>) -> usize {
        let count = |candidates: &[Candidate]| {
            candidates.iter().filter(|candidate| candidate.methods.has(method)).count()
        };
        let (mut shared, mut own) = (count(&self.anybody), 0);
        for (bound, candidates) in &self.bound {
            if single.contains(bound) {
                own = own.max(count(candidates));
            } else {
                shared += count(candidates);
            }
        }
        shared + own
    }
}

/// What a slice looks at, taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outlook {
    /// Parts of the context.
    pub(super) parts: Parts,
    /// When the passing of time can change what one of them says.
    pub(super) timing: Timing,
}

impl Outlook {
    /// Of these policies, seen from `now`.
    pub(super) fn of(candidates: &[&Candidate], now: Timestamp) -> Self {
        let nothing = Self { parts: Parts::NONE, timing: Timing::Never };
        candidates.iter().fold(nothing, |outlook, candidate| Self {
            parts: outlook.parts.and(candidate.parts),
            timing: outlook.timing.or(candidate.timing, now),
        })
    }
}
