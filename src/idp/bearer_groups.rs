//! Access tokens at the door, and the groups of a person who came with an access token that leaves them out. The token opens nothing at Graph, which is
//! asked with one of our own instead (permission `GroupMember.Read.All` or `Directory.Read.All`).

use std::collections::BTreeSet;
use std::sync::Arc;

use secrecy::SecretString;
use tokio::time::Instant;

use super::access_token::{BearerCaller, BearerRefusal};
use super::bearer::Directory;
use super::deadline::within;
use super::error::IdpError;
use super::http::GRAPH;
use super::member_of;
use super::oidc::Idp;
use crate::model::id::{GroupId, Subject};

/// What is read, and what it takes.
const WANTED: (&str, &str) = ("the groups of people", "GroupMember.Read.All");

impl Idp {
    /// Whether this very access token was accepted before and has not expired since. Asks nobody.
    pub fn knows_bearer(&self, token: &SecretString) -> bool {
        self.shared.bearers.as_ref().is_some_and(|bearers| bearers.knows(token))
    }

    /// Whose access token this is: a service's own, or one that acts for a person.
    ///
    /// # Errors
    /// [`BearerRefusal`]; whoever sent it gets nothing then, not even what is open to everybody.
    pub async fn bearer(&self, token: &SecretString) -> Result<Arc<BearerCaller>, BearerRefusal> {
        match &self.shared.bearers {
            Some(bearers) => bearers.caller(token, self).await,
            None => Err(BearerRefusal::Invalid {
                problem: "is of a kind that this gate is not set up to accept",
            }),
        }
    }
}

impl Directory for Idp {
    /// Metadata, a token of our own and Graph's answer are had within one limit, or not at all.
    async fn groups_of(&self, subject: &Subject) -> Result<BTreeSet<GroupId>, IdpError> {
        let until = Instant::now() + GRAPH.total;
        let (discovery, at) = (&self.shared.discovery, &self.shared.settings.authority);
        let provider = within(until, at, discovery.provider()).await?;
        let endpoint = provider.own_endpoint(Some(&subject.tenant))?;
        let own = self.own_graph(&endpoint, until).await?;
        match member_of::groups(&self.graph(&own, until), &format!("users/{}", subject.object))
            .await
        {
            Ok(groups) => Ok(groups),
            Err(error) => Err(self.refused_own((&endpoint, &own), error, WANTED).await),
        }
    }
}
