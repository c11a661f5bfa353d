//! Who of those we know can do something on a route, and how certain that is.
//!
//! Everything about the person is known here, and nothing of the circumstances; so the answer is always, under conditions,
//! or never ([`Prospect`]). It comes from the rules taken apart by the engine itself, like every other explanation.
//!
//! Many people are alike before the rules of a route: the same groups and roles that these name, the same home. Where no
//! rule about the route looks at more of a person than that, one of them is asked for all.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::assertions::Inquiry;
use super::entities::Unusable;
use super::prospect::{Knowledge, Prospect};
use super::snapshot::Likeness;
use super::stand_in::StandIn;
use super::weigh::{Look, Weighed};
use crate::model::assertion::Given;
use crate::model::grant::Method;
use crate::model::principal::PrincipalSnapshot;
use crate::model::route::Route;

/// How much is known where this module asks: the whole person, anywhere on the route, in any circumstances.
pub fn knowledge() -> Knowledge {
    Knowledge::PERSON.anywhere()
}

/// A rule book that is asked about one route for one person after the other.
#[derive(Debug)]
pub struct Asking<'a> {
    inquiry: Inquiry<'a>,
    route: &'a Route,
    method: Method,
    /// What was answered before to somebody alike.
    alike: BTreeMap<Likeness, Prospect>,
}

impl<'a> Asking<'a> {
    /// About doing this on this route.
    pub fn new(inquiry: Inquiry<'a>, route: &'a Route, method: Method) -> Self {
        Self { inquiry, route, method, alike: BTreeMap::new() }
    }

    /// What this person can do anywhere on the route, while nothing is known of the circumstances.
    ///
    /// # Errors
    /// When nothing can be decided there.
    pub fn of(&mut self, person: &Arc<PrincipalSnapshot>) -> Result<Prospect, Unusable> {
        let likeness = self.inquiry.snapshot.likeness(person)?;
        if let Some(prospect) = self.alike.get(&likeness) {
            return Ok(prospect.clone());
        }
        let asked = (StandIn::themselves(person), self.method, None);
        let (rules, known) = self.inquiry.weighed(self.route, asked, &Given::default())?;
        let personal = rules.iter().any(is_personal);
        let prospect = Prospect::of(rules, known.anywhere());
        if !personal {
            self.alike.insert(likeness, prospect.clone());
        }
        Ok(prospect)
    }
}

/// Whether a rule looks at more of a person than its scope and their home: then nobody answers for anybody else.
fn is_personal(rule: &Weighed) -> bool {
    rule.clauses.iter().any(|clause| clause.look == Look::Person)
}
