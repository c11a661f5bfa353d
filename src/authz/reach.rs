//! Who of those we know can do something on a route, and how certain that is.
//!
//! Everything about the person is known here, and nothing of the circumstances; so the answer is always, under conditions,
//! or never ([`Prospect`]). It comes from the rules taken apart by the engine itself, like every other explanation.
//!
//! Many people are alike before the rules of a route: the same groups and roles that these name, the same home. Where no
//! rule about the route looks at more of a person than that, one of them is asked for all. And on many routes the same
//! rules have a say on a person: where none of these looks at the route itself, one of them answers for all.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::assertions::Inquiry;
use super::entities::Unusable;
use super::index::Slice;
use super::prospect::{Knowledge, Prospect};
use super::reads::Ground;
use super::snapshot::Likeness;
use super::stand_in::StandIn;
use super::telling::{Certainty, Teller, ToldProspect};
use super::weigh::{Look, Weighed};
use crate::model::assertion::Given;
use crate::model::grant::Method;
use crate::model::principal::PrincipalSnapshot;
use crate::model::record::Verdict;
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

/// A rule book that is asked about one person for one route after the other.
#[derive(Debug)]
pub struct Survey<'a> {
    inquiry: Inquiry<'a>,
    teller: Teller<'a>,
    person: &'a Arc<PrincipalSnapshot>,
    /// What was answered before where the same rules had a say.
    alike: HashMap<Slice, Arc<ToldProspect>>,
}

impl<'a> Survey<'a> {
    /// Of this person.
    pub fn new(
        inquiry: Inquiry<'a>,
        teller: Teller<'a>,
        person: &'a Arc<PrincipalSnapshot>,
    ) -> Self {
        Self { inquiry, teller, person, alike: HashMap::new() }
    }

    /// What they can do anywhere on a route, method by method, while nothing is known of the circumstances.
    ///
    /// # Errors
    /// When nothing can be decided there.
    pub fn on(&mut self, route: &Route) -> Result<Vec<(Method, Arc<ToldProspect>)>, Unusable> {
        let slices = self.inquiry.snapshot.slices(self.person, &route.id)?;
        let tell = |(method, slice)| Ok((method, self.told(route, method, slice)?));
        slices.into_iter().map(tell).collect()
    }

    /// Whether they can do something there, at least in some circumstances.
    ///
    /// # Errors
    /// When nothing can be decided there.
    pub fn opens(&mut self, route: &Route) -> Result<bool, Unusable> {
        let mut asked: Vec<Slice> = Vec::new();
        for (method, slice) in self.inquiry.snapshot.slices(self.person, &route.id)? {
            // Where nothing has a say, nothing opens; and most methods of a route have the same slice.
            if slice.is_empty() || asked.contains(&slice) {
                continue;
            }
            if self.may(route, method, &slice)? {
                return Ok(true);
            }
            if slice.ground == Ground::Even {
                asked.push(slice);
            }
        }
        Ok(false)
    }

    /// Cedar's word on all the rules at once where circumstances have no part in it, which is quicker than on each clause.
    fn may(&mut self, route: &Route, method: Method, slice: &Slice) -> Result<bool, Unusable> {
        let asked = (StandIn::themselves(self.person), method);
        Ok(match self.inquiry.outright(route, asked)? {
            Some(verdict) => verdict == Verdict::Allow,
            None => self.told(route, method, slice.clone())?.certainty != Certainty::Never,
        })
    }

    fn told(
        &mut self,
        route: &Route,
        method: Method,
        slice: Slice,
    ) -> Result<Arc<ToldProspect>, Unusable> {
        if let Some(told) = self.alike.get(&slice) {
            return Ok(Arc::clone(told));
        }
        let prospect = Asking::new(self.inquiry, route, method).of(self.person)?;
        let told = Arc::new(self.teller.reach(&prospect, knowledge()));
        if slice.ground == Ground::Even {
            self.alike.insert(slice, Arc::clone(&told));
        }
        Ok(told)
    }
}

/// Whether a rule looks at more of a person than its scope and their home: then nobody answers for anybody else.
fn is_personal(rule: &Weighed) -> bool {
    rule.clauses.iter().any(|clause| clause.look == Look::Person)
}
