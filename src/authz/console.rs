//! Who may do what in the console, by the same engine: `policies/console.cedar`.
//!
//! Who holds a role is written in the settings, so that nobody can edit themselves upwards.

use std::collections::BTreeSet;
use std::time::Duration;

use cedar_policy::{
    Authorizer, Context, Entities, EntityId, EntityTypeName, EntityUid, PolicyId, PolicySet,
    Request, RestrictedExpression, Schema, ValidationMode, Validator,
};
use sha2::{Digest, Sha256};

use super::decision::Decision;
use crate::model::id::{AppRole, GroupId, Subject};
use crate::model::principal::Principal;
use crate::model::record::{ConsoleFacts, Reason, RuleId, Verdict};
use crate::model::time::Timestamp;

const POLICIES: &str = include_str!("../../policies/console.cedar");
const SCHEMA: &str = include_str!("../../policies/console.cedarschema");

/// Something that can be done in the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConsoleAction {
    /// See routes, grants and policies.
    ReadRules,
    /// Change the draft.
    EditDraft,
    /// Say of the draft that it may go live.
    Approve,
    /// Put the draft in force.
    Publish,
    /// See how many would gain and lose by the draft; who they are is the log's to tell.
    SeeImpact,
    /// Read recorded decisions.
    ReadLog,
    /// See who was here, what they can reach, and their sessions.
    ReadPeople,
    /// See the settings.
    ReadSettings,
    /// End the sessions of others.
    EndSessions,
}

impl ConsoleAction {
    /// Every action, in the order of the tables.
    pub const ALL: [Self; 9] = [
        Self::ReadRules,
        Self::EditDraft,
        Self::Approve,
        Self::Publish,
        Self::SeeImpact,
        Self::ReadLog,
        Self::ReadPeople,
        Self::ReadSettings,
        Self::EndSessions,
    ];

    /// The action with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }

    /// The Cedar action.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadRules => "read_rules",
            Self::EditDraft => "edit_draft",
            Self::Approve => "approve",
            Self::Publish => "publish",
            Self::SeeImpact => "see_impact",
            Self::ReadLog => "read_log",
            Self::ReadPeople => "read_people",
            Self::ReadSettings => "read_settings",
            Self::EndSessions => "end_sessions",
        }
    }
}

/// How somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Nothing is changed by it.
    Looking,
    /// Something is, under a proof of who they are that is this old; [`Duration::MAX`] where nobody knows how old.
    Changing(Duration),
}

impl Manner {
    /// Of a request with this method, which came at `now` from somebody who proved last at `proved_at` who they are.
    pub fn of(method: &str, (now, proved_at): (Timestamp, Option<Timestamp>)) -> Self {
        if method == "GET" || method == "HEAD" {
            return Self::Looking;
        }
        // What lies ahead has no age that anybody knows: the clock went back.
        let age = proved_at.filter(|at| *at <= now).map(|at| now.since(at));
        Self::Changing(age.unwrap_or(Duration::MAX))
    }

    /// The same with a proof of this moment.
    #[must_use]
    pub fn proved_now(self) -> Self {
        match self {
            Self::Looking => Self::Looking,
            Self::Changing(_) => Self::Changing(Duration::ZERO),
        }
    }
}

/// A role in the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConsoleRole {
    /// Sees rules.
    Viewer,
    /// Edits the draft.
    Editor,
    /// Publishes.
    Publisher,
    /// Reads the log.
    Auditor,
    /// All of it.
    Owner,
}

impl ConsoleRole {
    /// The role's name in the settings and in Cedar.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Publisher => "publisher",
            Self::Auditor => "auditor",
            Self::Owner => "owner",
        }
    }
}

/// Whom the settings give a console role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// Members of a group.
    Group(GroupId),
    /// Holders of an app role.
    Role(AppRole),
    /// One person.
    Person(Subject),
}

impl Holder {
    fn is(&self, principal: &Principal) -> bool {
        match principal {
            Principal::User(user) => match self {
                Self::Group(id) => user.groups.contains(id),
                Self::Role(value) => user.roles.contains(value),
                Self::Person(subject) => user.subject == *subject,
            },
            Principal::Workload(_) | Principal::Anonymous => false,
        }
    }
}

/// The console's rules, compiled once.
#[derive(Debug)]
pub struct ConsoleRules {
    policies: PolicySet,
    holders: Vec<(ConsoleRole, Holder)>,
    user: EntityTypeName,
    action: EntityTypeName,
    console: EntityUid,
    /// The hash of the policies.
    content: String,
}

/// Why the console's rules can't be used: always a fault of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the console's rules can't be used: {0}")]
pub struct ConsoleFault(String);

impl ConsoleRules {
    /// Compiles and validates the rules.
    ///
    /// # Errors
    /// When the built-in policies or schema do not parse or validate.
    pub fn new(holders: Vec<(ConsoleRole, Holder)>) -> Result<Self, ConsoleFault> {
        let fault = |error: &dyn std::fmt::Display| ConsoleFault(error.to_string());
        let (schema, _warnings) = Schema::from_cedarschema_str(SCHEMA).map_err(|e| fault(&e))?;
        let policies = named(POLICIES).map_err(|e| fault(&e))?;
        let verdict = Validator::new(schema).validate(&policies, ValidationMode::Strict);
        if let Some(error) = verdict.validation_errors().next() {
            return Err(fault(error));
        }
        let name = |text: &str| text.parse::<EntityTypeName>().map_err(|e| fault(&e));
        let console = EntityUid::from_type_name_and_id(name("Console")?, EntityId::new("console"));
        let content = format!("{:x}", Sha256::digest(POLICIES));
        let (user, action) = (name("User")?, name("Action")?);
        Ok(Self { policies, holders, user, action, console, content })
    }

    /// Whom the settings give which role.
    pub fn holders(&self) -> &[(ConsoleRole, Holder)] {
        &self.holders
    }

    /// The roles that a principal holds.
    pub fn roles(&self, principal: &Principal) -> BTreeSet<ConsoleRole> {
        let held = self.holders.iter().filter(|(_, holder)| holder.is(principal));
        held.map(|(role, _)| *role).collect()
    }

    /// Whether a principal may do something in the console, as far as their roles go.
    pub fn decide(&self, principal: &Principal, action: ConsoleAction) -> Decision {
        self.decide_on((principal, &self.facts(principal)), (action, Manner::Looking))
    }

    /// What a decision about a principal rests on.
    pub fn facts(&self, principal: &Principal) -> ConsoleFacts {
        let roles = self.roles(principal).into_iter().map(|role| role.as_str().to_owned());
        ConsoleFacts { roles: roles.collect(), rules: self.content.clone() }
    }

    /// Whether these are the rules that `facts` were put to.
    pub fn are_those_of(&self, facts: &ConsoleFacts) -> bool {
        self.content == facts.rules
    }

    /// Whether a principal may do something in this manner, with the roles that they held then instead of those that the
    /// settings give now.
    pub fn decide_on(
        &self,
        (principal, facts): (&Principal, &ConsoleFacts),
        (action, manner): (ConsoleAction, Manner),
    ) -> Decision {
        let Some(subject) = principal.subject() else {
            return Decision::deny(Reason::NotSignedIn);
        };
        let subject =
            EntityUid::from_type_name_and_id(self.user.clone(), EntityId::new(subject.to_string()));
        match self.request(subject, (action, manner), &facts.roles) {
            Ok(request) => self.answer(&request),
            Err(error) => Decision::failed(&error),
        }
    }

    fn request(
        &self,
        subject: EntityUid,
        (action, manner): (ConsoleAction, Manner),
        roles: &BTreeSet<String>,
    ) -> Result<Request, ConsoleFault> {
        let roles = roles.iter().map(|role| RestrictedExpression::new_string(role.clone()));
        let mut pairs = vec![("roles".to_owned(), RestrictedExpression::new_set(roles))];
        if let Manner::Changing(age) = manner {
            let age = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
            pairs.push(("proof_age".to_owned(), RestrictedExpression::new_long(age)));
        }
        let context = Context::from_pairs(pairs).map_err(|e| ConsoleFault(e.to_string()))?;
        let action =
            EntityUid::from_type_name_and_id(self.action.clone(), EntityId::new(action.as_str()));
        Request::new(subject, action, self.console.clone(), context, None)
            .map_err(|e| ConsoleFault(e.to_string()))
    }

    fn answer(&self, request: &Request) -> Decision {
        let response = Authorizer::new().is_authorized(request, &self.policies, &Entities::empty());
        if let Some(error) = response.diagnostics().errors().next() {
            return Decision::failed(error);
        }
        let mut rules: Vec<_> =
            response.diagnostics().reason().map(|id| RuleId::Console(id.to_string())).collect();
        rules.sort();
        match response.decision() {
            cedar_policy::Decision::Allow => Decision {
                verdict: Verdict::Allow,
                reason: Reason::Granted,
                rules,
                errors: Vec::new(),
            },
            // Only a rule that forbids is named by a deny.
            cedar_policy::Decision::Deny if rules.is_empty() => Decision::deny(Reason::NoGrant),
            cedar_policy::Decision::Deny => Decision { rules, ..Decision::deny(Reason::Forbidden) },
        }
    }
}

/// The action of records about the portal.
pub const PORTAL: &str = "portal";

/// The rule of the portal: everybody may see their own access; nobody's is shown to nobody.
pub fn everyone_known(principal: &Principal) -> Decision {
    if !principal.is_known() {
        return Decision::deny(Reason::NotSignedIn);
    }
    Decision {
        verdict: Verdict::Allow,
        reason: Reason::Granted,
        rules: Vec::new(),
        errors: Vec::new(),
    }
}

/// The policies of a text, each under the id that its `@id` annotation gives.
fn named(text: &str) -> Result<PolicySet, Box<dyn std::error::Error>> {
    let parsed: PolicySet = text.parse()?;
    let mut policies = PolicySet::new();
    for policy in parsed.policies() {
        let id = policy.annotation("id").ok_or("a policy has no @id")?;
        policies.add(policy.new_id(PolicyId::new(id)))?;
    }
    Ok(policies)
}
