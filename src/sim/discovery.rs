//! Metadata documents (OpenID Connect Discovery 1.0, with Entra's deviations), instance discovery and the key set.

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use url::Url;

use super::aadsts;
use super::answer;
use super::keys::Issuers;
use super::params::Params;
use super::tenant::{Named, PERSONAL, Sim, v1_issuer};

/// Hosts that every client takes for genuine.
const ALIASES: [&str; 4] =
    ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"];

/// `GET /{tenant}/v2.0/.well-known/openid-configuration`
pub(super) async fn v2(
    State(sim): State<Sim>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(named) = sim.resolve(&tenant) else {
        return answer::failure(&sim, &headers, &aadsts::token(90002));
    };
    let segment = segment(&sim, named, &tenant);
    metadata(&v2_document(&sim, named, &segment, query.as_deref()))
}

/// `GET /{tenant}/.well-known/openid-configuration`
pub(super) async fn v1(
    State(sim): State<Sim>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(named) = sim.resolve(&tenant) else {
        return answer::failure(&sim, &headers, &aadsts::token(90002));
    };
    let base = format!("{}/{}", sim.origin(), segment(&sim, named, &tenant));
    metadata(&json!({
        "token_endpoint": format!("{base}/oauth2/token"),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{base}/discovery/keys{}", app_query(query.as_deref())),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "token id_token", "token"],
        "scopes_supported": ["openid"],
        "issuer": v1_issuer(&issuer_tenant(&sim, named)),
        "microsoft_multi_refresh_token": true,
        "authorization_endpoint": format!("{base}/oauth2/authorize"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{base}/oauth2/logout"),
        "claims_supported": [
            "sub", "iss", "cloud_instance_name", "aud", "exp", "iat", "auth_time", "acr", "amr",
            "nonce", "email", "given_name", "family_name", "nickname",
        ],
        "check_session_iframe": format!("{base}/oauth2/checksession"),
        "userinfo_endpoint": format!("{base}/openid/userinfo"),
        "tenant_region_scope": region(named),
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": host(&sim),
    }))
}

/// `GET /{tenant}/discovery/v2.0/keys`
pub(super) async fn v2_keys(
    State(sim): State<Sim>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(named) = sim.resolve(&tenant) else {
        return answer::failure(&sim, &headers, &aadsts::token(90002));
    };
    let (work, personal) = (sim.issuer_of(&issuer_tenant(&sim, named)), sim.issuer_of(PERSONAL));
    let issuers = Issuers::Named { work: &work, personal: &personal };
    metadata(&sim.state().keys.jwks(issuers))
}

/// `GET /{tenant}/discovery/keys`
pub(super) async fn v1_keys(
    State(sim): State<Sim>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    if sim.resolve(&tenant).is_none() {
        return answer::failure(&sim, &headers, &aadsts::token(90002));
    }
    metadata(&sim.state().keys.jwks(Issuers::Unnamed))
}

/// `GET /common/discovery/instance`: whether the host of an authority is genuine. Ours are, and Microsoft's.
pub(super) async fn instance(
    State(sim): State<Sim>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(&query.unwrap_or_default()).unwrap_or_default();
    let asked = params.get("authorization_endpoint").and_then(|url| Url::parse(url).ok());
    let known = asked.as_ref().and_then(|url| genuine(&sim, url).map(|instance| (url, instance)));
    let Some((url, Instance { origin, aliases })) = known else {
        return answer::failure(&sim, &headers, &aadsts::token(50049));
    };
    let tenant = url.path_segments().and_then(|mut parts| parts.next()).unwrap_or("common");
    let document = format!("{origin}/{tenant}/v2.0/.well-known/openid-configuration");
    let host = authority(&origin);
    metadata(&json!({
        "tenant_discovery_endpoint": document,
        "api-version": params.get("api-version").unwrap_or("1.1"),
        "metadata": [{ "preferred_network": host, "preferred_cache": host, "aliases": aliases }],
    }))
}

/// A genuine authority, and every name that its host has.
struct Instance {
    origin: String,
    aliases: Vec<String>,
}

fn genuine(sim: &Sim, url: &Url) -> Option<Instance> {
    let origin = url.origin().ascii_serialization();
    if let Some(ours) = sim.origins().iter().find(|ours| is_meant(ours, url)) {
        return Some(Instance {
            origin: ours.to_string(),
            aliases: vec![authority(ours).to_owned()],
        });
    }
    let microsoft = url.scheme() == "https" && ALIASES.contains(&authority(&origin));
    microsoft.then(|| Instance { origin, aliases: ALIASES.map(str::to_owned).to_vec() })
}

/// Whether `url` is at one of our origins. MSAL leaves the port out, of which Entra has none.
fn is_meant(ours: &str, url: &Url) -> bool {
    let Ok(ours) = Url::parse(ours) else { return false };
    let place = |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned));
    place(&ours) == place(url) && url.port().is_none_or(|port| ours.port() == Some(port))
}

/// Host and port of an origin.
fn authority(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, authority)| authority)
}

fn v2_document(sim: &Sim, named: Named, segment: &str, query: Option<&str>) -> Value {
    let base = format!("{}/{segment}", sim.origin());
    json!({
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{base}/discovery/v2.0/keys{}", app_query(query)),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": sim.issuer_of(&issuer_tenant(sim, named)),
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
        "tenant_region_scope": region(named),
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": host(sim),
        "rbac_url": "https://pas.windows.net",
    })
}

/// What addresses in the document name: the GUID of a tenant, or the word that was asked for.
fn segment(sim: &Sim, named: Named, asked: &str) -> String {
    match named {
        Named::Tenant(directory) => sim.tenant_of(directory).to_owned(),
        Named::Any | Named::Consumers => asked.to_ascii_lowercase(),
    }
}

/// What `issuer` names: a GUID, or the literal template.
fn issuer_tenant(sim: &Sim, named: Named) -> String {
    match named {
        Named::Tenant(directory) => sim.tenant_of(directory).to_owned(),
        Named::Any => "{tenantid}".to_owned(),
        Named::Consumers => PERSONAL.to_owned(),
    }
}

fn region(named: Named) -> Option<&'static str> {
    match named {
        Named::Tenant(_) => Some("EU"),
        Named::Any | Named::Consumers => None,
    }
}

/// `?appid=` leads on to the keys of that app, which here are the tenant's.
fn app_query(query: Option<&str>) -> String {
    let params = query.and_then(Params::parse).unwrap_or_default();
    let plain = |id: &&str| id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    params.get("appid").filter(plain).map_or_else(String::new, |id| format!("?appid={id}"))
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
