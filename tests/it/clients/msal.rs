//! Microsoft's own client library against the simulator, with nothing changed but the authority.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::certificates::ClientCertificate;
use super::python::Msal;
use super::tenant::{self, Tenant, WEB_APP};
use crate::harness::{Answer, Browser, Request, exchange};

const SECRET: &str = "a secret of the web app";
const CALLBACK: &str = "http://localhost:5000/getAToken";

fn with_secret(secret: &str) -> Value {
    json!({ "client_id": WEB_APP, "client_credential": secret })
}

fn for_graph() -> Value {
    json!({ "scopes": ["https://graph.microsoft.com/.default"] })
}

fn for_user() -> Value {
    json!(["User.Read"])
}

/// The header (0) or the claims (1) of a token.
fn part(token: &Value, part: usize) -> Value {
    let part = token.as_str().unwrap().split('.').nth(part).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Signs `person` in by the authorization code flow; gives what MSAL makes of it.
async fn sign_in(msal: &mut Msal, tenant: &Tenant, person: &str) -> Value {
    let ask = json!({ "scopes": for_user(), "redirect_uri": CALLBACK });
    let flow = msal.call("initiate_auth_code_flow", &ask);
    let mut browser = Browser::new(0).trusting(tenant.trust());
    let page = browser.open(flow["auth_uri"].as_str().unwrap()).await;
    let back = browser.choose(person, &page.url).await.location();
    assert!(back.as_str().starts_with(CALLBACK), "{back}");
    let response: BTreeMap<String, String> = back.query_pairs().into_owned().collect();
    let proof = json!({ "auth_code_flow": flow, "auth_response": response });
    msal.call("acquire_token_by_auth_code_flow", &proof)
}

async fn ask_graph(tenant: &Tenant, request: (&str, &str), token: &Value) -> Answer {
    let (method, path) = request;
    let url = format!("{}{path}", tenant.secure.origin());
    let request = Request::new(method, &url)
        .header("authorization", &format!("Bearer {}", token.as_str().unwrap()))
        .header("content-type", "application/json")
        .body(if method == "POST" { r#"{"securityEnabledOnly":true}"# } else { "" });
    exchange(Request { trust: Some(tenant.trust()), ..request }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_reported_as_entra_reports_it() {
    let tenant = Tenant::start(vec![tenant::web_app(SECRET)]).await;
    let arguments = with_secret("not the secret");
    let started = Msal::start("MSAL and a wrong secret", &tenant, &arguments, None);
    let Some(mut msal) = started else { return };
    let said = msal.call("acquire_token_for_client", &for_graph());
    assert_eq!(said["error"], "invalid_client", "{said}");
    assert_eq!(said["error_codes"], json!([7_000_215]));
    let description = said["error_description"].as_str().unwrap();
    for part in ["AADSTS7000215: ", "Trace ID: ", "Correlation ID: ", "Timestamp: "] {
        assert!(description.contains(part), "{part} in {description}");
    }
    for id in ["trace_id", "correlation_id"] {
        assert!(description.contains(said[id].as_str().unwrap()), "{id} in {said}");
    }
    assert!(said["error_uri"].as_str().unwrap().ends_with("/error?code=7000215"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_gets_a_token_for_itself_and_keeps_it() {
    let tenant = Tenant::start(vec![tenant::web_app(SECRET)]).await;
    let started = Msal::start("MSAL as a daemon", &tenant, &with_secret(SECRET), None);
    let Some(mut msal) = started else { return };
    let first = msal.call("acquire_token_for_client", &for_graph());
    assert_eq!(
        (&first["token_type"], &first["token_source"]),
        (&"Bearer".into(), &"identity_provider".into()),
        "{first}"
    );
    assert!(first.get("refresh_token").is_none() && first.get("id_token").is_none(), "{first}");
    let claims = part(&first["access_token"], 1);
    assert_eq!((&claims["appid"], &claims["idtyp"]), (&WEB_APP.into(), &"app".into()), "{claims}");
    let second = msal.call("acquire_token_for_client", &for_graph());
    assert_eq!(
        (&second["token_source"], &second["access_token"]),
        (&"cache".into(), &first["access_token"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_proves_the_client_in_both_of_msals_ways() {
    let made = ClientCertificate::get();
    let mut registration = tenant::web_app(SECRET);
    registration.certificates.push(made.der.clone());
    let tenant = Tenant::start(vec![registration]).await;
    let ways = [
        // PS256 and the thumbprint of SHA-256.
        json!({ "private_key": made.key, "public_certificate": made.certificate }),
        // RS256 and the thumbprint of SHA-1.
        json!({ "private_key": made.key, "thumbprint": made.sha1() }),
    ];
    for credential in ways {
        let arguments = json!({ "client_id": WEB_APP, "client_credential": credential });
        let started = Msal::start("MSAL and a certificate", &tenant, &arguments, None);
        let Some(mut msal) = started else { return };
        let said = msal.call("acquire_token_for_client", &for_graph());
        assert_eq!(said["token_source"], "identity_provider", "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_registered_is_refused() {
    let made = ClientCertificate::get();
    let tenant = Tenant::start(vec![tenant::web_app(SECRET)]).await;
    let credential = json!({ "private_key": made.key, "public_certificate": made.certificate });
    let arguments = json!({ "client_id": WEB_APP, "client_credential": credential });
    let started = Msal::start("MSAL and a foreign certificate", &tenant, &arguments, None);
    let Some(mut msal) = started else { return };
    let said = msal.call("acquire_token_for_client", &for_graph());
    assert_eq!(
        (&said["error"], &said["error_codes"]),
        (&"invalid_client".into(), &json!([700_027])),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_in_too_many_groups_is_pointed_to_graph_which_knows_them() {
    let tenant =
        Tenant::start(vec![tenant::web_app(SECRET).with_graph("GroupMember.Read.All")]).await;
    let started = Msal::start("MSAL and an overage", &tenant, &with_secret(SECRET), None);
    let Some(mut msal) = started else { return };
    let said = sign_in(&mut msal, &tenant, "max").await;
    let claims = &said["id_token_claims"];
    assert_eq!(claims["preferred_username"], "max@contoso.example", "{said}");
    let source = claims["_claim_names"]["groups"].as_str().unwrap();
    assert!(claims["_claim_sources"][source]["endpoint"].is_string(), "{claims}");
    assert!(claims.get("groups").is_none(), "{claims}");
    let call = ("POST", "/v1.0/me/getMemberObjects");
    let groups = ask_graph(&tenant, call, &said["access_token"]).await.json();
    assert_eq!(groups["value"].as_array().map(Vec::len), Some(450), "{groups}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_renewed_silently_until_access_is_taken_away() {
    let tenant = Tenant::start(vec![tenant::web_app(SECRET)]).await;
    let test = "MSAL and an expired token";
    let Some(mut msal) = Msal::start(test, &tenant, &with_secret(SECRET), None) else { return };
    let first = sign_in(&mut msal, &tenant, "uma").await;
    assert_eq!(
        first["scope"].as_str().map(|scope| scope.contains("User.Read")),
        Some(true),
        "{first}"
    );
    // The same app an hour later, as it comes up with the cache that it has kept.
    let later = expired(&msal.cache());
    let started = Msal::start(test, &tenant, &with_secret(SECRET), Some(&later));
    let Some(mut msal) = started else { return };
    let accounts = msal.call("get_accounts", &json!({}));
    assert_eq!(accounts[0]["username"], "uma@contoso.example", "{accounts}");
    let ask = json!({ "scopes": for_user(), "account": accounts[0] });
    let renewed = msal.call("acquire_token_silent_with_error", &ask);
    assert_eq!(renewed["token_source"], "identity_provider", "{renewed}");
    assert_ne!(renewed["access_token"], first["access_token"]);
    let me = ask_graph(&tenant, ("GET", "/v1.0/me"), &renewed["access_token"]).await.json();
    assert_eq!(me["displayName"], "Uma Umarov", "{me}");
    let kept = msal.call("acquire_token_silent_with_error", &ask);
    assert_eq!(
        (&kept["token_source"], &kept["access_token"]),
        (&"cache".into(), &renewed["access_token"])
    );

    tenant.sim.revoke("uma").unwrap();
    let later = expired(&msal.cache());
    let started = Msal::start(test, &tenant, &with_secret(SECRET), Some(&later));
    let Some(mut msal) = started else { return };
    let refused = msal.call("acquire_token_silent_with_error", &ask);
    assert_eq!(
        (&refused["error"], &refused["error_codes"]),
        (&"invalid_grant".into(), &json!([50173])),
        "{refused}"
    );
}

/// The state of a cache whose access tokens have expired.
fn expired(cache: &str) -> String {
    let mut state: Value = serde_json::from_str(cache).unwrap();
    let tokens = state["AccessToken"].as_object_mut().unwrap();
    assert!(!tokens.is_empty(), "a token is kept");
    for token in tokens.values_mut() {
        for time in ["expires_on", "extended_expires_on", "cached_at"] {
            token[time] = "1700000000".into();
        }
    }
    state.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn msal_asks_the_simulator_itself_whether_its_authority_is_one() {
    let tenant = Tenant::start(vec![tenant::web_app(SECRET)]).await;
    let mut arguments = with_secret(SECRET);
    let instances = format!("{}/common/discovery/instance", tenant.secure.origin());
    arguments["instance_discovery"] = instances.into();
    let started = Msal::start("MSAL and instance discovery", &tenant, &arguments, None);
    let Some(mut msal) = started else { return };
    let said = msal.call("acquire_token_for_client", &for_graph());
    assert_eq!(said["token_source"], "identity_provider", "{said}");
}
