//! Which hand-written policies may have a say about a route, by their scope. Conditions are not looked at.

use crate::authz::outline::{Outline, outline};
use crate::console::choice::Written;
use crate::console::showing::Shown;
use crate::model::grant::Effect;
use crate::model::policy::Policy;
use crate::model::route::Route;

/// The hand-written policies of some rules, each read once.
#[derive(Debug)]
pub(super) struct WrittenRules<'a> {
    shown: &'a Shown,
    all: Vec<(&'a Policy, Outline)>,
}

impl<'a> WrittenRules<'a> {
    /// A text that is no policy has no say: such rules can't be published.
    pub(super) fn of(shown: &'a Shown) -> Self {
        let read = |policy| outline(policy).map(|outline| (policy, outline));
        Self { shown, all: shown.book.policies.iter().filter_map(read).collect() }
    }

    /// Those that may apply to a route, with what they do there.
    pub(super) fn about(&self, route: &Route) -> Vec<(&'a Policy, Effect)> {
        if self.all.is_empty() {
            return Vec::new();
        }
        let above: Vec<_> =
            self.shown.book.above(route).into_iter().map(|wider| &wider.id).collect();
        let own = self.all.iter().filter(|(_, outline)| outline.spot.holds(&route.id, &above));
        own.map(|(policy, outline)| (*policy, outline.effect)).collect()
    }

    /// Whether one may open it.
    pub(super) fn opening(&self, route: &Route) -> Written {
        let opens = |(_, effect): &(&Policy, Effect)| *effect == Effect::Permit;
        if self.about(route).iter().any(opens) { Written::Yes } else { Written::No }
    }
}
