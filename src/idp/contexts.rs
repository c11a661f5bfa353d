//! Whether Conditional Access asks anything of a person for an authentication context.
//!
//! Entra vouches for a context that no policy binds as readily as for one whose policies were met, so a rule that asks
//! for such a context protects nothing. Only the tenant's policies tell.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::error::IdpError;
use super::graph::{Graph, GraphError};
use super::oidc::Idp;
use crate::model::id::AuthContext;

/// An operator is waiting.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is read, and what it takes.
const WANTED: (&str, &str) = ("the Conditional Access policies", "Policy.Read.All");

const POLICIES: &str = "/v1.0/identity/conditionalAccess/policies";

#[derive(Deserialize)]
struct Policy {
    /// `enabled`, `disabled`, or `enabledForReportingButNotEnforced`.
    state: String,
    conditions: Option<Conditions>,
}

#[derive(Deserialize)]
struct Conditions {
    applications: Option<Applications>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Applications {
    include_authentication_context_class_references: Option<Vec<String>>,
}

/// What the policies say of a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContextUse {
    /// In every tenant whose people may sign in, a policy that is in force asks for something.
    Bound,
    /// In one of them at least, none does.
    Unbound,
}

impl Idp {
    /// Whether a policy that is in force binds `context`, asked with a token of our own.
    ///
    /// # Errors
    /// [`IdpError::NoPermission`] when the registration may not read policies, [`IdpError::Unavailable`] when Graph
    /// can't tell now, and what can go wrong while a token is asked for.
    pub async fn context_use(&self, context: &AuthContext) -> Result<ContextUse, IdpError> {
        let until = Instant::now() + PATIENCE;
        for endpoint in self.own_endpoints().await? {
            let own = self.own_graph(&endpoint, until).await?;
            match binds(&self.graph(&own, until), context).await {
                Ok(true) => {}
                Ok(false) => return Ok(ContextUse::Unbound),
                Err(error) => return Err(self.refused_own((&endpoint, &own), error, WANTED).await),
            }
        }
        Ok(ContextUse::Bound)
    }
}

async fn binds(graph: &Graph<'_>, context: &AuthContext) -> Result<bool, GraphError> {
    let policies: Vec<Policy> = graph.read(POLICIES).await?;
    Ok(policies.iter().any(|policy| {
        let applications = policy.conditions.as_ref().and_then(|c| c.applications.as_ref());
        let named =
            applications.and_then(|a| a.include_authentication_context_class_references.as_ref());
        let names_it = named.is_some_and(|named| named.iter().any(|name| name == context.as_str()));
        policy.state == "enabled" && names_it
    }))
}
