//! A release compiled for deciding: in memory, replaced whole, never changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cedar_policy::{Authorizer, Entities, Entity, EntityUid, PolicyId, PolicySet, Request};

use super::decision::{Decision, Mentions, Question};
use super::entities::{self, Unusable, Vocabulary, rule_id};
use super::problem::{Object, Problem};
use super::schema::ReleaseSchema;
use super::slice::{Scope, Slices};
use super::timing::Timing;
use super::tree::{RouteMatch, RouteTree};
use crate::model::app::App;
use crate::model::civil::{LocalTime, Zone};
use crate::model::host::Host;
use crate::model::id::{AppId, AuthContext, ReleaseNumber, RouteId};
use crate::model::principal::Principal;
use crate::model::record::{Reason, RuleId, Verdict};
use crate::model::route::Route;
use crate::model::time::Timestamp;

/// A release compiled for deciding.
#[derive(Debug)]
pub struct Snapshot {
    number: ReleaseNumber,
    tree: RouteTree,
    policies: PolicySet,
    slices: Slices,
    schema: ReleaseSchema,
    vocabulary: Vocabulary,
    mentions: BTreeMap<AppId, Mentions>,
    contexts: BTreeSet<AuthContext>,
    zones: BTreeSet<Zone>,
    /// The action entities with their groups, which every evaluation needs.
    actions: Entities,
    routes: HashMap<RouteId, Entity>,
}

/// What compiling has made so far.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) number: ReleaseNumber,
    pub(super) tree: RouteTree,
    pub(super) policies: PolicySet,
    pub(super) schema: ReleaseSchema,
    pub(super) vocabulary: Vocabulary,
    pub(super) mentions: BTreeMap<AppId, Mentions>,
    /// Of the policies that time alone can change.
    pub(super) timings: HashMap<PolicyId, Timing>,
    pub(super) contexts: BTreeSet<AuthContext>,
    pub(super) zones: BTreeSet<Zone>,
}

impl Snapshot {
    pub(super) fn new(parts: Parts, routes: &[Route]) -> Result<Self, Problem> {
        let Parts {
            number,
            tree,
            policies,
            schema,
            vocabulary,
            mentions,
            contexts,
            timings,
            zones,
        } = parts;
        let actions =
            schema.schema.action_entities().map_err(|e| Problem::new(Object::RuleBook, &e))?;
        let entity = |route: &Route| {
            let wider = routes.iter().filter(|other| {
                other.id.app() == route.id.app() && other.pattern.contains(&route.pattern)
            });
            let wider: Vec<_> = wider.map(|other| &other.id).collect();
            let entity = vocabulary.route_entity(route, &wider);
            entity
                .map(|entity| (route.id.clone(), entity))
                .map_err(|e| Problem::new(Object::Route(route.id.clone()), &e))
        };
        let routes = routes.iter().map(entity).collect::<Result<_, _>>()?;
        let slices = Slices::of(&policies, &timings);
        Ok(Self {
            number,
            tree,
            policies,
            slices,
            schema,
            vocabulary,
            mentions,
            contexts,
            zones,
            actions,
            routes,
        })
    }

    /// The release that this snapshot decides for.
    pub fn number(&self) -> ReleaseNumber {
        self.number
    }

    /// The app that a host belongs to.
    pub fn app(&self, host: &Host) -> Option<&Arc<App>> {
        self.tree.app(host)
    }

    /// The route of `app` that covers a canonical path. Called once per request.
    pub fn find(&self, app: &AppId, path: &str) -> Option<RouteMatch> {
        self.tree.find(app, path)
    }

    /// The groups and roles that the rules about `app` name.
    pub fn mentions(&self, app: &AppId) -> Option<&Mentions> {
        self.mentions.get(app)
    }

    /// The authentication contexts that rules name: what somebody can be asked to prove besides the settings' own.
    pub fn contexts(&self) -> &BTreeSet<AuthContext> {
        &self.contexts
    }

    /// What the clocks show in every time zone that the rules name.
    pub fn local(&self, at: Timestamp) -> BTreeMap<Zone, LocalTime> {
        self.zones.iter().map(|zone| (zone.clone(), zone.local(at))).collect()
    }

    /// All policies as Cedar text, in the order of the rule book, for releases and auditors.
    pub fn cedar(&self) -> String {
        let texts: Vec<_> =
            self.policies.policies().filter_map(cedar_policy::Policy::to_cedar).collect();
        texts.join("\n\n")
    }

    /// One rule as Cedar text.
    pub fn cedar_of(&self, rule: &RuleId) -> Option<String> {
        self.policies.policy(&cedar_policy::PolicyId::new(rule.to_string()))?.to_cedar()
    }

    /// The schema that the policies were validated against, in Cedar's JSON form.
    pub fn schema(&self) -> &str {
        &self.schema.json
    }

    /// Answers a question. Whatever goes wrong on the way is a deny.
    ///
    /// A policy that fails while it is evaluated would simply be skipped by Cedar, also when it is a `forbid` (Cedar
    /// reference, "error handling"); so any error denies here.
    pub fn decide(&self, question: &Question<'_>) -> Decision {
        self.foresee(question).0
    }

    /// The same, and when time alone can change the answer: none when it stays while nothing else changes, the question's
    /// own present when that can't be told.
    pub fn foresee(&self, question: &Question<'_>) -> (Decision, Option<Timestamp>) {
        match self.evaluate(question) {
            Ok((decision, timing)) => (decision, timing.from(question.circumstances.now)),
            Err(error) => (Decision::failed(&error), None),
        }
    }

    /// The same by all policies, whomever they are about: what [`Self::decide`] must equal.
    #[cfg(test)]
    pub(super) fn decide_by_all(&self, question: &Question<'_>) -> Decision {
        match self.case(question) {
            Ok(case) => case.answer(&self.policies, question.principal),
            Err(error) => Decision::failed(&error),
        }
    }

    fn evaluate(&self, question: &Question<'_>) -> Result<(Decision, Timing), Unusable> {
        let case = self.case(question)?;
        let Case { who, what, entities, .. } = &case;
        let now = question.circumstances.now;
        let slice = self.slices.slice(Scope { who, what, entities, now })?;
        Ok((case.answer(&slice.policies, question.principal), slice.timing))
    }

    /// A question as Cedar takes it.
    fn case(&self, question: &Question<'_>) -> Result<Case, Unusable> {
        let route = self.routes.get(&question.route.id);
        let route = route.ok_or_else(|| {
            fail(&format!("the route `{}` is not in this release", question.route.id))
        })?;
        let principal = self.vocabulary.principal(question.principal)?;
        let action = self.vocabulary.action(question.method.as_str());
        let context = entities::context(question)?;
        let (who, what) = (principal.uid(), route.uid());
        let schema = Some(&self.schema.schema);
        let request = Request::new(who.clone(), action, what.clone(), context, schema);
        let request = request.map_err(|e| fail(&e))?;
        let entities = self
            .actions
            .clone()
            .add_entities([principal, route.clone()], None)
            .map_err(|e| fail(&e))?;
        Ok(Case { who, what, request, entities })
    }
}

fn fail(error: &dyn std::fmt::Display) -> Unusable {
    Unusable(error.to_string())
}

/// What Cedar is asked, and about whom and what.
struct Case {
    who: EntityUid,
    what: EntityUid,
    request: Request,
    entities: Entities,
}

impl Case {
    fn answer(&self, policies: &PolicySet, principal: &Principal) -> Decision {
        let response = Authorizer::new().is_authorized(&self.request, policies, &self.entities);
        answer(&response, principal)
    }
}

fn answer(response: &cedar_policy::Response, principal: &Principal) -> Decision {
    let diagnostics = response.diagnostics();
    let mut rules: Vec<_> = diagnostics.reason().filter_map(rule_id).collect();
    rules.sort();
    let mut errors: Vec<_> = diagnostics.errors().map(ToString::to_string).collect();
    errors.sort();
    let deny = |reason| Decision {
        verdict: Verdict::Deny,
        reason,
        rules: rules.clone(),
        errors: errors.clone(),
    };
    if !errors.is_empty() {
        return deny(Reason::PolicyError);
    }
    match response.decision() {
        cedar_policy::Decision::Allow => {
            Decision { verdict: Verdict::Allow, ..deny(Reason::Granted) }
        }
        cedar_policy::Decision::Deny if !rules.is_empty() => deny(Reason::Forbidden),
        cedar_policy::Decision::Deny if principal.is_known() => deny(Reason::NoGrant),
        cedar_policy::Decision::Deny => deny(Reason::NotSignedIn),
    }
}
