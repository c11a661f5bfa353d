//! Everything that a person is a member of, nested groups included, as Microsoft Graph knows it.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::graph::{Graph, GraphError, SIZE_LIMIT};
use crate::model::id::GroupId;

/// Security groups, as `SecurityGroup` in the registration would give them.
const SECURITY_ONLY: &str = r#"{"securityEnabledOnly":true}"#;

/// The same list for people in more groups than `getMemberObjects` answers with. Casting needs `$count`.
const PAGED: &str =
    "transitiveMemberOf/microsoft.graph.group?$select=id,securityEnabled&$top=999&$count=true";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    id: String,
    /// Absent where the token does not let us see more than ids.
    security_enabled: Option<bool>,
}

/// The object ids of every security group of the person at `who`: `me` for whoever the token was given to, or
/// `users/<object id>` for a token of our own.
///
/// # Errors
/// [`GraphError`] when Graph does not answer completely and in time, or does not let us.
pub(super) async fn groups(graph: &Graph<'_>, who: &str) -> Result<BTreeSet<GroupId>, GraphError> {
    let ids = match in_one_answer(graph, who).await {
        Err(GraphError::Refused { code: SIZE_LIMIT, .. }) => in_pages(graph, who).await,
        other => other,
    };
    let unusable = || GraphError::Unusable("its answer is not a list of ids");
    ids?.into_iter().map(|id| id.parse().map_err(|_| unusable())).collect()
}

async fn in_one_answer(graph: &Graph<'_>, who: &str) -> Result<Vec<String>, GraphError> {
    graph.post(&format!("/v1.0/{who}/getMemberObjects"), SECURITY_ONLY.to_owned()).await
}

async fn in_pages(graph: &Graph<'_>, who: &str) -> Result<Vec<String>, GraphError> {
    let groups: Vec<Group> = graph.read(&format!("/v1.0/{who}/{PAGED}")).await?;
    let counts = |group: &Group| group.security_enabled != Some(false);
    Ok(groups.into_iter().filter(counts).map(|group| group.id).collect())
}
