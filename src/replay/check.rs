//! Whether each decision falls again as it did, under its own release.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::again::{Put, Request, page};
use super::told::{Untold, Who, shown};
use crate::authz::console::ConsoleRules;
use crate::authz::decision::Decision;
use crate::authz::snapshot::Snapshot;
use crate::model::id::{DecisionId, ReleaseNumber};
use crate::model::record::{DecisionRecord, Door};

/// Differences that are told one by one; more are only counted.
const TOLD: usize = 1_000;

/// What came of deciding again under the own releases.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Check {
    /// Decisions on requests to apps, decided again.
    pub decided: u64,
    /// The same for pages of the console and the portal, which the program's own rules decide.
    pub pages: u64,
    /// Records whose content was erased: there is nothing to decide on.
    pub erased: u64,
    /// The releases that decided.
    pub releases: BTreeSet<ReleaseNumber>,
    /// Decisions that fall otherwise now.
    pub differing: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
    /// Decisions that could not be put again.
    pub untold: Untold,
}

/// A decision that falls otherwise than on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which.
    pub id: String,
    /// What was asked: method, or action on a page of ours, and route.
    pub asked: String,
    /// By whom.
    pub who: Who,
    /// In what it differs; at least one.
    pub deviations: Vec<Deviation>,
}

/// One thing that is otherwise now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deviation {
    /// What: `verdict`, `rules` and the like.
    pub of: &'static str,
    /// On record.
    pub recorded: String,
    /// Now.
    pub again: String,
}

impl Check {
    /// Puts a decision to `own`, the release that decided, or to the program's own rules.
    pub(super) fn add(
        &mut self,
        (id, record): (DecisionId, &DecisionRecord),
        (own, console): (Result<&Arc<Snapshot>, &String>, &ConsoleRules),
    ) {
        let deviations = match Put::of(record) {
            Err(why) => Err(why),
            Ok(Put::Page(record)) => page(record, console).map(|decision| {
                self.pages += 1;
                of_decision(record, &decision)
            }),
            Ok(Put::Request(request)) => own.map_err(Clone::clone).map(|own| {
                self.decided += 1;
                self.releases.insert(record.release);
                of_request(request, own)
            }),
        };
        match deviations {
            Err(why) => self.untold.add(id, &why),
            Ok(deviations) if deviations.is_empty() => {}
            Ok(deviations) => self.differ((id, record), deviations),
        }
    }

    fn differ(&mut self, (id, record): (DecisionId, &DecisionRecord), deviations: Vec<Deviation>) {
        self.differing += 1;
        if self.differences.len() < TOLD {
            let (id, who) = (id.to_string(), Who::of(&record.principal));
            self.differences.push(Difference { id, asked: asked(record), who, deviations });
        }
    }

    /// What came of it, a line for each thing.
    pub fn lines(&self) -> Vec<String> {
        let Self { decided, pages, erased, releases, differing, .. } = self;
        let mut lines: Vec<_> = self.differences.iter().map(ToString::to_string).collect();
        let told = u64::try_from(self.differences.len()).unwrap_or(u64::MAX);
        if told < *differing {
            lines.push(format!("differs: {} decisions more", differing - told));
        }
        lines.extend(self.untold.lines());
        lines.push(format!(
            "{decided} decisions on apps decided again under their own releases ({}), {pages} on the console and the portal under the program's own rules: {differing} differ",
            releases.len()
        ));
        if *erased > 0 {
            lines.push(format!("{erased} were erased; there is nothing to decide on"));
        }
        lines
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, asked, who, deviations } = self;
        write!(f, "differs  {id}  {asked}  {who}")?;
        for Deviation { of, recorded, again } in deviations {
            write!(f, "\n  {of}: recorded {recorded}, now {again}")?;
        }
        Ok(())
    }
}

fn asked(record: &DecisionRecord) -> String {
    let place = match (&record.route, record.facts.door) {
        (Some(route), _) => route.to_string(),
        (None, Door::Console) => "console".to_owned(),
        (None, Door::Own | Door::Proxy) => shown(&record.facts.path),
    };
    format!("{} {place}", shown(&record.action))
}

fn of_request(request: Request<'_>, own: &Snapshot) -> Vec<Deviation> {
    let record = request.record;
    let course = request.exactly(own);
    let params = course.found.as_ref().map(|found| found.params.clone()).unwrap_or_default();
    let mut all = Vec::new();
    all.extend(deviation("app", &record.app, &course.app));
    all.extend(deviation("route", &record.route.as_ref(), &course.route()));
    all.extend(deviation("params", &record.circumstances.params, &params));
    if let Some(decision) = &course.decision {
        all.extend(of_decision(record, decision));
    }
    all
}

fn of_decision(record: &DecisionRecord, decision: &Decision) -> Vec<Deviation> {
    let Decision { verdict, reason, rules, errors } = decision;
    let all = [
        deviation("verdict", &record.verdict, verdict),
        deviation("reason", &record.reason, reason),
        deviation("rules", &record.rules, rules),
        deviation("errors", &record.errors, errors),
    ];
    all.into_iter().flatten().collect()
}

/// Spelled as records spell it.
fn deviation<T: PartialEq + Serialize>(
    of: &'static str,
    recorded: &T,
    again: &T,
) -> Option<Deviation> {
    let spelled = |value: &T| serde_json::to_string(value).unwrap_or_default();
    (recorded != again).then(|| Deviation {
        of,
        recorded: spelled(recorded),
        again: spelled(again),
    })
}
