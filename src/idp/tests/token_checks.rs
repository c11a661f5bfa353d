//! One table of tokens that must be refused, for ID tokens and for access tokens alike: both pass the same checks.
//!
//! The rows are those of the catalogue of attacks: what is wrong with the cryptography of a token (A33), and for whom,
//! by whom and when it was issued (A34).

use jsonwebtoken::{Algorithm, EncodingKey};
use p256::pkcs8::EncodePrivateKey;
use rsa::pkcs8::EncodePublicKey;
use serde_json::{Value, json};

use super::op::{
    CLIENT, KEYS, NOW, OTHER_TENANT, Op, SCRIPT, SECRET, TENANT, finish, header, json_answer, keys,
    message, metadata_path, raw_message, sign, sign_with, signed,
};
use crate::idp::access_token::words;
use crate::idp::{BearerRefusal, Idp, IdpError};

/// The tokens that come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An ID token for a code.
    Id,
    /// An access token that acts for a person.
    Person,
    /// An access token of a service.
    Service,
}

pub(super) const KINDS: [Kind; 3] = [Kind::Id, Kind::Person, Kind::Service];

pub(super) fn claims(op: &Op, kind: Kind) -> Value {
    match kind {
        Kind::Id => op.claims(),
        Kind::Person => op.person_claims(),
        Kind::Service => op.service_claims(),
    }
}

/// The claims with one of them changed, or left out.
fn changed(op: &Op, kind: Kind, (name, value): (&str, Option<&Value>)) -> String {
    let mut claims = claims(op, kind);
    let members = claims.as_object_mut().unwrap();
    match value {
        Some(value) => drop(members.insert(name.to_owned(), value.clone())),
        None => drop(members.remove(name)),
    }
    claims.to_string()
}

/// What is made of a token: nothing is wrong, or which check failed.
async fn outcome(op: &Op, idp: &Idp, (kind, raw): (Kind, &str)) -> Result<(), String> {
    if kind == Kind::Id {
        op.answer_token(raw);
        return match finish(idp).await {
            Ok(_) => Ok(()),
            Err(IdpError::BadToken { check }) => Err(check.to_owned()),
            Err(error) => Err(format!("{error:?}")),
        };
    }
    match idp.bearer(&raw.to_owned().into()).await {
        Ok(_) => Ok(()),
        Err(BearerRefusal::Invalid { problem }) => Err(problem.to_owned()),
        Err(refusal) => Err(format!("{refusal:?}")),
    }
}

pub(super) async fn refused(op: &Op, idp: &Idp, (kind, raw): (Kind, &str), check: &str) {
    let said = if kind == Kind::Id { check } else { words(check) };
    let outcome = outcome(op, idp, (kind, raw)).await;
    assert_eq!(outcome, Err(said.to_owned()), "{kind:?}: {check}: {raw}");
    assert_ne!(words(check), words("?"), "`{check}` has no words");
}

pub(super) async fn accepted(op: &Op, idp: &Idp, (kind, raw): (Kind, &str)) {
    assert_eq!(outcome(op, idp, (kind, raw)).await, Ok(()), "{kind:?}: {raw}");
}

#[tokio::test]
async fn a_token_as_entra_makes_it_is_accepted() {
    let op = Op::start().await;
    for kind in KINDS {
        accepted(&op, &op.idp(), (kind, &sign(&header(), &claims(&op, kind).to_string(), 0))).await;
    }
}

#[tokio::test]
async fn a33_headers_that_name_another_algorithm_key_or_reading_are_refused() {
    let rows = [
        ("alg", Some(json!("none")), "algorithm"),
        ("alg", Some(json!("None")), "algorithm"),
        ("alg", Some(json!("NONE")), "algorithm"),
        ("alg", Some(json!("")), "algorithm"),
        ("alg", Some(json!(["RS256"])), "algorithm"),
        ("alg", Some(json!("rs256")), "algorithm"),
        ("alg", Some(json!("ES256")), "algorithm"),
        ("alg", Some(json!("PS256")), "algorithm"),
        ("alg", Some(json!("HS256")), "algorithm"),
        ("alg", Some(json!("RSA-OAEP")), "algorithm"),
        ("alg", None, "algorithm"),
        ("kid", Some(json!("../../dev/null")), "kid"),
        ("kid", Some(json!("key-1' OR '1'='1")), "kid"),
        ("kid", Some(json!("unknown")), "kid"),
        ("kid", Some(json!("KEY-1")), "kid"),
        ("kid", Some(json!("")), "kid"),
        ("kid", Some(json!("k".repeat(257))), "kid"),
        ("kid", Some(json!(7)), "kid"),
        ("kid", Some(json!(null)), "kid"),
        ("jwk", Some(json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" })), "header"),
        ("JWK", Some(json!({ "kty": "RSA" })), "header"),
        ("jku", Some(json!("https://evil.example/keys")), "header"),
        ("x5u", Some(json!("https://evil.example/cert")), "header"),
        ("x5c", Some(json!(["MIIC"])), "header"),
        ("crit", Some(json!(["exp"])), "header"),
        ("crit", Some(json!([])), "header"),
        ("b64", Some(json!(false)), "header"),
        ("zip", Some(json!("DEF")), "header"),
        ("enc", Some(json!("A256GCM")), "header"),
        ("cty", Some(json!("JWT")), "header"),
        ("typ", Some(json!("at+jwt")), "type"),
        ("typ", Some(json!("logout+jwt")), "type"),
        ("typ", Some(json!(1)), "type"),
        ("nonce", Some(json!("x")), "graph"),
        ("ALG", Some(json!("none")), "duplicate"),
        ("Kid", Some(json!("key-1")), "duplicate"),
    ];
    let op = Op::start().await;
    let idp = op.idp();
    for kind in KINDS {
        for (name, value, check) in &rows {
            let mut header = header();
            match value {
                Some(value) => header[name] = value.clone(),
                None => drop(header.as_object_mut().unwrap().remove(*name)),
            }
            let raw = sign(&header, &claims(&op, kind).to_string(), 0);
            refused(&op, &idp, (kind, &raw), check).await;
        }
    }
}

#[tokio::test]
async fn a33_tokens_without_a_signature_are_refused() {
    let op = Op::start().await;
    let idp = op.idp();
    for kind in KINDS {
        let claims = claims(&op, kind).to_string();
        for alg in ["none", "None", "NONE"] {
            let header = json!({ "typ": "JWT", "alg": alg, "kid": "key-1" });
            let raw = format!("{}.", message(&header, &claims));
            refused(&op, &idp, (kind, &raw), "algorithm").await;
        }
        let cut = format!("{}.", message(&header(), &claims));
        refused(&op, &idp, (kind, &cut), "signature").await;
        let bare = message(&header(), &claims);
        refused(&op, &idp, (kind, &bare), "format").await;
    }
}

#[tokio::test]
async fn a33_tokens_signed_with_a_shared_secret_are_refused() {
    let op = Op::start().await;
    let idp = op.idp();
    let public = keys()[0].to_public_key();
    let der = public.to_public_key_der().unwrap();
    let pem = public.to_public_key_pem(rsa::pkcs8::LineEnding::LF).unwrap();
    let modulus = op.jwk(0, "key-1")["n"].as_str().unwrap().to_owned();
    for kind in KINDS {
        let claims = claims(&op, kind).to_string();
        for secret in [SECRET.as_bytes(), der.as_bytes(), pem.as_bytes(), modulus.as_bytes(), b""] {
            let key = EncodingKey::from_secret(secret);
            let named = json!({ "typ": "JWT", "alg": "HS256", "kid": "key-1" });
            let raw = sign_with(&named, &claims, (&key, Algorithm::HS256));
            refused(&op, &idp, (kind, &raw), "algorithm").await;
            // The same bytes under the name of the right algorithm.
            let raw = sign_with(&header(), &claims, (&key, Algorithm::HS256));
            refused(&op, &idp, (kind, &raw), "signature").await;
        }
    }
}

#[tokio::test]
async fn a33_signatures_of_another_kind_or_key_are_refused() {
    let op = Op::start().await;
    let idp = op.idp();
    let curve = p256::SecretKey::random(&mut rand_core::OsRng);
    let curve = curve.to_pkcs8_pem(rsa::pkcs8::LineEnding::LF).unwrap();
    let curve = EncodingKey::from_ec_pem(curve.as_bytes()).unwrap();
    for kind in KINDS {
        let claims = claims(&op, kind).to_string();
        let es256 = json!({ "typ": "JWT", "alg": "ES256", "kid": "key-1" });
        let raw = sign_with(&es256, &claims, (&curve, Algorithm::ES256));
        refused(&op, &idp, (kind, &raw), "algorithm").await;
        let raw = sign_with(&header(), &claims, (&curve, Algorithm::ES256));
        refused(&op, &idp, (kind, &raw), "signature").await;
        refused(&op, &idp, (kind, &sign(&header(), &claims, 1)), "signature").await;
        let good = sign(&header(), &claims, 0);
        let signature = good.rsplit('.').next().unwrap();
        let other = changed(&op, kind, ("roles", Some(&json!(["Admin"]))));
        let raw = format!("{}.{signature}", message(&header(), &other));
        refused(&op, &idp, (kind, &raw), "signature").await;
        let raw = format!("{good}{good}").replace('.', "");
        refused(&op, &idp, (kind, &raw), "format").await;
    }
}

#[tokio::test]
async fn a33_what_is_not_a_compact_token_over_objects_is_refused() {
    let op = Op::start().await;
    let idp = op.idp();
    let encrypted = raw_message(r#"{"alg":"RSA-OAEP","enc":"A256GCM","zip":"DEF"}"#, "key");
    let encrypted = format!("{encrypted}.aXY.Ym9tYg.dGFn");
    for kind in KINDS {
        let good = sign(&header(), &claims(&op, kind).to_string(), 0);
        let nested = sign(&header(), &good, 0);
        let list = sign(&header(), &format!("[{}]", claims(&op, kind)), 0);
        let text = sign(&header(), r#""claims""#, 0);
        let header_list = signed(&raw_message(r#"["RS256"]"#, &claims(&op, kind).to_string()), 0);
        let padded = good.replacen('.', "=.", 1);
        let spaced = format!(" {good}");
        let (more, twice) = (format!("{good}.x"), format!("{good},{good}"));
        for raw in [
            "a",
            "a.b",
            "a.b.c",
            "a.b.c.d.e",
            "..",
            &encrypted,
            &nested,
            &list,
            &text,
            &header_list,
            &padded,
            &spaced,
            &more,
            &twice,
        ] {
            refused(&op, &idp, (kind, raw), "format").await;
        }
    }
}

#[tokio::test]
async fn a33_members_that_are_there_twice_are_refused_in_any_case() {
    let op = Op::start().await;
    let idp = op.idp();
    let more = [
        r#""tid":"x""#,
        r#""TID":"x""#,
        r#""iss":"x""#,
        r#""Iss":"x""#,
        r#""aud":"x""#,
        r#""AUD":1"#,
        r#""oid":"x""#,
        r#""exp":1"#,
        r#""Ver":"1.0""#,
        r#""s\u0075b":"x""#,
        r#""Roles":["Admin"]"#,
    ];
    for kind in KINDS {
        let claims = claims(&op, kind).to_string();
        for more in more {
            let twice = claims.replacen('{', &format!("{{{more},"), 1);
            refused(&op, &idp, (kind, &sign(&header(), &twice, 0)), "duplicate").await;
        }
        let header = r#"{"alg":"none","typ":"JWT","kid":"key-1","alg":"RS256"}"#;
        let raw = signed(&raw_message(header, &claims), 0);
        refused(&op, &idp, (kind, &raw), "duplicate").await;
    }
}

#[tokio::test]
async fn a33_times_that_are_no_whole_seconds_or_lie_elsewhere_are_refused() {
    #[expect(clippy::cast_precision_loss, reason = "a fraction is what is wanted")]
    let fraction = json!(NOW as f64 + 3600.5);
    let rows = [
        ("exp", Some(json!(NOW - 60)), "expiry"),
        ("exp", Some(json!(1e300)), "expiry"),
        ("exp", Some(fraction.clone()), "expiry"),
        ("exp", Some(json!(-1)), "expiry"),
        ("exp", Some(json!(i64::MIN)), "expiry"),
        ("exp", Some(json!(u64::MAX)), "expiry"),
        ("exp", Some(json!((NOW + 3600).to_string())), "expiry"),
        ("exp", Some(json!(null)), "expiry"),
        ("exp", None, "expiry"),
        ("exp", Some(json!(i64::MAX)), "issued_at"),
        ("exp", Some(json!(NOW + 30 * 86400)), "issued_at"),
        ("iat", Some(json!(NOW + 61)), "issued_at"),
        ("iat", Some(json!(i64::MIN)), "issued_at"),
        ("iat", Some(json!(-1e300)), "issued_at"),
        ("iat", Some(json!("now")), "issued_at"),
        ("iat", Some(json!(null)), "issued_at"),
        ("iat", None, "issued_at"),
        ("nbf", Some(json!(NOW + 61)), "not_before"),
        ("nbf", Some(fraction), "not_before"),
        ("nbf", Some(json!(1e300)), "not_before"),
        ("nbf", None, "not_before"),
    ];
    check_claims(&rows, &KINDS).await;
}

#[tokio::test]
async fn a34_claims_that_are_missing_wrong_or_of_another_type_are_refused() {
    let op = Op::start().await;
    let other = op.issuer(OTHER_TENANT);
    let personal = op.issuer("9188040d-6c67-4c5b-b112-36a304b66dad");
    let trailing = format!("{}/", op.issuer(TENANT));
    let rows = [
        ("aud", None, "audience"),
        ("aud", Some(json!(null)), "audience"),
        ("aud", Some(json!("")), "audience"),
        ("aud", Some(json!([CLIENT])), "audience"),
        ("aud", Some(json!([CLIENT, SCRIPT])), "audience"),
        ("aud", Some(json!(SCRIPT)), "audience"),
        ("aud", Some(json!(CLIENT.to_ascii_uppercase() + "/")), "audience"),
        ("aud", Some(json!(format!("api://{CLIENT}"))), "audience"),
        ("aud", Some(json!("00000003-0000-0000-c000-000000000000")), "graph"),
        ("aud", Some(json!("https://graph.microsoft.com")), "graph"),
        ("iss", None, "issuer"),
        ("iss", Some(json!(null)), "issuer"),
        ("iss", Some(json!([op.issuer(TENANT)])), "issuer"),
        ("iss", Some(json!(other)), "issuer"),
        ("iss", Some(json!(personal)), "issuer"),
        ("iss", Some(json!(trailing)), "issuer"),
        ("iss", Some(json!(op.issuer("{tenantid}"))), "issuer"),
        ("iss", Some(json!(format!("https://sts.windows.net/{TENANT}/"))), "issuer"),
        ("iss", Some(json!(format!("https://login.microsoftonline.us/{TENANT}/v2.0"))), "issuer"),
        (
            "iss",
            Some(json!(format!("https://login.partner.microsoftonline.cn/{TENANT}/v2.0"))),
            "issuer",
        ),
        ("tid", None, "tenant"),
        ("tid", Some(json!(null)), "tenant"),
        ("tid", Some(json!("contoso.example")), "tenant"),
        ("tid", Some(json!([TENANT])), "tenant"),
        ("ver", None, "version"),
        ("ver", Some(json!("1.0")), "version"),
        ("ver", Some(json!(2.0)), "version"),
        ("oid", None, "object_id"),
        ("oid", Some(json!(null)), "object_id"),
        ("oid", Some(json!("olive")), "object_id"),
        ("sub", None, "subject"),
        ("sub", Some(json!("")), "subject"),
        ("sub", Some(json!(7)), "subject"),
    ];
    check_claims(&rows, &KINDS).await;
    let person = [
        ("roles", Some(json!("Admin")), "roles"),
        ("roles", Some(json!([1])), "roles"),
        ("acrs", Some(json!(1)), "acrs"),
        ("groups", Some(json!("one")), "groups"),
        ("groups", Some(json!([{}])), "groups"),
        ("_claim_names", Some(json!("groups")), "groups"),
        ("hasgroups", Some(json!(1)), "groups"),
    ];
    check_claims(&person, &[Kind::Id, Kind::Person]).await;
}

#[tokio::test]
async fn a34_one_kind_of_token_is_not_taken_for_the_other() {
    let op = Op::start().await;
    let idp = op.idp();
    for kind in [Kind::Person, Kind::Service] {
        let access = sign(&header(), &claims(&op, kind).to_string(), 0);
        refused(&op, &idp, (Kind::Id, &access), "access_token").await;
    }
    let id = [
        ("nonce", Some(json!(null)), "nonce"),
        ("nonce", Some(json!("other")), "nonce"),
        ("nonce", Some(json!(7)), "format"),
        ("nonce", None, "nonce"),
        ("scp", Some(json!("access_as_user")), "access_token"),
        ("Scp", Some(json!("access_as_user")), "access_token"),
        ("idtyp", Some(json!("app")), "access_token"),
        ("appid", Some(json!(SCRIPT)), "access_token"),
        ("azp", Some(json!(SCRIPT)), "authorized_party"),
        ("azp", Some(json!("")), "authorized_party"),
        ("at_hash", Some(json!("AAAA")), "access_token_hash"),
    ];
    check_claims(&id, &[Kind::Id]).await;
    let raw = op.good_token();
    refused(&op, &idp, (Kind::Person, &raw), "id_token").await;
    let access = [
        ("nonce", Some(json!("x")), "id_token"),
        ("Nonce", Some(json!("x")), "id_token"),
        ("at_hash", Some(json!("x")), "id_token"),
        ("c_hash", Some(json!("x")), "id_token"),
        ("azp", None, "client"),
        ("azp", Some(json!("nightly job")), "client"),
    ];
    check_claims(&access, &[Kind::Person, Kind::Service]).await;
    check_claims(&[("idtyp", Some(json!("device")), "kind")], &[Kind::Person]).await;
    check_claims(&[("scp", Some(json!("access_as_user")), "kind")], &[Kind::Service]).await;
}

/// Each of `rows` is a claim, what it is changed into (or none: left out), and the check that must fail.
async fn check_claims(rows: &[(&str, Option<Value>, &str)], kinds: &[Kind]) {
    let op = Op::start().await;
    let idp = op.idp();
    for kind in kinds {
        for (name, value, check) in rows {
            let claims = changed(&op, *kind, (name, value.as_ref()));
            refused(&op, &idp, (*kind, &sign(&header(), &claims, 0)), check).await;
        }
    }
}

#[tokio::test]
async fn clocks_may_differ_by_less_than_a_minute() {
    let op = Op::start().await;
    let idp = op.idp();
    for kind in KINDS {
        for (name, value) in [("exp", NOW - 59), ("nbf", NOW + 60), ("iat", NOW + 60)] {
            let claims = changed(&op, kind, (name, Some(&json!(value))));
            accepted(&op, &idp, (kind, &sign(&header(), &claims, 0))).await;
        }
    }
}

#[tokio::test]
async fn an_oversized_token_is_refused() {
    let op = Op::start().await;
    let idp = op.idp();
    for (kind, fits, bytes) in [(Kind::Id, 40, 64), (Kind::Person, 8, 16), (Kind::Service, 8, 16)] {
        for (kilobytes, fits) in [(fits, true), (bytes, false)] {
            let filler = json!("x".repeat(kilobytes * 1024));
            let raw = sign(&header(), &changed(&op, kind, ("filler", Some(&filler))), 0);
            if fits {
                accepted(&op, &idp, (kind, &raw)).await;
            } else {
                refused(&op, &idp, (kind, &raw), "size").await;
            }
        }
    }
}

#[tokio::test]
async fn a34_a_consistent_token_of_another_tenant_is_refused() {
    let op = Op::start().await;
    let idp = op.idp();
    for kind in KINDS {
        let mut claims = claims(&op, kind);
        claims["tid"] = json!(OTHER_TENANT);
        claims["iss"] = json!(op.issuer(OTHER_TENANT));
        let raw = sign(&header(), &claims.to_string(), 0);
        refused(&op, &idp, (kind, &raw), "issuer").await;
    }
}

#[tokio::test]
async fn a34_an_issuer_speaks_for_its_own_tenant_only() {
    let op = Op::start().await;
    let mut settings = op.settings();
    settings.allowed_tenants = [TENANT, OTHER_TENANT].map(|id| id.parse().unwrap()).into();
    let idp = Idp::new(settings, op.clock.clone()).unwrap();
    for kind in KINDS {
        let mut claims = claims(&op, kind);
        accepted(&op, &idp, (kind, &sign(&header(), &claims.to_string(), 0))).await;
        claims["tid"] = json!(OTHER_TENANT);
        let said = outcome(&op, &idp, (kind, &sign(&header(), &claims.to_string(), 0))).await;
        let said = said.unwrap_err();
        assert!(said.contains("tenant"), "{kind:?}: {said}");
    }
}

#[tokio::test]
async fn a34_with_many_tenants_only_those_on_the_list_get_in() {
    let op = Op::start().await;
    let mut metadata = op.metadata();
    metadata["issuer"] = json!(op.issuer("{tenantid}"));
    op.set(&metadata_path("organizations"), json_answer(200, &metadata));
    let mut key = op.jwk(0, "key-1");
    key["issuer"] = json!(op.issuer("{tenantid}"));
    op.set(KEYS, json_answer(200, &json!({ "keys": [key] })));
    let mut settings = op.settings();
    settings.tenant = "organizations".to_owned();
    settings.allowed_tenants.insert(TENANT.parse().unwrap());
    let idp = Idp::new(settings, op.clock.clone()).unwrap();
    for kind in KINDS {
        let mut claims = claims(&op, kind);
        accepted(&op, &idp, (kind, &sign(&header(), &claims.to_string(), 0))).await;
        claims["tid"] = json!(OTHER_TENANT);
        let raw = sign(&header(), &claims.to_string(), 0);
        refused(&op, &idp, (kind, &raw), "issuer").await;
        claims["iss"] = json!(op.issuer(OTHER_TENANT));
        let raw = sign(&header(), &claims.to_string(), 0);
        let said = outcome(&op, &idp, (kind, &raw)).await.unwrap_err();
        assert!(said.contains("tenant"), "{kind:?}: {said}");
    }
}

#[tokio::test]
async fn an_answer_without_an_id_token_is_refused() {
    let op = Op::start().await;
    let body = json!({ "token_type": "Bearer", "access_token": "a", "expires_in": 1 });
    op.set(super::op::TOKEN, json_answer(200, &body));
    let said = finish(&op.idp()).await.unwrap_err();
    assert!(matches!(said, IdpError::BadToken { check: "missing" }), "{said:?}");
}
