//! What stands in tokens, and tokens that are wrong on order.

use http::{Request, StatusCode};
use serde_json::json;

use super::*;

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
