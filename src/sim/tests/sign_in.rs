//! The authorize endpoint in detail: prompts, hints, ages, second factors, consent, PKCE, and MSAL's parameters.

use super::*;

const STEP_UP: &str = r#"{"id_token":{"acrs":{"essential":true,"value":"c1"}}}"#;

#[tokio::test]
async fn bound_context_needs_a_second_factor_once_per_session() {
    let world = World::new();
    let cookie = world.pick("uma").await.cookie();
    let step_up = authorize(&[("claims", STEP_UP)]);
    let page = world.get_as(&step_up, &cookie).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("Approve the sign-in") && page.text.contains("<code>c1</code>"));
    let silent = authorize(&[("claims", STEP_UP), ("prompt", "none")]);
    let refused = world.get_as(&silent, &cookie).await;
    assert_eq!(refused.sent("error").as_deref(), Some("interaction_required"));
    let without = world.post_as(&step_up, &cookie, &[("person", "uma")]).await;
    assert_eq!(without.status, StatusCode::OK, "the page again, not a code");

    let form = [("person", "uma"), ("factor", "given")];
    let given = world.post_as(&step_up, &cookie, &form).await;
    let body = world.token(&[("code", &given.sent("code").unwrap())]).await.json();
    let claims = world.verified(body["id_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(claims["acrs"], json!(["c1"]));
    // The session remembers, under the same `sid`.
    let again = world.get_as(&silent, &given.cookie()).await;
    assert!(again.sent("code").is_some());
    assert_eq!(again.sent("session_state"), given.sent("session_state"));
}

#[tokio::test]
async fn unbound_context_is_issued_to_everybody() {
    let world = World::new();
    world.sim.unbind_context("c1");
    let cookie = world.pick("uma").await.cookie();
    let answer =
        world.get_as(&authorize(&[("claims", STEP_UP), ("prompt", "none")]), &cookie).await;
    let body = world.token(&[("code", &answer.sent("code").unwrap())]).await.json();
    let claims = world.verified(body["id_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(claims["acrs"], json!(["c1"]));
}

#[tokio::test]
async fn context_is_given_only_when_asked_for_or_listed() {
    let world = World::new();
    let form = [("person", "uma"), ("factor", "given")];
    let picked = world.post(&authorize(&[("claims", STEP_UP)]), &form).await;
    let cookie = picked.cookie();
    let claims = async || {
        let code = world.get_as(&authorize(&[]), &cookie).await.sent("code").unwrap();
        let body = world.token(&[("code", &code)]).await.json();
        world.verified(body["id_token"].as_str().unwrap()).await.unwrap()
    };
    assert!(claims().await.get("acrs").is_none());
    let list = |gate: &mut Registration| {
        gate.optional_claims.insert(OptionalClaim::Acrs);
    };
    world.sim.change_client(people::CLIENT, list).unwrap();
    assert_eq!(claims().await["acrs"], json!(["c1"]));
}

#[tokio::test]
async fn context_for_an_access_token_stands_there() {
    let world = World::new();
    let request = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    let scope = format!("openid profile api://{}/access_as_user", people::CLIENT);
    let address = authorize(&[("claims", request), ("scope", &scope)]);
    let answer = world.post(&address, &[("person", "uma"), ("factor", "given")]).await;
    let body = world.token(&[("code", &answer.sent("code").unwrap())]).await.json();
    let access = world.verified(body["access_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(access["acrs"], json!(["c1"]));
    let id = world.verified(body["id_token"].as_str().unwrap()).await.unwrap();
    assert!(id.get("acrs").is_none());
}

#[tokio::test]
async fn policy_after_the_sign_in_stops_the_refresh_until_the_factor_is_given() {
    let world = World::new();
    let body = world.sign_in("uma").await;
    world.sim.want_factor(FactorPolicy::AtRefresh);
    let refused = world.refresh(body["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refused.code_of_error(), 50076);
    let refused = refused.json();
    assert_eq!(refused["error"], "invalid_grant");
    assert_eq!(refused["suberror"], "basic_action");
    let challenge = refused["claims"].as_str().unwrap();
    let address = authorize(&[("claims", challenge)]);
    let page = world.post(&address, &[("person", "uma")]).await;
    assert!(page.text.contains("Approve the sign-in"));
    let given = world.post(&address, &[("person", "uma"), ("factor", "given")]).await;
    let body = world.token(&[("code", &given.sent("code").unwrap())]).await.json();
    let refreshed = world.refresh(body["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.status, StatusCode::OK);
}

#[tokio::test]
async fn old_sign_in_is_asked_again_when_max_age_says_so() {
    let world = World::new();
    let cookie = world.pick("uma").await.cookie();
    world.clock.advance(Duration::from_mins(2));
    let silent = |age: &str| authorize(&[("max_age", age), ("prompt", "none")]);
    let fresh = world.get_as(&silent("120"), &cookie).await;
    let body = world.token(&[("code", &fresh.sent("code").unwrap())]).await.json();
    let claims = world.verified(body["id_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(claims["auth_time"], START);
    for age in ["119", "0"] {
        let refused = world.get_as(&silent(age), &cookie).await;
        assert_eq!(refused.sent("error").as_deref(), Some("login_required"));
        let asked = world.get_as(&authorize(&[("max_age", age)]), &cookie).await;
        assert!(asked.text.contains("Who signs in?"));
    }
    let again = world.post_as(&authorize(&[("max_age", "0")]), &cookie, &[("person", "uma")]).await;
    let body = world.token(&[("code", &again.sent("code").unwrap())]).await.json();
    let claims = world.verified(body["id_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(claims["auth_time"], START + 120);
    assert!(world.claims("rob").await.get("auth_time").is_none());
}

#[tokio::test]
async fn consent_is_asked_when_the_client_wants_it() {
    let world = World::new();
    let address = authorize(&[("prompt", "consent")]);
    let page = world.post(&address, &[("person", "uma")]).await;
    assert!(page.text.contains("Permissions requested") && page.text.contains("User.Read"));
    let declined = world.post(&address, &[("decline", "1")]).await;
    assert_eq!(declined.sent("error").as_deref(), Some("access_denied"));
    assert!(declined.sent("error_description").unwrap().starts_with("AADSTS65004"));
    assert!(declined.sent("error_subcode").is_none());
    let form = [("person", "uma"), ("consent", "given")];
    assert!(world.post(&address, &form).await.sent("code").is_some());
}

#[tokio::test]
async fn hint_leads_the_page_and_domain_narrows_it() {
    let world = World::new();
    let hinted = world.get(&authorize(&[("login_hint", "nora@contoso.example")])).await;
    let first = hinted.text.find("value=\"nora\"").unwrap();
    assert!(first < hinted.text.find("value=\"olive\"").unwrap());
    let narrowed = world.get(&authorize(&[("domain_hint", "fabrikam.example")])).await;
    assert!(narrowed.text.contains("value=\"gia\"") && !narrowed.text.contains("value=\"uma\""));
}

#[tokio::test]
async fn verifier_must_fit_whatever_the_request_sent() {
    let world = World::new();
    let redeem = async |changes: &[(&str, &str)], verifier: &str| {
        let picked = world.post(&authorize(changes), &[("person", "uma")]).await;
        let code = picked.sent("code").unwrap();
        world.token(&[("code", &code), ("code_verifier", verifier)]).await
    };
    let none = [("code_challenge", ""), ("code_challenge_method", "")];
    assert_eq!(redeem(&none, "").await.status, StatusCode::OK);
    assert_eq!(redeem(&none, VERIFIER).await.code_of_error(), 501_481);
    let plain = [("code_challenge", VERIFIER), ("code_challenge_method", "plain")];
    assert_eq!(redeem(&plain, VERIFIER).await.status, StatusCode::OK);
    let unnamed = [("code_challenge", VERIFIER), ("code_challenge_method", "")];
    assert_eq!(redeem(&unnamed, VERIFIER).await.status, StatusCode::OK);
    assert_eq!(redeem(&[], "").await.code_of_error(), 501_481);
}

#[tokio::test]
async fn client_info_says_who_it_is_about_when_asked() {
    let world = World::new();
    let picked = world.post(&authorize(&[("client_info", "1")]), &[("person", "uma")]).await;
    let code = picked.sent("code").unwrap();
    let body = world.token(&[("code", &code), ("client_info", "1")]).await.json();
    for text in [body["client_info"].as_str().unwrap(), &picked.sent("client_info").unwrap()] {
        let info: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
        assert_eq!(info, json!({ "uid": people::UMA, "utid": people::TENANT }));
    }
    assert!(world.sign_in("uma").await.get("client_info").is_none());
}

#[tokio::test]
async fn id_token_hint_signs_out_without_asking_and_a_forged_one_does_not() {
    let world = World::new();
    let body = world.sign_in("uma").await;
    let cookie = world.pick("uma").await.cookie();
    let token = body["id_token"].as_str().unwrap();
    let (signed, _) = token.rsplit_once('.').unwrap();
    let out = |token: &str| {
        format!(
            "/{}/oauth2/v2.0/logout?post_logout_redirect_uri={GOODBYE}&id_token_hint={token}",
            people::TENANT
        )
    };
    let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 256]));
    let asked = world.get_as(&out(&forged), &cookie).await;
    assert!(asked.text.contains("Which account signs out?"));
    world.clock.advance(Duration::from_hours(2));
    assert_eq!(world.get_as(&out(token), &cookie).await.header("location"), GOODBYE);
}

#[tokio::test]
async fn v1_sign_out_does_not_ask() {
    let world = World::new();
    let cookie = world.pick("uma").await.cookie();
    let path = format!("/{}/oauth2/logout?post_logout_redirect_uri={GOODBYE}", people::TENANT);
    assert_eq!(world.get_as(&path, &cookie).await.header("location"), GOODBYE);
}
