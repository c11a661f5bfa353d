//! Signed tokens (RFC 7515, RFC 7519), and tokens that are wrong on order.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::error::SimError;
use super::fault::Tamper;
use super::keys::{Keys, SigningKey};
use super::settings::Registration;
use super::tenant::random;

/// Tokens are dated this many seconds back.
pub(super) const BACKDATED: i64 = 300;
/// `exp` minus `iat`, in seconds: an hour of life after the backdating.
pub(super) const LIFE: i64 = 3900;

/// Claims of one token, in the order they were put.
pub(super) type Claims = Map<String, Value>;

/// The header of a token by this key.
pub(super) fn header(key: &SigningKey) -> Claims {
    let mut header = Map::new();
    header.insert("typ".to_owned(), json!("JWT"));
    header.insert("alg".to_owned(), json!("RS256"));
    header.insert("kid".to_owned(), json!(key.kid));
    header
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn input(header: &Claims, claims: &Claims) -> String {
    format!("{}.{}", part(&Value::Object(header.clone())), part(&Value::Object(claims.clone())))
}

/// The compact form.
pub(super) fn signed(
    key: &SigningKey,
    header: &Claims,
    claims: &Claims,
) -> Result<String, SimError> {
    let input = input(header, claims);
    let signature = key.sign(&input)?;
    Ok(format!("{input}.{signature}"))
}

/// A token for Graph. Its header holds a `nonce` whose hash was signed instead, so that only Graph, which knows the
/// trick, can verify it: it is opaque to everyone else, as at Entra.
pub(super) fn signed_for_graph(key: &SigningKey, claims: &Claims) -> Result<String, SimError> {
    let nonce = random(24)?;
    let mut header = header(key);
    header.insert("nonce".to_owned(), json!(URL_SAFE_NO_PAD.encode(Sha256::digest(&nonce))));
    let signature = key.sign(&input(&header, claims))?;
    header.insert("nonce".to_owned(), json!(nonce));
    Ok(format!("{}.{signature}", input(&header, claims)))
}

/// A token that is wrong as ordered; `client` is whose secret an HMAC would be keyed with.
pub(super) fn tampered(
    keys: &Keys,
    client: &Registration,
    (mut header, mut claims): (Claims, Claims),
    tamper: &Tamper,
) -> Result<String, SimError> {
    let key = keys.current();
    match tamper {
        Tamper::Claim(name, value) => {
            claims.insert(name.clone(), value.clone());
            signed(key, &header, &claims)
        }
        Tamper::Without(name) => {
            claims.remove(name);
            signed(key, &header, &claims)
        }
        Tamper::Header(name, value) => {
            header.insert(name.clone(), value.clone());
            signed(key, &header, &claims)
        }
        Tamper::AlgNone => {
            header.insert("alg".to_owned(), json!("none"));
            Ok(format!("{}.", input(&header, &claims)))
        }
        Tamper::HmacWithPublicKey => hmac(header, &claims, key.public_text().as_bytes()),
        Tamper::HmacWithClientSecret => {
            let secret = client.secrets.first().map(|secret| secret.value.expose_secret());
            hmac(header, &claims, secret.unwrap_or_default().as_bytes())
        }
        Tamper::OtherKey => signed(&SigningKey::generate()?, &header, &claims),
        Tamper::PersonalAccountKey => {
            header.insert("kid".to_owned(), json!(keys.personal().kid));
            signed(keys.personal(), &header, &claims)
        }
        Tamper::Payload => {
            let genuine = signed(key, &header, &claims)?;
            let signature = genuine.rsplit_once('.').map_or("", |(_, signature)| signature);
            claims.insert("name".to_owned(), json!("Mallory"));
            Ok(format!("{}.{signature}", input(&header, &claims)))
        }
        Tamper::NoSignature => Ok(format!("{}.", input(&header, &claims))),
    }
}

fn hmac(mut header: Claims, claims: &Claims, secret: &[u8]) -> Result<String, SimError> {
    header.insert("alg".to_owned(), json!("HS256"));
    let input = input(&header, claims);
    let key = EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key, Algorithm::HS256)
        .map_err(SimError::Signature)?;
    Ok(format!("{input}.{signature}"))
}
