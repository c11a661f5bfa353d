//! Entities made once and shared by every request that they matter to.
//!
//! Cedar's public interface copies and checks entities whenever they are put together, which for somebody in many groups
//! costs more than the decision. This is the one module that reaches below it, into `cedar-policy-core`, where entities
//! are shared by reference and the hierarchy can be declared complete.
//!
//! **Invariant**: each entity's ancestors are all listed as its parents, and nothing above has parents of its own: groups
//! and roles have none, a route names every wider route and its app, an action all its groups. So the transitive closure
//! that Cedar would compute is there already (a test lets Cedar check it).

use std::sync::Arc;

use cedar_policy::{Entities, Entity, EntityUid};
use cedar_policy_core::ast;
use cedar_policy_core::entities::{Entities as CoreEntities, NoEntitiesSchema, TCComputation};
use cedar_policy_core::extensions::Extensions;

use super::entities::Unusable;
use crate::model::grant::Method;

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

    pub(super) fn uid(&self) -> &EntityUid {
        &self.uid
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
