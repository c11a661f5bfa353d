//! Tokens: v2.0 ID tokens with Entra's claims, and Graph access tokens that only Graph can verify.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::error::SimError;
use super::fault::Tamper;
use super::keys::SigningKey;
use super::people::{Origin, Person};
use super::state::{Granted, State};
use super::tenant::{Registration, Sim, random};

/// Tokens are dated this many seconds back.
const BACKDATED: i64 = 300;
/// `exp` minus `iat`, in seconds: an hour of life after the backdating.
const LIFE: i64 = 3900;
/// More groups than this do not fit into a JWT.
const GROUP_LIMIT: usize = 200;
/// Application id of Microsoft Graph.
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// Signs an ID token for `person`; `nonce` is absent on refreshed ones.
pub(super) fn id_token(
    sim: &Sim,
    state: &mut State,
    granted: &Granted,
    nonce: Option<&str>,
) -> Result<Option<String>, SimError> {
    let Some(client) = sim.client(&granted.client) else { return Ok(None) };
    let Some(person) = state.person(&granted.object_id) else { return Ok(None) };
    let mut claims = id_claims(sim, granted, person)?;
    if let Some(nonce) = nonce {
        claims.insert("nonce".to_owned(), json!(nonce));
    }
    let header = header(state.keys.current());
    match state.next_tamper.take() {
        Some(tamper) => tampered(state, client, (header, claims), &tamper).map(Some),
        None => signed(state.keys.current(), &header, &claims).map(Some),
    }
}

fn id_claims(
    sim: &Sim,
    granted: &Granted,
    person: &Person,
) -> Result<Map<String, Value>, SimError> {
    let issued = sim.now().as_seconds() - BACKDATED;
    let has = |scope: &str| granted.scopes.iter().any(|asked| asked == scope);
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("aud", json!(granted.client));
    put("iss", json!(sim.issuer()));
    put("iat", json!(issued));
    put("nbf", json!(issued));
    put("exp", json!(issued + LIFE));
    put("sub", json!(sim.pairwise(&person.object_id, &granted.client)));
    put("ver", json!("2.0"));
    put("uti", json!(random(16)?));
    put("rh", json!(format!("1.{}.", random(24)?)));
    put("aio", json!(random(48)?));
    put("sid", json!(granted.sid));
    put("login_hint", json!(person.hint()));
    if has("profile") {
        put("oid", json!(person.object_id));
        put("tid", json!(sim.tenant()));
        put("name", json!(person.name));
        put("preferred_username", json!(person.user_name));
    }
    if !granted.acrs.is_empty() {
        put("acrs", json!(granted.acrs));
    }
    if !person.roles.is_empty() {
        put("roles", json!(person.roles));
    }
    match &person.origin {
        Origin::Member if has("email") => put("email", json!(person.user_name)),
        Origin::Member => None,
        Origin::Guest { home } => {
            put("email", json!(person.user_name));
            put("idp", json!(format!("https://sts.windows.net/{home}/")))
        }
    };
    put_groups(sim, person, &mut claims);
    Ok(claims)
}

fn put_groups(sim: &Sim, person: &Person, claims: &mut Map<String, Value>) {
    if person.groups.len() > GROUP_LIMIT {
        let endpoint = format!(
            "https://graph.windows.net/{}/users/{}/getMemberObjects",
            sim.tenant(),
            person.object_id
        );
        claims.insert("_claim_names".to_owned(), json!({ "groups": "src1" }));
        let sources = json!({ "src1": { "endpoint": endpoint } });
        claims.insert("_claim_sources".to_owned(), sources);
    } else if !person.groups.is_empty() {
        claims.insert("groups".to_owned(), json!(person.groups));
    }
}

/// A Graph access token. Its header holds a `nonce` whose hash was signed instead, so that only Graph, which knows
/// the trick, can verify it: it is opaque to everyone else, as at Entra.
pub(super) fn access_token(
    sim: &Sim,
    key: &SigningKey,
    granted: &Granted,
) -> Result<String, SimError> {
    let issued = sim.now().as_seconds() - BACKDATED;
    let nonce = random(24)?;
    let claims = json!({
        "aud": GRAPH,
        "iss": format!("https://sts.windows.net/{}/", sim.tenant()),
        "iat": issued, "nbf": issued, "exp": issued + LIFE,
        "app_displayname": "Cedargate", "appid": granted.client, "appidacr": "1",
        "oid": granted.object_id, "tid": sim.tenant(), "idtyp": "user", "ver": "1.0",
        "scp": "email openid profile User.Read", "uti": random(16)?,
        "sub": sim.pairwise(&granted.object_id, GRAPH),
    });
    let mut header = header(key);
    header.insert("nonce".to_owned(), json!(URL_SAFE_NO_PAD.encode(Sha256::digest(&nonce))));
    let payload = part(&claims);
    let signature = key.sign(&format!("{}.{payload}", part(&Value::Object(header.clone()))))?;
    header.insert("nonce".to_owned(), json!(nonce));
    Ok(format!("{}.{payload}.{signature}", part(&Value::Object(header))))
}

fn header(key: &SigningKey) -> Map<String, Value> {
    let mut header = Map::new();
    header.insert("typ".to_owned(), json!("JWT"));
    header.insert("alg".to_owned(), json!("RS256"));
    header.insert("kid".to_owned(), json!(key.kid));
    header
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn input(header: &Map<String, Value>, claims: &Map<String, Value>) -> String {
    format!("{}.{}", part(&Value::Object(header.clone())), part(&Value::Object(claims.clone())))
}

fn signed(
    key: &SigningKey,
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
) -> Result<String, SimError> {
    let input = input(header, claims);
    let signature = key.sign(&input)?;
    Ok(format!("{input}.{signature}"))
}

fn tampered(
    state: &State,
    client: &Registration,
    (mut header, mut claims): (Map<String, Value>, Map<String, Value>),
    tamper: &Tamper,
) -> Result<String, SimError> {
    let key = state.keys.current();
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
            hmac(header, &claims, client.secret.expose_secret().as_bytes())
        }
        Tamper::OtherKey => signed(&SigningKey::generate()?, &header, &claims),
        Tamper::Payload => {
            let genuine = signed(key, &header, &claims)?;
            let signature = genuine.rsplit_once('.').map_or("", |(_, signature)| signature);
            claims.insert("name".to_owned(), json!("Mallory"));
            Ok(format!("{}.{signature}", input(&header, &claims)))
        }
        Tamper::NoSignature => Ok(format!("{}.", input(&header, &claims))),
    }
}

fn hmac(
    mut header: Map<String, Value>,
    claims: &Map<String, Value>,
    secret: &[u8],
) -> Result<String, SimError> {
    header.insert("alg".to_owned(), json!("HS256"));
    let input = input(&header, claims);
    let key = EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key, Algorithm::HS256)
        .map_err(SimError::Signature)?;
    Ok(format!("{input}.{signature}"))
}
