//! Who can reach a route, as the engine says: everybody we know, and whomever the rules name.

use std::collections::{BTreeMap, BTreeSet};

use crate::authz::assertions::Inquiry;
use crate::authz::entities::Unusable;
use crate::authz::prospect::Prospect;
use crate::authz::reach::{Asking, knowledge};
use crate::authz::snapshot::Snapshot;
use crate::authz::stand_in;
use crate::authz::telling::{Certainty, Teller, ToldProspect};
use crate::console::showing::Shown;
use crate::model::grant::{Method, Who};
use crate::model::id::Subject;
use crate::model::known::Known;
use crate::model::record::RuleId;
use crate::model::route::Route;
use crate::model::time::Timestamp;

/// What the engine said about a route.
pub(in crate::console) struct Reaching {
    /// Everybody known who can, and how with each method.
    pub(in crate::console) people: Vec<Person>,
    /// Rules that let somebody in whom rules name, whether anybody of them was here or not.
    pub(in crate::console) rules: BTreeSet<RuleId>,
    /// What is true of everybody signed in.
    pub(in crate::console) signed_in: Certainty,
    /// What is true of everybody.
    pub(in crate::console) everyone: Certainty,
    /// Rules that let in everybody, or everybody signed in, whoever they are.
    pub(in crate::console) open: BTreeSet<RuleId>,
    /// Each of the rules as a sentence.
    pub(in crate::console) sentences: BTreeMap<RuleId, String>,
}

/// Somebody, and what they can do with each method.
pub(in crate::console) type Person = (Subject, Vec<(Method, ToldProspect)>);

/// What is asked: under which rules, about which route and methods, as of when.
pub(in crate::console) type Asked<'a> = (&'a Shown, &'a Route, &'a [Method], Timestamp);

impl Reaching {
    /// Asks the engine. It takes a while.
    ///
    /// # Errors
    /// When nothing can be decided there.
    pub(in crate::console) fn of(
        (shown, route, methods, now): Asked<'_>,
        known: &Known,
        snapshot: &Snapshot,
    ) -> Result<Self, Unusable> {
        let inquiry = Inquiry { book: &shown.book, snapshot, now };
        let teller = Teller { book: &shown.book, names: &shown.names };
        let people = people((inquiry, teller), (route, methods), known)?;
        let named = NamedOnes { inquiry, route, methods };
        let mut rules = named.rules()?;
        let of_people = people.iter().flat_map(|(_, told)| told);
        rules.extend(
            of_people.flat_map(|(_, told)| told.through.iter().map(|way| way.rule.clone())),
        );
        let mut open = named.letting(&Who::SignedIn)?;
        open.extend(named.letting(&Who::Everyone)?);
        let sentences = rules.iter().map(|id| (id.clone(), teller.sentence(id))).collect();
        Ok(Self {
            signed_in: named.certainty(&Who::SignedIn)?,
            everyone: named.certainty(&Who::Everyone)?,
            people,
            rules,
            open,
            sentences,
        })
    }

    /// How many people and services, and of how many of them it is certain.
    pub(super) fn count(&self) -> (usize, usize) {
        let is_certain = |told: &[(Method, ToldProspect)]| {
            told.iter().any(|(_, told)| told.certainty == Certainty::Always)
        };
        let certain = self.people.iter().filter(|(_, told)| is_certain(told)).count();
        (self.people.len(), certain)
    }
}

/// Everybody known who can do it with some method.
fn people(
    (inquiry, teller): (Inquiry<'_>, Teller<'_>),
    (route, methods): (&Route, &[Method]),
    known: &Known,
) -> Result<Vec<Person>, Unusable> {
    let mut asking: Vec<_> =
        methods.iter().map(|method| (*method, Asking::new(inquiry, route, *method))).collect();
    let mut found = Vec::new();
    for (subject, person) in known.iter() {
        let tell = |(method, asking): &mut (Method, Asking<'_>)| {
            let prospect = asking.of(&person.content)?;
            Ok((*method, teller.reach(&prospect, knowledge())))
        };
        let told: Vec<_> = asking.iter_mut().map(tell).collect::<Result<_, Unusable>>()?;
        if told.iter().any(|(_, told)| told.certainty != Certainty::Never) {
            found.push((subject.clone(), told));
        }
    }
    Ok(found)
}

/// The same question for those whom rules name.
struct NamedOnes<'a> {
    inquiry: Inquiry<'a>,
    route: &'a Route,
    methods: &'a [Method],
}

impl NamedOnes<'_> {
    fn rules(&self) -> Result<BTreeSet<RuleId>, Unusable> {
        let mut rules = BTreeSet::new();
        for who in stand_in::known(self.inquiry.book) {
            rules.extend(self.letting(&who)?);
        }
        Ok(rules)
    }

    /// The rules that let them in.
    fn letting(&self, who: &Who) -> Result<BTreeSet<RuleId>, Unusable> {
        let mut rules = BTreeSet::new();
        for prospect in self.prospects(who)? {
            match prospect {
                Prospect::Always(by) | Prospect::If { permits: by, .. } => {
                    rules.extend(by.into_iter().map(|rule| rule.rule));
                }
                Prospect::Never(_) => {}
            }
        }
        Ok(rules)
    }

    fn certainty(&self, who: &Who) -> Result<Certainty, Unusable> {
        let all = self.prospects(who)?.into_iter().map(|prospect| match prospect {
            Prospect::Always(_) => Certainty::Always,
            Prospect::If { .. } => Certainty::If,
            Prospect::Never(_) => Certainty::Never,
        });
        Ok(all.min().unwrap_or(Certainty::Never))
    }

    fn prospects(&self, who: &Who) -> Result<Vec<Prospect>, Unusable> {
        let ask = |method: &Method| self.inquiry.on_route(who, *method, self.route);
        self.methods.iter().map(|method| ask(method).map(|(prospect, _)| prospect)).collect()
    }
}
