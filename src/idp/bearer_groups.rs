//! The groups of a person who came with an access token that leaves them out. The token opens nothing at Graph, which is
//! asked with one of our own instead (permission `GroupMember.Read.All` or `Directory.Read.All`).

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::bearer::Directory;
use super::error::IdpError;
use super::http::GRAPH;
use super::member_of;
use super::oidc::Idp;
use crate::model::id::{GroupId, Subject};

impl Directory for Idp {
    async fn groups_of(&self, subject: &Subject) -> Result<BTreeSet<GroupId>, IdpError> {
        let until = Instant::now() + GRAPH.total;
        let provider = self.shared.discovery.provider().await?;
        let own = self.own_graph(&provider.own_endpoint(Some(&subject.tenant))?).await?;
        member_of::groups(&self.graph(&own, until), &format!("users/{}", subject.object)).await
    }
}
