//! Policies and entities made once and shared by every request that they matter to.
//!
//! Cedar's public interface copies and checks entities whenever they are put together, which for somebody in many groups
//! costs more than the decision, and keeps each policy twice. This is the one module that reaches below it, into `cedar-policy-core`, where entities
//! are shared by reference and the hierarchy can be declared complete.
//!
//! **Invariant**: each entity's ancestors are all listed as its parents, and nothing above has parents of its own: groups
//! and roles have none, a route names every wider route and its app, an action all its groups. So the transitive closure
//! that Cedar would compute is there already (a test lets Cedar check it).

use std::sync::Arc;

use cedar_policy::{Context, Decision, Entities, Entity, EntityUid, Policy, PolicyId};
use cedar_policy_core::ast;
use cedar_policy_core::authorizer::Authorizer;
use cedar_policy_core::entities::{Entities as CoreEntities, NoEntitiesSchema, TCComputation};
use cedar_policy_core::extensions::Extensions;

use super::entities::Unusable;
use crate::model::grant::Method;

/// A policy as it is evaluated. Cheap to clone.
///
/// The form that a grant was compiled from takes more memory than the policy itself, and is not kept: the rule book has it.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    compiled: ast::Policy,
    by_hand: Option<Arc<Policy>>,
}

impl Rule {
    /// Out of a grant.
    pub(super) fn of_grant(policy: &Policy) -> Self {
        let compiled: &ast::Policy = policy.as_ref();
        Self { compiled: compiled.clone(), by_hand: None }
    }

    /// Written by hand; kept as it was written.
    pub(super) fn by_hand(policy: Policy) -> Self {
        let Self { compiled, .. } = Self::of_grant(&policy);
        Self { compiled, by_hand: Some(Arc::new(policy)) }
    }

    /// Its id in Cedar: `grant:<id>` or `policy:<id>`.
    pub(super) fn id(&self) -> PolicyId {
        let id: &str = self.compiled.id().as_ref();
        PolicyId::new(id)
    }

    /// For what Cedar's public interface does with policies.
    pub(super) fn policy(&self) -> Policy {
        let by_hand = self.by_hand.as_deref().cloned();
        by_hand.unwrap_or_else(|| Policy::from(self.compiled.clone()))
    }
}

/// A request with all that its evaluation can look at.
#[derive(Debug)]
pub(super) struct Case {
    request: ast::Request,
    entities: Entities,
}

/// What Cedar made of a case.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) decision: Decision,
    /// Ids of the determining policies.
    pub(super) reasons: Vec<PolicyId>,
    pub(super) errors: Vec<String>,
}

impl Case {
    /// Who does what to what, under these circumstances. Not held against the schema: each part of a context is made by
    /// its type, and a test checks that they fit.
    pub(super) fn new(
        (who, action, what): (&Prepared, &EntityUid, &Prepared),
        context: &Context,
        entities: Entities,
    ) -> Self {
        let known = |uid: &EntityUid| {
            let uid: &ast::EntityUID = uid.as_ref();
            ast::EntityUIDEntry::known(uid.clone(), None)
        };
        let context: &ast::Context = context.as_ref();
        let (who, what, context) = (known(&who.uid), known(&what.uid), Some(context.clone()));
        Self { request: ast::Request::new_unchecked(who, known(action), what, context), entities }
    }

    /// Evaluates these rules and no others.
    ///
    /// # Errors
    /// When two rules have one id, which would be a fault of ours; nothing may be decided then.
    pub(super) fn ask<'a>(
        &self,
        rules: impl Iterator<Item = &'a Rule>,
    ) -> Result<Response, Unusable> {
        let mut policies = ast::PolicySet::new();
        for rule in rules {
            let added = policies.add(rule.compiled.clone());
            added.map_err(|error| Unusable(error.to_string()))?;
        }
        let authorizer = Authorizer::new();
        let said =
            authorizer.is_authorized(self.request.clone(), &policies, self.entities.as_ref());
        let id = |id: &ast::PolicyID| PolicyId::new(AsRef::<str>::as_ref(id));
        Ok(Response {
            decision: said.decision,
            reasons: said.diagnostics.reason.iter().map(id).collect(),
            errors: said.diagnostics.errors.iter().map(ToString::to_string).collect(),
        })
    }
}

/// An entity that many requests share.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    uid: EntityUid,
    entity: Arc<ast::Entity>,
}

impl Prepared {
    pub(super) fn new(entity: &Entity) -> Self {
        Self { uid: entity.uid(), entity: Arc::new(entity.as_ref().clone()) }
    }

    /// Itself and all above it.
    pub(super) fn lineage(&self) -> Vec<EntityUid> {
        let above = self.entity.ancestors().cloned().map(EntityUid::from);
        std::iter::once(self.uid.clone()).chain(above).collect()
    }
}

/// The actions of the schema with their groups, which every evaluation needs.
#[derive(Debug)]
pub(super) struct Actions {
    entities: Entities,
    methods: Vec<(Method, EntityUid)>,
}

impl Actions {
    /// `uid` names the action of a method.
    pub(super) fn new(entities: Entities, uid: impl Fn(Method) -> EntityUid) -> Self {
        let methods = Method::ALL.into_iter().map(|method| (method, uid(method))).collect();
        Self { entities, methods }
    }

    /// The action of a method.
    pub(super) fn uid(&self, method: Method) -> Option<&EntityUid> {
        self.methods.iter().find(|(own, _)| *own == method).map(|(_, uid)| uid)
    }

    /// Whether a method's action is this one or in it.
    pub(super) fn covers(&self, action: &EntityUid, method: Method) -> bool {
        let covers = |uid: &EntityUid| uid == action || self.entities.is_ancestor_of(action, uid);
        self.uid(method).is_some_and(covers)
    }

    /// All that an evaluation about this principal and this resource can look at.
    ///
    /// # Errors
    /// When two entities have one name, which would be a fault of ours.
    pub(super) fn with(&self, who: &Prepared, what: &Prepared) -> Result<Entities, Unusable> {
        self.joined(who, what, TCComputation::AssumeAlreadyComputed)
    }

    fn joined(
        &self,
        who: &Prepared,
        what: &Prepared,
        closure: TCComputation,
    ) -> Result<Entities, Unusable> {
        let own = [&who.entity, &what.entity].map(Arc::clone);
        let known: &CoreEntities = self.entities.as_ref();
        known
            .clone()
            .add_entities(own, None::<&NoEntitiesSchema>, closure, Extensions::all_available())
            .map(Entities::from)
            .map_err(|error| Unusable(error.to_string()))
    }

    /// The same, when Cedar agrees that the hierarchy is complete.
    #[cfg(test)]
    pub(super) fn checked(&self, who: &Prepared, what: &Prepared) -> Result<Entities, Unusable> {
        self.joined(who, what, TCComputation::EnforceAlreadyComputed)
    }
}
