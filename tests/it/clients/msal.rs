//! Microsoft's own client library against the simulator, with nothing changed but the authority.

use serde_json::{Value, json};

use super::python::Msal;
use super::tenant::{self, Tenant, WEB_APP};

const SECRET: &str = "a secret of the web app";

fn with_secret(secret: &str) -> Value {
    json!({ "client_id": WEB_APP, "client_credential": secret })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_reported_as_entra_reports_it() {
    let tenant = Tenant::start(vec![tenant::web_app(SECRET)]).await;
    let arguments = with_secret("not the secret");
    let Some(mut msal) = Msal::start("MSAL: a wrong secret", &tenant, &arguments, None) else {
        return;
    };
    let scopes = json!({ "scopes": ["https://graph.microsoft.com/.default"] });
    let said = msal.call("acquire_token_for_client", &scopes);
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
