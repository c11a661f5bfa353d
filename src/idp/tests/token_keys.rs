//! Which published keys vouch for a token, of either kind (A33).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::op::{KEYS, Op, header, json_answer, sign};
use super::token_checks::{KINDS, accepted, claims, refused};

/// The keys are published like this; a token that key `number` signed under `kid` fails this check.
async fn check_keys(set: &[Value], (header, number): (&Value, usize), check: &str) {
    let op = Op::start().await;
    op.set(KEYS, json_answer(200, &json!({ "keys": set })));
    for kind in KINDS {
        let raw = sign(header, &claims(&op, kind).to_string(), number);
        refused(&op, &op.idp(), (kind, &raw), check).await;
    }
}

#[tokio::test]
async fn a33_keys_that_may_not_vouch_do_not() {
    let op = Op::start().await;
    let with = |number, kid, member: &str, value: Value| {
        let mut key = op.jwk(number, kid);
        key.as_object_mut().unwrap().remove("issuer");
        key[member] = value;
        key
    };
    let other = with(1, "key-9", "use", json!("sig"));
    let huge = json!(URL_SAFE_NO_PAD.encode([0x7f; 256]));
    let short = json!({ "alg": "RS256", "kid": "key-2" });
    let nameless = json!({ "typ": "JWT", "alg": "RS256" });
    let own = header();
    let personal =
        json!("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0");
    let rows = [
        (with(0, "key-1", "issuer", json!("https://evil.example")), (&own, 0), "key_issuer"),
        (with(0, "key-1", "issuer", personal), (&own, 0), "key_issuer"),
        (with(0, "key-1", "cloud_instance_name", json!("other")), (&own, 0), "key_issuer"),
        (with(0, "key-1", "use", json!("enc")), (&own, 0), "kid"),
        (with(0, "key-1", "kty", json!("oct")), (&own, 0), "kid"),
        (with(0, "key-1", "e", huge), (&own, 0), "kid"),
        (with(2, "key-2", "use", json!("sig")), (&short, 2), "kid"),
        (with(1, "key-9", "use", json!("sig")), (&own, 0), "kid"),
        (with(0, "key-1", "use", json!("sig")), (&nameless, 0), "kid"),
    ];
    for (key, token, check) in rows {
        check_keys(&[key, other.clone()], token, check).await;
    }
    let twins = [with(0, "key-1", "use", json!("sig")), with(1, "key-1", "use", json!("sig"))];
    check_keys(&twins, (&own, 0), "kid").await;
}

#[tokio::test]
async fn a_token_without_the_name_of_its_key_is_taken_where_there_is_one_key() {
    let op = Op::start().await;
    let nameless = json!({ "typ": "JWT", "alg": "RS256" });
    let mut key = op.jwk(0, "key-1");
    for named in [true, false] {
        if !named {
            key.as_object_mut().unwrap().remove("kid");
        }
        op.set(KEYS, json_answer(200, &json!({ "keys": [key] })));
        for kind in KINDS {
            let raw = sign(&nameless, &claims(&op, kind).to_string(), 0);
            accepted(&op, &op.idp(), (kind, &raw)).await;
        }
    }
    for kind in KINDS {
        let raw = sign(&header(), &claims(&op, kind).to_string(), 0);
        refused(&op, &op.idp(), (kind, &raw), "kid").await;
    }
}
