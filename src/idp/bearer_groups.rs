//! The groups of a person who came with an access token that leaves them out. The token opens nothing at Graph, which is
//! asked with one of our own instead (permission `GroupMember.Read.All` or `Directory.Read.All`).

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::bearer::Directory;
use super::deadline::within;
use super::error::IdpError;
use super::http::GRAPH;
use super::member_of;
use super::oidc::Idp;
use crate::model::id::{GroupId, Subject};

/// What is read, and what it takes.
const WANTED: (&str, &str) = ("the groups of people", "GroupMember.Read.All");

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
