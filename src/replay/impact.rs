//! Who would gain and who would lose under other rules, by what people did ask for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::again::{Course, Put, Request};
use super::told::{Tally, Untold, Who, shown};
use crate::authz::decision::Decision;
use crate::authz::snapshot::Snapshot;
use crate::model::id::{DecisionId, RouteId};
use crate::model::record::{DecisionRecord, Verdict};

/// Lines that are kept; what belongs to none of them is only counted.
const LINES: usize = 50_000;

/// Rules that recorded requests are put to.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The rules to try.
    pub rules: Arc<Snapshot>,
    /// What their answers are compared with.
    pub against: Against,
}

/// What the answers of a trial are compared with.
#[derive(Debug, Clone)]
pub enum Against {
    /// The verdicts on record: what has changed for people since then counts as well.
    Record,
    /// Other rules, such as those in force: nothing but the difference between the two counts.
    Rules(Arc<Snapshot>),
}

/// What other rules would change.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Impact {
    /// Requests to apps, decided under the other rules.
    pub decided: u64,
    /// Decisions about pages of the console and the portal: no release decides on those.
    pub pages: u64,
    /// Records whose content was erased: there is nothing to decide on.
    pub erased: u64,
    /// Who would gain or lose what, those with most requests first.
    pub lines: Vec<Line>,
    /// Decisions that would change, of too many people and routes to be told apart.
    pub further: u64,
    /// Decisions whose route is not in the other rules.
    pub gone: BTreeMap<RouteId, Tally>,
    /// Decisions that could not be put again.
    pub untold: Untold,
    #[serde(skip)]
    found: BTreeMap<Key, Tally>,
}

/// What changes for one person on one route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What changes, on which route, for whom.
    #[serde(flatten)]
    pub key: Key,
    /// How many decisions.
    #[serde(flatten)]
    pub tally: Tally,
}

/// What changes, on which route, for whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Key {
    /// Whether they gain or lose.
    pub change: Change,
    /// The method.
    pub method: &'static str,
    /// The route that lets them in, before or after; for none, the host.
    pub place: String,
    /// Who.
    pub who: Who,
}

/// Whether somebody gains or loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// They would be let in.
    Gains,
    /// They would be kept out.
    Loses,
}

impl Impact {
    /// Puts a decision to the rules of the trial.
    pub(super) fn add(&mut self, (id, record): (DecisionId, &DecisionRecord), trial: &Trial) {
        let request = match Put::of(record) {
            Err(why) => return self.untold.add(id, &why),
            Ok(Put::Page(_)) => {
                self.pages += 1;
                return;
            }
            Ok(Put::Request(request)) => request,
        };
        self.decided += 1;
        let before = before(request, &trial.against);
        let after = request.otherwise(&trial.rules);
        if let Some(route) = before.route.filter(|route| !trial.rules.has_route(route)) {
            self.gone.entry(route).or_insert_with(|| Tally::new(id)).count += 1;
        }
        let change = match (before.verdict, verdict(&after)) {
            (Verdict::Deny, Verdict::Allow) => (Change::Gains, after.route().cloned()),
            (Verdict::Allow, Verdict::Deny) => (Change::Loses, before.let_in_by),
            (Verdict::Allow, Verdict::Allow) | (Verdict::Deny, Verdict::Deny) => return,
        };
        self.count(id, key(request, change));
    }

    fn count(&mut self, id: DecisionId, key: Key) {
        if self.found.len() < LINES || self.found.contains_key(&key) {
            self.found.entry(key).or_insert_with(|| Tally::new(id)).count += 1;
        } else {
            self.further += 1;
        }
    }

    /// Puts the lines in order, at the end.
    pub(super) fn sorted(mut self) -> Self {
        let found = std::mem::take(&mut self.found).into_iter();
        self.lines = found.map(|(key, tally)| Line { key, tally }).collect();
        self.lines.sort_by_key(|line| (line.key.change, std::cmp::Reverse(line.tally.count)));
        self
    }

    /// Whether nobody would notice.
    pub fn is_none(&self) -> bool {
        self.lines.is_empty() && self.further == 0 && self.gone.is_empty()
    }

    /// What would change, a line for each person and route, at most `limit` of these.
    pub fn lines(&self, limit: usize) -> Vec<String> {
        let mut lines: Vec<_> = self.lines.iter().take(limit).map(ToString::to_string).collect();
        let rest = self.lines.iter().skip(limit).map(|line| line.tally.count).sum::<u64>();
        let rest = rest + self.further;
        if rest > 0 {
            lines.push(format!("and {rest} decisions more, of other people or on other routes"));
        }
        lines.extend(self.gone.iter().map(|(route, tally)| format!("no route {route}: {tally}")));
        lines.extend(self.untold.lines());
        lines
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key { change, method, place, who } = &self.key;
        let change = match change {
            Change::Gains => "gains",
            Change::Loses => "loses",
        };
        write!(f, "{change}  {method} {place}  {who}  {}", self.tally)
    }
}

/// How it stands without the rules to try.
struct Before {
    verdict: Verdict,
    /// Where the path leads.
    route: Option<RouteId>,
    let_in_by: Option<RouteId>,
}

fn before(request: Request<'_>, against: &Against) -> Before {
    let (verdict, route) = match against {
        Against::Record => (request.record.verdict, request.record.route.clone()),
        Against::Rules(rules) => {
            let course = request.otherwise(rules);
            (verdict(&course), course.route().cloned())
        }
    };
    Before { verdict, let_in_by: route.clone(), route }
}

/// What is refused before it is decided is not let in.
fn verdict(course: &Course) -> Verdict {
    let decision: Option<&Decision> = course.decision.as_ref();
    decision.map_or(Verdict::Deny, |decision| decision.verdict)
}

fn key(request: Request<'_>, (change, route): (Change, Option<RouteId>)) -> Key {
    let facts = &request.record.facts;
    let host = || facts.host.as_ref().map(ToString::to_string).unwrap_or_default();
    let place = route.map_or_else(|| shown(&host()), |route| route.to_string());
    let (method, who) = (request.method.as_str(), Who::of(&request.record.principal));
    Key { change, method, place, who }
}
