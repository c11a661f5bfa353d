//! One recorded decision, put again: to its own release exactly as it was, or to other rules as they would meet it.

use std::collections::BTreeMap;

use crate::authz::console::{ConsoleAction, ConsoleRules, Manner, PORTAL, everyone_known};
use crate::authz::decision::{Decision, Question};
use crate::authz::path::CanonicalPath;
use crate::authz::snapshot::Snapshot;
use crate::authz::tree::RouteMatch;
use crate::model::grant::Method;
use crate::model::host::Host;
use crate::model::id::{AppId, RouteId};
use crate::model::record::{Circumstances, DecisionRecord, Door};

/// Who decided what is on record.
#[derive(Debug)]
pub(super) enum Put<'a> {
    /// A release, about a request to an app.
    Request(Request<'a>),
    /// The rules that come with the program, about a page of ours.
    Page(&'a DecisionRecord),
}

/// A request to an app, as it is on record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) record: &'a DecisionRecord,
    host: &'a Host,
    pub(super) method: Method,
}

/// Where a request leads, and what is decided there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Course {
    /// The app that serves the host.
    pub(super) app: Option<AppId>,
    /// The route that the path matches.
    pub(super) found: Option<RouteMatch>,
    /// The answer; none for a request that is refused before anything is decided.
    pub(super) decision: Option<Decision>,
}

impl<'a> Put<'a> {
    /// What was put.
    ///
    /// # Errors
    /// In words, when the record lacks what it takes to put it again.
    pub(super) fn of(record: &'a DecisionRecord) -> Result<Self, String> {
        match record.facts.door {
            Door::Console | Door::Own => Ok(Self::Page(record)),
            Door::Proxy => {
                let host = record.facts.host.as_ref().ok_or("it names no host")?;
                let method = Method::from_name(&record.action)
                    .ok_or_else(|| format!("`{}` is not a method", record.action))?;
                Ok(Self::Request(Request { record, host, method }))
            }
        }
    }
}

impl Request<'_> {
    /// Under the release that decided: nothing but what is on record counts.
    pub(super) fn exactly(self, own: &Snapshot) -> Course {
        let app = own.app(self.host).map(|app| app.id.clone());
        let path = &self.record.facts.path;
        let found = app.as_ref().and_then(|app| own.find(app, path));
        let circumstances = self.circumstances(found.as_ref());
        let decision = Some(self.decide(own, found.as_ref(), (path, &circumstances)));
        Course { app, found, decision }
    }

    /// Under other rules: the same request, led through them from its host on.
    pub(super) fn otherwise(self, rules: &Snapshot) -> Course {
        let refused = |app| Course { app, found: None, decision: None };
        let Some(app) = rules.app(self.host).map(|app| app.id.clone()) else {
            return refused(None);
        };
        let facts = &self.record.facts;
        let asked = facts.unfolded.as_ref().unwrap_or(&facts.path);
        let keeps = |path: &CanonicalPath| rules.keeps_slashes(Some(&app), path);
        let Ok(path) = CanonicalPath::read_where(asked.as_bytes(), keeps) else {
            return refused(Some(app));
        };
        let path = rules.as_app_reads(Some(&app), path);
        let found = rules.find(&app, path.as_str());
        let mut circumstances = self.circumstances(found.as_ref());
        // These rules may name other time zones than those on record.
        let mut local = rules.local(circumstances.now);
        local.append(&mut circumstances.local);
        circumstances.local = local;
        let decision = self.decide(rules, found.as_ref(), (path.as_str(), &circumstances));
        Course { app: Some(app), found, decision: Some(decision) }
    }

    fn circumstances(self, found: Option<&RouteMatch>) -> Circumstances {
        let params = found.map_or_else(BTreeMap::new, |found| found.params.clone());
        Circumstances { params, ..self.record.circumstances.clone() }
    }

    fn decide(
        self,
        rules: &Snapshot,
        found: Option<&RouteMatch>,
        (path, circumstances): (&str, &Circumstances),
    ) -> Decision {
        let Some(found) = found else { return Decision::without_route(&self.record.principal) };
        rules.decide(&Question {
            principal: &self.record.principal,
            route: &found.route,
            method: self.method,
            host: self.host,
            path,
            client: self.record.facts.client,
            circumstances,
        })
    }
}

impl Course {
    /// The route.
    pub(super) fn route(&self) -> Option<&RouteId> {
        self.found.as_ref().map(|found| &found.route.id)
    }
}

/// A decision about a page of ours, again.
///
/// # Errors
/// In words, when the program has other rules now than those that decided.
pub(super) fn page(record: &DecisionRecord, console: &ConsoleRules) -> Result<Decision, String> {
    let unknown = || format!("no page of ours decides on `{}`", record.action);
    match record.facts.door {
        Door::Console => {
            let action = ConsoleAction::from_name(&record.action).ok_or_else(unknown)?;
            let facts =
                record.console.as_ref().ok_or("the roles in the console are not on record")?;
            if !console.are_those_of(facts) {
                return Err("the console had other rules then than this program brings".to_owned());
            }
            let Circumstances { now, signed_in_at, .. } = record.circumstances;
            let manner = Manner::of(&record.facts.method, (now, signed_in_at));
            Ok(console.decide_on((&record.principal, facts), (action, manner)))
        }
        Door::Own if record.action == PORTAL => Ok(everyone_known(&record.principal)),
        Door::Own | Door::Proxy => Err(unknown()),
    }
}
