//! Every check of an ID token has a token that fails it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use rsa::pkcs8::EncodePublicKey;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::op::{
    ACCESS, CLIENT, KEYS, NOW, OTHER_TENANT, Op, SECRET, TENANT, finish, header, json_answer, keys,
    message, sign, sign_with,
};
use crate::idp::IdpError;

async fn refused(op: &Op) -> &'static str {
    match finish(&op.idp()).await {
        Err(IdpError::BadToken { check }) => check,
        other => panic!("{other:?}"),
    }
}

async fn check_header(change: impl FnOnce(&mut Value), expected: &str) {
    let op = Op::start().await;
    let mut header = header();
    change(&mut header);
    op.answer_token(&sign(&header, &op.claims().to_string(), 0));
    assert_eq!(refused(&op).await, expected, "{header}");
}

#[tokio::test]
async fn tokens_without_a_signature_are_refused() {
    let op = Op::start().await;
    for alg in ["none", "None", "NONE"] {
        let header = json!({ "typ": "JWT", "alg": alg, "kid": "key-1" });
        op.answer_token(&format!("{}.", message(&header, &op.claims().to_string())));
        assert_eq!(refused(&op).await, "algorithm");
    }
    op.answer_token(&format!("{}.", message(&super::op::header(), &op.claims().to_string())));
    assert_eq!(refused(&op).await, "signature");
}

#[tokio::test]
async fn tokens_signed_with_a_shared_secret_are_refused() {
    let op = Op::start().await;
    let public = keys()[0].to_public_key();
    let der = public.to_public_key_der().unwrap();
    let pem = public.to_public_key_pem(rsa::pkcs8::LineEnding::LF).unwrap();
    for secret in [SECRET.as_bytes(), der.as_bytes(), pem.as_bytes()] {
        let key = EncodingKey::from_secret(secret);
        let header = json!({ "typ": "JWT", "alg": "HS256", "kid": "key-1" });
        let claims = op.claims().to_string();
        op.answer_token(&sign_with(&header, &claims, (&key, Algorithm::HS256)));
        assert_eq!(refused(&op).await, "algorithm");
        // The same bytes under the name of the right algorithm.
        op.answer_token(&sign_with(&super::op::header(), &claims, (&key, Algorithm::HS256)));
        assert_eq!(refused(&op).await, "signature");
    }
}

#[tokio::test]
async fn a_token_of_another_key_is_refused() {
    let op = Op::start().await;
    op.answer_token(&sign(&header(), &op.claims().to_string(), 1));
    assert_eq!(refused(&op).await, "signature");
}

#[tokio::test]
async fn changed_claims_break_the_signature() {
    let op = Op::start().await;
    let good = op.good_token();
    let signature = good.rsplit('.').next().unwrap();
    let claims = op.changed(|c| c["roles"] = json!(["Admin"])).to_string();
    op.answer_token(&format!("{}.{signature}", message(&header(), &claims)));
    assert_eq!(refused(&op).await, "signature");
}

#[tokio::test]
async fn headers_that_point_to_keys_or_change_the_reading_are_refused() {
    for name in ["jku", "jwk", "x5u", "x5c", "crit", "zip", "b64", "enc", "JWK"] {
        check_header(|h| h[name] = json!("https://evil.example"), "header").await;
    }
    check_header(|h| h["cty"] = json!("JWT"), "header").await;
    check_header(|h| h["typ"] = json!("at+jwt"), "type").await;
    check_header(|h| h["ALG"] = json!("none"), "duplicate").await;
    check_header(|h| h["alg"] = json!("ES256"), "algorithm").await;
    check_header(|h| h["alg"] = json!(["RS256"]), "algorithm").await;
    check_header(|h| h["kid"] = json!(""), "kid").await;
    check_header(|h| h["kid"] = json!("../../dev/null"), "kid").await;
    check_header(|h| h["kid"] = json!(7), "kid").await;
    check_header(|h| h["nonce"] = json!("x"), "graph").await;
    check_header(|h| drop(h.as_object_mut().unwrap().remove("alg")), "algorithm").await;
}

#[tokio::test]
async fn claims_that_are_missing_wrong_or_of_another_type_are_refused() {
    let op = Op::start().await;
    let other_issuer = op.issuer(OTHER_TENANT);
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    let rows = [
        ("aud", json!(null), "audience"),
        ("aud", json!([CLIENT]), "audience"),
        ("aud", json!([CLIENT, "other"]), "audience"),
        ("aud", json!("00000003-0000-0000-c000-000000000000"), "audience"),
        ("iss", json!(null), "issuer"),
        ("iss", json!(other_issuer), "issuer"),
        ("iss", json!(v1), "issuer"),
        ("iss", json!(format!("{}/", op.issuer(TENANT))), "issuer"),
        ("tid", json!(null), "tenant"),
        ("tid", json!("contoso.example"), "tenant"),
        ("ver", json!("1.0"), "version"),
        ("ver", json!(2.0), "version"),
        ("oid", json!(null), "object_id"),
        ("oid", json!("olive"), "object_id"),
        ("sub", json!(""), "subject"),
        ("exp", json!(null), "expiry"),
        ("exp", json!(NOW - 60), "expiry"),
        ("exp", json!(1e300), "expiry"),
        ("exp", json!(-1), "expiry"),
        ("exp", json!("1"), "expiry"),
        ("exp", json!(NOW + 30 * 86400), "issued_at"),
        ("iat", json!(null), "issued_at"),
        ("iat", json!(NOW + 61), "issued_at"),
        ("nbf", json!(null), "not_before"),
        ("nbf", json!(NOW + 61), "not_before"),
        ("nonce", json!(null), "nonce"),
        ("nonce", json!("other"), "nonce"),
        ("groups", json!("one"), "groups"),
        ("_claim_names", json!("groups"), "groups"),
        ("hasgroups", json!(1), "groups"),
        ("roles", json!("Admin"), "roles"),
        ("acrs", json!(1), "acrs"),
    ];
    for (name, value, expected) in rows {
        op.answer_claims(|claims| claims[name] = value.clone());
        assert_eq!(refused(&op).await, expected, "{name}: {value}");
    }
    for (name, expected) in [
        ("aud", "audience"),
        ("iss", "issuer"),
        ("tid", "tenant"),
        ("ver", "version"),
        ("oid", "object_id"),
        ("sub", "subject"),
        ("exp", "expiry"),
        ("iat", "issued_at"),
        ("nbf", "not_before"),
        ("nonce", "nonce"),
    ] {
        op.answer_claims(|claims| drop(claims.as_object_mut().unwrap().remove(name)));
        assert_eq!(refused(&op).await, expected, "without {name}");
    }
}

#[tokio::test]
async fn clocks_may_differ_by_less_than_a_minute() {
    let op = Op::start().await;
    op.answer_claims(|claims| claims["exp"] = json!(NOW - 59));
    assert!(finish(&op.idp()).await.is_ok());
    op.answer_claims(|claims| {
        claims["nbf"] = json!(NOW + 60);
        claims["iat"] = json!(NOW + 60);
    });
    assert!(finish(&op.idp()).await.is_ok());
}

#[tokio::test]
async fn members_that_are_there_twice_are_refused_in_any_case() {
    let op = Op::start().await;
    let claims = op.claims().to_string();
    for more in [
        r#""tid":"x""#,
        r#""TID":"x""#,
        r#""Iss":"x""#,
        r#""aud":"x""#,
        r#""Nonce":"x""#,
        r#""n\u0061me":"x""#,
    ] {
        let twice = claims.replacen('{', &format!("{{{more},"), 1);
        op.answer_token(&sign(&header(), &twice, 0));
        assert_eq!(refused(&op).await, "duplicate", "{more}");
    }
}

#[tokio::test]
async fn what_is_not_a_compact_token_over_objects_is_refused() {
    let op = Op::start().await;
    let good = op.good_token();
    let list = sign(&header(), "[1]", 0);
    let padded = good.replacen('.', "=.", 1);
    for raw in ["", "a", "a.b", "a.b.c", "a.b.c.d.e", &list, &padded, &format!("{good}.x")] {
        op.answer_token(raw);
        assert_eq!(refused(&op).await, "format", "{raw}");
    }
}

#[tokio::test]
async fn an_oversized_token_is_refused() {
    let op = Op::start().await;
    op.answer_claims(|claims| claims["filler"] = json!("x".repeat(64 * 1024)));
    assert_eq!(refused(&op).await, "size");
}

#[tokio::test]
async fn a_consistent_token_of_another_tenant_is_refused() {
    let op = Op::start().await;
    op.answer_claims(|claims| {
        claims["tid"] = json!(OTHER_TENANT);
        claims["iss"] = json!(op.issuer(OTHER_TENANT));
    });
    assert_eq!(refused(&op).await, "issuer");
}

#[tokio::test]
async fn with_many_tenants_only_those_on_the_list_sign_in() {
    let op = Op::start().await;
    let mut metadata = op.metadata();
    metadata["issuer"] = json!(op.issuer("{tenantid}"));
    op.set(&super::op::metadata_path("organizations"), json_answer(200, &metadata));
    let mut key = op.jwk(0, "key-1");
    key["issuer"] = json!(op.issuer("{tenantid}"));
    op.set(KEYS, json_answer(200, &json!({ "keys": [key] })));
    let mut settings = op.settings();
    settings.tenant = "organizations".to_owned();
    settings.allowed_tenants.insert(TENANT.parse().unwrap());
    let idp = crate::idp::Idp::new(settings, op.clock.clone()).unwrap();
    assert!(finish(&idp).await.is_ok());
    op.answer_claims(|claims| {
        claims["tid"] = json!(OTHER_TENANT);
        claims["iss"] = json!(op.issuer(OTHER_TENANT));
    });
    let answer = finish(&idp).await;
    assert!(matches!(answer, Err(IdpError::ForeignTenant { .. })), "{answer:?}");
    op.answer_claims(|claims| claims["tid"] = json!(OTHER_TENANT));
    let answer = finish(&idp).await;
    assert!(matches!(answer, Err(IdpError::BadToken { check: "issuer" })), "{answer:?}");
}

#[tokio::test]
async fn a_key_of_another_issuer_or_cloud_does_not_vouch() {
    for (member, value) in [("issuer", "https://evil.example"), ("cloud_instance_name", "other")] {
        let op = Op::start().await;
        let mut key = op.jwk(0, "key-1");
        key[member] = json!(value);
        op.set(KEYS, json_answer(200, &json!({ "keys": [key] })));
        assert_eq!(refused(&op).await, "key_issuer");
    }
}

#[tokio::test]
async fn two_keys_of_one_name_vouch_for_nothing() {
    let op = Op::start().await;
    let both = json!({ "keys": [op.jwk(0, "key-1"), op.jwk(1, "key-1")] });
    op.set(KEYS, json_answer(200, &both));
    assert_eq!(refused(&op).await, "kid");
}

#[tokio::test]
async fn a_token_without_the_name_of_its_key_is_taken_only_where_there_is_one_key() {
    let op = Op::start().await;
    let nameless = json!({ "typ": "JWT", "alg": "RS256" });
    op.answer_token(&sign(&nameless, &op.claims().to_string(), 0));
    assert!(finish(&op.idp()).await.is_ok());
    let mut key = op.jwk(0, "key-1");
    key.as_object_mut().unwrap().remove("kid");
    op.set(KEYS, json_answer(200, &json!({ "keys": [key] })));
    assert!(finish(&op.idp()).await.is_ok());
    op.answer_token(&op.good_token());
    assert_eq!(refused(&op).await, "kid");
    op.answer_token(&sign(&nameless, &op.claims().to_string(), 0));
    op.set(KEYS, json_answer(200, &json!({ "keys": [op.jwk(0, "key-1"), op.jwk(1, "key-2")] })));
    assert_eq!(refused(&op).await, "kid");
}

#[tokio::test]
async fn an_access_token_or_one_of_another_client_is_no_id_token() {
    let op = Op::start().await;
    for (name, value, expected) in [
        ("scp", json!("access_as_user"), "access_token"),
        ("idtyp", json!("app"), "access_token"),
        ("appid", json!(CLIENT), "access_token"),
        ("azp", json!(OTHER_TENANT), "authorized_party"),
        ("at_hash", json!("AAAA"), "access_token_hash"),
        ("at_hash", json!(1), "format"),
    ] {
        op.answer_claims(|claims| claims[name] = value.clone());
        assert_eq!(refused(&op).await, expected, "{name}");
    }
    let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(ACCESS)[..16]);
    op.answer_claims(|claims| {
        claims["azp"] = json!(CLIENT);
        claims["at_hash"] = json!(hash);
    });
    finish(&op.idp()).await.unwrap();
}

#[tokio::test]
async fn a_key_with_a_huge_exponent_is_not_used() {
    let op = Op::start().await;
    let mut key = op.jwk(0, "key-1");
    key["e"] = json!(URL_SAFE_NO_PAD.encode([0x7f; 256]));
    let set = json!({ "keys": [key, op.jwk(1, "key-2")] });
    op.set(KEYS, json_answer(200, &set));
    assert_eq!(refused(&op).await, "kid");
}

#[tokio::test]
async fn a_short_key_or_one_for_encryption_is_not_used() {
    let op = Op::start().await;
    let mut encrypting = op.jwk(0, "key-1");
    encrypting["use"] = json!("enc");
    let set = json!({ "keys": [op.jwk(2, "key-2"), encrypting, op.jwk(1, "key-3")] });
    op.set(KEYS, json_answer(200, &set));
    op.answer_token(&sign(&json!({ "alg": "RS256", "kid": "key-2" }), &op.claims().to_string(), 2));
    assert_eq!(refused(&op).await, "kid");
    op.answer_token(&op.good_token());
    assert_eq!(refused(&op).await, "kid");
}

#[tokio::test]
async fn an_answer_without_an_id_token_is_refused() {
    let op = Op::start().await;
    let body = json!({ "token_type": "Bearer", "access_token": "a", "expires_in": 1 });
    op.set(super::op::TOKEN, json_answer(200, &body));
    assert_eq!(refused(&op).await, "missing");
}
