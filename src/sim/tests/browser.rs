//! Metadata, the pages, and what goes back to the client through the browser.

use http::StatusCode;

use super::*;

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
    let answer = world.get("/adatum.example/v2.0/.well-known/openid-configuration").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.code_of_error(), 90002);
    assert!(answer.json()["error_description"].as_str().unwrap().starts_with("AADSTS90002: "));
}

#[tokio::test]
async fn keys_are_several_have_no_alg_and_name_their_issuer() {
    let world = World::new();
    let keys = world.get(&format!("/{}/discovery/v2.0/keys", people::TENANT)).await.json();
    let keys = keys["keys"].as_array().unwrap();
    let issuers: Vec<_> = keys.iter().filter_map(|key| key["issuer"].as_str()).collect();
    let personal = format!("{ORIGIN}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0");
    assert_eq!(issuers, [&world.sim.issuer(), &world.sim.issuer(), &personal]);
    assert!(keys.iter().any(|key| key["kty"] != "RSA"), "a kind that nobody knows");
    for key in keys.iter().filter(|key| key["kty"] == "RSA") {
        assert!(key.get("alg").is_none());
        assert_eq!(key["kid"], key["x5t"]);
    }
    let common = world.get("/common/discovery/v2.0/keys").await.json();
    assert_eq!(common["keys"][0]["issuer"], format!("{ORIGIN}/{{tenantid}}/v2.0"));
    let v1 = world.get(&format!("/{}/discovery/keys", people::TENANT)).await.json();
    assert_eq!(v1["keys"][0]["kid"], keys[0]["kid"]);
    assert!(v1["keys"].as_array().unwrap().iter().all(|key| key.get("issuer").is_none()));
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
    check(&[("code_challenge_method", "S512")], "invalid_request").await;
    check(&[("code_challenge", "short")], "invalid_request").await;
    check(&[("prompt", "dance")], "invalid_request").await;
    check(&[("max_age", "-1")], "invalid_request").await;
    check(&[("claims", "{")], "invalid_request").await;
    check(&[("resource", "https://graph.microsoft.com")], "invalid_request").await;
    check(&[("scope", "openid api://nobody/read")], "invalid_resource").await;
    check(&[("scope", &format!("openid api://{}/write", people::CLIENT))], "invalid_scope").await;
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
    let cookie = picked.cookie();
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
    let policy = asked.header("content-security-policy");
    assert!(policy.contains("form-action 'self' http://localhost:8080"), "{policy}");
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
async fn sign_out_tells_apps_by_sid_alone_and_then_returns() {
    let world = World::telling(Some("http://localhost:8080/_gate/frontchannel-logout"));
    let picked = world.pick("uma").await;
    let sid = picked.sent("session_state").unwrap();
    let cookie = picked.cookie();
    let path = format!("/{}/oauth2/v2.0/logout?post_logout_redirect_uri={GOODBYE}", people::TENANT);
    let hint = format!("{path}&logout_hint=uma@contoso.example");
    let answer = world.get_as(&hint, &cookie).await;
    let frame = format!("src=\"http://localhost:8080/_gate/frontchannel-logout?sid={sid}\"");
    assert!(answer.text.contains(&frame) && answer.text.contains(GOODBYE));
    assert!(!answer.text.contains("iss="));
    assert!(answer.header("content-security-policy").ends_with("frame-src http://localhost:8080"));
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
}
