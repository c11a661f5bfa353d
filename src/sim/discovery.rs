//! Metadata documents (OpenID Connect Discovery 1.0, with Entra's deviations) and the key set.

use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::answer::{self, Failure};
use super::tenant::{Named, Sim};

/// The tenant in an address does not exist.
pub(super) const UNKNOWN_TENANT: Failure = Failure::new(
    "invalid_tenant",
    90002,
    "Tenant not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
);

/// `GET /{tenant}/v2.0/.well-known/openid-configuration`
pub(super) async fn v2(
    State(sim): State<Sim>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    match sim.resolve(&tenant) {
        Some(Named::Tenant) => metadata(&v2_document(&sim, sim.tenant(), &sim.issuer())),
        Some(Named::Any) => {
            let template = format!("{}/{{tenantid}}/v2.0", sim.origin());
            metadata(&v2_document(&sim, &tenant, &template))
        }
        None => answer::failure(&sim, &headers, UNKNOWN_TENANT),
    }
}

/// `GET /{tenant}/.well-known/openid-configuration`
pub(super) async fn v1(
    State(sim): State<Sim>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    if sim.resolve(&tenant).is_none() {
        return answer::failure(&sim, &headers, UNKNOWN_TENANT);
    }
    let base = format!("{}/{}", sim.origin(), sim.tenant());
    metadata(&json!({
        "token_endpoint": format!("{base}/oauth2/token"),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{base}/discovery/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "token id_token", "token"],
        "scopes_supported": ["openid"],
        "issuer": format!("https://sts.windows.net/{}/", sim.tenant()),
        "authorization_endpoint": format!("{base}/oauth2/authorize"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{base}/oauth2/logout"),
        "userinfo_endpoint": format!("{base}/openid/userinfo"),
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": host(&sim),
    }))
}

/// `GET /{tenant}/discovery/v2.0/keys` and `/{tenant}/discovery/keys`
pub(super) async fn keys(
    State(sim): State<Sim>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    match sim.resolve(&tenant) {
        Some(Named::Tenant) => metadata(&sim.state().keys.jwks(&sim.issuer())),
        Some(Named::Any) => {
            let template = format!("{}/{{tenantid}}/v2.0", sim.origin());
            metadata(&sim.state().keys.jwks(&template))
        }
        None => answer::failure(&sim, &headers, UNKNOWN_TENANT),
    }
}

fn v2_document(sim: &Sim, segment: &str, issuer: &str) -> Value {
    let base = format!("{}/{segment}", sim.origin());
    json!({
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": format!("{}/oidc/userinfo", sim.origin()),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{base}/oauth2/v2.0/logout"),
        "claims_supported": [
            "sub", "iss", "cloud_instance_name", "cloud_instance_host_name",
            "cloud_graph_host_name", "msgraph_host", "aud", "exp", "iat", "auth_time", "acr",
            "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email",
        ],
        "kerberos_endpoint": format!("{base}/kerberos"),
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": host(sim),
        "rbac_url": "https://pas.windows.net",
    })
}

/// Graph is served by the simulator itself.
fn host(sim: &Sim) -> &str {
    sim.origin().split_once("://").map_or(sim.origin(), |(_, host)| host)
}

fn metadata(document: &Value) -> Response {
    let mut response = answer::json(StatusCode::OK, document);
    answer::set(&mut response, "cache-control", "max-age=86400, private");
    answer::set(&mut response, "access-control-allow-origin", "*");
    response
}
