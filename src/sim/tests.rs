//! The simulator as a client and a browser meet it.

use std::sync::OnceLock;
use std::time::Duration;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::people::{self, Account, Assignment};
use super::*;
use crate::model::time::{Clock, Timestamp};

const ORIGIN: &str = "http://127.0.0.1:8081";
const CALLBACK: &str = "http://localhost:8080/_gate/callback";
const GOODBYE: &str = "http://localhost:8080/_gate/signed-out";
const SECRET: &str = "a simulated secret";
const VERIFIER: &str = "a-verifier-of-forty-three-or-more-characters-000";
const START: i64 = 1_800_000_000;

struct World {
    sim: Sim,
    clock: Clock,
}

struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A parameter of the redirect target.
    fn sent(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(self.header("location")).ok()?;
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    fn code_of_error(&self) -> u64 {
        self.json()["error_codes"][0].as_u64().unwrap()
    }
}

impl World {
    fn new() -> Self {
        let clock = Clock::fixed(Timestamp::from_seconds(START));
        let gate = Registration {
            client_id: people::CLIENT.to_owned(),
            secret: SECRET.into(),
            name: "Cedargate".to_owned(),
            redirect_uris: vec![CALLBACK.to_owned()],
            logout_uris: vec![GOODBYE.to_owned()],
            frontchannel_logout: None,
        };
        let settings = SimSettings {
            origin: ORIGIN.to_owned(),
            tenant: people::TENANT.to_owned(),
            clients: vec![gate],
            people: people::contoso(),
        };
        static KEYS: OnceLock<Sim> = OnceLock::new();
        let keys = KEYS.get_or_init(|| Sim::new(settings.clone(), clock.clone()).unwrap());
        Self { sim: keys.sharing_keys(settings, clock.clone()).unwrap(), clock }
    }

    async fn send(&self, request: Request<String>) -> Answer {
        let service = TowerToHyperService::new(self.sim.router());
        let response: Response<Body> = service.call(request.map(Body::from)).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: head.status, headers: head.headers, text }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(String::new()).unwrap()).await
    }

    async fn get_as(&self, path: &str, cookie: &str) -> Answer {
        self.send(Request::get(path).header("cookie", cookie).body(String::new()).unwrap()).await
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(Request::post(path).body(body).unwrap()).await
    }

    async fn pick(&self, user: &str) -> Answer {
        self.post(&authorize(&[]), &[("person", user)]).await
    }

    /// Signs `user` in and gives the code.
    async fn code(&self, user: &str) -> String {
        self.pick(user).await.sent("code").unwrap()
    }

    async fn token(&self, changes: &[(&str, &str)]) -> Answer {
        let mut form = vec![
            ("client_id", people::CLIENT),
            ("client_secret", SECRET),
            ("grant_type", "authorization_code"),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in changes {
            form.retain(|(given, _)| given != name);
            form.push((name, value));
        }
        self.post(&format!("/{}/oauth2/v2.0/token", people::TENANT), &form).await
    }

    async fn sign_in(&self, user: &str) -> Value {
        let code = self.code(user).await;
        let answer = self.token(&[("code", &code)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// The claims, after verifying with the published key of that `kid`.
    async fn verified(&self, id_token: &str) -> Result<Value, jsonwebtoken::errors::Error> {
        let header = jsonwebtoken::decode_header(id_token)?;
        let path = format!("/{}/discovery/v2.0/keys", people::TENANT);
        let keys = self.get(&path).await.json();
        let kid = json!(header.kid.unwrap());
        let keys = keys["keys"].as_array().unwrap();
        let key = keys.iter().find(|key| key["kid"] == kid);
        let key = key.ok_or(jsonwebtoken::errors::ErrorKind::InvalidKeyFormat)?;
        let (n, e) = (key["n"].as_str().unwrap(), key["e"].as_str().unwrap());
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        validation.set_audience(&[people::CLIENT]);
        validation.set_issuer(&[self.sim.issuer()]);
        let key = DecodingKey::from_rsa_components(n, e)?;
        Ok(jsonwebtoken::decode::<Value>(id_token, &key, &validation)?.claims)
    }

    async fn claims(&self, user: &str) -> Value {
        let body = self.sign_in(user).await;
        self.verified(body["id_token"].as_str().unwrap()).await.unwrap()
    }
}

/// The authorize address with `changes`; an empty value takes a parameter away.
fn authorize(changes: &[(&str, &str)]) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let mut query = vec![
        ("client_id", people::CLIENT),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile email offline_access User.Read"),
        ("state", "the-state"),
        ("nonce", "the-nonce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        query.retain(|(given, _)| given != name);
        if !value.is_empty() {
            query.push((name, value));
        }
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    format!("/{}/oauth2/v2.0/authorize?{query}", people::TENANT)
}

#[tokio::test]
async fn metadata_of_guid_and_domain_names_the_guid_issuer() {
    let world = World::new();
    for tenant in [people::TENANT, people::DOMAIN] {
        let answer = world.get(&format!("/{tenant}/v2.0/.well-known/openid-configuration")).await;
        let document = answer.json();
        assert_eq!(document["issuer"], world.sim.issuer());
        assert_eq!(document["msgraph_host"], "127.0.0.1:8081");
        assert!(document.get("code_challenge_methods_supported").is_none());
        let v1 = world.get(&format!("/{tenant}/.well-known/openid-configuration")).await.json();
        assert!(v1["end_session_endpoint"].as_str().unwrap().ends_with("/oauth2/logout"));
    }
    let common = world.get("/common/v2.0/.well-known/openid-configuration").await.json();
    assert_eq!(common["issuer"], format!("{ORIGIN}/{{tenantid}}/v2.0"));
}

#[tokio::test]
async fn unknown_tenant_is_refused_with_90002() {
    let world = World::new();
    let answer = world.get("/fabrikam.example/v2.0/.well-known/openid-configuration").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.code_of_error(), 90002);
    assert!(answer.json()["error_description"].as_str().unwrap().starts_with("AADSTS90002: "));
}

#[tokio::test]
async fn keys_have_no_alg_and_name_their_issuer() {
    let world = World::new();
    let keys = world.get(&format!("/{}/discovery/v2.0/keys", people::TENANT)).await.json();
    for key in keys["keys"].as_array().unwrap() {
        assert!(key.get("alg").is_none());
        assert_eq!(key["issuer"], world.sim.issuer());
        assert_eq!(key["kid"], key["x5t"]);
    }
}

#[tokio::test]
async fn picker_has_one_form_with_one_named_button_per_person() {
    let world = World::new();
    let answer = world.get(&authorize(&[])).await;
    assert_eq!(answer.status, StatusCode::OK);
    for person in people::contoso() {
        let button = format!(">{}</button>", person.user);
        assert_eq!(answer.text.matches(&button).count(), 1, "{button}");
    }
    assert_eq!(answer.text.matches("<form").count(), people::contoso().len() + 1);
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("form-action 'self' http://localhost:8080 http://*.localhost:8080"));
    assert!(!policy.contains("unsafe"));
    assert!(!answer.text.contains("<script") && !answer.text.contains("style="));
}

#[tokio::test]
async fn code_flow_gives_a_v2_id_token() {
    let world = World::new();
    let picked = world.pick("uma").await;
    assert_eq!(picked.status, StatusCode::FOUND);
    assert!(picked.header("location").starts_with(CALLBACK));
    assert!(picked.header("location").ends_with('#'));
    assert_eq!(picked.sent("state").as_deref(), Some("the-state"));
    let claims = world.claims("uma").await;
    assert_eq!(claims["nonce"], "the-nonce");
    assert_eq!(claims["ver"], "2.0");
    assert_eq!(claims["oid"], people::UMA);
    assert_eq!(claims["tid"], people::TENANT);
    assert_eq!(claims["preferred_username"], "uma@contoso.example");
    assert_eq!(claims["groups"], json!([people::FINANCE]));
    assert_eq!(claims["iat"], START - 300);
    assert_eq!(claims["nbf"], START - 300);
    assert_eq!(claims["exp"], START + 3600);
    assert!(claims.get("acrs").is_none() && claims.get("roles").is_none());
    assert_ne!(claims["sub"], claims["oid"]);
}

#[tokio::test]
async fn roles_and_missing_groups_are_as_assigned() {
    let world = World::new();
    let rob = world.claims("rob").await;
    assert_eq!(rob["roles"], json!([people::REPORTS_READ]));
    assert!(rob.get("groups").is_none());
    let nora = world.claims("nora").await;
    assert!(nora.get("groups").is_none() && nora.get("roles").is_none());
}

#[tokio::test]
async fn guest_has_a_foreign_idp_and_an_email() {
    let claims = World::new().claims("gia").await;
    assert_eq!(claims["idp"], format!("https://sts.windows.net/{}/", people::GUEST_HOME));
    assert_eq!(claims["email"], "gia@fabrikam.example");
    assert_eq!(claims["tid"], people::TENANT);
}

#[tokio::test]
async fn too_many_groups_become_the_overage_marker_and_graph_knows_them() {
    let world = World::new();
    let body = world.sign_in("max").await;
    let claims = world.verified(body["id_token"].as_str().unwrap()).await.unwrap();
    assert!(claims.get("groups").is_none() && claims.get("hasgroups").is_none());
    assert_eq!(claims["_claim_names"], json!({ "groups": "src1" }));
    let endpoint = claims["_claim_sources"]["src1"]["endpoint"].as_str().unwrap();
    let (tenant, oid) = (people::TENANT, people::MAX);
    let users = format!("https://graph.windows.net/{tenant}/users/{oid}/getMemberObjects");
    assert_eq!(endpoint, users);
    let request = |token: &str| {
        Request::post("/v1.0/me/getMemberObjects")
            .header("authorization", format!("Bearer {token}"))
            .body(r#"{"securityEnabledOnly":true}"#.to_owned())
            .unwrap()
    };
    let groups = world.send(request(body["access_token"].as_str().unwrap())).await.json();
    let groups = groups["value"].as_array().unwrap();
    assert_eq!(groups.len(), people::MAX_GROUPS as usize);
    assert!(groups.contains(&json!(people::FINANCE)));
    assert_eq!(world.send(request("made up")).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn exactly_200_groups_still_fit() {
    let world = World::new();
    for number in 1..=200 {
        world.sim.add_group("nora", &people::filler_group(number)).unwrap();
    }
    assert_eq!(world.claims("nora").await["groups"].as_array().unwrap().len(), 200);
    world.sim.add_group("nora", people::FINANCE).unwrap();
    assert!(world.claims("nora").await.get("_claim_names").is_some());
}

#[tokio::test]
async fn code_works_once() {
    let world = World::new();
    let code = world.code("uma").await;
    assert_eq!(world.token(&[("code", &code)]).await.status, StatusCode::OK);
    let again = world.token(&[("code", &code)]).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert_eq!(again.json()["error"], "invalid_grant");
    assert_eq!(again.code_of_error(), 54005);
}

#[tokio::test]
async fn code_is_gone_after_ten_minutes() {
    let world = World::new();
    let code = world.code("uma").await;
    world.clock.advance(Duration::from_secs(601));
    assert_eq!(world.token(&[("code", &code)]).await.code_of_error(), 70008);
}

#[tokio::test]
async fn wrong_token_requests_are_refused() {
    let world = World::new();
    let check = async |changes: &[(&str, &str)], status: u16, number: u64| {
        let code = world.code("uma").await;
        let changes: Vec<_> = [("code", code.as_str())].iter().chain(changes).copied().collect();
        let answer = world.token(&changes).await;
        assert_eq!((answer.status.as_u16(), answer.code_of_error()), (status, number));
    };
    check(&[("code_verifier", "another-verifier-of-forty-three-characters-0")], 400, 501_481).await;
    check(&[("code_verifier", "")], 400, 501_481).await;
    check(&[("redirect_uri", "http://localhost:8080/_gate/callback/")], 400, 50011).await;
    check(&[("client_secret", "wrong")], 401, 7_000_215).await;
    check(&[("client_secret", "")], 401, 7_000_218).await;
    check(&[("client_id", people::TENANT)], 400, 700_016).await;
    check(&[("code", "made up")], 400, 70000).await;
    check(&[("grant_type", "password")], 400, 70003).await;
}

#[tokio::test]
async fn code_of_one_tenant_address_is_refused_at_another() {
    let world = World::new();
    let code = world.code("uma").await;
    let form = [
        ("client_id", people::CLIENT),
        ("client_secret", SECRET),
        ("grant_type", "authorization_code"),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("code", &code),
    ];
    assert_eq!(world.post("/common/oauth2/v2.0/token", &form).await.code_of_error(), 700_005);
}

#[tokio::test]
async fn secret_may_come_by_basic_authentication() {
    let world = World::new();
    let code = world.code("uma").await;
    let secret: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let basic = STANDARD.encode(format!("{}:{secret}", people::CLIENT));
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("grant_type", "authorization_code"), ("code", &code)])
        .extend_pairs([("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)])
        .finish();
    let request = Request::post(format!("/{}/oauth2/v2.0/token", people::TENANT))
        .header("authorization", format!("Basic {basic}"))
        .body(body)
        .unwrap();
    assert_eq!(world.send(request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn refresh_gives_new_tokens_without_nonce_and_the_old_one_stays_valid() {
    let world = World::new();
    let first = world.sign_in("uma").await;
    let token = first["refresh_token"].as_str().unwrap();
    world.sim.remove_group("uma", people::FINANCE).unwrap();
    let answer = world.refresh(token).await.json();
    assert_ne!(answer["refresh_token"], first["refresh_token"]);
    let claims = world.verified(answer["id_token"].as_str().unwrap()).await.unwrap();
    assert!(claims.get("nonce").is_none() && claims.get("groups").is_none());
    assert_eq!(world.refresh(token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn refresh_stops_with_the_reason() {
    let world = World::new();
    let body = world.sign_in("uma").await;
    let token = body["refresh_token"].as_str().unwrap();
    world.sim.set_account("uma", Account::Disabled).unwrap();
    assert_eq!(world.refresh(token).await.code_of_error(), 50057);
    world.sim.set_account("uma", Account::Enabled).unwrap();
    world.sim.assign("uma", Assignment::Unassigned).unwrap();
    assert_eq!(world.refresh(token).await.code_of_error(), 50105);
    world.sim.assign("uma", Assignment::Assigned).unwrap();
    world.sim.revoke("uma").unwrap();
    let answer = world.refresh(token).await;
    assert_eq!(answer.json()["error"], "invalid_grant");
    assert_eq!(answer.code_of_error(), 50173);
}

#[tokio::test]
async fn untrustworthy_requests_stay_on_the_page() {
    let world = World::new();
    let check = async |changes: &[(&str, &str)], sentence: &str| {
        let answer = world.get(&authorize(changes)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.header("location").is_empty());
        assert!(answer.text.contains(sentence), "{sentence}");
    };
    check(&[("client_id", people::TENANT)], "AADSTS700016").await;
    check(&[("redirect_uri", "http://evil.example/cb")], "AADSTS50011").await;
    check(&[("redirect_uri", "http://localhost:8080/_gate/Callback")], "AADSTS50011").await;
    check(&[("redirect_uri", "http://localhost@evil.example/_gate/callback")], "AADSTS50011").await;
    check(&[("redirect_uri", "")], "AADSTS50011").await;
    let twice = format!("{}&state=b", authorize(&[]));
    assert!(world.get(&twice).await.text.contains("AADSTS900144"));
}

#[tokio::test]
async fn port_of_localhost_is_ignored() {
    let world = World::new();
    let other = authorize(&[("redirect_uri", "http://localhost:9999/_gate/callback")]);
    assert_eq!(world.get(&other).await.status, StatusCode::OK);
}

#[tokio::test]
async fn other_faults_go_back_to_the_client() {
    let world = World::new();
    let check = async |changes: &[(&str, &str)], error: &str| {
        let answer = world.get(&authorize(changes)).await;
        assert_eq!(answer.sent("error").as_deref(), Some(error));
        assert_eq!(answer.sent("state").as_deref(), Some("the-state"));
    };
    check(&[("response_type", "token")], "unsupported_response_type").await;
    check(&[("code_challenge_method", "plain")], "invalid_request").await;
    check(&[("code_challenge", "")], "invalid_request").await;
    check(&[("scope", "profile")], "invalid_scope").await;
    check(&[("prompt", "none")], "login_required").await;
}

#[tokio::test]
async fn unassigned_person_stays_on_the_page() {
    let world = World::new();
    let answer = world.pick("zed").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.header("location").is_empty());
    assert!(answer.text.contains("AADSTS50105"));
}

#[tokio::test]
async fn cancel_says_so() {
    let world = World::new();
    let answer = world.post(&authorize(&[]), &[("cancel", "1")]).await;
    assert_eq!(answer.sent("error").as_deref(), Some("access_denied"));
    assert_eq!(answer.sent("error_subcode").as_deref(), Some("cancel"));
}

#[tokio::test]
async fn fragment_and_form_post_carry_the_answer() {
    let world = World::new();
    let fragment = authorize(&[("response_mode", "fragment")]);
    let answer = world.post(&fragment, &[("person", "uma")]).await;
    assert!(answer.header("location").starts_with(&format!("{CALLBACK}#code=")));
    let form = authorize(&[("response_mode", "form_post")]);
    let answer = world.post(&form, &[("person", "uma")]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text.contains(r#"name="code""#) && answer.text.contains(CALLBACK));
    assert!(answer.header("content-security-policy").contains("script-src 'self'"));
}

#[tokio::test]
async fn signed_in_browser_is_not_asked_again_until_it_signs_out() {
    let world = World::new();
    let picked = world.pick("uma").await;
    let cookie = picked.header("set-cookie").split(';').next().unwrap().to_owned();
    let silent = world.get_as(&authorize(&[("prompt", "none")]), &cookie).await;
    assert!(silent.sent("code").is_some());
    assert!(world.get_as(&authorize(&[]), &cookie).await.sent("code").is_some());
    let other = authorize(&[("login_hint", "rob@contoso.example")]);
    assert_eq!(world.get_as(&other, &cookie).await.status, StatusCode::OK);
    let choose = authorize(&[("prompt", "select_account")]);
    assert_eq!(world.get_as(&choose, &cookie).await.status, StatusCode::OK);

    let base = format!("/{}/oauth2/v2.0/logout?post_logout_redirect_uri={GOODBYE}", people::TENANT);
    let asked = world.get_as(&base, &cookie).await;
    assert!(asked.text.contains(">uma</button>"));
    let hint = people::contoso().iter().find(|p| p.user == "uma").unwrap().hint();
    let out = world.get_as(&format!("{base}&logout_hint={hint}"), &cookie).await;
    assert_eq!(out.header("location"), GOODBYE);
    let after = world.get_as(&authorize(&[("prompt", "none")]), &cookie).await;
    assert_eq!(after.sent("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn sign_out_never_leads_to_an_unregistered_address() {
    let world = World::new();
    let path = format!("/{}/oauth2/v2.0/logout?post_logout_redirect_uri=", people::TENANT);
    let answer = world.get(&format!("{path}https://evil.example/")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("location").is_empty() && !answer.text.contains("evil.example"));
}

#[tokio::test]
async fn authentication_context_is_given_only_when_asked_for() {
    let world = World::new();
    let cookie = world.pick("uma").await;
    let cookie = cookie.header("set-cookie").split(';').next().unwrap().to_owned();
    let claims = r#"{"id_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    let step_up = authorize(&[("claims", claims)]);
    // The session does not hold it yet: the person is asked, or the client is told.
    assert_eq!(world.get_as(&step_up, &cookie).await.status, StatusCode::OK);
    let silent = authorize(&[("claims", claims), ("prompt", "none")]);
    let silent = world.get_as(&silent, &cookie).await;
    assert_eq!(silent.sent("error").as_deref(), Some("interaction_required"));
    let code = world.post(&step_up, &[("person", "uma")]).await.sent("code").unwrap();
    let body = world.token(&[("code", &code)]).await.json();
    let claims = world.verified(body["id_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(claims["acrs"], json!(["c1"]));
}

#[tokio::test]
async fn ordered_faults_come_once() {
    let world = World::new();
    let check = async |fault: TokenFault, status: u16| {
        world.sim.fail_next_token(fault);
        assert_eq!(world.token(&[("code", "any")]).await.status.as_u16(), status);
        assert_eq!(world.token(&[("code", "any")]).await.code_of_error(), 70000);
    };
    check(TokenFault::Unavailable, 503).await;
    check(TokenFault::InvalidGrant(50173), 400).await;
    check(TokenFault::NotJson, 502).await;
    check(TokenFault::Challenge { claims: "{}".to_owned() }, 400).await;
}

#[tokio::test]
async fn tampered_tokens_do_not_verify() {
    let world = World::new();
    let check = async |tamper: Tamper| {
        world.sim.tamper_next_id_token(tamper.clone());
        let body = world.sign_in("uma").await;
        let token = body["id_token"].as_str().unwrap();
        assert!(world.verified(token).await.is_err(), "{tamper:?}");
        assert_eq!(world.claims("uma").await["oid"], people::UMA);
    };
    check(Tamper::AlgNone).await;
    check(Tamper::HmacWithPublicKey).await;
    check(Tamper::HmacWithClientSecret).await;
    check(Tamper::OtherKey).await;
    check(Tamper::Payload).await;
    check(Tamper::NoSignature).await;
    check(Tamper::Claim("iss".to_owned(), json!("http://evil.example"))).await;
    check(Tamper::Claim("aud".to_owned(), json!(people::TENANT))).await;
    check(Tamper::Without("aud".to_owned())).await;
    check(Tamper::Header("kid".to_owned(), json!("../../dev/null"))).await;
}

#[tokio::test]
async fn access_token_does_not_verify_with_the_published_keys() {
    let world = World::new();
    let body = world.sign_in("uma").await;
    let error = world.verified(body["access_token"].as_str().unwrap()).await.unwrap_err();
    assert_eq!(*error.kind(), jsonwebtoken::errors::ErrorKind::InvalidSignature);
}

#[tokio::test]
async fn rotated_keys_verify_old_tokens_only_with_overlap() {
    let world = World::new();
    let check = async |overlap: Overlap, old_stays: bool| {
        let before = world.sign_in("uma").await;
        world.sim.rotate_keys(overlap).unwrap();
        let old = world.verified(before["id_token"].as_str().unwrap()).await;
        assert_eq!(old.is_ok(), old_stays);
        world.claims("uma").await;
    };
    check(Overlap::Keep, true).await;
    check(Overlap::Drop, false).await;
}
