//! A rule book into a snapshot, or all that is wrong with it at once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use cedar_policy::{
    Policy as CedarPolicy, PolicyId as CedarPolicyId, PolicySet, ValidationMode, Validator,
};
use serde_json::Value;

use super::decision::Mentions;
use super::entities::{Vocabulary, rule_id};
use super::grants;
use super::limits;
use super::overlaps;
use super::policy_text;
use super::prepared::Rule;
use super::problem::{Object, Problem};
use super::reads::Reads;
use super::references;
use super::schema::{self, ReleaseSchema};
use super::snapshot::{Compiled, Snapshot};
use super::stack::with_room;
use super::tree::RouteTree;
use crate::model::app::App;
use crate::model::civil::Zone;
use crate::model::grant::{Grant, Mfa, What, Who};
use crate::model::host::Host;
use crate::model::id::{AppId, AppRole, GroupId, ReleaseNumber, RouteId};
use crate::model::policy::Policy;
use crate::model::record::RuleId;
use crate::model::route::Route;
use crate::model::rule_book::RuleBook;

/// What the settings say that a rule book must fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Cedargate's own host, which serves no app.
    pub public_host: Host,
    /// Whether `[entra] mfa_context` is set.
    pub mfa: MfaSetting,
}

/// Whether rules may ask for MFA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaSetting {
    /// `[entra] mfa_context` names an authentication context.
    Configured,
    /// It is empty: nothing could ever fulfil such a rule, so it is refused.
    Empty,
}

/// Everything that is wrong with a rule book.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rule book does not compile: {}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct CompileError {
    /// At least one, sorted.
    pub problems: Vec<Problem>,
}

/// Compiles a rule book into the snapshot that decides for release `number`.
///
/// # Errors
/// With all problems at once: ids used twice, hosts of two apps, patterns that can't be told apart, grants for routes
/// that don't exist, policies that don't parse or don't validate strictly, rules that ask for MFA while none is set up.
pub fn compile(
    book: &RuleBook,
    number: ReleaseNumber,
    terms: &Terms,
) -> Result<Snapshot, CompileError> {
    limits::check(book).map_err(|problems| CompileError { problems })?;
    with_room(|| within_limits(book, number, terms))
}

fn within_limits(
    book: &RuleBook,
    number: ReleaseNumber,
    terms: &Terms,
) -> Result<Snapshot, CompileError> {
    let mut problems = Vec::new();
    check_ids(book, &mut problems);
    check_apps(&book.apps, terms, &mut problems);
    let tree = RouteTree::build(&book.apps, &book.routes, &mut problems);
    overlaps::check(&book.routes, &mut problems);
    overlaps::check_letter_case(&book.routes, &mut problems);
    check_grants(book, terms, &mut problems);
    problems.extend(references::unknown(book));
    let Rules { rules, reads } = rules(book, terms, &mut problems);
    let zones = reads.values().flat_map(|reads| reads.zones.iter().cloned()).collect();
    let schema = schema_of(book, &zones, &mut problems);
    if let Some(schema) = &schema {
        validate(schema, &rules, book, &mut problems);
    }
    let vocabulary = Vocabulary::new().map_err(|e| Problem::new(Object::RuleBook, &e));
    let vocabulary = vocabulary.map_err(|problem| problems.push(problem)).ok();
    match (schema, vocabulary) {
        (Some(schema), Some(vocabulary)) if problems.is_empty() => {
            let mentions = mentions(book);
            let compiled = Compiled { number, tree, rules, schema, vocabulary, mentions, reads };
            Snapshot::new(compiled, book)
                .map_err(|problem| CompileError { problems: vec![problem] })
        }
        (Some(_) | None, _) => {
            problems.sort();
            problems.dedup();
            Err(CompileError { problems })
        }
    }
}

fn check_ids(book: &RuleBook, problems: &mut Vec<Problem>) {
    let apps = book.apps.iter().map(|app| Object::App(app.id.clone()));
    let routes = book.routes.iter().map(|route| Object::Route(route.id.clone()));
    let grants = book.grants.iter().map(|grant| Object::Grant(grant.id.clone()));
    let policies = book.policies.iter().map(|policy| Object::Policy(policy.id.clone()));
    let mut seen = BTreeSet::new();
    for object in apps.chain(routes).chain(grants).chain(policies) {
        if !seen.insert(object.clone()) {
            problems.push(Problem::new(object, &"this id is used twice"));
        }
    }
}

fn check_apps(apps: &[App], terms: &Terms, problems: &mut Vec<Problem>) {
    for app in apps {
        let mut say =
            |text: String| problems.push(Problem::new(Object::App(app.id.clone()), &text));
        if app.origins.is_empty() {
            say("it needs at least one origin".to_owned());
        }
        for origin in &app.origins {
            if *origin.host() == terms.public_host {
                say(format!(
                    "`{}` is Cedargate's own host (`public_url`), which serves no app",
                    origin.host()
                ));
            }
            if !origin.is_https() && !origin.host().is_loopback() {
                say(format!(
                    "the origin `{origin}` must be https; plain http is for loopback hosts only"
                ));
            }
        }
    }
}

fn check_grants(book: &RuleBook, terms: &Terms, problems: &mut Vec<Problem>) {
    let routes: BTreeSet<&RouteId> = book.routes.iter().map(|route| &route.id).collect();
    for grant in &book.grants {
        let mut say =
            |text: &str| problems.push(Problem::new(Object::Grant(grant.id.clone()), &text));
        if !routes.contains(&grant.route) {
            say(&format!("there is no route `{}`", grant.route));
        }
        if matches!(&grant.what, What::Methods(methods) if methods.is_empty()) {
            say("it names no method");
        }
        if grant.when.mfa == Mfa::Required && terms.mfa == MfaSetting::Empty {
            say(MFA_UNSET);
        }
        if matches!(&grant.who, Who::Tenants(ids) if ids.is_empty()) {
            say("it names no tenant");
        }
        if grant.when.own.is_some() && grant.who == Who::Everyone {
            say("it is for everyone, but who is not signed in has no id to be found in the path");
        }
    }
}

const MFA_UNSET: &str =
    "it asks for MFA, but `[entra] mfa_context` is not set, so nobody could ever fulfil it";

/// Grants and policies as Cedar knows them, and what they look at besides their scope.
#[derive(Default)]
struct Rules {
    rules: Vec<Rule>,
    reads: HashMap<CedarPolicyId, Reads>,
}

/// All rules, grants first; those with problems are left out.
fn rules(book: &RuleBook, terms: &Terms, problems: &mut Vec<Problem>) -> Rules {
    let from_grants = book.grants.iter().map(|grant| {
        let rule = grants::to_policy(grant).map_err(|problem| vec![problem])?;
        Ok((Rule::of_grant(&rule), Reads::of_grant(grant)))
    });
    let by_hand = book.policies.iter().map(|policy| parse(policy, terms));
    let mut rules = Rules::default();
    for rule in from_grants.chain(by_hand) {
        match rule {
            Ok((rule, reads)) => {
                if reads != Reads::default() {
                    rules.reads.insert(rule.id(), reads);
                }
                rules.rules.push(rule);
            }
            Err(found) => problems.extend(found),
        }
    }
    rules
}

fn parse(policy: &Policy, terms: &Terms) -> Result<(Rule, Reads), Vec<Problem>> {
    let fail =
        |message: &dyn fmt::Display| vec![Problem::new(Object::Policy(policy.id.clone()), message)];
    let parsed = policy_text::read(policy)?;
    let form = parsed.to_json().map_err(|error| fail(&error))?;
    if terms.mfa == MfaSetting::Empty && mentions_mfa(&form) {
        return Err(fail(&MFA_UNSET));
    }
    Ok((Rule::by_hand(parsed), Reads::of_policy(&form)))
}

/// Whether a policy in JSON form reads `context.mfa`.
fn mentions_mfa(form: &Value) -> bool {
    match form {
        Value::Object(members) => {
            let reads = members.get("attr").is_some_and(|attr| attr == "mfa")
                && members
                    .get("left")
                    .is_some_and(|left| left.get("Var").is_some_and(|var| var == "context"));
            reads || members.values().any(mentions_mfa)
        }
        Value::Array(items) => items.iter().any(mentions_mfa),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn schema_of(
    book: &RuleBook,
    zones: &BTreeSet<Zone>,
    problems: &mut Vec<Problem>,
) -> Option<ReleaseSchema> {
    let names =
        book.routes.iter().flat_map(|route: &Route| route.pattern.parameters().map(str::to_owned));
    let built = schema::for_release(&names.collect(), zones);
    built.map_err(|fault| problems.push(Problem::new(Object::RuleBook, &fault))).ok()
}

fn validate(schema: &ReleaseSchema, rules: &[Rule], book: &RuleBook, problems: &mut Vec<Problem>) {
    let texts: HashMap<_, _> = book.policies.iter().map(|policy| (&policy.id, policy)).collect();
    // A grant that is known to be wrong needs no second opinion.
    let known: BTreeSet<_> = problems.iter().map(|problem| problem.object.clone()).collect();
    let is_known = |object: &Object| matches!(object, Object::Grant(_)) && known.contains(object);
    let mut set = PolicySet::new();
    for rule in rules {
        // An id that is used twice is reported by `check_ids` already.
        drop(set.add(rule.policy()));
    }
    let result = Validator::new(schema.schema.clone()).validate(&set, ValidationMode::Strict);
    for error in result.validation_errors() {
        let (object, text) = match rule_id(error.policy_id()) {
            Some(RuleId::Grant(id)) => (Object::Grant(id), ""),
            Some(RuleId::Policy(id)) => {
                let text = texts.get(&id).map_or("", |policy| policy.text.as_str());
                (Object::Policy(id), text)
            }
            Some(RuleId::Console(_)) | None => (Object::RuleBook, ""),
        };
        if !is_known(&object) {
            problems.push(policy_text::diagnosed(object, text, error));
        }
    }
}

/// What the rules about each app name. Hand-written policies may speak of any app, so theirs count for all.
fn mentions(book: &RuleBook) -> BTreeMap<AppId, Mentions> {
    let mut all: BTreeMap<AppId, Mentions> =
        book.apps.iter().map(|app| (app.id.clone(), Mentions::default())).collect();
    for grant in &book.grants {
        if let Some(app) = all.get_mut(grant.route.app()) {
            mention(app, grant);
        }
    }
    let shared = named_by_hand(&book.policies);
    for app in all.values_mut() {
        app.groups.extend(shared.groups.iter().cloned());
        app.roles.extend(shared.roles.iter().cloned());
    }
    all
}

/// Every group that a rule book brings up: in grants, in hand-written policies, and by giving it a name.
pub fn groups_named(book: &RuleBook) -> BTreeSet<GroupId> {
    let mut all = named_by_hand(&book.policies);
    book.grants.iter().for_each(|grant| mention(&mut all, grant));
    all.groups.extend(book.group_names.keys().cloned());
    all.groups
}

/// Every app role that a rule book names, in grants and in hand-written policies.
pub fn roles_named(book: &RuleBook) -> BTreeSet<AppRole> {
    let mut all = named_by_hand(&book.policies);
    book.grants.iter().for_each(|grant| mention(&mut all, grant));
    all.roles
}

fn mention(app: &mut Mentions, grant: &Grant) {
    match &grant.who {
        Who::Group(id) => drop(app.groups.insert(id.clone())),
        Who::Role(value) => drop(app.roles.insert(value.clone())),
        Who::Person(_) | Who::Workload(_) | Who::Tenants(_) | Who::SignedIn | Who::Everyone => {}
    }
}

/// The groups and app roles that hand-written policies name.
pub fn named_by_hand(policies: &[Policy]) -> Mentions {
    let mut found = Mentions::default();
    let parsed = |policy| with_room(|| policy_text::read(policy)).ok();
    let named = |policy: CedarPolicy| policy.entity_literals();
    let literals: HashSet<_> = policies.iter().filter_map(parsed).flat_map(named).collect();
    for uid in literals {
        let id: &str = uid.id().as_ref();
        match uid.type_name().to_string().as_str() {
            "Group" => found.groups.extend(id.parse()),
            "AppRole" => found.roles.extend(id.parse()),
            _ => {}
        }
    }
    found
}
