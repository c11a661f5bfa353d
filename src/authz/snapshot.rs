//! A release compiled for deciding: in memory, replaced whole, never changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use cedar_policy::{Context, EntityUid, PolicyId};

use super::decision::{Decision, Mentions, Question};
use super::entities::{self, Unusable, Vocabulary, rule_id};
use super::explain::Explanation;
use super::index::{Bound, Candidate, Index, Outlook, Place, Slice};
use super::memo::{Key, Memo, Person};
use super::overlaps;
use super::path::CanonicalPath;
use super::prepared::{Actions, Case, Prepared, Response, Rule};
use super::problem::{Object, Problem};
use super::prospect::Knowledge;
use super::reads::{Part, Parts, Reads};
use super::schema::ReleaseSchema;
use super::telling::Teller;
use super::timing::Timing;
use super::tree::{RouteMatch, RouteTree};
use super::weigh::{self, Weighed, Written};
use crate::model::app::App;
use crate::model::civil::{LocalTime, Zone};
use crate::model::grant::{Grant, Method};
use crate::model::group::GroupNames;
use crate::model::host::Host;
use crate::model::id::{AppId, AuthContext, GrantId, ReleaseNumber, RouteId, TenantId};
use crate::model::principal::{GuestStatus, Principal, PrincipalSnapshot};
use crate::model::record::{Reason, RuleId, Verdict};
use crate::model::route::{Disclosure, EncodedSlashes, Route};
use crate::model::rule_book::RuleBook;
use crate::model::time::Timestamp;

/// A release compiled for deciding.
#[derive(Debug)]
pub struct Snapshot {
    number: ReleaseNumber,
    tree: RouteTree,
    /// In the order of the rule book.
    rules: Vec<Rule>,
    index: Index,
    schema: ReleaseSchema,
    vocabulary: Vocabulary,
    mentions: BTreeMap<AppId, Arc<Mentions>>,
    contexts: BTreeSet<AuthContext>,
    zones: BTreeSet<Zone>,
    ages: BTreeSet<Duration>,
    /// What was compiled, without policies and assertions, grants in the order of their ids: for saying why, in words.
    book: RuleBook,
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

/// Whom rules can't tell apart while they look at no more than scopes and homes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Likeness {
    /// The principals that scopes name, as far as they are or are in them.
    bounds: Vec<Bound>,
    home: Home,
}

/// What kind of principal, and where they belong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Home {
    Member(TenantId),
    Guest(TenantId),
    Workload(TenantId),
    Nobody,
}

impl Home {
    fn of(principal: &Principal) -> Self {
        match principal {
            Principal::User(user) => {
                let tenant = user.subject.tenant.clone();
                match user.guest {
                    GuestStatus::Member => Self::Member(tenant),
                    GuestStatus::Guest => Self::Guest(tenant),
                }
            }
            Principal::Workload(workload) => Self::Workload(workload.subject.tenant.clone()),
            Principal::Anonymous => Self::Nobody,
        }
    }
}

/// What compiling has made so far.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) number: ReleaseNumber,
    pub(super) tree: RouteTree,
    /// In the order of the rule book.
    pub(super) rules: Vec<Rule>,
    pub(super) schema: ReleaseSchema,
    pub(super) vocabulary: Vocabulary,
    pub(super) mentions: BTreeMap<AppId, Mentions>,
    /// What policies look at besides their scope; those that look at nothing are left out.
    pub(super) reads: HashMap<PolicyId, Reads>,
}

impl Snapshot {
    pub(super) fn new(compiled: Compiled, book: &RuleBook) -> Result<Self, Problem> {
        let routes = &book.routes;
        let Compiled { number, tree, rules, schema, vocabulary, mentions, reads } = compiled;
        let entities = schema.schema.action_entities();
        let entities = entities.map_err(|e| Problem::new(Object::RuleBook, &e))?;
        let actions = Actions::new(entities, |method| vocabulary.action(method.as_str()));
        let index = Index::of(&rules, &reads, &actions);
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
        let ages = reads.values().filter_map(|reads| reads.fresh.map(|span| span.0)).collect();
        Ok(Self {
            number,
            tree,
            rules,
            index,
            schema,
            vocabulary,
            mentions: mentions.into_iter().map(|(app, named)| (app, Arc::new(named))).collect(),
            contexts,
            zones,
            ages,
            book: worded(book),
            actions,
            sites,
            memo: Memo::default(),
        })
    }

    /// The rule book that was compiled, without its policies and assertions.
    pub fn book(&self) -> &RuleBook {
        &self.book
    }

    /// The grant with this id.
    pub fn grant(&self, id: &GrantId) -> Option<&Grant> {
        let found = self.book.grants.binary_search_by(|grant| grant.id.cmp(id));
        found.ok().and_then(|at| self.book.grants.get(at))
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

    /// Whether the release has this route.
    pub fn has_route(&self, id: &RouteId) -> bool {
        self.sites.contains_key(id)
    }

    /// A path as the app reads it: in lower case where the route says that the app does not tell the cases apart. Done once,
    /// before anything is matched, decided, recorded or forwarded.
    pub fn as_app_reads(&self, app: Option<&AppId>, path: CanonicalPath) -> CanonicalPath {
        self.folded(app, &path).unwrap_or(path)
    }

    /// The path in lower case, where the route says that the app does not tell the cases apart.
    pub fn folded(&self, app: Option<&AppId>, path: &CanonicalPath) -> Option<CanonicalPath> {
        app.and_then(|app| self.tree.folded(app, path))
    }

    /// Whether the route that this path leads to takes `%2F` as a part of a segment.
    pub fn keeps_slashes(&self, app: Option<&AppId>, path: &CanonicalPath) -> bool {
        let Some(app) = app else { return false };
        let path = self.as_app_reads(Some(app), path.clone());
        let found = self.tree.find(app, path.as_str());
        found.is_some_and(|found| found.route.encoded_slashes == EncodedSlashes::Kept)
    }

    /// The groups and roles that the rules about `app` name.
    pub fn mentions(&self, app: &AppId) -> Option<&Arc<Mentions>> {
        self.mentions.get(app)
    }

    /// The authentication contexts that rules name: what somebody can be asked to prove besides the settings' own.
    pub fn contexts(&self) -> &BTreeSet<AuthContext> {
        &self.contexts
    }

    /// How old a proof the grants take, shortest first.
    pub fn ages(&self) -> &BTreeSet<Duration> {
        &self.ages
    }

    /// What the clocks show in every time zone that the rules name.
    pub fn local(&self, at: Timestamp) -> BTreeMap<Zone, LocalTime> {
        self.zones.iter().map(|zone| (zone.clone(), zone.local(at))).collect()
    }

    /// All policies as Cedar text, in the order of the rule book, for releases and auditors.
    pub fn cedar(&self) -> String {
        let texts: Vec<_> = self.rules.iter().filter_map(|rule| rule.policy().to_cedar()).collect();
        texts.join("\n\n")
    }

    /// One rule as Cedar text.
    pub fn cedar_of(&self, rule: &RuleId) -> Option<String> {
        let id = PolicyId::new(rule.to_string());
        self.rules.iter().find(|rule| rule.id() == id)?.policy().to_cedar()
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
        let case = self.case(question, (&person.entity, &site.entity), outlook.parts)?;
        Ok(Evaluation { decision: decide(&case, &candidates, question.principal)?, outlook })
    }

    /// Decides, and takes apart all rules about the route: why they decided so, and what would have to be otherwise.
    ///
    /// # Errors
    /// When nothing can be decided at all; [`Self::decide`] denies then.
    pub fn explain(&self, question: &Question<'_>) -> Result<Explanation, Unusable> {
        let site = self.site(question)?;
        let person = self.person(question.principal)?;
        let about: Vec<_> = self.index.about(&site.places).collect();
        let parts = about.iter().fold(Parts::NONE, |parts, rule| parts.and(rule.parts));
        let case = self.case(question, (&person.entity, &site.entity), parts)?;
        let candidates: Vec<_> =
            self.index.candidates(&site.places, &person.bounds, question.method).collect();
        let decision = decide(&case, &candidates, question.principal)?;
        let mut rules = take_apart(&case, &about, &Written::sorted(&self.book.grants))?;
        Explanation::sort(&mut rules);
        Ok(Explanation { decision, route: question.route.id.clone(), rules })
    }

    /// The rules that can have a say on a question, taken apart. What [`Self::explain`] gives besides speaks of other people
    /// or of other methods, and so can't apply whatever the circumstances.
    pub(super) fn own_rules(&self, question: &Question<'_>) -> Result<Vec<Weighed>, Unusable> {
        let site = self.site(question)?;
        let person = self.person(question.principal)?;
        let candidates: Vec<_> =
            self.index.candidates(&site.places, &person.bounds, question.method).collect();
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let parts = Outlook::of(&candidates, question.circumstances.now).parts;
        let case = self.case(question, (&person.entity, &site.entity), parts)?;
        take_apart(&case, &candidates, &Written::sorted(&self.book.grants))
    }

    /// The verdict on a question of which no more is known than this; none where a rule looks at what is not, or fails.
    pub(super) fn outright(
        &self,
        question: &Question<'_>,
        known: Knowledge,
    ) -> Result<Option<Verdict>, Unusable> {
        let Evaluation { decision, outlook } = self.evaluate(question, self.site(question)?)?;
        let is_known = known.covers(outlook.parts) && decision.errors.is_empty();
        Ok(is_known.then_some(decision.verdict))
    }

    /// What a refused person lacks, in words for them, where the route says that they are told: the missing membership and
    /// conditions of the permit that came nearest.
    pub fn missing(&self, question: &Question<'_>) -> Option<String> {
        if question.route.disclosure != Disclosure::Helpful {
            return None;
        }
        let book = &self.book;
        let names = GroupNames::new(book.group_names.clone(), Arc::default());
        let explanation = self.explain(question).ok()?;
        Teller { book, names: &names }.missing(&explanation)
    }

    /// What rules that look at no more than scopes and homes can tell people apart by: all who are alike stand the same
    /// before these.
    pub(super) fn likeness(&self, principal: &PrincipalSnapshot) -> Result<Likeness, Unusable> {
        let bounds = self.person(principal)?.bounds.clone();
        Ok(Likeness { bounds, home: Home::of(principal) })
    }

    /// What can have a say on what a principal does on a route, method by method.
    pub(super) fn slices(
        &self,
        principal: &PrincipalSnapshot,
        route: &RouteId,
    ) -> Result<Vec<(Method, Slice)>, Unusable> {
        let person = self.person(principal)?;
        Ok(self.index.slices(&self.site_of(route)?.places, &person.bounds))
    }

    fn case(
        &self,
        question: &Question<'_>,
        (who, what): (&Prepared, &Prepared),
        parts: Parts,
    ) -> Result<Case, Unusable> {
        let action = self.action(question.method)?;
        let context = self.context(question, parts)?;
        Ok(Case::new((who, action, what), &context, self.actions.with(who, what)?))
    }

    fn action(&self, method: Method) -> Result<&EntityUid, Unusable> {
        let action = self.actions.uid(method);
        action.ok_or_else(|| fail(&format!("there is no action for {}", method.as_str())))
    }

    fn site(&self, question: &Question<'_>) -> Result<&Site, Unusable> {
        entities::address(question)?;
        self.site_of(&question.route.id)
    }

    fn site_of(&self, id: &RouteId) -> Result<&Site, Unusable> {
        self.sites.get(id).ok_or_else(|| fail(&format!("the route `{id}` is not in this release")))
    }

    fn person(&self, principal: &PrincipalSnapshot) -> Result<Arc<Person>, Unusable> {
        self.memo.people.get_or_insert_with(&principal.hash(), || {
            let entity = Prepared::new(&self.vocabulary.principal(principal)?);
            let bounds = self.index.bounds(entity.lineage().iter());
            Ok(Arc::new(Person { entity, bounds }))
        })
    }

    fn context(&self, question: &Question<'_>, parts: Parts) -> Result<Context, Unusable> {
        let rest = entities::context(question, parts.without(Part::Ip))?;
        if !parts.has(Part::Ip) {
            return Ok(rest);
        }
        let ip = entities::address(question)?;
        let address =
            self.memo.addresses.get_or_insert_with(&ip, || entities::address_context(ip))?;
        if rest == Context::empty() {
            Ok(address)
        } else {
            address.merge(rest).map_err(|e| fail(&e))
        }
    }

    /// The same by all policies, the whole context, and with everything checked by Cedar that [`Self::decide`] takes for
    /// granted: what that one must equal.
    #[cfg(test)]
    pub(super) fn decide_by_all(&self, question: &Question<'_>) -> Decision {
        let decide = || {
            let site = self.site(question)?;
            let who = Prepared::new(&self.vocabulary.principal(question.principal)?);
            let (action, what) = (self.action(question.method)?, &site.entity);
            let context = entities::context(question, Parts::ALL)?;
            let fits = context.validate(&self.schema.schema, action);
            fits.map_err(|e| fail(&e))?;
            let entities = self.actions.checked(&who, what)?;
            let said =
                Case::new((&who, action, what), &context, entities).ask(self.rules.iter())?;
            Ok(read(said, question.principal))
        };
        decide().unwrap_or_else(|error: Unusable| Decision::failed(&error))
    }
}

fn take_apart(
    case: &Case,
    rules: &[&Candidate],
    written: &Written<'_>,
) -> Result<Vec<Weighed>, Unusable> {
    let weighed = rules.iter().map(|rule| weigh::weigh(case, &written.policy(&rule.rule)?));
    Ok(weighed.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

fn decide(
    case: &Case,
    candidates: &[&Candidate],
    principal: &Principal,
) -> Result<Decision, Unusable> {
    let said = case.ask(candidates.iter().map(|candidate| &candidate.rule))?;
    Ok(read(said, principal))
}

/// What Cedar said, and what that depends on.
struct Evaluation {
    decision: Decision,
    outlook: Outlook,
}

/// What is needed of a rule book to say in words why it decides as it does.
fn worded(book: &RuleBook) -> RuleBook {
    let mut grants = book.grants.clone();
    grants.sort_by(|one, other| one.id.cmp(&other.id));
    let (apps, routes) = (book.apps.clone(), book.routes.clone());
    RuleBook { apps, routes, grants, group_names: book.group_names.clone(), ..RuleBook::default() }
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

fn read(said: Response, principal: &Principal) -> Decision {
    let mut rules: Vec<_> = said.reasons.iter().filter_map(rule_id).collect();
    rules.sort();
    let mut errors = said.errors;
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
    match said.decision {
        cedar_policy::Decision::Allow => {
            Decision { verdict: Verdict::Allow, ..deny(Reason::Granted) }
        }
        cedar_policy::Decision::Deny if !rules.is_empty() => deny(Reason::Forbidden),
        cedar_policy::Decision::Deny if principal.is_known() => deny(Reason::NoGrant),
        cedar_policy::Decision::Deny => deny(Reason::NotSignedIn),
    }
}
