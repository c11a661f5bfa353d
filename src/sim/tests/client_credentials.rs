//! Clients that ask for themselves, and access tokens for registrations' APIs.

use super::*;

/// `{app id uri}/.default` of the gate.
fn default_scope() -> String {
    format!("api://{}/.default", people::CLIENT)
}

impl World {
    pub(super) async fn for_itself(&self, changes: &[(&str, &str)]) -> Answer {
        let scope = default_scope();
        let mut form = vec![
            ("client_id", people::NIGHTLY_JOB),
            ("client_secret", people::NIGHTLY_JOB_SECRET),
            ("grant_type", "client_credentials"),
            ("scope", scope.as_str()),
        ];
        for (name, value) in changes {
            form.retain(|(given, _)| given != name);
            if !value.is_empty() {
                form.push((name, value));
            }
        }
        self.post(&format!("/{}/oauth2/v2.0/token", people::TENANT), &form).await
    }
}

#[tokio::test]
async fn workload_gets_a_v2_token_with_its_role() {
    let world = World::new();
    let answer = world.for_itself(&[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let body = answer.json();
    assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());
    let claims = world.verified(body["access_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(claims["ver"], "2.0");
    assert_eq!(claims["idtyp"], "app");
    assert_eq!(claims["roles"], json!([people::JOBS_RUN]));
    assert_eq!(claims["oid"], people::NIGHTLY_JOB_OBJECT);
    assert_eq!(claims["sub"], claims["oid"]);
    assert_eq!(claims["azp"], people::NIGHTLY_JOB);
    assert_eq!(claims["azpacr"], "1");
    assert_eq!(claims["tid"], people::TENANT);
    assert!(claims.get("scp").is_none() && claims.get("nonce").is_none());
}

#[tokio::test]
async fn client_id_names_the_api_as_well() {
    let world = World::new();
    let scope = format!("{}/.default", people::CLIENT);
    assert_eq!(world.for_itself(&[("scope", &scope)]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn api_that_wants_v1_gets_v1() {
    let world = World::new();
    let v1 = |gate: &mut Registration| gate.access_tokens = TokenVersion::V1;
    world.sim.change_client(people::CLIENT, v1).unwrap();
    let body = world.for_itself(&[]).await.json();
    let token = body["access_token"].as_str().unwrap();
    let audience = format!("api://{}", people::CLIENT);
    let issuer = format!("https://sts.windows.net/{}/", people::TENANT);
    let claims = world.verified_for(token, &audience, &issuer).await.unwrap();
    assert_eq!(claims["ver"], "1.0");
    assert_eq!(claims["appid"], people::NIGHTLY_JOB);
    assert_eq!(claims["appidacr"], "1");
    assert!(claims.get("azp").is_none());
    assert_eq!(world.sim.v1_issuer(), issuer);
}

#[tokio::test]
async fn wrong_requests_are_refused_as_entra_refuses_them() {
    let world = World::new();
    let check = async |changes: &[(&str, &str)], status: u16, number: u64| {
        let answer = world.for_itself(changes).await;
        assert_eq!((answer.status.as_u16(), answer.code_of_error()), (status, number));
    };
    let both = format!("{} https://graph.microsoft.com/.default", default_scope());
    check(&[("scope", "")], 400, 900_144).await;
    check(&[("scope", "User.Read")], 400, 1_002_012).await;
    check(&[("scope", "api://nobody/.default")], 400, 500_011).await;
    check(&[("scope", "api://a<b/.default")], 400, 70011).await;
    check(&[("scope", &both)], 400, 700_022).await;
    check(&[("client_secret", "wrong")], 401, 7_000_215).await;
    check(&[("client_secret", "")], 401, 7_000_218).await;
    check(&[("client_id", people::TENANT)], 400, 700_016).await;
}

#[tokio::test]
async fn only_the_address_of_a_tenant_serves_clients() {
    let world = World::new();
    let scope = default_scope();
    let form = [
        ("client_id", people::NIGHTLY_JOB),
        ("client_secret", people::NIGHTLY_JOB_SECRET),
        ("grant_type", "client_credentials"),
        ("scope", scope.as_str()),
    ];
    let answer = world.post("/common/oauth2/v2.0/token", &form).await;
    assert_eq!(answer.code_of_error(), 9_001_023);
}

#[tokio::test]
async fn client_without_a_role_is_refused_or_gets_a_token_without_roles() {
    let world = World::new();
    world.sim.change_client(people::NIGHTLY_JOB, |job| job.permissions.clear()).unwrap();
    assert_eq!(world.for_itself(&[]).await.code_of_error(), 501_051);
    let open = |gate: &mut Registration| gate.assignment = AssignmentRule::Open;
    world.sim.change_client(people::CLIENT, open).unwrap();
    let body = world.for_itself(&[]).await.json();
    let claims = world.verified(body["access_token"].as_str().unwrap()).await.unwrap();
    assert!(claims.get("roles").is_none());
}

#[tokio::test]
async fn several_secrets_work_until_each_ends() {
    let world = World::new();
    world.sim.add_secret(people::NIGHTLY_JOB, "the next one").unwrap();
    assert_eq!(world.for_itself(&[]).await.status, StatusCode::OK);
    assert_eq!(world.for_itself(&[("client_secret", "the next one")]).await.status, StatusCode::OK);
    let end = Timestamp::from_seconds(START + 60);
    let ends = |job: &mut Registration| job.secrets[0].expires_at = Some(end);
    world.sim.change_client(people::NIGHTLY_JOB, ends).unwrap();
    assert_eq!(world.for_itself(&[]).await.status, StatusCode::OK);
    world.clock.advance(Duration::from_mins(1));
    let refused = world.for_itself(&[]).await;
    assert_eq!((refused.status.as_u16(), refused.code_of_error()), (401, 7_000_222));
    assert_eq!(refused.json()["error"], "invalid_client");
    assert_eq!(world.for_itself(&[("client_secret", "the next one")]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn delegated_token_is_for_the_api_that_was_asked_for() {
    let world = World::new();
    let scope = format!("openid profile offline_access api://{}/access_as_user", people::CLIENT);
    let picked = world.post(&authorize(&[("scope", &scope)]), &[("person", "rob")]).await;
    let code = picked.sent("code").unwrap();
    let body = world.token(&[("code", &code)]).await.json();
    let granted = body["scope"].as_str().unwrap();
    assert!(
        granted.split(' ').any(|one| one == format!("api://{}/access_as_user", people::CLIENT))
    );
    let claims = world.verified(body["access_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(claims["scp"], "access_as_user");
    assert_eq!(claims["oid"], people::ROB);
    assert_eq!(claims["roles"], json!([people::REPORTS_READ]));
    assert_eq!(claims["azp"], people::CLIENT);
    assert!(claims.get("nonce").is_none() && claims.get("idtyp").is_none());
    // The refresh token is bound to person and client, not to an API.
    let refresh = body["refresh_token"].as_str().unwrap();
    let graph =
        [("grant_type", "refresh_token"), ("refresh_token", refresh), ("scope", "User.Read")];
    let body = world.token(&graph).await.json();
    assert!(world.verified(body["access_token"].as_str().unwrap()).await.is_err());
    assert!(body.get("id_token").is_none(), "openid was not asked for");
}

#[tokio::test]
async fn token_names_one_api() {
    let world = World::new();
    let both = format!("openid User.Read api://{}/access_as_user", people::CLIENT);
    let picked = world.post(&authorize(&[("scope", &both)]), &[("person", "uma")]).await;
    let code = picked.sent("code").unwrap();
    let refused = world.token(&[("code", &code), ("scope", &both)]).await;
    assert_eq!(refused.code_of_error(), 700_022);
    let mixed = "openid User.Read https://graph.microsoft.com/.default";
    let refused = world.post(&authorize(&[("scope", mixed)]), &[("person", "uma")]).await;
    assert_eq!(refused.sent("error").as_deref(), Some("invalid_scope"));
}

#[tokio::test]
async fn origin_header_is_for_single_page_apps_only() {
    let world = World::new();
    let request = Request::post(format!("/{}/oauth2/v2.0/token", people::TENANT))
        .header("origin", "http://localhost:5000")
        .body("grant_type=client_credentials".to_owned())
        .unwrap();
    assert_eq!(world.send(request).await.code_of_error(), 9_002_326);
    let got = world.get(&format!("/{}/oauth2/v2.0/token", people::TENANT)).await;
    assert_eq!(got.code_of_error(), 900_561);
}

#[tokio::test]
async fn tampered_access_tokens_do_not_verify() {
    let world = World::new();
    let check = async |tamper: Tamper| {
        world.sim.tamper_next_access_token(tamper.clone());
        let body = world.for_itself(&[]).await.json();
        let token = body["access_token"].as_str().unwrap();
        assert!(world.verified(token).await.is_err(), "{tamper:?}");
        let body = world.for_itself(&[]).await.json();
        assert!(world.verified(body["access_token"].as_str().unwrap()).await.is_ok());
    };
    check(Tamper::AlgNone).await;
    check(Tamper::OtherKey).await;
    check(Tamper::Payload).await;
    check(Tamper::Claim("aud".to_owned(), json!(people::TENANT))).await;
}

#[tokio::test]
async fn key_of_personal_accounts_verifies_but_names_another_issuer() {
    let world = World::new();
    world.sim.tamper_next_access_token(Tamper::PersonalAccountKey);
    let body = world.for_itself(&[]).await.json();
    let token = body["access_token"].as_str().unwrap();
    // A client that looks at the signature alone is fooled; one that compares the key's issuer is not.
    assert!(world.verified(token).await.is_ok());
    let kid = json!(jsonwebtoken::decode_header(token).unwrap().kid);
    let keys = world.get(&format!("/{}/discovery/v2.0/keys", people::TENANT)).await.json();
    let key =
        keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap().clone();
    assert_ne!(key["issuer"], world.sim.issuer());
}
