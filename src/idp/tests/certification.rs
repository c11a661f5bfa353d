//! Lines of the OpenID Foundation's tests for relying parties that take a provider which does what Entra never does. The
//! others are in `tests/it/certification.rs`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::op::{ACCESS, CLIENT, KEYS, Op, finish, json_answer, sign};
use crate::idp::IdpError;

async fn nameless(op: &Op) -> Result<(), &'static str> {
    let header = json!({ "typ": "JWT", "alg": "RS256" });
    op.answer_token(&sign(&header, &op.claims().to_string(), 0));
    match finish(&op.idp()).await {
        Ok(_) => Ok(()),
        Err(IdpError::BadToken { check }) => Err(check),
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn oidcc_client_test_kid_absent_single_jwks() {
    let op = Op::start().await;
    assert_eq!(nameless(&op).await, Ok(()));
}

#[tokio::test]
async fn oidcc_client_test_kid_absent_multiple_jwks() {
    let op = Op::start().await;
    let set = json!({ "keys": [op.jwk(0, "key-1"), op.jwk(1, "key-2")] });
    op.set(KEYS, json_answer(200, &set));
    assert_eq!(nameless(&op).await, Err("kid"));
}

#[tokio::test]
async fn oidcc_client_test_discovery_issuer_mismatch() {
    let op = Op::start().await;
    op.set_metadata(|metadata| metadata["issuer"] = json!("https://evil.example/v2.0"));
    let answer = op.idp().probe().await;
    assert!(matches!(answer, Err(IdpError::Discovery { .. })), "{answer:?}");
}

#[tokio::test]
async fn oidcc_client_test_invalid_athash() {
    let op = Op::start().await;
    let right = URL_SAFE_NO_PAD.encode(&Sha256::digest(ACCESS)[..16]);
    op.answer_claims(|claims| {
        claims["azp"] = json!(CLIENT);
        claims["at_hash"] = json!(right);
    });
    assert!(finish(&op.idp()).await.is_ok());
    let other = URL_SAFE_NO_PAD.encode(&Sha256::digest("another")[..16]);
    op.answer_claims(|claims| claims["at_hash"] = json!(other));
    let answer = finish(&op.idp()).await;
    let check = "access_token_hash";
    assert!(
        matches!(answer, Err(IdpError::BadToken { check: found }) if found == check),
        "{answer:?}"
    );
}
