//! A provider that says what a test wants, and the values of a sign-in that goes well.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

use crate::idp::{ApiSettings, EntraSettings, Idp, IdpError, Proof, SignedIn, TokenVersion};
use crate::model::entra::{Cloud, Credential, GroupSource};
use crate::model::host::Origin;
use crate::model::session::StepUp;
use crate::model::time::{Clock, Timestamp};

pub(super) const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub(super) const OTHER_TENANT: &str = "22222222-2222-4222-8222-222222222222";
pub(super) const PERSON: &str = "33333333-3333-4333-8333-333333333333";
pub(super) const GROUP: &str = "44444444-4444-4444-8444-444444444444";
pub(super) const CLIENT: &str = "55555555-5555-4555-8555-555555555555";
pub(super) const SERVICE: &str = "66666666-6666-4666-8666-666666666666";
pub(super) const SCRIPT: &str = "77777777-7777-4777-8777-777777777777";
pub(super) const NOW: i64 = 1_795_510_800;

pub(super) const SECRET: &str = "canary-client-secret";
pub(super) const CODE: &str = "canary-code";
pub(super) const VERIFIER: &str = "canary-verifier-canary-verifier-canary-verifier";
pub(super) const NONCE: &str = "canary-nonce";
pub(super) const ACCESS: &str = "canary-access-token";
pub(super) const REFRESH: &str = "canary-refresh-token";

pub(super) const KEYS: &str = "/keys";
pub(super) const TOKEN: &str = "/token";
pub(super) const GRAPH: &str = "/v1.0/me/getMemberObjects";

/// What the provider answers on one path.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

pub(super) fn json_answer(status: u16, body: &Value) -> Answer {
    Answer {
        status,
        headers: vec![("content-type", "application/json".to_owned())],
        body: body.to_string(),
    }
}

#[derive(Default)]
struct Script {
    answers: BTreeMap<String, Answer>,
    once: BTreeMap<String, VecDeque<Answer>>,
    hits: Vec<(String, String, BTreeMap<String, String>)>,
}

pub(super) struct Op {
    pub(super) origin: Origin,
    pub(super) clock: Clock,
    script: Arc<Mutex<Script>>,
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let headers = request.headers().iter();
    let headers = headers.map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
    let body = to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let mut script = script.lock().unwrap();
    let next = script.once.get_mut(&path).and_then(VecDeque::pop_front);
    let answer = next.or_else(|| script.answers.get(&path).cloned());
    let answer = answer.unwrap_or(json_answer(404, &json!({})));
    script.hits.push((path, String::from_utf8(body.to_vec()).unwrap(), headers));
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).unwrap()
}

pub(super) fn metadata_path(tenant: &str) -> String {
    format!("/{tenant}/v2.0/.well-known/openid-configuration")
}

impl Op {
    #[expect(clippy::disallowed_methods, reason = "the provider runs beside the test")]
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin: Origin = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let script = Arc::new(Mutex::new(Script::default()));
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&script));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let clock = Clock::fixed(Timestamp::from_seconds(NOW));
        let op = Self { origin, clock, script };
        op.set(&metadata_path(TENANT), json_answer(200, &op.metadata()));
        op.set(KEYS, json_answer(200, &json!({ "keys": [op.jwk(0, "key-1")] })));
        op.answer_token(&op.good_token());
        op
    }

    pub(super) fn settings(&self) -> EntraSettings {
        EntraSettings {
            authority: self.origin.clone(),
            cloud: Cloud::Public,
            tenant: TENANT.to_owned(),
            client_id: CLIENT.to_owned(),
            credential: secret(SECRET),
            second: None,
            redirect_uri: "http://localhost:8080/_gate/callback".to_owned(),
            post_logout_uri: "http://localhost:8080/_gate/signed-out".to_owned(),
            allowed_tenants: std::collections::BTreeSet::new(),
            groups: GroupSource::default(),
            graph_origin: None,
            api: Some(ApiSettings {
                audience: CLIENT.to_owned(),
                version: TokenVersion::V2,
                scope: "access_as_user".to_owned(),
                mfa_context: Some("c1".to_owned()),
                step_up: Duration::from_mins(30),
            }),
            authorities: Vec::new(),
        }
    }

    pub(super) fn idp(&self) -> Idp {
        Idp::new(self.settings(), self.clock.clone()).unwrap()
    }

    pub(super) fn set(&self, path: &str, answer: Answer) {
        self.script.lock().unwrap().answers.insert(path.to_owned(), answer);
    }

    /// Answers one request, before what is set for all.
    pub(super) fn set_next(&self, path: &str, answer: Answer) {
        self.script.lock().unwrap().once.entry(path.to_owned()).or_default().push_back(answer);
    }

    pub(super) fn hits(&self, path: &str) -> usize {
        self.script.lock().unwrap().hits.iter().filter(|hit| hit.0 == path).count()
    }

    /// Body and headers of the last request to `path`.
    pub(super) fn last(&self, path: &str) -> (String, BTreeMap<String, String>) {
        let script = self.script.lock().unwrap();
        let hit = script.hits.iter().rev().find(|hit| hit.0 == path).unwrap();
        (hit.1.clone(), hit.2.clone())
    }

    /// The form of each request to `path`, oldest first.
    pub(super) fn forms(&self, path: &str) -> Vec<BTreeMap<String, String>> {
        let script = self.script.lock().unwrap();
        let form =
            |body: &String| url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        script.hits.iter().filter(|hit| hit.0 == path).map(|hit| form(&hit.1)).collect()
    }

    pub(super) fn metadata(&self) -> Value {
        json!({
            "issuer": self.issuer(TENANT),
            "authorization_endpoint": self.origin.url("/authorize"),
            "token_endpoint": self.origin.url(TOKEN),
            "jwks_uri": self.origin.url(KEYS),
            "end_session_endpoint": self.origin.url("/logout"),
            "msgraph_host": self.origin.authority(),
            "cloud_instance_name": "microsoftonline.com",
        })
    }

    pub(super) fn set_metadata(&self, change: impl FnOnce(&mut Value)) {
        let mut metadata = self.metadata();
        change(&mut metadata);
        self.set(&metadata_path(TENANT), json_answer(200, &metadata));
    }

    pub(super) fn issuer(&self, tenant: &str) -> String {
        self.origin.url(&format!("/{tenant}/v2.0"))
    }

    /// The public half of key `number`, called `kid`.
    pub(super) fn jwk(&self, number: usize, kid: &str) -> Value {
        let key = &keys()[number];
        json!({
            "kty": "RSA", "use": "sig", "kid": kid,
            "n": URL_SAFE_NO_PAD.encode(key.n().to_bytes_be()),
            "e": URL_SAFE_NO_PAD.encode(key.e().to_bytes_be()),
            "issuer": self.issuer(TENANT), "cloud_instance_name": "microsoftonline.com",
        })
    }

    pub(super) fn claims(&self) -> Value {
        json!({
            "iss": self.issuer(TENANT), "aud": CLIENT, "tid": TENANT, "oid": PERSON, "sub": "pair",
            "exp": NOW + 3600, "iat": NOW - 300, "nbf": NOW - 300, "nonce": NONCE, "ver": "2.0",
            "name": "Olive Oyl", "preferred_username": "olive@contoso.example",
            "groups": [GROUP], "roles": ["Reports.Read"],
        })
    }

    /// What an access token that acts for the person says.
    pub(super) fn person_claims(&self) -> Value {
        let mut claims = self.claims();
        claims.as_object_mut().unwrap().remove("nonce");
        claims["scp"] = json!("other access_as_user");
        claims["azp"] = json!(SCRIPT);
        claims
    }

    /// What an access token of a service says.
    pub(super) fn service_claims(&self) -> Value {
        json!({
            "iss": self.issuer(TENANT), "aud": CLIENT, "tid": TENANT, "oid": SERVICE, "sub": SERVICE,
            "exp": NOW + 3600, "iat": NOW - 300, "nbf": NOW - 300, "ver": "2.0",
            "azp": SCRIPT, "azpacr": "1", "idtyp": "app", "roles": ["Jobs.Run"],
        })
    }

    pub(super) fn changed(&self, change: impl FnOnce(&mut Value)) -> Value {
        let mut claims = self.claims();
        change(&mut claims);
        claims
    }

    pub(super) fn good_token(&self) -> String {
        sign(&header(), &self.claims().to_string(), 0)
    }

    pub(super) fn answer_claims(&self, change: impl FnOnce(&mut Value)) {
        self.answer_token(&sign(&header(), &self.changed(change).to_string(), 0));
    }

    pub(super) fn answer_token(&self, id_token: &str) {
        let body = json!({
            "token_type": "Bearer", "scope": "User.Read openid", "expires_in": 4523,
            "access_token": ACCESS, "refresh_token": REFRESH, "id_token": id_token,
        });
        self.set(TOKEN, json_answer(200, &body));
    }

    pub(super) fn later(&self, span: Duration) {
        self.clock.advance(span);
    }
}

pub(super) fn secret(value: &str) -> Credential {
    Credential::Secret { value: value.to_owned().into(), expires_at: None }
}

pub(super) async fn finish(idp: &Idp) -> Result<SignedIn, IdpError> {
    let proof = Proof {
        nonce: NONCE.to_owned().into(),
        verifier: VERIFIER.to_owned().into(),
        step_up: StepUp::default(),
    };
    idp.finish(CODE.to_owned().into(), proof).await
}

pub(super) fn header() -> Value {
    json!({ "typ": "JWT", "alg": "RS256", "kid": "key-1" })
}

/// A compact JWS over exactly these texts, with key `number`.
pub(super) fn sign(header: &Value, claims: &str, number: usize) -> String {
    signed(&message(header, claims), number)
}

pub(super) fn sign_with(header: &Value, claims: &str, key: (&EncodingKey, Algorithm)) -> String {
    let message = message(header, claims);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key.0, key.1).unwrap();
    format!("{message}.{signature}")
}

pub(super) fn message(header: &Value, claims: &str) -> String {
    raw_message(&header.to_string(), claims)
}

pub(super) fn raw_message(header: &str, claims: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}", encode(header), encode(claims))
}

/// Key `number` under this message, whatever the message is.
pub(super) fn signed(message: &str, number: usize) -> String {
    let der = keys()[number].to_pkcs1_der().unwrap();
    let key = EncodingKey::from_rsa_der(der.as_bytes());
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::RS256).unwrap();
    format!("{message}.{signature}")
}

/// Two good keys and a short one, made once.
pub(super) fn keys() -> &'static [RsaPrivateKey; 3] {
    static KEYS: OnceLock<[RsaPrivateKey; 3]> = OnceLock::new();
    KEYS.get_or_init(|| {
        [2048, 2048, 1024].map(|bits| RsaPrivateKey::new(&mut rand_core::OsRng, bits).unwrap())
    })
}
