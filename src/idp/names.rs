//! What groups are called. For showing only: names can be changed and taken by others.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::error::IdpError;
use super::graph::{Graph, GraphError};
use super::oidc::Idp;
use crate::model::id::GroupId;

/// As many as Graph takes at once.
const BATCH: usize = 1000;
/// Nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is read, and what it takes.
const WANTED: (&str, &str) = ("the names of groups", "GroupMember.Read.All");

const BY_IDS: &str = "/v1.0/directoryObjects/getByIds?$select=id,displayName";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    id: String,
    /// Null where we may see that the group is there, but no more.
    display_name: Option<String>,
}

impl Idp {
    /// The display names of `groups`, asked for with a token of our own. A group that is missing in the answer does not
    /// exist (any more) in any tenant whose people may sign in.
    ///
    /// # Errors
    /// [`IdpError::NoPermission`] when the registration may not read them, [`IdpError::Unavailable`] when Graph can't
    /// tell now, and what can go wrong while a token is asked for.
    pub async fn group_names(
        &self,
        groups: &[GroupId],
    ) -> Result<BTreeMap<GroupId, String>, IdpError> {
        if groups.is_empty() {
            return Ok(BTreeMap::new());
        }
        let until = Instant::now() + PATIENCE;
        let mut names = BTreeMap::new();
        for endpoint in self.own_endpoints().await? {
            let own = self.own_graph(&endpoint, until).await?;
            let graph = self.graph(&own, until);
            for batch in groups.chunks(BATCH) {
                match batch_of_names(&graph, batch).await {
                    Ok(found) => names.extend(found),
                    Err(error) => {
                        return Err(self.refused_own((&endpoint, &own), error, WANTED).await);
                    }
                }
            }
        }
        Ok(names)
    }
}

async fn batch_of_names(
    graph: &Graph<'_>,
    ids: &[GroupId],
) -> Result<Vec<(GroupId, String)>, GraphError> {
    let ids: Vec<&str> = ids.iter().map(GroupId::as_str).collect();
    let body = json!({ "ids": ids, "types": ["group"] }).to_string();
    let found: Vec<Named> = graph.post(BY_IDS, body).await?;
    let read = |named: Named| {
        let unusable = || GraphError::Unusable("its answer is not a list of ids");
        let id = named.id.parse().map_err(|_| unusable())?;
        // Left out, the group would be taken for one that is gone.
        Ok((id, named.display_name.ok_or(GraphError::Hidden)?))
    };
    found.into_iter().map(read).collect()
}
