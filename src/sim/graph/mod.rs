//! Microsoft Graph v1.0, as far as a gate needs it: who a token is about, a person's groups, names of groups, and the
//! policies behind authentication contexts. Errors are Graph's own.

mod caller;
mod lists;
mod members;
mod objects;
mod policies;

use axum::Router;
use axum::routing::{get, post};

use super::tenant::Sim;

/// Every address of Graph.
pub(super) fn router() -> Router<Sim> {
    Router::new()
        .route("/oidc/userinfo", get(caller::userinfo).post(caller::userinfo))
        .route("/v1.0/me", get(caller::me))
        .route("/v1.0/users/{id}", get(caller::user))
        .route("/v1.0/me/{call}", get(lists::mine).post(members::mine))
        .route("/v1.0/users/{id}/{call}", get(lists::theirs).post(members::theirs))
        .route("/v1.0/me/{call}/microsoft.graph.group", get(lists::my_groups))
        .route("/v1.0/users/{id}/{call}/microsoft.graph.group", get(lists::their_groups))
        .route("/v1.0/directoryObjects/getByIds", post(objects::by_ids))
        .route("/v1.0/identity/conditionalAccess/policies", get(policies::policies))
        .route(
            "/v1.0/identity/conditionalAccess/authenticationContextClassReferences",
            get(policies::contexts),
        )
}
