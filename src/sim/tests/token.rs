//! The token endpoint: codes, refresh tokens, secrets.

use base64::engine::general_purpose::STANDARD;

use super::people::{Account, Assignment};
use super::*;

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
