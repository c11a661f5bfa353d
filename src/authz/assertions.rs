//! Assertions: what must be true of a rule book, checked before every publication.
//!
//! An assertion is about everybody who fits it, so what is not given counts as unknown and may be anything: *can* holds
//! when access is certain, *cannot* when it is impossible, and *nobody but* when it is impossible for each group, app role,
//! person, service and tenant that the rule book names and the assertion does not.

use std::collections::BTreeMap;
use std::fmt;

use super::decision::Question;
use super::entities::Unusable;
use super::explain::Explanation;
use super::prospect::{Knowledge, Prospect};
use super::snapshot::Snapshot;
use super::stand_in::{self, StandIn};
use super::weigh::Weighed;
use crate::model::assertion::{Access, Assertion, Claim, Exclusive, Given};
use crate::model::grant::{Method, Reach, Who};
use crate::model::id::{AssertionId, RouteId};
use crate::model::record::{Circumstances, ClientAddress, MfaState, RuleId, Verdict};
use crate::model::route::Route;
use crate::model::rule_book::RuleBook;
use crate::model::time::Timestamp;

/// An assertion that does not hold, and the first case that breaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub assertion: AssertionId,
    /// What breaks it.
    pub why: Why,
}

/// What breaks an assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It can't be tried: what it speaks of does not exist.
    Untried(String),
    /// They should be able to, and can't, or not always.
    Kept {
        /// Who.
        who: Who,
        /// Doing what.
        method: Method,
        /// What stands in the way: forbids, or permits that don't always apply. Empty: no rule lets them in.
        by: Vec<RuleId>,
    },
    /// They should never be able to, and can, or may be able to.
    Let {
        /// Who.
        who: Who,
        /// Doing what.
        method: Method,
        /// Where.
        route: RouteId,
        /// What lets them in.
        by: Vec<RuleId>,
    },
}

/// All assertions of a rule book that don't hold in its snapshot, in the order of the book. `now` stands for the present
/// where an assertion gives no time.
pub fn run(book: &RuleBook, snapshot: &Snapshot, now: Timestamp) -> Vec<Broken> {
    let inquiry = Inquiry { book, snapshot, now };
    let judge = |assertion: &Assertion| {
        let why =
            inquiry.judge(&assertion.claim).unwrap_or_else(|error| Some(Why::Untried(error.0)));
        why.map(|why| Broken { assertion: assertion.id.clone(), why })
    };
    book.assertions.iter().filter_map(judge).collect()
}

/// A rule book that is asked who can do what.
#[derive(Debug, Clone, Copy)]
pub struct Inquiry<'a> {
    /// The rule book.
    pub book: &'a RuleBook,
    /// Its snapshot.
    pub snapshot: &'a Snapshot,
    /// The present.
    pub now: Timestamp,
}

impl Inquiry<'_> {
    /// What somebody of whom nothing else is known can do anywhere on a route, and what was known of them.
    ///
    /// # Errors
    /// When nothing can be decided there.
    pub fn on_route(
        &self,
        who: &Who,
        method: Method,
        route: &Route,
    ) -> Result<(Prospect, Knowledge), Unusable> {
        self.on(route, (StandIn::of(who)?, method, None), &Given::default())
    }

    fn judge(&self, claim: &Claim) -> Result<Option<Why>, Unusable> {
        match claim {
            Claim::Can(access) => self.kept(access),
            Claim::Cannot(access) => self.let_in(access),
            Claim::NobodyBut(exclusive) => self.others(exclusive),
        }
    }

    fn kept(&self, access: &Access) -> Result<Option<Why>, Unusable> {
        for method in access.what.methods() {
            let by = match self.at_path(access, method)?.1 {
                Prospect::Always(_) => continue,
                Prospect::Never(by) => rules(&by),
                Prospect::If { permits, forbids } => {
                    rules(if forbids.is_empty() { &permits } else { &forbids })
                }
            };
            return Ok(Some(Why::Kept { who: access.who.clone(), method, by }));
        }
        Ok(None)
    }

    fn let_in(&self, access: &Access) -> Result<Option<Why>, Unusable> {
        for method in access.what.methods() {
            let (route, prospect) = self.at_path(access, method)?;
            if let Some(by) = opening(&prospect) {
                return Ok(Some(Why::Let { who: access.who.clone(), method, route, by }));
            }
        }
        Ok(None)
    }

    fn others(&self, exclusive: &Exclusive) -> Result<Option<Why>, Unusable> {
        let routes = self.routes(exclusive)?;
        let everybody = stand_in::known(self.book);
        // The widest first: a hole for everybody is one hole.
        for who in everybody.iter().rev().filter(|who| !is_named(who, &exclusive.who)) {
            for route in &routes {
                for method in exclusive.what.methods() {
                    let (prospect, _) = self.on_route(who, method, route)?;
                    if let Some(by) = opening(&prospect) {
                        let route = route.id.clone();
                        return Ok(Some(Why::Let { who: who.clone(), method, route, by }));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The route that an assertion names, and where it says so all below it.
    fn routes(&self, exclusive: &Exclusive) -> Result<Vec<&Route>, Unusable> {
        let routes = &self.book.routes;
        let top = routes.iter().find(|route| route.id == exclusive.route);
        let top =
            top.ok_or_else(|| Unusable(format!("there is no route `{}`", exclusive.route)))?;
        let below =
            |route: &&Route| route.id.app() == top.id.app() && top.pattern.contains(&route.pattern);
        let mut all = vec![top];
        if exclusive.reach == Reach::Below {
            all.extend(routes.iter().filter(below));
        }
        Ok(all)
    }

    fn at_path(&self, access: &Access, method: Method) -> Result<(RouteId, Prospect), Unusable> {
        let found = self.snapshot.find(&access.app, &access.path);
        let found = found.ok_or_else(|| {
            Unusable(format!("no route of the app `{}` covers `{}`", access.app, access.path))
        })?;
        let asked = (StandIn::of(&access.who)?, method, Some(access.path.as_str()));
        let (prospect, _) = self.on(&found.route, asked, &access.given)?;
        Ok((found.route.id.clone(), prospect))
    }

    fn on(
        &self,
        route: &Route,
        asked: (StandIn, Method, Option<&str>),
        given: &Given,
    ) -> Result<(Prospect, Knowledge), Unusable> {
        let (rules, known) = self.weighed(route, asked, given)?;
        Ok((Prospect::of(rules, known), known))
    }

    /// The rules that can have a say on a route, taken apart for somebody, and how much was known.
    pub(super) fn weighed(
        &self,
        route: &Route,
        asked: (StandIn, Method, Option<&str>),
        given: &Given,
    ) -> Result<(Vec<Weighed>, Knowledge), Unusable> {
        self.put(route, (asked, given), |question, known| {
            let mut rules = self.snapshot.own_rules(question)?;
            Explanation::sort(&mut rules);
            Ok((rules, known))
        })
    }

    /// What somebody can do anywhere on a route whatever the circumstances are; none where it depends on them, or a rule
    /// fails.
    pub(super) fn outright(
        &self,
        route: &Route,
        asked: (StandIn, Method),
    ) -> Result<Option<Verdict>, Unusable> {
        let (who, method) = asked;
        self.put(route, ((who, method, None), &Given::default()), |question, known| {
            self.snapshot.outright(question, known)
        })
    }

    /// Asks about a route, of which no more is known than what is given.
    fn put<T>(
        &self,
        route: &Route,
        ((who, method, path), given): ((StandIn, Method, Option<&str>), &Given),
        answer: impl FnOnce(&Question<'_>, Knowledge) -> Result<T, Unusable>,
    ) -> Result<T, Unusable> {
        let app = self.book.apps.iter().find(|app| app.id == *route.id.app());
        let origin = app.and_then(|app| app.origins.first());
        let origin =
            origin.ok_or_else(|| Unusable(format!("there is no app `{}`", route.id.app())))?;
        let now = given.at.map_or(self.now, |at| at.0);
        let found = path.and_then(|path| self.snapshot.find(route.id.app(), path));
        let circumstances = Circumstances {
            now,
            mfa: given.mfa.unwrap_or(MfaState::NotMet),
            auth_contexts: given.auth_contexts.iter().flatten().map(ToString::to_string).collect(),
            signed_in_at: given.signed_in.map(|span| now.minus(span.0)),
            params: found.map_or_else(BTreeMap::new, |found| found.params),
            local: self.snapshot.local(now),
        };
        let StandIn { principal, known } = who;
        // Where the address is not given no clause that looks at it is taken at its word.
        let nowhere = std::net::Ipv4Addr::UNSPECIFIED.into();
        let question = Question {
            principal: &principal,
            route,
            method,
            host: origin.host(),
            path: path.unwrap_or_else(|| route.pattern.as_str()),
            client: ClientAddress::Known(given.from.unwrap_or(nowhere)),
            circumstances: &circumstances,
        };
        let known = if path.is_some() { known } else { known.anywhere() }.given(given);
        answer(&question, known)
    }
}

/// Whoever is in a group or has a role is signed in, but a service never is; and everybody is somebody.
fn is_named(who: &Who, named: &[Who]) -> bool {
    let person = !matches!(who, Who::Everyone | Who::Workload(_));
    person && named.contains(&Who::SignedIn)
        || named.contains(who)
        || named.contains(&Who::Everyone)
}

/// What may let somebody in, unless they can never get in.
fn opening(prospect: &Prospect) -> Option<Vec<RuleId>> {
    match prospect {
        Prospect::Never(_) => None,
        Prospect::Always(by) | Prospect::If { permits: by, .. } => Some(rules(by)),
    }
}

fn rules(weighed: &[Weighed]) -> Vec<RuleId> {
    weighed.iter().map(|rule| rule.rule.clone()).collect()
}

/// A sentence for whoever has to mend it.
impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { assertion, why } = self;
        match why {
            Why::Untried(problem) => write!(f, "assertion `{assertion}` can't be tried: {problem}"),
            Why::Kept { method, by, .. } if by.is_empty() => {
                write!(f, "assertion `{assertion}`: no rule lets them {}", method.as_str())
            }
            Why::Kept { method, by, .. } => {
                write!(
                    f,
                    "assertion `{assertion}`: they can't always {}: {}",
                    method.as_str(),
                    Listed(by)
                )
            }
            Why::Let { who, method, route, by } => {
                let who = stand_in::name(who);
                let rules = Listed(by);
                write!(
                    f,
                    "assertion `{assertion}`: {who} can {} {route} through {rules}",
                    method.as_str()
                )
            }
        }
    }
}

struct Listed<'a>(&'a [RuleId]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|rule| format!("`{rule}`")).collect();
        f.write_str(&names.join(", "))
    }
}
