//! A release compiled for deciding: in memory, replaced whole, never changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cedar_policy::{Authorizer, PolicyId, PolicySet, Request};

use super::decision::{Decision, Mentions, Question};
use super::entities::{self, Unusable, Vocabulary, rule_id};
use super::index::{Index, Outlook, Place};
use super::memo::{Key, Memo, Person};
use super::overlaps;
use super::prepared::{Actions, Prepared};
use super::problem::{Object, Problem};
use super::reads::{Parts, Reads};
use super::schema::ReleaseSchema;
use super::timing::Timing;
use super::tree::{RouteMatch, RouteTree};
use crate::model::app::App;
use crate::model::civil::{LocalTime, Zone};
use crate::model::grant::Method;
use crate::model::host::Host;
use crate::model::id::{AppId, AuthContext, ReleaseNumber, RouteId};
use crate::model::principal::{Principal, PrincipalSnapshot};
use crate::model::record::{Reason, RuleId, Verdict};
use crate::model::route::Route;
use crate::model::time::Timestamp;

/// A release compiled for deciding.
#[derive(Debug)]
pub struct Snapshot {
    number: ReleaseNumber,
    tree: RouteTree,
    policies: PolicySet,
    index: Index,
    schema: ReleaseSchema,
    vocabulary: Vocabulary,
    mentions: BTreeMap<AppId, Mentions>,
    contexts: BTreeSet<AuthContext>,
    zones: BTreeSet<Zone>,
    actions: Actions,
    sites: HashMap<RouteId, Site>,
    memo: Memo,
}

/// A route, ready for evaluation.
#[derive(Debug)]
struct Site {
    /// Within the release.
    number: usize,
    entity: Prepared,
    /// Where the rules about it lie.
    places: Vec<Place>,
}

/// What compiling has made so far.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) number: ReleaseNumber,
    pub(super) tree: RouteTree,
    pub(super) policies: PolicySet,
    pub(super) schema: ReleaseSchema,
    pub(super) vocabulary: Vocabulary,
    pub(super) mentions: BTreeMap<AppId, Mentions>,
    /// What policies look at besides their scope; those that look at nothing are left out.
    pub(super) reads: HashMap<PolicyId, Reads>,
}

impl Snapshot {
    pub(super) fn new(compiled: Compiled, routes: &[Route]) -> Result<Self, Problem> {
        let Compiled { number, tree, policies, schema, vocabulary, mentions, reads } = compiled;
        let entities = schema.schema.action_entities();
        let entities = entities.map_err(|e| Problem::new(Object::RuleBook, &e))?;
        let actions = Actions::new(entities, |method| vocabulary.action(method.as_str()));
        let index = Index::of(&policies, &reads, &actions);
        let wider = overlaps::wider(routes);
        let site = |(number, (route, wider)): (usize, (&Route, Vec<&RouteId>))| {
            let entity = vocabulary.route_entity(route, &wider);
            let entity = entity.map_err(|e| Problem::new(Object::Route(route.id.clone()), &e))?;
            let entity = Prepared::new(&entity);
            let places = index.places(entity.lineage().iter());
            if let Some((method, count)) = index.crowd(&places) {
                return Err(crowded(route, method, count));
            }
            Ok((route.id.clone(), Site { number, entity, places }))
        };
        let sites = routes.iter().zip(wider).enumerate().map(site).collect::<Result<_, _>>()?;
        let contexts = reads.values().flat_map(|reads| reads.contexts.iter().cloned()).collect();
        let zones = reads.values().flat_map(|reads| reads.zones.iter().cloned()).collect();
        Ok(Self {
            number,
            tree,
            policies,
            index,
            schema,
            vocabulary,
            mentions,
            contexts,
            zones,
            actions,
            sites,
            memo: Memo::default(),
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

    /// The same without any memory of earlier answers, which changes nothing but the time that it takes.
    pub fn decide_afresh(&self, question: &Question<'_>) -> Decision {
        let evaluated = self.site(question).and_then(|site| self.evaluate(question, site));
        evaluated.map_or_else(|error| Decision::failed(&error), |evaluation| evaluation.decision)
    }

    /// The same as [`Self::decide`], and when time alone can change the answer: none when it stays while nothing else changes, the question's
    /// own present when that can't be told.
    pub fn foresee(&self, question: &Question<'_>) -> (Decision, Option<Timestamp>) {
        match self.answer(question) {
            Ok((decision, timing)) => (decision, timing.from(question.circumstances.now)),
            Err(error) => (Decision::failed(&error), None),
        }
    }

    /// From memory where the answer depends on nothing that a request brings along.
    fn answer(&self, question: &Question<'_>) -> Result<(Decision, Timing), Unusable> {
        let site = self.site(question)?;
        let (who, method) = (question.principal.hash(), question.method);
        let key = Key { who, route: site.number, method };
        if let Some(decision) = self.memo.answers.get(&key) {
            return Ok((decision, Timing::Never));
        }
        let Evaluation { decision, outlook } = self.evaluate(question, site)?;
        if outlook.parts == Parts::NONE {
            self.memo.answers.insert(key, decision.clone());
        }
        Ok((decision, outlook.timing))
    }

    /// Lets Cedar evaluate the policies that can have a say.
    fn evaluate(&self, question: &Question<'_>, site: &Site) -> Result<Evaluation, Unusable> {
        let person = self.person(question.principal)?;
        let candidates: Vec<_> =
            self.index.candidates(&site.places, &person.bounds, question.method).collect();
        let outlook = Outlook::of(&candidates, question.circumstances.now);
        let mut policies = PolicySet::new();
        for candidate in candidates {
            policies.add(candidate.policy.clone()).map_err(|e| fail(&e))?;
        }
        let request = self.request(question, (&person.entity, &site.entity), outlook.parts)?;
        let entities = self.actions.with(&person.entity, &site.entity)?;
        let response = Authorizer::new().is_authorized(&request, &policies, &entities);
        Ok(Evaluation { decision: read(&response, question.principal), outlook })
    }

    /// Of the question's route, when the question can be answered at all: without the client's address it can't, whether
    /// rules would look at it or not.
    fn site(&self, question: &Question<'_>) -> Result<&Site, Unusable> {
        entities::address(question)?;
        let id = &question.route.id;
        self.sites.get(id).ok_or_else(|| fail(&format!("the route `{id}` is not in this release")))
    }

    fn person(&self, principal: &PrincipalSnapshot) -> Result<Arc<Person>, Unusable> {
        self.memo.people.get_or_insert_with(&principal.hash(), || {
            let entity = Prepared::new(&self.vocabulary.principal(principal)?);
            let bounds = self.index.bounds(entity.lineage().iter());
            Ok(Arc::new(Person { entity, bounds }))
        })
    }

    fn request(
        &self,
        question: &Question<'_>,
        (who, what): (&Prepared, &Prepared),
        parts: Parts,
    ) -> Result<Request, Unusable> {
        let context = entities::context(question, parts)?;
        let method = question.method;
        let action = self.actions.uid(method);
        let action = action.ok_or_else(|| fail(&format!("there is no action for {method:?}")))?;
        let (who, what) = (who.uid().clone(), what.uid().clone());
        // Not held against the schema: each part is made by its type, and a test checks that they fit.
        Request::new(who, action.clone(), what, context, None).map_err(|e| fail(&e))
    }

    /// The same by all policies, the whole context, and with everything checked by Cedar that [`Self::decide`] takes for
    /// granted: what that one must equal.
    #[cfg(test)]
    pub(super) fn decide_by_all(&self, question: &Question<'_>) -> Decision {
        let decide = || {
            let site = self.site(question)?;
            let who = Prepared::new(&self.vocabulary.principal(question.principal)?);
            let request = self.request(question, (&who, &site.entity), Parts::ALL)?;
            let action = request.action().ok_or_else(|| fail(&"no action"))?;
            let context = request.context().ok_or_else(|| fail(&"no context"))?;
            context.validate(&self.schema.schema, action).map_err(|e| fail(&e))?;
            let entities = self.actions.checked(&who, &site.entity)?;
            let response = Authorizer::new().is_authorized(&request, &self.policies, &entities);
            Ok(read(&response, question.principal))
        };
        decide().unwrap_or_else(|error: Unusable| Decision::failed(&error))
    }
}

/// What Cedar said, and what that depends on.
struct Evaluation {
    decision: Decision,
    outlook: Outlook,
}

fn crowded(route: &Route, method: Method, count: usize) -> Problem {
    let text = format!(
        "{count} rules can have a say on one {} request here, and at most 1000 may; put rules on narrower routes, or give several groups one app role",
        method.as_str()
    );
    Problem::new(Object::Route(route.id.clone()), &text)
}

fn fail(error: &dyn std::fmt::Display) -> Unusable {
    Unusable(error.to_string())
}

fn read(response: &cedar_policy::Response, principal: &Principal) -> Decision {
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
