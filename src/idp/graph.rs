//! Groups from Microsoft Graph, for people who are in more of them than fit into a token.
//!
//! It asks with the access token of the same sign-in, about `me`, at the configured Graph host. It never follows an
//! address that came inside a token, and it gives all groups or an error, never a part.

use std::collections::BTreeSet;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::error::IdpError;
use super::http::{GRAPH, Outbound, request_id};
use crate::model::host::Origin;
use crate::model::id::GroupId;

/// All groups of the person, nested ones included, as `SecurityGroup` in the registration would give them.
const MEMBER_OBJECTS: &str = "/v1.0/me/getMemberObjects";

#[derive(Deserialize)]
struct Answer {
    value: Vec<String>,
    #[serde(rename = "@odata.nextLink")]
    more: Option<serde::de::IgnoredAny>,
}

/// The object ids of every group of the person to whom `access_token` was given.
///
/// # Errors
/// [`IdpError::GroupsUnavailable`] when Graph does not answer completely and in time.
pub(super) async fn groups(
    http: &Outbound,
    graph: &Origin,
    access_token: &SecretString,
) -> Result<BTreeSet<GroupId>, IdpError> {
    let id = request_id()?;
    let sent = http.send(question(graph, access_token)?, &id, GRAPH).await;
    let answer = sent.map_err(|cause| unavailable(format!("{cause} (request `{id}`)")))?;
    if answer.status() != StatusCode::OK {
        let status = answer.status().as_u16();
        return Err(unavailable(format!("it answered with status {status} (request `{id}`)")));
    }
    let unreadable = || unavailable(format!("its answer is not a list of ids (request `{id}`)"));
    let answer: Answer = serde_json::from_slice(answer.body()).map_err(|_| unreadable())?;
    if answer.more.is_some() {
        // This call is not paged. A further page would mean that the list is not complete.
        return Err(unavailable(format!("its answer is not complete (request `{id}`)")));
    }
    answer.value.iter().map(|text| text.parse().map_err(|_| unreadable())).collect()
}

fn question(graph: &Origin, access_token: &SecretString) -> Result<Request<Vec<u8>>, IdpError> {
    let impossible = || unavailable("the request could not be made".to_owned());
    let bearer = format!("Bearer {}", access_token.expose_secret());
    let mut bearer = HeaderValue::try_from(bearer).map_err(|_| impossible())?;
    bearer.set_sensitive(true);
    Request::builder()
        .method(Method::POST)
        .uri(graph.url(MEMBER_OBJECTS))
        .header(AUTHORIZATION, bearer)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/json")
        .body(br#"{"securityEnabledOnly":true}"#.to_vec())
        .map_err(|_| impossible())
}

fn unavailable(reason: String) -> IdpError {
    IdpError::GroupsUnavailable { reason }
}
